//! Contact sheets: which pictures stand in a page, what stands where there is none, and that hostile names and bytes stay what they are.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use lacuna_inference::combinations::CombinationRecord;
use lacuna_inference::conclusion::Conclusion;
use lacuna_inference::contrasts::Difference;
use lacuna_inference::exposure::{ExposureRecord, Sent, Surveillance, Trial, TrialKind};
use lacuna_inference::isolation::{Matching, Status};
use lacuna_inference::mechanism::{CellRecord, CellSays, Claim, Layer, Mechanism, MechanismRecord};
use lacuna_inference::rules::{RuleRecord, TextRecord};
use lacuna_model::study::{ExposureRule, IsolationRule, MechanismRule};
use lacuna_model::{
    ArmIx, ContentKind, Duration, FileFacts, FileFormat, Item, ItemFile, ItemIx, Origin, Outcome, ProbeId, Role, Shown, Signal,
    Study, Verdict,
};
use lacuna_report::Report;
use lacuna_report::pictures::{MOST, Picture, Pictures, wanted};
use scraper::{ElementRef, Html, Selector};
use support::{RECIPIENTS, START, Story, item, screened};

const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>.png",
    "\" onload=\"alert(1).jpg",
    "' onerror='alert(1)",
    "</ul></section><img src=http://example.org/x>",
    "\u{202e}gpj.exe\u{202c}\u{2066}",
    "a\u{0}b\u{1}\u{7f}\u{2028}\u{feff}.png",
    "\u{301}\u{301}\u{301}",
    "javascript:alert(1)//",
];

fn picture(place: usize, words: &str, format: FileFormat) -> Item {
    let facts = FileFacts {
        name: words.into(),
        format,
        bytes: 10,
        md5: "0".repeat(32).as_str().into(),
        sha256: sha256(place),
        width: Some(4),
        height: Some(3),
        perceptual_hash: None,
    };
    let file = ItemFile { facts, shown: Shown::default(), origin: Origin::default() };
    Item { kind: ContentKind::Image, file: Some(Box::new(file)), ..item(&format!("{words}/{place}"), Role::Candidate, words, "") }
}

fn sha256(place: usize) -> Arc<str> {
    format!("{place:064x}").as_str().into()
}

/// A picture for every second file, for the others a reason that somebody hostile wrote.
fn looks(words: &[&str]) -> Pictures {
    let look = |(place, words): (usize, &&str)| {
        let picture = if place % 2 == 0 {
            Picture::Thumbnail { jpeg: b"\xff\xd8\"><script>\xff\xd9".to_vec(), width: 160, height: 120 }
        } else {
            Picture::Unknown(format!("is a broken PNG: {words}"))
        };
        (sha256(place), picture)
    };
    words.iter().enumerate().map(look).collect()
}

/// A screen of pictures; the last is a PDF, and the last but one is left out.
fn screen(words: &[&str]) -> (Story, Conclusion) {
    let mut items: Vec<Item> = words.iter().enumerate().map(|(place, words)| picture(place, words, FileFormat::Png)).collect();
    items.push(picture(words.len(), words[0], FileFormat::Jpeg));
    items.push(picture(words.len() + 1, words[0], FileFormat::Pdf));
    // Enough that arrives to judge what does not.
    items.extend((0..60).map(|place| item(&format!("calm/{place}"), Role::Candidate, "calm", &format!("calm {place}"))));
    items.push(item("control", Role::Control, "", "calm"));
    let mut story = screened(items, 1, |place, _| place == 5);
    story.pictures = looks(words);
    let mut conclusion = story.conclude();
    // The story tells of texts alone; one picture is dropped.
    for record in &mut conclusion.verdicts {
        let is_dropped = record.unit.item == ItemIx(5) && record.unit.recipient == RECIPIENTS[0];
        record.verdict = if is_dropped { Verdict::Dropped } else { Verdict::Delivered };
    }
    (story, conclusion)
}

fn with(story: Story, change: impl FnOnce(&mut Study)) -> Story {
    let mut study = (**story.evidence.study()).clone();
    change(&mut study);
    let mut changed = Story::of(study);
    changed.pictures = story.pictures;
    changed
}

