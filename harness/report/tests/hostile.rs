//! Text that others wrote stays text, whatever it is.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod support;

use std::collections::BTreeSet;

use lacuna_content::visible::is_plain;
use lacuna_model::{AccountCondition, Role};
use lacuna_report::Report;
use scraper::{Html, Node};
use support::{RECIPIENTS, item, screened};

/// Nobody means well.
const HOSTILE: [&str; 14] = [
    "<script>alert(1)</script>",
    "\"onload=alert(1) x=\"",
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    "<!-- ]]> --> <![CDATA[ <svg onload=alert(1)>",
    "\u{202e}gnp.exe\u{202c} \u{2066}\u{2067}\u{200f}",
    "a\u{0}b\u{1}c\u{7f}\u{85}\u{2028}\u{feff}",
    "&lt;script&gt; &#60;b&#62; &amp",
    "javascript:alert(1)//http://example.org/",
    "\u{ffff}\u{fdd0}\u{10fffe}",
    "=HYPERLINK(\"http://example.org\")",
    "{{7*7}} ${7*7} <%= 7*7 %>",
    "ا\u{301}\u{301}\u{301} مرحبا \u{1f468}\u{200d}\u{1f469}",
];

/// A run whose every text is hostile: messages, categories, names, the question, details, paths.
fn hostile(words: &[&str]) -> Report {
    let nth = |place: usize| words[place % words.len()];
    let mut items: Vec<_> = (0..words.len())
        .map(|place| item(&format!("{}/{place}", nth(place)), Role::Candidate, nth(place + 1), nth(place)))
        .collect();
    items.push(item("long", Role::Candidate, nth(0), &nth(0).repeat(1 + (1 << 20) / nth(0).len())));
    items.push(item("control", Role::Control, "", "calm"));
    let mut story = screened(items, 1, |place, _| place < 3);
    let mut study = (**story.evidence.study()).clone();
    nth(0).clone_into(&mut study.name);
    study.question = nth(1).repeat(100);
    nth(2).clone_into(&mut study.adapter);
    study.accounts[1].id = nth(3).into();
    study.accounts[2].client = Some(nth(4).to_owned());
    study.arms[0].id = nth(5).into();
    // The same entries, under hostile names.
    let mut renamed = support::Story::of(study);
    std::mem::swap(&mut renamed.events, &mut story.events);
    let evidence = screened_again(&mut renamed);
    evidence.condition(RECIPIENTS[0], AccountCondition::Sanctioned, nth(6));
    let conclusion = evidence.conclude();
    evidence.report(&conclusion, nth(0))
}

fn screened_again(story: &mut support::Story) -> &mut support::Story {
    use lacuna_model::ItemIx;
    use support::Fate::{Arrives, Vanishes};
    let candidates = u32::try_from(story.evidence.study().items.len()).unwrap() - 1;
    for round in 0..4 {
        for nth in 0..candidates {
            let fates = [if nth < 3 { Vanishes } else { Arrives }, Arrives];
            if nth < 3 || round == 0 {
                story.ask(0, ItemIx(nth), ItemIx(candidates), fates);
            }
        }
    }
    story
}

/// The elements and attributes of a page, in order; texts and values left out, but for those that could do something.
fn skeleton(html: &str) -> Vec<String> {
    let page = Html::parse_document(html);
    assert_eq!(page.errors, Vec::<String>::new());
    let mut skeleton = Vec::new();
    for node in page.tree.root().descendants() {
        match node.value() {
            Node::Element(element) => {
                let mut words = vec![element.name()];
                for (name, value) in element.attrs() {
                    words.push(name);
                    if ["href", "src", "style", "class", "http-equiv", "content", "fill"].contains(&name) {
                        words.push(value);
                    }
                }
                skeleton.push(words.join(" "));
            }
            Node::Comment(_) | Node::ProcessingInstruction(_) => skeleton.push("something else".to_owned()),
            _ => {}
        }
    }
    skeleton
}

#[test]
fn nothing_that_others_wrote_becomes_an_element_or_an_attribute() {
    let Report { html, figures } = hostile(&HOSTILE);
    let elements = skeleton(&html);
    let known: BTreeSet<&str> = "html head meta title link style body a colgroup col header p bdi span h1 h2 h3 nav ul li main section strong div table \
        thead tbody tr th td dl dt dd small details summary figure figcaption svg desc defs pattern rect line path circle g text pre code \
        footer em sup mark article blockquote ol"
        .split_whitespace()
        .collect();
    for element in Html::parse_document(&html).tree.values().filter_map(Node::as_element) {
        assert!(known.contains(element.name()), "{element:?}");
        assert!(element.attrs().all(|(name, _)| !name.starts_with("on") && name != "style" && name != "src"), "{element:?}");
    }
    assert_eq!(elements.iter().filter(|it| *it == "style" || it.starts_with("link")).count(), 2);
    for svg in [&figures.verdicts.svg, &figures.shares.svg, &figures.contrasts.svg, &figures.timeline.svg, &figures.latency.svg] {
        let picture = roxmltree::Document::parse(svg).unwrap();
        for element in picture.descendants().filter(roxmltree::Node::is_element) {
            assert!(known.contains(element.tag_name().name()), "{}", element.tag_name().name());
            assert!(element.attributes().all(|it| !it.name().starts_with("on") && it.name() != "href"));
        }
        assert!(svg.chars().all(|it| is_plain(it) || it == '\n'));
    }
    assert!(html.chars().all(|it| is_plain(it) || it == '\n'), "something in the page cannot be seen");
}

#[test]
fn a_hostile_message_changes_no_tag_of_the_page() {
    // The same run, where each text is replaced by letters of the same length as it is shown: the same elements, each with the same
    // attributes.
    let calm: Vec<String> = HOSTILE.iter().map(|text| "x".repeat(lacuna_content::visible(text).chars().count())).collect();
    let calm: Vec<&str> = calm.iter().map(String::as_str).collect();
    let page = |words: &[&str]| {
        let items = words.iter().enumerate().map(|(nth, text)| item(&format!("w/{nth}"), Role::Candidate, "c", text));
        let items = items.chain([item("control", Role::Control, "", "calm")]).collect();
        let story = screened(items, 1, |place, _| place < 7);
        skeleton(&story.report(&story.conclude(), "x").html)
    };
    assert_eq!(page(&HOSTILE), page(&calm));
}

#[test]
fn a_megabyte_in_a_cell_is_shortened_and_says_how_long_it_is() {
    let Report { html, figures } = hostile(&HOSTILE);
    assert!(html.contains("(1,048,600 bytes in all)"), "the length is not told");
    assert!(html.len() < 300_000, "{} bytes", html.len());
    assert!(figures.verdicts.svg.len() < 100_000, "{} bytes", figures.verdicts.svg.len());
}
