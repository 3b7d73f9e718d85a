//! Matching of whole logs against a reference that tries every assignment.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may end by a panic")]

use lacuna_content::{alteration, normal_form};
use lacuna_inference::matching::{Pairing, ReceivedRow, SentRow, match_logs};
use lacuna_model::{Duration, MatchedBy, Timestamp};
use proptest::prelude::*;

fn sent(text: &str) -> SentRow<'_> {
    SentRow { text, ..SentRow::default() }
}

fn received(text: &str) -> ReceivedRow<'_> {
    ReceivedRow { text, ..ReceivedRow::default() }
}

fn sent_at(text: &str, at: i64) -> SentRow<'_> {
    SentRow { text, at: Some(Timestamp(at)), ..SentRow::default() }
}

fn received_at(text: &str, at: i64) -> ReceivedRow<'_> {
    ReceivedRow { text, at: Some(Timestamp(at)), ..ReceivedRow::default() }
}

/// One word a row: `0-1 exact`, `0-1 normalized altered`, `0+2 exact` (a duplicate), `1 missing`, `2 unexpected`.
fn words(pairings: &[Pairing]) -> Vec<String> {
    pairings
        .iter()
        .map(|pairing| match *pairing {
            Pairing::Pair { sent, received, matched_by, altered } => {
                format!("{sent}-{received} {matched_by}{}", if altered { " altered" } else { "" })
            }
            Pairing::Duplicate { sent, received, matched_by } => format!("{sent}+{received} {matched_by}"),
            Pairing::Missing { sent } => format!("{sent} missing"),
            Pairing::Unexpected { received } => format!("{received} unexpected"),
        })
        .collect()
}

fn answer(sent: &[SentRow<'_>], received: &[ReceivedRow<'_>]) -> Vec<String> {
    words(&match_logs(sent, received, Duration::from_secs(2)))
}

#[test]
fn repeats_of_one_text_are_paired_by_time() {
    let s = 1_000_000;
    let sends = [sent_at("a", 0), sent_at("a", 100 * s), sent_at("a", 200 * s)];
    assert_eq!(answer(&sends, &[received_at("a", 101 * s)]), ["0 missing", "1-0 exact", "2 missing"]);
    assert_eq!(
        answer(&sends, &[received_at("a", 201 * s), received_at("a", s), received_at("a", 202 * s), received_at("a", 203 * s)]),
        ["0-1 exact", "1-0 exact", "2-2 exact", "2+3 exact"]
    );
    assert_eq!(answer(&[sent_at("a", 10 * s)], &[received_at("a", 9 * s)]), ["0-0 exact"]);
    assert_eq!(answer(&[sent_at("a", 10 * s)], &[received_at("a", 7 * s)]), ["0 missing", "0 unexpected"]);
}

#[test]
fn without_times_repeats_are_paired_in_order() {
    let sends = [sent("a"), sent("b"), sent("a")];
    assert_eq!(
        answer(&sends, &[received("b"), received("a"), received("a"), received("a")]),
        ["0-1 exact", "1-0 exact", "2-2 exact", "2+3 exact"]
    );
    assert_eq!(answer(&sends, &[received("a")]), ["0-0 exact", "1 missing", "2 missing"]);
}

#[test]
fn ids_decide_and_foreign_ids_do_not_matter() {
    let with = |row: SentRow<'static>, id| SentRow { id: Some(id), ..row };
    let got = |row: ReceivedRow<'static>, id| ReceivedRow { id: Some(id), ..row };
    assert_eq!(
        answer(
            &[with(sent("a"), "1"), with(sent("a"), "2")],
            &[got(received("a"), "2"), got(received("a"), "2"), got(received("a"), "3")]
        ),
        ["0 missing", "1-0 platform_id", "1+1 platform_id", "2 unexpected"]
    );
    assert_eq!(answer(&[with(sent("a"), "1")], &[got(received("*"), "1")]), ["0-0 platform_id altered"]);
    assert_eq!(answer(&[with(sent("a"), "x1")], &[got(received("a"), "y1")]), ["0-0 exact"]);
    assert_eq!(
        answer(
            &[with(sent("a"), "1"), sent("b"), with(sent("c"), "3")],
            &[got(received("a"), "1"), got(received("b"), "9"), received("c")]
        ),
        ["0-0 platform_id", "1-1 exact", "2-2 exact"]
    );
}

#[test]
fn altered_texts_go_to_the_most_similar_send() {
    let sends = [sent("我们谈谈新疆集中营的事"), sent("我们谈谈香港游行的事"), sent("今天下雨")];
    assert_eq!(
        answer(&sends, &[received("我们谈谈**游行的事"), received("我们谈谈**集中营的事"), received("我们谈谈**集中营的事")]),
        ["0-1 normalized altered", "0+2 normalized", "1-0 normalized altered", "2 missing"]
    );
}