/// The designs about files, and what else has a section of its own, with conclusions made by hand.
fn files(words: &[&str]) -> [(Story, Conclusion); 3] {
    let mechanism = MechanismRule { wait: Duration::from_secs(1), max_messages_per_item: 9 };
    let story = with(screen(words).0, |study| study.mechanism = Some(mechanism));
    let mut conclusion = story.conclude();
    let cell = |(cell, place): (&'static str, u32)| CellRecord {
        cell,
        file: ItemIx(place),
        says: CellSays::DroppedLater,
        answers: "passed then dropped".to_owned(),
    };
    let claim = Claim {
        layer: Layer::Enforcement,
        mechanism: Some(Mechanism::HashIndex),
        supported: Some(true),
        ln_e: Some(9.0),
        probes: 4,
        evidence: words[0].to_owned(),
    };
    conclusion.files.mechanisms = (0..4)
        .map(|base| MechanismRecord {
            base: ItemIx(base),
            arm: ArmIx(0),
            recipient: RECIPIENTS[0],
            filtered: Some(base == 1),
            claims: vec![claim.clone()],
            gray: None,
            probes: 4,
            cells: [("original", base), ("fresh", base + 4)].map(cell).into(),
        })
        .collect();
    let mechanisms = (story, conclusion);

    let rule = ExposureRule { outside: ArmIx(0), inside: ArmIx(0), delays: vec![Duration::from_secs(1)], max_pairs: 3 };
    let story = with(screen(words).0, |study| study.exposure = Some(rule));
    let mut conclusion = story.conclude();
    let sent = Sent { probe: ProbeId(0), at: START, outcome: Some(Outcome::Dropped), state: None, loss_upper: 0.1 };
    let trial = |place| Trial { kind: TrialKind::Exposed, shown: Some((ItemIx(place), sent)), item: ItemIx(place + 1), sent };
    let record = ExposureRecord { claim: Surveillance::Surveilled, ln_e: 9.0, twins: 3, blocked: 3, learning: None };
    conclusion.files.exposure = Some((record, (0..7).map(trial).collect()));
    let exposure = (story, conclusion);

    let story = with(screen(words).0, |study| {
        study.isolation = Some(IsolationRule { max_messages_per_text: 9, rules: Vec::new() });
        // In one place, so that the regions can be compared.
        study.accounts[2].located_in = study.accounts[1].located_in;
    });
    let mut conclusion = story.conclude();
    let difference = Some(Difference { estimate: 1.0, low: 0.5, high: f64::NAN });
    for record in &mut conclusion.contrasts.records {
        (record.difference, record.q_value) = (difference, 0.0);
    }
    let text: Arc<str> = words.concat().as_str().into();
    let rule = RuleRecord {
        components: words.iter().map(|it| 0..it.len()).collect(),
        unless: vec![vec![words[0].len()..words[0].len() + words[1].len()]],
        matching: Matching::Ordered,
        signal: Signal::Dropped,
        alone: 1,
        blocked_alone: 1,
        e_value: Some(f64::INFINITY),
        certified: false,
        rounds: 1,
    };
    conclusion.texts = vec![TextRecord {
        items: vec![ItemIx(0), ItemIx(1)],
        arm: ArmIx(0),
        recipient: RECIPIENTS[0],
        window: Some(0..text.len() / 2),
        candidate: vec![0..text.len(), 0..usize::MAX],
        text,
        signal: Signal::Dropped,
        status: Some(Status::Open),
        rules: vec![rule],
        non_monotone: true,
        messages: 9,
        rounds: 2,
    }];
    let combination = CombinationRecord {
        arm: ArmIx(0),
        recipient: RECIPIENTS[0],
        items: vec![ItemIx(0), ItemIx(1)],
        probes: 2,
        dropped: 2,
        e_value: 1e9,
    };
    conclusion.combinations = vec![combination];
    let texts = (story, conclusion);
    [mechanisms, exposure, texts]
}

fn all<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

#[test]
fn pictures_stand_in_the_page_and_what_cannot_be_seen_says_why() {
    let (story, conclusion) = screen(&["a.png", "b.png", "c.png", "d.png", "e.png", "f.png"]);
    let shown = wanted(&story.evidence, &conclusion);
    // The finding first; the PDF cannot be looked at.
    assert_eq!(
        shown.iter().map(|it| &*it.name).collect::<Vec<_>>(),
        ["f.png", "a.png", "a.png", "b.png", "c.png", "d.png", "e.png"]
    );
    let html = story.report(&conclusion, "x").html;
    let page = Html::parse_document(&html);
    assert_eq!(page.errors, Vec::<String>::new());
    let images = all(&page, "#pictures img");
    assert_eq!(images.len(), 3);
    assert_eq!(images[0].attr("alt"), Some("a.png/0, sent as a.png"));
    assert_eq!((images[0].attr("width"), images[0].attr("height")), (Some("160"), Some("120")));
    let unseen: Vec<String> = all(&page, "#pictures .unseen").iter().map(|it| it.text().collect()).collect();
    assert_eq!(
        unseen,
        [
            "f.png is a broken PNG: f.png",
            "a.png is left out here",
            "a.png is no picture",
            "b.png is a broken PNG: b.png",
            "d.png is a broken PNG: d.png"
        ]
    );
    assert!(html.contains("1 picture is left out to keep this page small."));
    let first = all(&page, "#pictures li")[0].text().collect::<String>();
    assert!(first.contains("dropped 1") && first.contains("delivered 1"), "{first}");
}

