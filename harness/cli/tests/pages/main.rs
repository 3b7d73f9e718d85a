//! The page of a run, as others see it: an HTML validator, a browser, somebody with a keyboard. Needs the feature `servers`, the Debian
//! packages `chromium` and a Java, and the Python that ./test installs.
#![cfg(feature = "servers")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod browser;
mod devtools;
mod keyboard;
mod markup;
mod runs;
#[path = "../support/mod.rs"]
mod support;
