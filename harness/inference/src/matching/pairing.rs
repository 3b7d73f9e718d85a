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

/// Pairs the rows that have a time, and returns what is left.
///
/// First the rows are chosen that the best pairing without tolerance covers. A received row can be any sent row before
/// it, so that sent rows are opening brackets and received rows closing ones, and the usual matching of brackets, each
/// received row with the last open sent one, pairs as many as can be. It also chooses the earliest received rows that can
/// be paired and the latest sent ones (the greedy bases of their transversal matroids), so that the sum of the
/// latencies is the least.
///
/// Then further rows are chosen, the earliest received and the latest sent ones, as long as the chosen ones can still be
/// paired within the tolerance. A choice of both that ends so can be paired completely (theorem of Mendelsohn and
/// Dulmage), and no larger one exists. Whatever can be paired at all can be paired in order.
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
    let mut chosen = match_brackets(&sents_timed, &receiveds_timed);
    if tolerance > Duration::ZERO {
        choose_more_receiveds(&sents_timed, &receiveds_timed, tolerance, &mut chosen.1);
        choose_more_sents(&sents_timed, &receiveds_timed, tolerance, &mut chosen.0);
    }
    let part = |rows: &[Row], chosen: &[bool], wanted: bool| -> Vec<Row> {
        rows.iter().zip(chosen).filter(|(_, chosen)| **chosen == wanted).map(|(row, _)| *row).collect()
    };
    pairs.extend(part(&sents_timed, &chosen.0, true).into_iter().zip(part(&receiveds_timed, &chosen.1, true)));
    sents.extend(part(&sents_timed, &chosen.0, false));
    receiveds.extend(part(&receiveds_timed, &chosen.1, false));
    (sents, receiveds)
}

/// Which rows the best pairing without tolerance covers. Both lists are sorted and have times.
fn match_brackets(sents: &[Row], receiveds: &[Row]) -> (Vec<bool>, Vec<bool>) {
    let (mut sent_chosen, mut received_chosen) = (vec![false; sents.len()], vec![false; receiveds.len()]);
    let mut open: Vec<usize> = Vec::new();
    let mut next = 0;
    for (received, chosen) in receiveds.iter().zip(&mut received_chosen) {
        while sents.get(next).is_some_and(|sent| sent.may_be(received, Duration::ZERO)) {
            open.push(next);
            next += 1;
        }
        if let Some(sent) = open.pop() {
            sent_chosen[sent] = true;
            *chosen = true;
        }
    }
    (sent_chosen, received_chosen)
}

/// Received rows can be paired together if up to any moment there are no more of them than sent rows that may be theirs.
/// From the earliest on, each is chosen that leaves this true from its moment on.
fn choose_more_receiveds(sents: &[Row], receiveds: &[Row], tolerance: Duration, chosen: &mut [bool]) {
    let mut room: Vec<usize> = Vec::with_capacity(receiveds.len());
    let (mut before, mut taken) = (0, 0);
    for (received, chosen) in receiveds.iter().zip(&*chosen) {
        while sents.get(before).is_some_and(|sent| sent.may_be(received, tolerance)) {
            before += 1;
        }
        taken += usize::from(*chosen);
        room.push(before - taken);
    }
    for index in (1..room.len()).rev() {
        room[index - 1] = room[index - 1].min(room[index]);
    }
    let mut more = 0;
    for (room, chosen) in room.iter().zip(chosen).filter(|(_, chosen)| !**chosen) {
        if *room > more {
            *chosen = true;
            more += 1;
        }
    }
}

/// The same for sent rows, from the latest on: from any moment on there must be no more of them than received rows.
fn choose_more_sents(sents: &[Row], receiveds: &[Row], tolerance: Duration, chosen: &mut [bool]) {
    let mut room: Vec<usize> = Vec::with_capacity(sents.len());
    let (mut after, mut taken) = (receiveds.len(), 0);
    for (sent, chosen) in sents.iter().zip(&*chosen).rev() {
        while after > 0 && sent.may_be(&receiveds[after - 1], tolerance) {
            after -= 1;
        }
        taken += usize::from(*chosen);
        room.push(receiveds.len() - after - taken);
    }
    for index in (1..room.len()).rev() {
        room[index - 1] = room[index - 1].min(room[index]);
    }
    let mut more = 0;
    for (room, chosen) in room.iter().zip(chosen.iter_mut().rev()).filter(|(_, chosen)| !**chosen) {
        if *room > more {
            *chosen = true;
            more += 1;
        }
    }
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
