//! What is looked at in a document: its blocks of code, its links and the anchors of its headings.

use std::collections::{BTreeMap, BTreeSet};

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};

/// A block of code.
pub struct Block {
    /// The line on which its text begins, from 1.
    pub line: usize,
    /// What stands behind the fence; `None` for an indented block.
    pub info: Option<String>,
    pub text: String,
}

/// What a document holds.
pub struct Document {
    pub blocks: Vec<Block>,
    /// Each link and picture, with its line.
    pub links: Vec<(usize, String)>,
    pub anchors: BTreeSet<String>,
}

pub fn read(text: &str) -> Document {
    let arena = Arena::new();
    let mut options = Options::default();
    options.extension.table = true;
    let (mut blocks, mut links, mut anchors) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut seen = BTreeMap::new();
    for node in parse_document(&arena, text, &options).descendants() {
        let data = node.data.borrow();
        let line = data.sourcepos.start.line;
        match &data.value {
            NodeValue::Heading(_) => {
                let slug = slug(&said(node));
                let times = seen.entry(slug.clone()).and_modify(|times| *times += 1).or_insert(0);
                anchors.insert(if *times == 0 { slug } else { format!("{slug}-{times}") });
            }
            NodeValue::CodeBlock(code) => {
                let info = code.fenced.then(|| code.info.clone());
                blocks.push(Block { line: line + usize::from(code.fenced), info, text: code.literal.clone() });
            }
            NodeValue::Link(target) | NodeValue::Image(target) => links.push((line, target.url.clone())),
            _ => {}
        }
    }
    Document { blocks, links, anchors }
}

/// The words of a heading, without their markup.
fn said<'a>(heading: &'a AstNode<'a>) -> String {
    let words = heading.descendants().map(|node| match &node.data.borrow().value {
        NodeValue::Text(text) => text.to_string(),
        NodeValue::Code(code) => code.literal.clone(),
        _ => String::new(),
    });
    words.collect()
}

/// The anchor of a heading, as the sites that show Markdown and mdBook make it.
fn slug(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|it| it.is_alphanumeric() || " -_".contains(*it));
    kept.map(|it| if it == ' ' { '-' } else { it }).collect()
}

#[test]
fn blocks_links_and_anchors_are_found() {
    let text = "# A `b`, c\n\n    lacuna x\n\n## A b c\n[t](to.md#it) ![p](p.png)\n\n```toml,fragment\na = 1\n```\n";
    let document = read(text);
    let blocks: Vec<_> = document.blocks.iter().map(|it| (it.line, it.info.as_deref(), it.text.as_str())).collect();
    assert_eq!(blocks, [(3, None, "lacuna x\n"), (9, Some("toml,fragment"), "a = 1\n")]);
    assert_eq!(document.links, [(6, "to.md#it".to_owned()), (6, "p.png".to_owned())]);
    assert_eq!(document.anchors.into_iter().collect::<Vec<_>>(), ["a-b-c", "a-b-c-1"]);
}
