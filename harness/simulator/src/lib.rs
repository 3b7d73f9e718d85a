//! A censoring platform and its faulty network.
//!
//! [`world`] is the platform itself: what it filters, for whom, and what its network loses and delays. It does no I/O and
//! asks no clock, so that thousands of runs fit into seconds. `http`, a cargo feature, is its face on a socket. [`export`] writes a
//! policy as rules of a real server, whose filter is then somebody else's code.

pub mod export;
#[cfg(feature = "http")]
pub mod http;
pub mod world;
