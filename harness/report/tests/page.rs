//! A small report, looked at as a whole: what stands in it, that it is written the same each time, and that it is sound HTML.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod support;

use lacuna_inference::conclusion::Conclusion;
use lacuna_inference::isolation::{Matching, Status};
use lacuna_inference::rules::{RuleRecord, TextRecord};
use lacuna_model::study::IsolationRule;
use lacuna_model::{AccountCondition, ArmIx, Duration, ItemIx, Role, Signal, StopReason};
use lacuna_report::Report;
use scraper::{Html, Selector};
use support::{Fate, RECIPIENTS, Story, item, items, screened, study};

/// Two arms, six items, of which one is dropped and one is changed; a gap, a sanction, an early end.
fn small() -> (Story, Conclusion) {
    let mut story = screened(items(6), 2, |nth, arm| nth == 1 && arm == 0);
    story.ask(1, ItemIx(3), ItemIx(6), [Fate::Altered, Fate::Arrives]);
    story.gap(RECIPIENTS[0]);
    let lost = story.send(0, ItemIx(6), [Fate::Vanishes, Fate::Arrives]);
    story.wait(Duration::from_secs(30));
    story.grace(lost, [Fate::Vanishes, Fate::Arrives]);
    story.condition(RECIPIENTS[1], AccountCondition::Disconnected, "lost");
    story.wait(Duration::from_secs(20));
    story.condition(RECIPIENTS[1], AccountCondition::Connected, "");
    story.condition(RECIPIENTS[0], AccountCondition::Sanctioned, "suspended");
    story.stop(StopReason::Sanction);
    let conclusion = story.conclude();
    (story, conclusion)
}

fn lines(html: &str) -> String {
    html.replace("><", ">\n<")
}

#[test]
fn a_small_report_is_written_like_this() {
    let (story, conclusion) = small();
    let Report { html, figures } = story.report(&conclusion, "corpora/words");
    let page = lines(&html);
    let (style, body) = (page.find("<style>").unwrap(), page.find("</style>").unwrap());
    insta::assert_snapshot!("page", format!("{}{}", &page[..style], &page[body..]));
    insta::assert_snapshot!("timeline", lines(&figures.timeline.svg));
}

