//! What is looked at in a document: its blocks of code, its links and the anchors of its headings.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

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
    let line = |offset: usize| text[..offset].matches('\n').count() + 1;
    let (mut blocks, mut links, mut anchors) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut seen = BTreeMap::new();
    let (mut heading, mut code): (Option<String>, Option<Block>) = (None, None);
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let slug = slug(&heading.take().unwrap());
                let times = seen.entry(slug.clone()).and_modify(|times| *times += 1).or_insert(0);
                anchors.insert(if *times == 0 { slug } else { format!("{slug}-{times}") });
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                let info = match kind {
                    CodeBlockKind::Indented => None,
                    CodeBlockKind::Fenced(info) => Some(info.to_string()),
                };
                let fence = usize::from(info.is_some());
                code = Some(Block { line: line(range.start) + fence, info, text: String::new() });
            }
            Event::End(TagEnd::CodeBlock) => blocks.extend(code.take()),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                links.push((line(range.start), dest_url.to_string()));
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(code) = &mut code {
                    code.text.push_str(&text);
                } else if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    Document { blocks, links, anchors }
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
