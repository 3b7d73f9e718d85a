//! Two drivers of the one engine: live and virtual.
