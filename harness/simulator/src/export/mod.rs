//! A policy as rules of real servers.

pub mod prosody;
