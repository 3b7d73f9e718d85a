//! How transforms are written.

use std::fmt::Write as _;

use lacuna_content::transform::{FORMS, Spec, battery};
use proptest::prelude::*;

#[test]
fn what_is_no_transform_is_named_with_those_that_are() {
    let mut said = String::new();
    for text in [
        "",
        "fresh+",
        "sharpen",
        "resize",
        "resize:0",
        "resize:0.0001",
        "reencode:jpeg-0",
        "rotate:360",
        "fresh:1",
        "crop:050",
        "a+b",
    ] {
        writeln!(said, "{text:?} {}", text.parse::<Spec>().unwrap_err()).unwrap();
    }
    let many = ["fresh"; 9].join("+");
    writeln!(said, "{many:?} {}", many.parse::<Spec>().unwrap_err()).unwrap();
    insta::assert_snapshot!(said);
}

#[test]
fn every_row_is_read_and_every_form_has_one() {
    let rows: Vec<&str> = lacuna_content::transform::BATTERY.lines().skip(1).collect();
    assert_eq!(battery().len(), rows.len());
    for (row, entry) in rows.iter().zip(battery()) {
        assert!(row.starts_with(&format!("{},", entry.spec)), "{row}");
        assert_eq!(entry.spec.steps().len(), 1, "{row}");
        assert!(!entry.kept.bytes && !entry.dropped_means.is_empty() && !entry.delivered_means.is_empty(), "{row}");
        assert!(!entry.kept.pixels || entry.kept.text && entry.kept.look, "{row}");
    }
    for (form, _) in FORMS {
        let name = form.split([':', '[']).next().unwrap();
        assert!(battery().iter().any(|entry| entry.spec.steps()[0].name() == name), "{form}");
    }
    let mut specs: Vec<String> = battery().iter().map(|entry| entry.spec.to_string()).collect();
    specs.sort();
    specs.dedup();
    assert_eq!(specs.len(), rows.len());
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(picks in prop::collection::vec(any::<prop::sample::Index>(), 1..=8), number in 1_u32..5000) {
        let doses = [
            format!("resize:{}.{:03}", number / 1000, number % 1000),
            format!("reencode:jpeg-{}", number % 100 + 1),
            format!("rotate:{}", number % 359 + 1),
            format!("noise:{}", number % 255 + 1),
        ];
        let known: Vec<String> = battery().iter().map(|entry| entry.spec.to_string()).chain(doses).collect();
        let text = picks.iter().map(|pick| pick.get(&known).as_str()).collect::<Vec<_>>().join("+");
        if let Ok(spec) = text.parse::<Spec>() {
            prop_assert_eq!(spec.to_string().parse::<Spec>().unwrap(), spec);
        } else {
            // Only a scale out of its range may be refused.
            prop_assert!(text.contains("resize:") && !(50..=4000).contains(&number), "{}", text);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,60}") {
        let _ = text.parse::<Spec>();
    }
}
