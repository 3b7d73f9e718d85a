//! Every relative link of every document leads to a file, and its anchor to a heading. Links to other places are not followed.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::markdown::{self, Document};

/// `a/../b` without the detour.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn every_link_leads_somewhere() {
    let files = super::files();
    let documents: BTreeMap<PathBuf, Document> = files
        .iter()
        .filter(|name| super::is_document(name))
        .map(|name| (PathBuf::from(name), markdown::read(&std::fs::read_to_string(super::root().join(name)).unwrap())))
        .collect();
    let mut broken = Vec::new();
    for (name, document) in &documents {
        for (line, link) in &document.links {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            if name.starts_with("docs/src") && link.starts_with("../") && link.contains(".md") {
                broken.push(format!(
                    "{}:{line}: {link}: leads out of the book, write %2Emd (docs/book.toml says why)",
                    name.display()
                ));
            }
            let link = link.replace("%2E", ".");
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { name.clone() } else { plain(&name.parent().unwrap().join(path)) };
            if !super::root().join(&target).exists() {
                broken.push(format!("{}:{line}: {link}: there is no such file", name.display()));
            } else if !anchor.is_empty() && !documents.get(&target).is_some_and(|target| target.anchors.contains(anchor)) {
                broken.push(format!("{}:{line}: {link}: there is no such heading", name.display()));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}
