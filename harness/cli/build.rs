//! Says from what `lacuna` is built: the compiler, the target and, in a git checkout, the commit. A run tells it with its results.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the binary is made of, from the top of the workspace; tests and documents are no part of it.
const MADE_OF: [&str; 5] = ["Cargo.toml", "Cargo.lock", "harness/*/Cargo.toml", "harness/*/build.rs", "harness/*/src/*"];

fn main() {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let rustc = said(Command::new(compiler).arg("--version"));
    let rustc = rustc.as_deref().map_or("unknown", |it| it.strip_prefix("rustc ").unwrap_or(it));
    println!("cargo::rustc-env=LACUNA_RUSTC={rustc}");
    println!("cargo::rustc-env=LACUNA_TARGET={}", env::var("TARGET").unwrap_or_default());
    println!("cargo::rerun-if-changed=build.rs");
    // Sources that were unpacked from an archive have no commit; without git nobody knows it.
    if let Some(checkout) = Checkout::find()
        && let Some(commit) = checkout.ask(&["rev-parse", "HEAD"])
    {
        println!("cargo::rustc-env=LACUNA_COMMIT={commit}");
        println!("cargo::rustc-env=LACUNA_CHANGED={}", checkout.is_changed());
        checkout.watch();
    }
}

/// The repository of this workspace.
struct Checkout {
    top: PathBuf,
}

impl Checkout {
    /// `None` if there is none. Of a repository around it, in which the workspace is but a folder, the commit says nothing.
    fn find() -> Option<Self> {
        let top = Path::new(&env::var_os("CARGO_MANIFEST_DIR")?).join("../..").canonicalize().ok()?;
        let checkout = Self { top };
        let found = checkout.ask(&["rev-parse", "--show-toplevel"])?;
        (Path::new(&found).canonicalize().ok()? == checkout.top).then_some(checkout)
    }

    fn ask(&self, what: &[&str]) -> Option<String> {
        let mut git = Command::new("git");
        // A build that is started from a hook of git must not be told of that repository.
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"] {
            git.env_remove(variable);
        }
        // A build changes nothing in a repository, not even its index.
        said(git.arg("--no-optional-locks").arg("-C").arg(&self.top).args(what))
    }

    /// Whether what the binary is made of is not that of the commit. If git cannot say, it may be anything.
    fn is_changed(&self) -> bool {
        let mut what = vec!["status", "--porcelain", "--untracked-files=all", "--"];
        what.extend(MADE_OF);
        self.ask(&what).is_none_or(|changes| !changes.is_empty())
    }

    /// Another commit, or other sources, are asked about again. Whatever is watched makes this package be built anew anyway, but for the
    /// commit: it depends on every other.
    fn watch(&self) {
        let of_git = |name: &str| self.ask(&["rev-parse", "--git-path", name]).map(|path| self.top.join(path));
        let branch = self.ask(&["symbolic-ref", "--quiet", "HEAD"]).and_then(|branch| of_git(&branch));
        // A branch may be kept in `packed-refs` alone, which a new commit leaves as it is.
        let branch = branch.filter(|path| path.exists()).or_else(|| of_git("logs/HEAD"));
        let mut watched: Vec<PathBuf> = of_git("HEAD").into_iter().chain(branch).collect();
        watched.extend(["Cargo.toml", "Cargo.lock"].map(|name| self.top.join(name)));
        let crates = self.top.join("harness").read_dir().into_iter().flatten().flatten();
        watched.extend(crates.flat_map(|folder| ["Cargo.toml", "src"].map(|name| folder.path().join(name))));
        // What is watched and is not there would have this package built anew each time.
        for path in watched.iter().filter(|path| path.exists()) {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
}

/// What a command says, if it ends well; the line break at the end is not part of it.
fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim_end().to_owned())
}
