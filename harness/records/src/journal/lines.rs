//! Lines of bounded length from anything that can be read.

use std::io::{self, BufRead};

/// The longest line that a journal may hold, in bytes: room for a study with a few hundred thousand items.
pub const MAX_LINE: usize = 64 << 20;

/// What was found where a line should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// A line with its end.
    Line,
    /// The file ends within the line.
    Unfinished,
    /// The line is longer than it may be; what was read of it stands in the buffer.
    TooLong,
    /// There is nothing more.
    Nothing,
}

/// Reads the next line, without its end, into `line`.
pub(super) fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Found> {
    line.clear();
    loop {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(if line.is_empty() { Found::Nothing } else { Found::Unfinished });
        }
        let end = available.iter().position(|&byte| byte == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        if line.len() + part.len() > MAX_LINE {
            return Ok(Found::TooLong);
        }
        line.extend_from_slice(part);
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(Found::Line);
        }
    }
}
