//! Stderr, shared by the progress bars and the log, so that neither breaks the other.

use std::io::{self, Write};

use indicatif::MultiProgress;
use tracing_subscriber::fmt::MakeWriter;

/// Stderr. Clones share it.
#[derive(Clone)]
pub struct Screen {
    /// The bars on it; draws nothing where stderr is no terminal.
    pub bars: MultiProgress,
}

impl Screen {
    /// Stderr without bars.
    pub fn new() -> Self {
        Self { bars: MultiProgress::new() }
    }

    /// Whether somebody looks at it.
    pub fn is_terminal() -> bool {
        console::user_attended_stderr()
    }

    /// Writes a line above the bars. Where stderr is gone, nobody can be told.
    pub fn line(&self, text: &str) {
        self.bars.suspend(|| {
            let _ = writeln!(io::stderr(), "{text}");
        });
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bars.suspend(|| io::stderr().write_all(bytes)).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for Screen {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
