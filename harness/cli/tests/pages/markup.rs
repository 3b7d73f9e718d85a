//! Pages and figures are valid, as the Nu Html Checker sees them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use roxmltree::Document;
use serde_json::Value;

use crate::runs;
use crate::support::python::python;
use crate::support::{files, workspace};

/// CSS that browsers know and the checker (20.6.30) does not: text decoration and colour adjustment of level 4, fonts of level 4 (any weight
/// from 1 to 1000), containment, logical borders, `text-wrap`, `::details-content`. What browsers do not know of it they pass over.
const NEWER_THAN_THE_CHECKER: [&str; 11] = [
    "CSS: 'border-block': Property 'border-block' doesn't exist.",
    "CSS: 'contain-intrinsic-size': Property 'contain-intrinsic-size' doesn't exist.",
    "CSS: 'content-visibility': Property 'content-visibility' doesn't exist.",
    "CSS: 'font-weight': '650' is not a 'font-weight' value.",
    "CSS: 'print-color-adjust': Property 'print-color-adjust' doesn't exist.",
    "CSS: 'text-decoration': '1.5px' is not a 'color' value.",
    "CSS: 'text-decoration': '2px' is not a 'color' value.",
    "CSS: 'text-decoration-thickness': Property 'text-decoration-thickness' doesn't exist.",
    "CSS: 'text-underline-offset': Property 'text-underline-offset' doesn't exist.",
    "CSS: 'text-wrap': Property 'text-wrap' doesn't exist.",
    "CSS: Unknown pseudo-element or pseudo-class '::details-content'.",
];

/// Files of pictures are checked by SVG 1.1, which is older than ARIA; the same picture in a page may have it. That what is named is there
/// is looked at here.
const OLDER_THAN_ARIA: [&str; 2] = [
    "Attribute 'aria-labelledby' not allowed on element 'svg' at this point.",
    "The 'aria-labelledby' attribute must point to an element in the same document.",
];

/// What is said of each file, sorted; errors and warnings alike.
fn said_of(files: &[PathBuf]) -> BTreeMap<PathBuf, Vec<String>> {
    let arguments: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let said: Value = serde_json::from_str(&python("markup.py", &arguments, None)).unwrap();
    let mut of: BTreeMap<PathBuf, Vec<String>> = files.iter().map(|file| (file.clone(), Vec::new())).collect();
    for message in said["messages"].as_array().unwrap() {
        let file = Path::new(message["url"].as_str().unwrap().strip_prefix("file:").unwrap());
        of.get_mut(file).unwrap().push(message["message"].as_str().unwrap().to_owned());
    }
    for messages in of.values_mut() {
        messages.sort();
        messages.dedup();
    }
    of
}

/// Pages with one thing wrong each, and what is said of it.
fn wrong(page: &str, folder: &Path) -> Vec<(PathBuf, &'static str)> {
    let wrongs = [
        ("id=\"h-answer\"", "id=\"answer\"", "Duplicate ID 'answer'."),
        (
            "<h1>",
            "<h1><p>",
            "Element 'p' not allowed as child of element 'h1' in this context. (Suppressing further errors from this subtree.)",
        ),
        ("<th scope=\"col\"", "<th scope=\"cell\"", "Bad value 'cell' for attribute 'scope' on element 'th'."),
        ("margin:0 auto", "margin:0 automatic", "CSS: 'margin': 'automatic' is not a 'margin' value."),
        ("aria-labelledby=\"h-answer\"", "aria-labelledby=\"h-x\"", "must point to an element in the same document."),
    ];
    let written = (0..).zip(wrongs).map(|(number, (from, to, told))| {
        assert!(page.contains(from), "{from}");
        let path = folder.join(format!("wrong-{number}.html"));
        fs::write(&path, page.replacen(from, to, 1)).unwrap();
        (path, told)
    });
    written.collect()
}

#[test]
fn every_page_and_every_figure_is_valid_html_css_and_svg() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let runs = runs::of_every_kind(&folder);
    let (mut pages, mut pictures) = (Vec::new(), Vec::new());
    for run in &runs {
        pages.push(run.join("report.html"));
        let names = files(run).into_keys().map(|name| run.join(name));
        pictures.extend(names.filter(|path| path.extension().is_some_and(|it| it == "svg")));
    }
    assert!(pictures.len() > pages.len());
    let page = fs::read_to_string(&pages[1]).unwrap();
    let wrong = wrong(&page, &folder);
    let bad_picture = folder.join("wrong.svg");
    fs::write(&bad_picture, fs::read_to_string(&pictures[0]).unwrap().replacen("<rect ", "<rect colour=\"red\" ", 1)).unwrap();
    let example = fs::read_dir(workspace().join("results/example")).unwrap().next().unwrap().unwrap().path().join("report.html");

    let all = [
        &pages[..],
        &pictures,
        &wrong.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>(),
        &[bad_picture.clone(), example.clone()],
    ];
    let said = said_of(&all.concat());
    for page in &pages {
        // All of the list: each page was looked at, and the list is no longer than it must be.
        assert_eq!(said[page], NEWER_THAN_THE_CHECKER, "{}", page.display());
    }
    let others: Vec<&String> = said[&example].iter().filter(|it| !NEWER_THAN_THE_CHECKER.contains(&it.as_str())).collect();
    assert!(others.is_empty(), "{others:?}");
    for picture in &pictures {
        assert_eq!(said[picture], OLDER_THAN_ARIA, "{}", picture.display());
        let text = fs::read_to_string(picture).unwrap();
        let document = Document::parse(&text).unwrap();
        let named = document.root_element().attribute("aria-labelledby").unwrap().split(' ');
        assert!(
            named.clone().count() == 2
                && named.into_iter().all(|id| document.descendants().any(|it| it.attribute("id") == Some(id)))
        );
    }
    for (path, told) in &wrong {
        assert!(said[path].iter().any(|it| it.ends_with(told)), "{told}: {:#?}", said[path]);
    }
    assert!(said[&bad_picture].iter().any(|it| it.contains("Attribute 'colour' not allowed")), "{:?}", said[&bad_picture]);
}
