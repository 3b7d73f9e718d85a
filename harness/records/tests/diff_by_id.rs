//! The comparison in little memory against the one that keeps everything.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may end by a panic")]

use std::fmt::Write;
use std::fs;

use lacuna_records::diff::{ColumnNames, diff};
use proptest::prelude::*;

/// Id, seconds, text.
type Row = (u32, i64, String);

fn log(rows: &[Row], mark: bool) -> String {
    let mut log = String::from(if mark { "\u{feff}id,at,text\n" } else { "id,at,text\n" });
    for (id, at, text) in rows {
        let _ = writeln!(log, "m{id},{},\"{text}\"", 1_700_000_000 + at);
    }
    log
}

fn answer(sent: &str, received: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (sent_path, received_path) = (folder.path().join("sent.csv"), folder.path().join("received.csv"));
    fs::write(&sent_path, sent).unwrap();
    fs::write(&received_path, received).unwrap();
    let mut out = Vec::new();
    let none = ColumnNames::default();
    diff(&sent_path, &received_path, &none, &none, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A sent row without an id makes ids alone not enough; apart from its own row the answer must be the same.
fn answers_agree(sent: &[Row], received: &[Row], mark: bool) -> (String, String) {
    let (sent, received) = (log(sent, mark), log(received, mark));
    let kept = answer(&format!("{sent},,never sent\n"), &received);
    let kept = kept.lines().filter(|line| !line.contains("never sent")).collect::<Vec<_>>().join("\n") + "\n";
    (answer(&sent, &received), kept)
}

#[test]
fn thousands_of_rows_in_the_opposite_order_come_out_the_same() {
    let sent: Vec<Row> = (0..5_000).map(|id| (id, i64::from(id), format!("text {id}"))).collect();
    let received: Vec<Row> = (0..5_200_u32)
        .rev()
        .filter(|id| id % 10 != 3)
        .flat_map(|id| {
            let text = if id % 7 == 0 { format!("***\n{id}") } else { format!("text {id}") };
            vec![(id, i64::from(id) + 1, text); if id % 500 == 1 { 2 } else { 1 }]
        })
        .collect();
    let (by_id, kept) = answers_agree(&sent, &received, true);
    assert!(by_id == kept, "the answers differ");
    assert_eq!(by_id.matches("\nunexpected").count(), 181);
    assert_eq!(by_id.matches("\nmissing").count(), 500);
    assert_eq!(by_id.matches("\nduplicate").count(), 10);
}

proptest! {
    #[test]
    fn little_memory_gives_the_same_answer(
        sent in prop::collection::vec((0..50_i64, "[ab]| a"), 1..8),
        received in prop::collection::vec((0..10_u32, 0..50_i64, "[ab]|a |\\*"), 1..10),
        mark: bool,
    ) {
        let sent: Vec<Row> = sent.into_iter().zip(0..).map(|((at, text), id)| (id, at, text)).collect();
        let common = received.iter().any(|row| (row.0 as usize) < sent.len());
        if common {
            let (by_id, kept) = answers_agree(&sent, &received, mark);
            prop_assert_eq!(by_id, kept);
        }
    }
}
