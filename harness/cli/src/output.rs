//! Stdout: what was asked for, and nothing else.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// Writes to stdout. A reader that has seen enough (`| head`) is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// As [`print()`], of bytes.
pub fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::fault(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes lines to stdout.
pub fn print_lines(lines: &[String]) -> Result<(), Failure> {
    print(&(lines.join("\n") + "\n"))
}

/// Writes to a file, or to stdout where none is named.
pub fn print_to(file: Option<&Path>, text: &str) -> Result<(), Failure> {
    match file {
        None => print(text),
        Some(path) => std::fs::write(path, text).map_err(|error| cannot_write(path, &error)),
    }
}

/// A file that takes its name only when it is whole: until then, and if it is never finished, what stood under the name stays.
pub struct NewFile {
    out: BufWriter<File>,
    path: PathBuf,
    /// Its name until it is whole; none for a device or a pipe, which is written to as it is.
    partial: Option<PathBuf>,
}

impl NewFile {
    /// Begins a file. It must be none of `inputs`.
    pub fn create(path: &Path, inputs: &[&Path]) -> Result<Self, Failure> {
        let failed = |error: io::Error| cannot_write(path, &error);
        // What a link leads to is replaced, not the link. But /dev/stdout leads to whatever stdout is.
        let special = ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
        let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if inputs.iter().any(|input| input.canonicalize().is_ok_and(|input| input == *path)) {
            return Err(Failure::input(format!("{}: is read by this command (name another file to write to)", path.display())));
        }
        if special || fs::metadata(path).is_ok_and(|it| !it.is_file()) {
            let out = BufWriter::new(File::options().append(true).open(path).map_err(failed)?);
            return Ok(Self { out, path: path.clone(), partial: None });
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let partial = path.with_file_name(name);
        let out = BufWriter::new(File::create_new(&partial).map_err(failed)?);
        Ok(Self { out, path: path.clone(), partial: Some(partial) })
    }

    /// Writes what remains, and gives the file its name.
    pub fn finish(mut self) -> Result<(), Failure> {
        let written = self.out.flush().and_then(|()| match &self.partial {
            Some(partial) => fs::rename(partial, &self.path),
            None => Ok(()),
        });
        written.map_err(|error| cannot_write(&self.path, &error))?;
        self.partial = None;
        Ok(())
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(partial) = &self.partial {
            // Nothing more can be done about a rest that cannot be removed; it says `partial`.
            _ = fs::remove_file(partial);
        }
    }
}

/// A file that the command line named cannot be written.
pub fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::input(format!("{}: cannot be written: {error}", path.display()))
}

/// Writes JSON, indented, with a line break at its end.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(Failure::fault)?;
    print(&(text + "\n"))
}
