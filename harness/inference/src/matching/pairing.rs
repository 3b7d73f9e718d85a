//! The best pairs among rows that say the same.

use lacuna_model::{Duration, Timestamp};

/// A row of a log: when, if that is known, and where in the log. Sorted by time, those without one first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Row {
    pub at: Option<Timestamp>,
    pub place: usize,
}

impl Row {
    /// Whether this sent row is not too late to be `received`.
    pub fn may_be(&self, received: &Self, tolerance: Duration) -> bool {
        match (self.at, received.at) {
            (Some(sent), Some(received)) => sent <= received + tolerance,
            _ => true,
        }
    }
}

/// Pairs the rows that have a time: as many as can be, with the least sum of latencies, in order. Returns what is left.
///
/// A received row can be any sent row before it, so that sent rows are opening brackets and received rows closing ones, and
/// the usual matching of brackets, each received row with the last open sent one, pairs as many as can be. It also
/// chooses the earliest received rows that can be paired and the latest sent ones (both are the greedy bases of their transversal matroids, and
/// a matching that covers both exists by the theorem of Mendelsohn and Dulmage), so that the sum of the received times less the sum of the
/// sent ones is the least. It is the same however the chosen rows are paired among themselves; in order is always possible.
pub(super) fn pair_causally(
    mut sents: Vec<Row>,
    mut receiveds: Vec<Row>,
    tolerance: Duration,
    pairs: &mut Vec<(Row, Row)>,
) -> (Vec<Row>, Vec<Row>) {
    sents.sort_unstable();
    receiveds.sort_unstable();
    let sents_timed = sents.split_off(sents.partition_point(|row| row.at.is_none()));
    let receiveds_timed = receiveds.split_off(receiveds.partition_point(|row| row.at.is_none()));
    let mut open: Vec<Row> = Vec::new();
    let mut chosen: (Vec<Row>, Vec<Row>) = (Vec::new(), Vec::new());
    let mut coming = sents_timed.into_iter().peekable();
    for received in receiveds_timed {
        while let Some(sent) = coming.next_if(|sent| sent.may_be(&received, tolerance)) {
            open.push(sent);
        }
        match open.pop() {
            Some(sent) => {
                chosen.0.push(sent);
                chosen.1.push(received);
            }
            None => receiveds.push(received),
        }
    }
    chosen.0.sort_unstable();
    pairs.extend(chosen.0.into_iter().zip(chosen.1));
    sents.extend(open);
    sents.extend(coming);
    (sents, receiveds)
}

/// Pairs what [`pair_causally`] left, in which any two rows may be paired unless both have a time: as many as can be, the
/// first with the first.
pub(super) fn pair_in_order(sents: &[Row], receiveds: &[Row], pairs: &mut Vec<(Row, Row)>) {
    let part = |rows: &[Row], timed: bool| -> Vec<Row> {
        let mut part: Vec<Row> = rows.iter().filter(|row| row.at.is_some() == timed).copied().collect();
        part.sort_unstable_by_key(|row| row.place);
        part
    };
    let (sents_untimed, receiveds_untimed) = (part(sents, false), part(receiveds, false));
    let (sents_timed, receiveds_timed) = (part(sents, true), part(receiveds, true));
    // Rows with a time can only go with rows without: they choose first, so that those are used up as late as possible.
    let (first, second) = (receiveds_timed.len().min(sents_untimed.len()), sents_timed.len().min(receiveds_untimed.len()));
    pairs.extend(sents_untimed.iter().copied().zip(receiveds_timed));
    pairs.extend(sents_timed.into_iter().zip(receiveds_untimed.iter().copied()));
    pairs.extend(sents_untimed.into_iter().skip(first).zip(receiveds_untimed.into_iter().skip(second)));
}