/// Files are made for questions that are never asked, and what is not due is left out.
#[test]
fn the_method_counts_what_was_sent() {
    let mut story = Story::of(study(items(6), 1));
    for item in [0, 3, 3] {
        story.ask(0, ItemIx(item), ItemIx(6), [Fate::Arrives; 2]);
    }
    let Report { html, .. } = story.report(&story.conclude(), "x");
    assert!(
        html.contains("<p>2 of 6 candidates, 1 of 2 controls and 0 canaries were sent in 9 messages (3 of"),
        "{}",
        lines(&html)
    );
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let bytes = || {
        let (story, conclusion) = small();
        let Report { html, figures } = story.report(&conclusion, "corpora/words");
        [html, figures.verdicts.svg, figures.shares.svg, figures.contrasts.svg, figures.timeline.svg, figures.latency.svg]
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn a_run_in_which_nothing_happened_has_a_page_too() {
    let story = Story::of(study(items(2), 1));
    let Report { html, figures } = story.report(&story.conclude(), "x");
    assert!(html.contains("Nothing can be concluded about any of <strong>2 candidates</strong>"));
    assert_eq!(Html::parse_document(&html).errors, Vec::<String>::new());
    for svg in [figures.shares.svg, figures.contrasts.svg, figures.timeline.svg, figures.latency.svg] {
        roxmltree::Document::parse(&svg).unwrap();
    }
    let story = Story::of(study(Vec::new(), 0));
    let Report { html, figures } = story.report(&story.conclude(), "x");
    assert!(html.contains("No candidate was part of this run."));
    roxmltree::Document::parse(&figures.verdicts.svg).unwrap();
}

/// A text with every kind of mark.
fn isolated() -> (Story, Conclusion) {
    let message = "on that evening many met for a vigil near the old square\nand sang until the lamps went out, mourners all";
    let items = vec![item("news/1", Role::Candidate, "", message), item("news/2", Role::Candidate, "", message)];
    let mut of = study(items, 1);
    of.isolation = Some(IsolationRule { max_messages_per_text: 200, rules: Vec::new() });
    let story = Story::of(of);
    let mut conclusion = story.conclude();
    let at = |word: &str| {
        let start = message.find(word).unwrap();
        start..start + word.len()
    };
    let rule = RuleRecord {
        components: vec![at("vigil"), at("square")],
        unless: vec![vec![at("mourners")]],
        matching: Matching::Ordered,
        signal: Signal::Dropped,
        alone: 4,
        blocked_alone: 4,
        e_value: Some(2.5e6),
        certified: true,
        rounds: 21,
    };
    let single = RuleRecord {
        components: vec![at("lamps")],
        unless: Vec::new(),
        matching: Matching::AnyOrder,
        certified: false,
        ..rule.clone()
    };
    let text = TextRecord {
        items: vec![ItemIx(0)],
        arm: ArmIx(0),
        recipient: RECIPIENTS[0],
        text: message.into(),
        signal: Signal::Dropped,
        status: Some(Status::Complete),
        rules: vec![rule],
        candidate: Vec::new(),
        window: None,
        non_monotone: true,
        messages: 31,
        rounds: 24,
    };
    let undecided = TextRecord {
        items: vec![ItemIx(1)],
        rules: vec![single],
        status: Some(Status::Exhausted),
        candidate: vec![at("many")],
        window: Some(at("near the old")),
        non_monotone: false,
        ..text.clone()
    };
    conclusion.texts = vec![text, undecided];
    (story, conclusion)
}

#[test]
fn marked_texts_are_written_like_this() {
    let (story, conclusion) = isolated();
    let html = story.report(&conclusion, "x").html;
    let page = Html::parse_document(&html);
    assert_eq!(page.errors, Vec::<String>::new());
    let section = page.select(&Selector::parse("#texts").unwrap()).next().unwrap();
    insta::assert_snapshot!(section.html().replace("><", ">\n<"));
    // The text is there whole, in its own words, between the marks.
    let quote = page.select(&Selector::parse("blockquote").unwrap()).next().unwrap();
    let text: String = quote.text().collect();
    assert!(text.starts_with("on that evening many met for a vigil1 near the old square1\nand sang"), "{text}");
}

#[test]
fn the_page_is_sound_html_that_keyboards_and_screen_readers_find_their_way_in() {
    let (story, conclusion) = small();
    let html = story.report(&conclusion, "corpora/words").html;
    let page = Html::parse_document(&html);
    assert_eq!(page.errors, Vec::<String>::new());
    let all = |selector: &str| page.select(&Selector::parse(selector).unwrap()).collect::<Vec<_>>();
    let mut ids: Vec<&str> = all("[id]").iter().map(|it| it.attr("id").unwrap()).collect();
    let with_ids = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), with_ids, "an id is there twice");
    for reference in all("[aria-labelledby]").iter().flat_map(|it| it.attr("aria-labelledby").unwrap().split(' ')) {
        assert!(ids.contains(&reference), "{reference}");
    }
    for link in all("a").iter().map(|it| it.attr("href").unwrap()) {
        assert!(!link.contains(':') && link.strip_prefix('#').is_none_or(|id| ids.contains(&id)), "{link}");
    }
    let figures = all("svg");
    assert!(figures.len() >= 3);
    for figure in figures {
        assert_eq!(figure.attr("role"), Some("img"));
        let names = ["title", "desc"].map(|name| figure.select(&Selector::parse(name).unwrap()).next().unwrap().inner_html());
        assert!(names.iter().all(|it| !it.is_empty()));
    }
    // What scrolls can be scrolled with the keyboard.
    assert!(all(".scroll").iter().all(|it| it.attr("tabindex") == Some("0") && it.attr("aria-label").is_some()));
    assert_eq!((all("h1").len(), all("main").len(), all("html[lang]").len()), (1, 1, 1));
    assert!(all("th").iter().all(|it| it.attr("scope").is_some()));
}
