//! What an account has not acknowledged yet.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::world::Delivery;

use super::limits::Limits;

/// An event with its place in the account's stream.
#[derive(Clone)]
pub(super) struct Event {
    pub(super) cursor: u64,
    pub(super) delivery: Delivery,
}

/// The queue of one account.
pub(super) struct Inbox {
    events: VecDeque<Event>,
    text_bytes: usize,
    /// The cursor of the last event that ever came.
    last: u64,
    /// How often the queue was emptied because nobody read it.
    overflows: u32,
    /// Woken when something comes.
    pub(super) arrivals: Arc<Notify>,
}

impl Inbox {
    /// An empty queue, whose events come after `start`.
    pub(super) fn new(start: u64) -> Self {
        Self { events: VecDeque::new(), text_bytes: 0, last: start, overflows: 0, arrivals: Arc::new(Notify::new()) }
    }

    /// Takes an event in. A queue that nobody reads is emptied as a whole, so that what is lost is never in the middle.
    pub(super) fn push(&mut self, delivery: Delivery) {
        let bytes = text_bytes(&delivery);
        if self.events.len() >= Limits::EVENTS || self.text_bytes + bytes > Limits::TEXT_BYTES {
            self.events = VecDeque::new();
            self.text_bytes = 0;
            self.overflows += 1;
        }
        self.last += 1;
        self.text_bytes += bytes;
        self.events.push_back(Event { cursor: self.last, delivery });
        self.arrivals.notify_waiters();
    }

    /// Forgets what lies at or before `after`.
    pub(super) fn acknowledge(&mut self, after: u64) {
        while let Some(event) = self.events.pop_front_if(|event| event.cursor <= after) {
            self.text_bytes -= text_bytes(&event.delivery);
        }
    }

    /// The oldest events behind `after`.
    pub(super) fn behind(&self, after: u64, limit: usize) -> Vec<Event> {
        let read = self.events.partition_point(|event| event.cursor <= after);
        self.events.iter().skip(read).take(limit).cloned().collect()
    }

    /// Whether there is nothing behind `after`.
    pub(super) fn is_read(&self, after: u64) -> bool {
        self.events.back().is_none_or(|event| event.cursor <= after)
    }

    /// The cursor of the last event that ever came.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// How often the queue was emptied because nobody read it.
    pub(super) fn overflows(&self) -> u32 {
        self.overflows
    }
}

fn text_bytes(delivery: &Delivery) -> usize {
    delivery.text.as_ref().map_or(0, |text| text.len())
}

#[cfg(test)]
mod tests {
    use lacuna_model::{ObservationKind, Timestamp};

    use crate::world::{Member, MessageNumber, Place};

    use super::*;

    fn delivery(text: &Arc<str>) -> Delivery {
        Delivery {
            at: Timestamp(0),
            to: Member(0),
            kind: ObservationKind::Message,
            message: MessageNumber(0),
            sender: Member(1),
            place: Place(0),
            file: None,
            text: Some(Arc::clone(text)),
        }
    }

    fn cursors(inbox: &Inbox) -> Vec<u64> {
        inbox.behind(0, 3).iter().map(|event| event.cursor).collect()
    }

    #[test]
    fn what_is_acknowledged_is_forgotten() {
        let mut inbox = Inbox::new(100);
        for _ in 0..4 {
            inbox.push(delivery(&"x".into()));
        }
        assert_eq!(cursors(&inbox), [101, 102, 103]);
        inbox.acknowledge(50);
        inbox.acknowledge(102);
        assert_eq!((cursors(&inbox), inbox.text_bytes), (vec![103, 104], 2));
        inbox.acknowledge(104);
        assert_eq!((inbox.is_read(0), inbox.last()), (true, 104));
    }

    #[test]
    fn a_queue_that_nobody_reads_is_emptied_and_says_so() {
        let mut inbox = Inbox::new(0);
        for _ in 0..=Limits::EVENTS {
            inbox.push(delivery(&"x".into()));
        }
        assert_eq!((cursors(&inbox), inbox.overflows()), (vec![Limits::EVENTS as u64 + 1], 1));

        let mut inbox = Inbox::new(0);
        let long: Arc<str> = "x".repeat(Limits::TEXT_BYTES / 4).into();
        for _ in 0..5 {
            inbox.push(delivery(&long));
        }
        assert_eq!((cursors(&inbox), inbox.overflows()), (vec![5], 1));
    }
}
