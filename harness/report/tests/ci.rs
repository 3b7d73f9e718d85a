//! What CI services are given: JUnit XML that every reader takes, Markdown that stays below its budget, whatever others wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod support;

use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};
use insta::assert_snapshot;
use lacuna_inference::comparison::{ChangeRecord, Snapshot, changes};
use lacuna_model::{AccountCondition, Role, RunId, StopReason};
use lacuna_report::markdown::{Align, Cell, Table};
use lacuna_report::{Ending, change_summary, junit, step_summary};
use roxmltree::Document;
use support::{RECIPIENTS, Story, item, items, screened};

const MIB: usize = 1 << 20;

/// Nobody means well.
const HOSTILE: [&str; 25] = [
    "<script>alert(1)</script>",
    "a | b \\| c || `|` \\\\|",
    "`code` ```\n# heading\n```",
    "*bold* _so_ ~~gone~~ **x**",
    "[link](https://example.org) ![image](https://example.org/x.png)",
    "https://example.org www.example.org someone@example.org @someone #1 :tada:",
    "$x^2$ $$y$$ \\(z\\)",
    "&lt;b&gt; &#60; &amp",
    "]]> <![CDATA[ <!-- --> <?php ?>",
    "\" onload=\"x' y='",
    "\u{202e}gnp.exe\u{202c} \u{2066}\u{200f}",
    "a\u{0}b\u{1}c\u{b}d\u{1b}[2Je\u{7f}\u{85}",
    "\u{ffff}\u{fffe}\u{fdd0}\u{10fffe}",
    "line\r\nline\n\n| a |\n|---|\n| b |\u{2028}",
    "[^1] [x]: y - [ ] task <https://example.org> <div",
    "- [ ] a\n- b",
    "1. list",
    "2) list",
    "+ plus",
    "---",
    "=== x",
    "> quote",
    "    indented",
    "~~~ www.example.org WWW.example.org mailto:a@example.org xmpp:a@b.org ftp://example.org",
    "ا مرحبا 新疆 \u{1f468}\u{200d}\u{1f469}",
];

/// A run in which everything that can be named has a hostile name.
fn hostile(turn: usize) -> Story {
    let nth = |place: usize| HOSTILE[(place + turn) % HOSTILE.len()];
    let mut items: Vec<_> = (0..HOSTILE.len())
        .map(|place| item(&format!("{}/{place}", nth(place)), Role::Candidate, nth(place + 1), nth(place)))
        .collect();
    items.push(item("long", Role::Candidate, nth(0), &nth(0).repeat(1 + MIB / nth(0).len())));
    items.push(item("control", Role::Control, "", "calm"));
    let mut story = screened(items, 1, |place, _| place % 3 == 0 || place == HOSTILE.len());
    let mut study = (**story.evidence.study()).clone();
    nth(0).clone_into(&mut study.name);
    study.question = nth(1).repeat(100);
    study.accounts[1].id = nth(3).into();
    study.arms[0].id = nth(5).into();
    // The same entries, under hostile names.
    let mut renamed = Story::of(study);
    std::mem::swap(&mut renamed.events, &mut story.events);
    for round in 0..4 {
        for place in 0..=u32::try_from(HOSTILE.len()).unwrap() {
            use support::Fate::{Arrives, Vanishes};
            let blocked = place % 3 == 0;
            if blocked || round == 0 {
                let control = lacuna_model::ItemIx(u32::try_from(HOSTILE.len()).unwrap() + 1);
                renamed.ask(0, lacuna_model::ItemIx(place), control, [if blocked { Vanishes } else { Arrives }, Arrives]);
            }
        }
    }
    renamed.condition(RECIPIENTS[0], AccountCondition::Sanctioned, nth(6));
    renamed.stop(StopReason::Sanction);
    renamed
}

fn both(story: &Story, words: &str, ending: Ending<'_>, budget: usize) -> (String, String) {
    let conclusion = story.conclude();
    story.with_run(words, |run| {
        let xml = junit::of_run(run, &story.evidence, &conclusion, ending);
        (xml, step_summary::of_run(run, &story.evidence, &conclusion, ending, budget))
    })
}

/// What GitHub's Markdown is made of in this text; texts left out.
fn skeleton(markdown: &str) -> Vec<String> {
    let arena = Arena::new();
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.math_dollars = true;
    let root = parse_document(&arena, markdown, &options);
    let kind = |value: &NodeValue| match value {
        NodeValue::Text(_) | NodeValue::SoftBreak | NodeValue::Document => None,
        NodeValue::HtmlInline(html) => Some(html.clone()),
        NodeValue::HtmlBlock(block) => Some(block.literal.clone()),
        NodeValue::Table(table) => Some(format!("table of {} × {}", table.num_rows, table.num_columns)),
        NodeValue::TableCell => Some("cell".to_owned()),
        NodeValue::TableRow(_) => Some("row".to_owned()),
        NodeValue::Heading(heading) => Some(format!("heading {}", heading.level)),
        NodeValue::Paragraph => Some("paragraph".to_owned()),
        NodeValue::Strong => Some("strong".to_owned()),
        other => Some(format!("{other:?}")),
    };
    root.descendants().filter_map(|node| kind(&node.data.borrow().value)).collect()
}