#[test]
fn channels_are_kept_apart() {
    let in_channel = |channel| SentRow { channel, ..sent("a") };
    let got = ReceivedRow { channel: 7, ..received("a") };
    assert_eq!(answer(&[in_channel(3), in_channel(7)], &[got, received("a")]), ["0 missing", "1-0 exact", "1 unexpected"]);
}

/// The best value of any matching: pairs, of these with two times, less the sum of latencies.
type Value = (usize, usize, i64);

fn best(edges: &[Vec<(usize, Option<i64>)>], taken: u32) -> Value {
    let Some((first, rest)) = edges.split_first() else {
        return (0, 0, 0);
    };
    let with = first.iter().filter(|(received, _)| taken & 1 << received == 0).map(|(received, latency)| {
        let (pairs, timed, less) = best(rest, taken | 1 << received);
        (pairs + 1, timed + usize::from(latency.is_some()), less - latency.unwrap_or(0))
    });
    with.chain([best(rest, taken)]).max().unwrap()
}

fn row() -> impl Strategy<Value = (Option<u8>, usize, Option<i64>, u32)> {
    let at = prop_oneof![4 => (0..12_i64).prop_map(Some), 1 => Just(None)];
    (prop::option::weighted(0.3, 0..4_u8), 0..TEXTS.len(), at, prop_oneof![4 => Just(0), 1 => Just(1_u32)])
}

