//! Entries to lines.

use std::io::Write as _;

use lacuna_model::{
    Deadline, Decision, Entry, EntrySequence, Fact, Invocation, ItemIx, Observation, Probe, ProbeId, ReceivedFile, Recognised,
    SearchPlan, SendResult, SendState, Study, Timestamp,
};
use serde::Serialize;

use super::chain::ChainHash;
use super::counts::Counts;
use super::header::Header;
use super::names::{WrittenNames, push_string};

/// Turns entries into the lines of a journal. It does no I/O: the lines are appended to a buffer, and who writes the buffer
/// and waits for the disk once for many lines sets the pace.
#[derive(Debug)]
pub struct Encoder {
    names: WrittenNames,
    chain: ChainHash,
    next: u64,
    counts: Counts,
}

impl Encoder {
    /// Begins a journal; also gives its first line.
    #[must_use]
    pub fn new(header: &Header) -> (Self, Vec<u8>) {
        let mut line = header.body();
        let chain = ChainHash::START.link(&line);
        chain.close_line(&mut line);
        (Self::resume(&header.study, chain, 0, Counts::default()), line)
    }

    /// Continues a journal behind the line with this hash.
    pub(super) fn resume(study: &Study, chain: ChainHash, next: u64, counts: Counts) -> Self {
        Self { names: WrittenNames::new(study), chain, next, counts }
    }

    /// Appends the line of an entry to `out`. The indices in the entry must be those of the study of the header.
    pub fn append(&mut self, at: Timestamp, entry: &Entry, out: &mut Vec<u8>) -> EntrySequence {
        let start = out.len();
        let kind = match entry {
            Entry::Fact(Fact::EpochOpened { .. }) => "epoch_opened",
            Entry::Fact(Fact::SendStarted { .. }) => "send_started",
            Entry::Fact(Fact::SendResult { .. }) => "send_result",
            Entry::Fact(Fact::Observed(_)) => "observed",
            Entry::Fact(Fact::AccountState { .. }) => "account_state",
            Entry::Fact(Fact::DeadlinePassed(_)) => "deadline_passed",
            Entry::Fact(Fact::Gap { .. }) => "gap",
            Entry::Fact(Fact::StopRequested) => "stop_requested",
            Entry::Decision(Decision::ProbePlanned(_)) => "probe_planned",
            Entry::Decision(Decision::SearchBegun(_)) => "search_begun",
            Entry::Decision(Decision::Stopped { .. }) => "stopped",
        };
        self.open_line(at, kind, out);
        match entry {
            Entry::Fact(fact) => self.fact(fact, out),
            Entry::Decision(Decision::ProbePlanned(probe)) => self.probe(probe, out),
            Entry::Decision(Decision::SearchBegun(plan)) => self.search(plan, out),
            Entry::Decision(Decision::Stopped { reason }) => word(out, "reason", reason.as_str()),
        }
        self.counts.add(entry);
        self.close_line(start, out)
    }

    /// Appends the seal to `out`: the run came to its end.
    pub fn seal(&mut self, at: Timestamp, exit_code: u8, out: &mut Vec<u8>) -> EntrySequence {
        let start = out.len();
        self.open_line(at, "sealed", out);
        number(out, "exit_code", i64::from(exit_code));
        out.extend_from_slice(b",\"counts\":");
        // Writing numbers to a vector cannot fail.
        let _ = serde_json::to_writer(&mut *out, &self.counts);
        self.close_line(start, out)
    }

    /// The hash of the last line.
    #[must_use]
    pub fn last_hash(&self) -> ChainHash {
        self.chain
    }

    /// The number that the next line gets.
    #[must_use]
    pub fn next_sequence(&self) -> EntrySequence {
        EntrySequence(self.next)
    }