#[test]
fn a_run_is_told_like_this() {
    let mut story = screened(items(24), 1, |place, _| place == 2 || place == 7);
    // Nothing is known yet of what is asked once and missing.
    story.ask(0, lacuna_model::ItemIx(9), lacuna_model::ItemIx(24), [support::Fate::Vanishes, support::Fate::Arrives]);
    story.gap(RECIPIENTS[1]);
    story.stop(StopReason::Finished);
    let (xml, markdown) = both(&story, "example.lock", Ending::Done, MIB);
    assert_snapshot!("junit", xml);
    assert_snapshot!("step_summary", markdown);
}

#[test]
fn how_a_run_ended_is_told() {
    let mut story = screened(items(3), 1, |_, _| false);
    story.stop(StopReason::Sanction);
    let sentences = ["the disk is full".to_owned(), "and more".to_owned()];
    let told =
        [Ending::Done, Ending::Inconclusive, Ending::Safety, Ending::Interrupted, Ending::Failed(&sentences)].map(|ending| {
            let (xml, markdown) = both(&story, "x.lock", ending, MIB);
            let document = Document::parse(&xml).unwrap();
            let run = document.descendants().find(|it| it.has_tag_name("testcase")).unwrap();
            let children: Vec<String> = run
                .children()
                .filter(|it| it.has_tag_name("skipped") || it.has_tag_name("error"))
                .map(|it| format!("{}: {}", it.tag_name().name(), it.attribute("message").unwrap()))
                .collect();
            format!("{} | {}", markdown.lines().next().unwrap(), children.join(", "))
        });
    assert_snapshot!(told.join("\n"));
    assert_snapshot!(junit::of_failure("quickstart", Ending::Failed(&sentences)));
    assert_snapshot!(step_summary::of_failure("quickstart", Ending::Failed(&sentences), MIB));
}

#[test]
fn findings_are_never_failures_and_what_is_open_is_skipped_with_its_reason() {
    // Two drops without a control between them: nothing can be concluded.
    let mut story = screened(items(6), 1, |place, _| place == 1);
    let control = lacuna_model::ItemIx(6);
    let fates = [support::Fate::Vanishes, support::Fate::Arrives];
    let _ = story.send(0, lacuna_model::ItemIx(5), fates);
    let _ = story.send(0, control, [support::Fate::Arrives; 2]);
    let (xml, _) = both(&story, "x", Ending::Done, MIB);
    let document = Document::parse(&xml).unwrap();
    let conclusion = story.conclude();
    let named = |name: &str| document.descendants().filter(|it| it.has_tag_name(name)).count();
    assert_eq!((named("failure"), named("error")), (0, 0));
    assert_eq!(named("testcase"), conclusion.verdicts.len() + 1);
    let open = conclusion.verdicts.iter().filter(|it| it.reason.is_some()).count();
    assert_eq!(named("skipped"), open);
    let suites: Vec<_> = document.descendants().filter(|it| it.has_tag_name("testsuite")).collect();
    let sum = |of: &str| suites.iter().map(|it| it.attribute(of).unwrap().parse::<usize>().unwrap()).sum::<usize>();
    let root = document.root_element();
    for count in ["tests", "failures", "errors", "skipped"] {
        assert_eq!(root.attribute(count).unwrap(), sum(count).to_string(), "{count}");
    }
}

