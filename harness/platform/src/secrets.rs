//! The one place where secrets are read.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use lacuna_model::adapter::SecretReference;
use secrecy::SecretString;

/// The longest file that is taken for a secret, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// A secret cannot be had. The messages name where it should be, never what it is.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not there.
    #[error("environment variable `{0}` is not set")]
    NotSet(String),
    /// The environment variable or the file is empty.
    #[error("`{0}` is empty")]
    Empty(SecretReference),
    /// The value is not text.
    #[error("`{0}` is not UTF-8")]
    NotText(SecretReference),
    /// The file cannot be read.
    #[error("cannot read {path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The path is no regular file.
    #[error("{0} is not a regular file")]
    NotAFile(PathBuf),
    /// The file is too long.
    #[error("{0} is longer than {MAX_BYTES} bytes, too long for a secret")]
    TooLong(PathBuf),
    /// Others may read the file.
    #[error("{path} can be read by others; run `chmod 600 {path}`", path = .0.display())]
    ReadableByOthers(PathBuf),
}

/// Reads a secret. A line break at the end of a file is not part of it.
pub fn resolve(reference: &SecretReference) -> Result<SecretString, SecretError> {
    let mut text = match reference {
        SecretReference::Environment(name) => std::env::var_os(name)
            .ok_or_else(|| SecretError::NotSet(name.clone()))?
            .into_string()
            .map_err(|_| SecretError::NotText(reference.clone()))?,
        SecretReference::File(path) => {
            let mut bytes = Vec::new();
            let read = open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes);
            let length = read.map_err(|error| SecretError::Unreadable { path: path.clone(), error })?;
            if length as u64 > MAX_BYTES {
                return Err(SecretError::TooLong(path.clone()));
            }
            String::from_utf8(bytes).map_err(|_| SecretError::NotText(reference.clone()))?
        }
    };
    if matches!(reference, SecretReference::File(_)) {
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
    }
    if text.is_empty() {
        return Err(SecretError::Empty(reference.clone()));
    }
    Ok(SecretString::from(text))
}

/// Whether a secret can be had, without keeping it.
pub fn exists(reference: &SecretReference) -> Result<(), SecretError> {
    resolve(reference).map(drop)
}

/// Opens a secret's file once it is known to be one. What the path names is looked at before opening, since opening a
/// named pipe would wait for a writer, and what was opened is looked at again, since the path may name something else by then.
fn open(path: &Path) -> Result<File, SecretError> {
    let unreadable = |error| SecretError::Unreadable { path: path.to_owned(), error };
    check(path, &std::fs::metadata(path).map_err(unreadable)?)?;
    let file = File::open(path).map_err(unreadable)?;
    check(path, &file.metadata().map_err(unreadable)?)?;
    Ok(file)
}

fn check(path: &Path, metadata: &Metadata) -> Result<(), SecretError> {
    if !metadata.is_file() {
        return Err(SecretError::NotAFile(path.to_owned()));
    }
    if metadata.len() > MAX_BYTES {
        return Err(SecretError::TooLong(path.to_owned()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(SecretError::ReadableByOthers(path.to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::PermissionsExt as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    fn secret_file(content: &[u8], mode: u32) -> (tempfile::TempDir, SecretReference) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, SecretReference::File(path))
    }

    #[test]
    fn a_private_file_is_read_without_its_last_line_break() {
        let (_folder, reference) = secret_file(b" hush \n", 0o600);
        assert_eq!(resolve(&reference).unwrap().expose_secret(), " hush ");
        assert!(exists(&reference).is_ok());
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_remedy() {
        for mode in [0o640, 0o604, 0o660] {
            let (_folder, reference) = secret_file(b"hush", mode);
            let message = exists(&reference).unwrap_err().to_string();
            assert!(message.contains("chmod 600"), "{message}");
        }
    }

    #[test]
    fn what_cannot_be_a_secret_is_refused() {
        for content in [&b""[..], b"\n", b"\xff\xfe", &vec![b'x'; 65 * 1024]] {
            let (_folder, reference) = secret_file(content, 0o600);
            assert!(exists(&reference).is_err());
        }
        let folder = tempfile::tempdir().unwrap();
        let directory = SecretReference::File(folder.path().to_owned());
        assert!(matches!(exists(&directory), Err(SecretError::NotAFile(_))));
        let missing = SecretReference::File(folder.path().join("missing"));
        assert!(matches!(exists(&missing), Err(SecretError::Unreadable { .. })));
    }

    #[test]
    fn a_variable_must_be_set() {
        let unset = SecretReference::Environment("LACUNA_TEST_NEVER_SET".to_owned());
        assert!(matches!(exists(&unset), Err(SecretError::NotSet(_))));
        // A variable that every test process has.
        assert!(exists(&SecretReference::Environment("PATH".to_owned())).is_ok());
    }

    #[test]
    fn debug_shows_no_secret() {
        let (_folder, reference) = secret_file(b"hush", 0o600);
        let shown = format!("{:?}", crate::ResolvedSetting::Secret(resolve(&reference).unwrap()));
        assert!(!shown.contains("hush"), "{shown}");
    }
}