    /// What the journal holds so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn open_line(&self, at: Timestamp, kind: &str, out: &mut Vec<u8>) {
        let _ = write!(out, "{{\"seq\":{},\"at\":{},\"entry\":\"{kind}\"", self.next, at.0);
    }

    fn close_line(&mut self, start: usize, out: &mut Vec<u8>) -> EntrySequence {
        self.chain = self.chain.link(&out[start..]);
        self.chain.close_line(out);
        let sequence = EntrySequence(self.next);
        self.next += 1;
        sequence
    }

    fn fact(&self, fact: &Fact, out: &mut Vec<u8>) {
        match fact {
            Fact::EpochOpened { epoch, sent_today, resumed_by } => {
                number(out, "epoch", i64::from(*epoch));
                written(out, "sent_today", sent_today);
                if let Some(Invocation { lacuna_version, build, overrides }) = resumed_by.as_deref() {
                    text(out, "lacuna_version", lacuna_version);
                    if let Some(build) = build {
                        written(out, "build", build);
                    }
                    written(out, "overrides", overrides);
                }
            }
            Fact::SendStarted { probe, text: sent } => {
                probe_id(out, *probe);
                text(out, "text", sent);
            }
            Fact::SendResult { probe, result } => {
                probe_id(out, *probe);
                send_result(out, result);
            }
            Fact::Observed(observation) => self.observation(observation, out),
            Fact::AccountState { account, condition, detail } => {
                name(out, "account", &self.names.accounts[account.get()]);
                word(out, "condition", condition.as_str());
                text(out, "detail", detail);
            }
            Fact::DeadlinePassed(deadline) => self.deadline(*deadline, out),
            Fact::Gap { account, detail } => {
                name(out, "account", &self.names.accounts[account.get()]);
                text(out, "detail", detail);
            }
            Fact::StopRequested => {}
        }
    }

    fn probe(&self, probe: &Probe, out: &mut Vec<u8>) {
        probe_id(out, probe.id);
        out.push(b',');
        out.extend_from_slice(&self.names.channels[probe.channel.get()]);
        word(out, "role", probe.role.as_str());
        word(out, "purpose", probe.purpose.as_str());
        number(out, "attempt", i64::from(probe.attempt));
        self.items(&probe.items, out);
        if let Some(carrier) = probe.carrier {
            name(out, "carrier", &self.names.items[carrier.get()]);
        }
        if let Some(excerpt) = &probe.excerpt {
            number(out, "search", i64::from(excerpt.search.0));
            let fragments: Vec<(u32, u32)> = excerpt.fragments.iter().map(|range| (range.start, range.end)).collect();
            written(out, "fragments", &fragments);
        }
    }

    fn search(&self, plan: &SearchPlan, out: &mut Vec<u8>) {
        number(out, "search", i64::from(plan.search.0));
        name(out, "arm", &self.names.arms[plan.arm.get()]);
        name(out, "recipient", &self.names.accounts[plan.recipient.get()]);
        self.items(&plan.items, out);
        word(out, "signal", plan.signal.as_str());
        number(out, "loss_ppm", i64::from(plan.loss_ppm));
        number(out, "settle_us", plan.settle.as_micros());
        written(out, "known", &plan.known);
    }

    fn items(&self, items: &[ItemIx], out: &mut Vec<u8>) {
        key(out, "items");
        out.push(b'[');
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&self.names.items[item.get()]);
        }
        out.push(b']');
    }

    fn observation(&self, observation: &Observation, out: &mut Vec<u8>) {
        name(out, "recipient", &self.names.accounts[observation.recipient.get()]);
        if let Some(sender) = observation.sender {
            name(out, "sender", &self.names.accounts[sender.get()]);
        }
        if let Some(venue) = observation.venue {
            name(out, "venue", &self.names.venues[venue.get()]);
        }
        word(out, "event", observation.kind.as_str());
        if let Some(platform_id) = &observation.platform_id {
            text(out, "platform_id", &platform_id.0);
        }
        if let Some(received) = &observation.text {
            text(out, "text", received);
        }
        if let Some(file) = &observation.file {
            self.received_file(file, out);
        }
        if let Some(cursor) = &observation.cursor {
            text(out, "cursor", &cursor.0);
        }
    }

    fn received_file(&self, file: &ReceivedFile, out: &mut Vec<u8>) {
        written(out, "file", &file.facts);
        if let Some(Recognised { item, distance }) = file.recognised {
            name(out, "recognised", &self.names.items[item.get()]);
            if let Some(distance) = distance {
                number(out, "distance", i64::from(distance));
            }
        }
    }

    fn deadline(&self, deadline: Deadline, out: &mut Vec<u8>) {
        match deadline {
            Deadline::Grace { probe, recipient } => {
                word(out, "deadline", "grace");
                probe_id(out, probe);
                name(out, "recipient", &self.names.accounts[recipient.get()]);
            }
            Deadline::Settle { probe, recipient } => {
                word(out, "deadline", "settle");
                probe_id(out, probe);
                name(out, "recipient", &self.names.accounts[recipient.get()]);
            }
            Deadline::Patience { channel } => {
                word(out, "deadline", "patience");
                out.push(b',');
                out.extend_from_slice(&self.names.channels[channel.get()]);
            }
            Deadline::Wake { account } => {
                word(out, "deadline", "wake");
                name(out, "account", &self.names.accounts[account.get()]);
            }
            Deadline::Listen => word(out, "deadline", "listen"),
        }
    }
}

fn send_result(out: &mut Vec<u8>, result: &SendResult) {
    let state = match result {
        SendResult::Accepted { .. } => SendState::Accepted,
        SendResult::Refused { .. } => SendState::Refused,
        SendResult::RateLimited { .. } => SendState::RateLimited,
        SendResult::NotSent { .. } => SendState::Failed,
        SendResult::Unknown { .. } => SendState::UnknownSubmission,
    };
    word(out, "send_state", state.as_str());
    match result {
        SendResult::Accepted { platform_id: Some(platform_id) } => text(out, "platform_id", &platform_id.0),
        SendResult::Accepted { platform_id: None } => {}
        SendResult::Refused { notice } => text(out, "notice", notice),
        SendResult::RateLimited { retry_after } => number(out, "retry_after_us", retry_after.as_micros()),
        SendResult::NotSent { error } | SendResult::Unknown { error } => text(out, "error", error),
    }
}

fn key(out: &mut Vec<u8>, key: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

/// A word of a fixed vocabulary, which needs no escapes.
fn word(out: &mut Vec<u8>, member: &str, word: &str) {
    key(out, member);
    out.push(b'"');
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
}

fn number(out: &mut Vec<u8>, member: &str, number: i64) {
    key(out, member);
    let _ = write!(out, "{number}");
}

fn text(out: &mut Vec<u8>, member: &str, text: &str) {
    key(out, member);
    push_string(out, text);
}

/// Anything that is made of strings and numbers; writing these to a vector cannot fail.
fn written(out: &mut Vec<u8>, member: &str, value: &impl Serialize) {
    key(out, member);
    let _ = serde_json::to_writer(out, value);
}

/// A name that was quoted beforehand.
fn name(out: &mut Vec<u8>, member: &str, quoted: &[u8]) {
    key(out, member);
    out.extend_from_slice(quoted);
}

fn probe_id(out: &mut Vec<u8>, probe: ProbeId) {
    let _ = write!(out, ",\"probe\":\"{probe}\"");
}