#[test]
fn what_others_wrote_is_only_text_in_xml_and_in_markdown() {
    for (turn, words) in HOSTILE.into_iter().enumerate() {
        let failure = [words.to_owned(), HOSTILE.join(" ")];
        let story = hostile(turn);
        let (xml, markdown) = both(&story, words, Ending::Failed(&failure), MIB);
        for (xml, markdown) in [
            (xml, markdown),
            (junit::of_failure(words, Ending::Failed(&failure)), step_summary::of_failure(words, Ending::Failed(&failure), MIB)),
        ] {
            let document = Document::parse(&xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
            for node in document.descendants().filter(roxmltree::Node::is_element) {
                let known = ["testsuites", "testsuite", "testcase", "properties", "property", "skipped", "error"]
                    .contains(&node.tag_name().name());
                assert!(known, "{node:?}");
            }
            assert!(!document.descendants().any(|it| it.is_comment() || it.is_pi()));
            assert!(xml.chars().all(|it| it == '\n' || lacuna_content::visible::is_plain(it)));
            assert!(markdown.chars().all(|it| it == '\n' || lacuna_content::visible::is_plain(it)));
            assert!(markdown.len() < MIB);
            for part in skeleton(&markdown) {
                let ours = ["paragraph", "row", "cell", "strong", "<wbr>"].contains(&part.as_str())
                    || part.starts_with("heading ")
                    || part.starts_with("table of ")
                    || part.starts_with("<p class=\"answer\">");
                assert!(ours, "{part}\n{markdown}");
            }
        }
    }
}

/// Two runs, and what changed between them.
fn compared(old: &Story, new: &Story) -> (Vec<Snapshot>, Vec<ChangeRecord>) {
    let snapshot =
        |story: &Story, name: &str| Snapshot::of(RunId::new(name), 1, support::START, story.evidence.study(), &story.conclude());
    let runs = vec![snapshot(old, "20161130T080000Z-1"), snapshot(new, "20161207T080000Z-2")];
    let changes = changes(&runs, 0.01);
    (runs, changes)
}

#[test]
fn changes_are_told_like_this() {
    let old = screened(items(40), 1, |place, _| place == 2 || place == 7);
    let new = screened(items(40), 1, |place, _| place == 7 || place == 11);
    let (runs, records) = compared(&old, &new);
    let differs = |it: &ChangeRecord| it.old_verdict != it.new_verdict;
    let told = change_summary::of_comparison(&runs, &records, differs, &[], MIB);
    assert_snapshot!(told);
    assert_snapshot!(change_summary::of_comparison(&runs, &records, |_| false, &[], MIB));
    for budget in 0..told.len() {
        let text = change_summary::of_comparison(&runs, &records, differs, &[], budget);
        assert!(text.len() <= budget, "{} bytes of {budget}", text.len());
    }
}

#[test]
fn what_others_wrote_is_only_text_among_changes() {
    let (runs, records) = compared(&hostile(0), &hostile(0));
    let told = change_summary::of_comparison(&runs, &records, |_| true, &["run|1".to_owned()], MIB);
    assert!(told.contains("| a &#124; b"), "{told}");
    for part in skeleton(&told) {
        let ours = ["paragraph", "row", "cell", "strong", "<wbr>"].contains(&part.as_str())
            || part.starts_with("heading ")
            || part.starts_with("table of ");
        assert!(ours, "{part}\n{told}");
    }
}

#[test]
fn a_hostile_cell_stays_one_cell() {
    let mut table = Table::new(&[("a", Align::Left), ("b", Align::Right)]);
    for hostile in HOSTILE {
        table.row([Cell::name(hostile), Cell::excerpt(hostile)]);
        table.row([Cell::sentence(hostile)]);
        table.row([Cell::words(hostile), Cell::count(12_345), Cell::words("beyond the header")]);
    }
    let arena = Arena::new();
    let mut options = Options::default();
    options.extension.table = true;
    let markdown = table.within(MIB, "a.csv");
    let root = parse_document(&arena, &markdown, &options);
    let rows: Vec<usize> = root
        .descendants()
        .filter(|node| matches!(node.data.borrow().value, NodeValue::TableRow(_)))
        .map(|row| row.children().count())
        .collect();
    assert_eq!(rows, vec![2; 1 + 3 * HOSTILE.len()]);
}

#[test]
fn a_table_is_never_longer_than_its_budget_and_says_what_is_missing() {
    let mut table = Table::new(&[("name", Align::Left)]);
    for number in 0..100 {
        table.row([Cell::name(&format!("row {number}"))]);
    }
    let whole = table.within(MIB, "all.csv");
    assert!(!whole.contains("left out"));
    for budget in 0..=whole.len() {
        let text = table.within(budget, "all.csv");
        assert!(text.len() <= budget, "{} bytes of {budget}", text.len());
        let shown = text.lines().filter(|line| line.starts_with("| row")).count();
        if shown < 100 && !text.is_empty() {
            let missing = 100 - shown;
            let rows = if missing == 1 { "row" } else { "rows" };
            assert!(text.contains(&format!("{missing} {rows} left out here")), "{text}");
        }
    }
    assert_eq!(table.within(whole.len(), "all.csv"), whole);
}

#[test]
fn a_summary_is_never_longer_than_its_budget() {
    let story = screened(items(400), 3, |place, _| place % 2 == 0);
    let whole = both(&story, "x.lock", Ending::Done, usize::MAX).1;
    for budget in (0..whole.len()).step_by(997).chain([whole.len()]) {
        let text = both(&story, "x.lock", Ending::Done, budget).1;
        assert!(text.len() <= budget, "{} bytes of {budget}", text.len());
    }
    let short = both(&story, "x.lock", Ending::Done, 4_096).1;
    assert!(short.contains("left out here") && short.contains("verdicts.csv"), "{short}");
}