#[test]
fn designs_about_files_show_what_was_sent() {
    let words = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let [(story, conclusion), exposure, _] = files(&words);
    // Originals before what was made of them, and what is filtered before what is not.
    let order: Vec<_> = wanted(&story.evidence, &conclusion).iter().map(|it| it.name.to_string()).collect();
    assert_eq!(order, ["b", "a", "c", "d", "f", "e", "g", "h"]);
    let page = Html::parse_document(&story.report(&conclusion, "x").html);
    assert_eq!(all(&page, "#files .contact li").len(), 8);
    assert_eq!(all(&page, "#files .contact img").len(), 4);
    assert!(all(&page, "#pictures").is_empty());
    let (story, conclusion) = exposure;
    let page = Html::parse_document(&story.report(&conclusion, "x").html);
    assert_eq!(all(&page, "#files .contact li").len(), 7);
}

#[test]
fn a_page_shows_so_many_pictures_and_no_more() {
    let names: Vec<String> = (0..MOST + 30).map(|place| format!("{place}.png")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (story, conclusion) = screen(&names);
    assert_eq!(wanted(&story.evidence, &conclusion).len(), MOST);
    let html = story.report(&conclusion, "x").html;
    assert_eq!(all(&Html::parse_document(&html), "#pictures li").len(), MOST);
    assert!(html.contains("and 32 more pictures: verdicts.csv has all."));
}

/// Elements and attributes, by every section that a page can have.
fn checked(Report { html, .. }: &Report) -> Vec<String> {
    let page = Html::parse_document(html);
    assert_eq!(page.errors, Vec::<String>::new());
    let mut skeleton = Vec::new();
    for element in page.tree.values().filter_map(|node| node.as_element()) {
        assert!(!["script", "iframe", "object", "embed", "form", "input"].contains(&element.name()), "{element:?}");
        let mut words = vec![element.name()];
        for (name, value) in element.attrs() {
            assert!(!name.starts_with("on") && name != "style" && name != "srcset", "{element:?}");
            assert!(name != "src" || value.starts_with("data:image/jpeg;base64,"), "{element:?}");
            words.push(name);
        }
        skeleton.push(words.join(" "));
    }
    assert!(html.chars().all(|it| lacuna_content::visible::is_plain(it) || it == '\n'), "something in the page cannot be seen");
    assert!(html.contains("img-src data:;"));
    skeleton
}

#[test]
fn every_section_stands_what_others_wrote() {
    let calm: Vec<String> = HOSTILE.iter().map(|text| "x".repeat(lacuna_content::visible(text).chars().count())).collect();
    let calm: Vec<&str> = calm.iter().map(String::as_str).collect();
    let mut sections: BTreeSet<String> = BTreeSet::new();
    for (hostile, calm) in
        files(&HOSTILE).into_iter().chain([screen(&HOSTILE)]).zip(files(&calm).into_iter().chain([screen(&calm)]))
    {
        let [hostile, calm] = [hostile, calm].map(|(story, conclusion)| story.report(&conclusion, "x"));
        checked(&calm);
        checked(&hostile);
        let page = Html::parse_document(&hostile.html);
        sections.extend(all(&page, "main > section").iter().map(|it| it.attr("id").unwrap().to_owned()));
    }
    let expected =
        "answer cite combinations contrasts drop-rates files latency limits method paths pictures texts timeline verdicts";
    assert_eq!(sections.into_iter().collect::<Vec<_>>().join(" "), expected);
}

#[test]
fn a_megabyte_in_the_name_of_a_file_is_shortened() {
    let long = "<b>新".repeat(1 << 18);
    let (story, conclusion) = screen(&[&long, &long]);
    let html = story.report(&conclusion, "x").html;
    assert!(html.len() < 200_000, "{}", html.len());
}
