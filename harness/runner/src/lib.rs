//! Two drivers of the one engine: live and in virtual time.

pub mod virtual_time;
