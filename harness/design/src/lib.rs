//! The measurement engine without I/O.
