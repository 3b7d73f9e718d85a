//! Two drivers of the one engine: [`live`] and in [virtual time](virtual_time). [`run`] is a whole run over the former.

pub mod allowance;
pub mod assessment;
mod burnt;
pub mod check;
pub mod evaluation;
pub mod generated;
pub mod launch;
pub mod live;
pub mod plan;
pub mod registration;
pub mod repeats;
pub mod replan;
pub mod replay;
pub mod run;
mod timers;
pub mod truth;
pub mod virtual_time;
