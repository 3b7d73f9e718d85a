//! Pairs of sent texts and what was recognisably made from them, over whole logs.

use std::borrow::Cow;
use std::collections::VecDeque;

use lacuna_content::{Shape, normal_form};
use lacuna_model::Duration;

use super::pairing::Row;

/// A received row is compared with at most this many sent ones, so that the search stays linear in the received rows.
const REACH: usize = 256;
/// … and of those that it may be the most similar so many are looked at: a text masked as a whole may be anything.
const CHOICES: usize = 16;

/// A received row that may be a sent one, by their places in the lists of their channel.
struct Edge {
    sent: usize,
    received: usize,
    similarity: f64,
}

/// As many pairs as can be of a received row and a sent one in reach from which it was recognisably made; where rows
/// compete, the more similar pair is made first, and broken up only where that lets one more be made.
pub(super) fn pair_altered<'t>(
    mut sents: Vec<Row>,
    mut receiveds: Vec<Row>,
    sent_text: impl Fn(Row) -> (u32, &'t str),
    received_text: impl Fn(Row) -> (u32, &'t str),
    tolerance: Duration,
) -> Vec<(Row, Row)> {
    sents.sort_unstable_by_key(|row| (sent_text(*row).0, *row));
    receiveds.sort_unstable_by_key(|row| (received_text(*row).0, *row));
    let mut pairs = Vec::new();
    let mut rest = sents.as_slice();
    for receiveds in receiveds.chunk_by(|one, other| received_text(*one).0 == received_text(*other).0) {
        let channel = received_text(receiveds[0]).0;
        rest = &rest[rest.partition_point(|row| sent_text(*row).0 < channel)..];
        let sents = &rest[..rest.partition_point(|row| sent_text(*row).0 == channel)];
        let edges = edges(sents, receiveds, |row| sent_text(row).1, |row| received_text(row).1, tolerance);
        pairs.extend(largest(sents.len(), receiveds.len(), edges).into_iter().map(|(to, row)| (sents[to], receiveds[row])));
    }
    pairs
}

fn edges<'t>(
    sents: &[Row],
    receiveds: &[Row],
    sent_text: impl Fn(Row) -> &'t str,
    received_text: impl Fn(Row) -> &'t str,
    tolerance: Duration,
) -> Vec<Edge> {
    let forms: Vec<Cow<'_, str>> = sents.iter().map(|row| normal_form(sent_text(*row))).collect();
    let shapes: Vec<Shape<'_>> = forms.iter().map(|form| Shape::of_normal_form(form)).collect();
    let mut edges = Vec::new();
    for (index, received) in receiveds.iter().enumerate() {
        let form = normal_form(received_text(*received));
        let shape = Shape::of_normal_form(&form);
        // The last that may be this one where there is a time; else around the same rank.
        let end = if received.at.is_some() {
            sents.partition_point(|sent| sent.may_be(received, tolerance))
        } else {
            (index * sents.len() / receiveds.len() + REACH / 2).max(REACH).min(sents.len())
        };
        let start = end.saturating_sub(REACH);
        let mut possible: Vec<Edge> = shapes[start..end]
            .iter()
            .zip(start..)
            .filter(|(sent, _)| sent.alteration_to(&shape).is_some())
            .map(|(sent, place)| Edge { sent: place, received: index, similarity: sent.similarity(&shape) })
            .collect();
        possible.sort_by(|one, other| other.similarity.total_cmp(&one.similarity));
        edges.extend(possible.into_iter().take(CHOICES));
    }
    edges
}

/// A largest matching: the most similar pairs greedily, then augmenting paths.
fn largest(sents: usize, receiveds: usize, mut edges: Vec<Edge>) -> Vec<(usize, usize)> {
    edges.sort_by(|one, other| other.similarity.total_cmp(&one.similarity).then(one.received.cmp(&other.received)));
    let mut sent_of: Vec<Option<usize>> = vec![None; receiveds];
    let mut received_of: Vec<Option<usize>> = vec![None; sents];
    let mut neighbours: Vec<Vec<usize>> = vec![Vec::new(); receiveds];
    for edge in &edges {
        neighbours[edge.received].push(edge.sent);
        if sent_of[edge.received].is_none() && received_of[edge.sent].is_none() {
            sent_of[edge.received] = Some(edge.sent);
            received_of[edge.sent] = Some(edge.received);
        }
    }
    // From which received row a sent row was reached. Rows reached by a search that failed never become useful again.
    let mut reached_from: Vec<Option<usize>> = vec![None; sents];
    for start in 0..receiveds {
        if sent_of[start].is_some() {
            continue;
        }
        let mut queue = VecDeque::from([start]);
        let mut reached = Vec::new();
        let mut free = None;
        'search: while let Some(received) = queue.pop_front() {
            for &sent in &neighbours[received] {
                if reached_from[sent].is_some() {
                    continue;
                }
                reached_from[sent] = Some(received);
                reached.push(sent);
                if let Some(owner) = received_of[sent] {
                    queue.push_back(owner);
                } else {
                    free = Some(sent);
                    break 'search;
                }
            }
        }
        let Some(mut next) = free else { continue };
        while let Some(received) = reached_from[next] {
            received_of[next] = Some(received);
            let Some(before) = sent_of[received].replace(next) else { break };
            next = before;
        }
        for sent in reached {
            reached_from[sent] = None;
        }
    }
    sent_of.iter().enumerate().filter_map(|(received, sent)| sent.map(|sent| (sent, received))).collect()
}
