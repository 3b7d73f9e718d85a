//! What is sent, bytes in and bytes out: normal forms of texts, how a received text was made from a sent one, hashes.
//!
//! [`normal_form`] says when two texts are the same to a reader; [`alteration()`] says whether one is recognisably what a
//! platform made of the other. [`mod@image`] does the like for pictures; [`collide`] makes
//! pairs of files with one MD5.

pub mod alteration;
pub mod collide;
pub mod file;
pub mod hash;
pub mod image;
pub mod normal;
pub mod script;
pub mod transform;
pub mod visible;

pub use alteration::{Alteration, Shape, alteration, similarity};
pub use hash::{md5_hex, sha256, sha256_hex};
pub use normal::normal_form;
pub use script::{Script, script};
pub use visible::visible;
