//! Two files with different pictures and one MD5, made of two pictures.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use lacuna_content::collide::{CollidingBlocks, Container, Files, JoinError, collision};
use lacuna_content::image::{DecodeError, Limits, RgbImage, decode};
use lacuna_content::sha256_hex;

use super::table::read_at_most;

/// How to join two pictures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CollideOptions {
    /// What the two files are.
    pub container: Container,
    /// Gives the files an MD5 of their own.
    pub seed: u64,
    /// Whether new colliding blocks are searched, with the same seed, instead of taking those that Lacuna keeps.
    pub new_block: bool,
}

/// Two files that were written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CollideReport {
    /// The MD5 of both, in hexadecimal.
    pub md5: String,
    /// How many bytes differ.
    pub differing_bytes: usize,
    /// The two files, in the order of the pictures.
    pub files: [CollidingFile; 2],
}

/// One of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CollidingFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: usize,
    /// Width in pixels of the picture that it shows.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The JPEG quality with which the picture was written, 1 to 100.
    pub quality: u8,
}

/// Why there are no such files.
#[derive(Debug, thiserror::Error)]
pub enum CollideError {
    /// A picture cannot be read.
    #[error("{} {reason}", path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// A fragment for a person.
        reason: String,
    },
    /// A file is no picture that is decoded.
    #[error("{} {reason}", path.display())]
    Picture {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        #[source]
        reason: DecodeError,
    },
    /// Both pictures are the same, pixel by pixel.
    #[error("the two pictures have the same pixels: their twins could not be told apart")]
    SamePixels,
    /// They cannot be joined.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// What was made is no collision: a fault of this program.
    #[error("the files that were made have no common MD5")]
    NoCollision,
    /// The search was ended from outside.
    #[error("the search was ended before blocks were found")]
    Stopped,
    /// A file cannot be written, as where there is one of its name.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// Where it should have been.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Joins two pictures and writes the files into `out`, which is made if need be; nothing is overwritten.
///
/// They are called `first-MD5.jpg` and `second-MD5.jpg`, or `.pdf`. `go_on` is asked every few milliseconds of a search for new blocks
/// whether it may go on.
pub fn collide(
    pictures: [&Path; 2],
    out: &Path,
    options: CollideOptions,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<CollideReport, CollideError> {
    let [first, second] = pictures;
    let (first, second) = (read(first)?, read(second)?);
    if first == second {
        return Err(CollideError::SamePixels);
    }
    let CollideOptions { container, seed, new_block } = options;
    let blocks = if new_block { CollidingBlocks::search(container, seed, go_on) } else { Some(CollidingBlocks::kept(container)) };
    let Files { first, second, made } = blocks.ok_or(CollideError::Stopped)?.join(&first, &second, seed)?;
    let collision = collision(&first, &second).ok_or(CollideError::NoCollision)?;
    let extension = match container {
        Container::Jpeg => "jpg",
        Container::Pdf => "pdf",
    };
    let paths = ["first", "second"].map(|which| out.join(format!("{which}-{}.{extension}", collision.md5)));
    write_both(out, &paths, [&first, &second])?;
    let [first_path, second_path] = paths;
    let [first_made, second_made] = made;
    let files = [(first_path, first, first_made), (second_path, second, second_made)].map(|(path, bytes, made)| CollidingFile {
        path,
        sha256: sha256_hex(&bytes),
        bytes: bytes.len(),
        width: made.width,
        height: made.height,
        quality: made.quality,
    });
    Ok(CollideReport { md5: collision.md5, differing_bytes: collision.differing_bytes, files })
}

fn read(path: &Path) -> Result<RgbImage, CollideError> {
    let limits = Limits::default();
    let bytes = read_at_most(path, limits.bytes).map_err(|reason| CollideError::Unreadable { path: path.into(), reason })?;
    let decoded = decode(&bytes, &limits).map_err(|reason| CollideError::Picture { path: path.into(), reason })?;
    Ok(decoded.picture)
}

/// Writes both files or, if one cannot be written, none.
fn write_both(out: &Path, paths: &[PathBuf; 2], files: [&[u8]; 2]) -> Result<(), CollideError> {
    let failed = |path: &Path, source| CollideError::Write { path: path.into(), source };
    fs::create_dir_all(out).map_err(|source| failed(out, source))?;
    let [first, second] = paths;
    write_new(first, files[0]).map_err(|source| failed(first, source))?;
    write_new(second, files[1]).map_err(|source| {
        // It was new.
        let _ = fs::remove_file(first);
        failed(second, source)
    })
}

/// Writes a file that was not there; what could not be finished is taken away.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}
