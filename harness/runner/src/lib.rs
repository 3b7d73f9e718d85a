//! Two drivers of the one engine: [`live`] and in [virtual time](virtual_time).

pub mod live;
pub mod virtual_time;