const TEXTS: [&str; 9] = [
    "a",
    " a",
    "a\u{3000}",
    "b",
    "我们谈谈新疆集中营的事",
    "我们谈谈**集中营的事",
    "我们谈谈***的事",
    "我们谈谈…",
    "我们谈谈新疆教育营的事",
];
const IDS: [&str; 4] = ["1", "2", "3", "4"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn every_pass_is_as_good_as_trying_everything(
        s in prop::collection::vec(row(), 0..7),
        r in prop::collection::vec(row(), 0..7),
        tolerance in 0..3_i64,
        timed: bool,
        named in 0..3_u8,
    ) {
        let id = |id: Option<u8>| id.filter(|_| named > 0).map(|id| IDS[usize::from(id)]);
        let at = |at: Option<i64>| at.filter(|_| timed).map(Timestamp);
        let s: Vec<SentRow<'_>> = s.into_iter().map(|(i, t, a, channel)| SentRow { id: id(i), text: TEXTS[t], at: at(a), channel }).collect();
        let r: Vec<ReceivedRow<'_>> = r.into_iter().map(|(i, t, a, channel)| ReceivedRow { id: id(i), text: TEXTS[t], at: at(a), channel }).collect();
        let tolerance = Duration(tolerance);
        let answer = match_logs(&s, &r, tolerance);

        // Every row has one answer.
        let mut open_sent = vec![true; s.len()];
        let mut open_received = vec![true; r.len()];
        for pairing in &answer {
            if let Pairing::Pair { sent, .. } | Pairing::Missing { sent } = pairing {
                prop_assert!(std::mem::replace(&mut open_sent[*sent], false));
            }
            if let Pairing::Pair { received, .. } | Pairing::Duplicate { received, .. } | Pairing::Unexpected { received } = pairing {
                prop_assert!(std::mem::replace(&mut open_received[*received], false));
            }
        }
        prop_assert!(!open_sent.contains(&true) && !open_received.contains(&true));

        // By name.
        let in_use = s.iter().any(|s| s.id.is_some() && r.iter().any(|r| r.id == s.id && r.channel == s.channel));
        for (place, row) in s.iter().enumerate().filter(|(_, row)| row.id.is_some()) {
            let rank = s[..place].iter().filter(|other| other.id == row.id && other.channel == row.channel).count();
            let sends = s.iter().filter(|other| other.id == row.id && other.channel == row.channel).count();
            let arrivals = r.iter().filter(|other| other.id == row.id && other.channel == row.channel).count();
            let by_name = |p: &&Pairing| matches!(p, Pairing::Pair { sent, matched_by: MatchedBy::PlatformId, .. } if s[*sent].id == row.id && s[*sent].channel == row.channel);
            if rank == 0 {
                prop_assert_eq!(answer.iter().filter(by_name).count(), sends.min(arrivals));
            }
        }

        // Every pass by content, with what the passes before it left.
        let mut free_sent = vec![true; s.len()];
        let mut free_received = vec![true; r.len()];
        for pairing in &answer {
            match *pairing {
                Pairing::Pair { sent, received, matched_by: MatchedBy::PlatformId, .. } => {
                    free_sent[sent] = false;
                    free_received[received] = false;
                }
                Pairing::Duplicate { received, matched_by: MatchedBy::PlatformId, .. } => free_received[received] = false,
                _ => {}
            }
        }
        let causal = |s: &SentRow<'_>, r: &ReceivedRow<'_>| s.at.is_none() || r.at.is_none() || s.at.unwrap() <= r.at.unwrap() + tolerance;
        let parts: &[(Option<bool>, Option<bool>)] =
            if in_use { &[(Some(false), Some(false)), (Some(true), Some(false)), (Some(false), Some(true))] } else { &[(None, None)] };
        for pass in 0..3 {
            if pass == 2 {
                // Repeats of what is paired by now are no candidates for an alteration.
                for (place, row) in r.iter().enumerate().filter(|(place, _)| free_received[*place]) {
                    let repeats = s.iter().zip(&free_sent).any(|(s, free)| {
                        !free && s.channel == row.channel && causal(s, row) && normal_form(s.text) == normal_form(row.text)
                            && !(in_use && s.id.is_some() && row.id.is_some())
                    });
                    let duplicate = answer.iter().any(|p| matches!(p, Pairing::Duplicate { sent, received, .. } if *received == place && normal_form(s[*sent].text) == normal_form(row.text)));
                    prop_assert_eq!(repeats, duplicate);
                }
                for pairing in &answer {
                    if let Pairing::Duplicate { sent, received, .. } = *pairing
                        && normal_form(s[sent].text) == normal_form(r[received].text)
                    {
                        free_received[received] = false;
                    }
                }
            }
            for (sent_with, received_with) in parts {
                let fits = |id: Option<&str>, with: Option<bool>| with.is_none_or(|with| with == id.is_some());
                let edge = |s: &SentRow<'_>, r: &ReceivedRow<'_>| {
                    s.channel == r.channel && causal(s, r) && fits(s.id, *sent_with) && fits(r.id, *received_with) && match pass {
                        0 => s.text == r.text,
                        1 => normal_form(s.text) == normal_form(r.text),
                        _ => alteration(s.text, r.text).is_some(),
                    }
                };
                let latency = |s: &SentRow<'_>, r: &ReceivedRow<'_>| s.at.zip(r.at).map(|(s, r)| r.0 - s.0).filter(|_| pass < 2);
                let edges: Vec<Vec<(usize, Option<i64>)>> = s.iter().zip(&free_sent).filter(|(_, free)| **free).map(|(s, _)| {
                    r.iter().enumerate().filter(|(place, r)| free_received[*place] && edge(s, r)).map(|(place, r)| (place, latency(s, r))).collect()
                }).collect();
                let mut value = (0, 0, 0);
                let mut made = Vec::new();
                for pairing in &answer {
                    if let Pairing::Pair { sent, received, matched_by, altered } = *pairing
                        && free_sent[sent] && free_received[received]
                        && (matched_by == MatchedBy::Exact) == (pass == 0)
                        && altered == (pass == 2)
                        && fits(s[sent].id, *sent_with) && fits(r[received].id, *received_with)
                    {
                        prop_assert!(edge(&s[sent], &r[received]));
                        let latency = latency(&s[sent], &r[received]);
                        value = (value.0 + 1, value.1 + usize::from(latency.is_some()), value.2 - latency.unwrap_or(0));
                        made.push((sent, received));
                    }
                }
                let greatest = best(&edges, 0);
                prop_assert_eq!((value.0, value.1), (greatest.0, greatest.1), "pass {} {:?}", pass, answer);
                // Without tolerance the latencies are the least; with it the same rows have pairs, and perhaps more.
                let strict = |only_chosen: bool| -> Vec<Vec<(usize, Option<i64>)>> {
                    (0..s.len()).filter(|place| free_sent[*place] && (!only_chosen || made.iter().any(|pair| pair.0 == *place))).map(|sent| {
                        (0..r.len())
                            .filter(|place| free_received[*place] && (!only_chosen || made.iter().any(|pair| pair.1 == *place)))
                            .filter(|place| edge(&s[sent], &r[*place]))
                            .filter_map(|place| Some((place, Some(latency(&s[sent], &r[place]).filter(|latency| *latency >= 0)?))))
                            .collect()
                    }).collect()
                };
                prop_assert_eq!(best(&strict(true), 0), best(&strict(false), 0), "pass {} {:?}", pass, answer);
                if tolerance == Duration::ZERO {
                    prop_assert_eq!(value, greatest, "pass {} {:?}", pass, answer);
                }
                for (one, other) in made.iter().flat_map(|one| made.iter().map(move |other| (one, other))) {
                    let same = pass < 2 && normal_form(s[one.0].text) == normal_form(s[other.0].text) && (pass > 0 || s[one.0].text == s[other.0].text) && s[one.0].channel == s[other.0].channel;
                    if same && let (Some(a), Some(b), Some(c), Some(d)) = (s[one.0].at, s[other.0].at, r[one.1].at, r[other.1].at) {
                        prop_assert!(!(a < b && c > d), "overtaken");
                    }
                }
                for (sent, received) in made {
                    free_sent[sent] = false;
                    free_received[received] = false;
                }
            }
        }
    }
}
