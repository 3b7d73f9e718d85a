//! One channel: are its paths alive, may a candidate be sent, is a control due?
//!
//! A path (the channel and one recipient) is *opening* until something arrives on it, then *open*. Its *tail* is what was
//! sent after the latest message that arrived. A candidate is only sent on open paths with a short tail: then the bracket
//! before it exists already, and enough places behind it remain for a control to close it. Where the tail is full the channel
//! first waits for arrivals, about as long as they usually take, and then sends a control. Controls that do not arrive are
//! repeated at doubling intervals until the path is given up as dead.

use lacuna_inference::evidence::Evidence;
use lacuna_model::{AccountIx, ChannelIx, Duration, Outcome, Probe, ProbeId, Role, SendResult, SendState, Study, Timestamp};

/// After so many controls in a row that did not arrive a path is dead that never was alive.
const CONTROLS_UNTIL_DEAD: u32 = 9;

/// And one that was. Losses may come in bursts, and what ends a burst may be nothing but further messages; a path that was
/// alive is worth that many before everything that was to be asked on it is given up.
const CONTROLS_UNTIL_GONE: u32 = 64;

/// With a fixed number of sends an item only controls tell the loss, since a filter that acts now and then looks like it: one for so
/// many candidates at most, and for fewer on short lists, so that there are about [`CONTROLS_WITH_REPLICATES`].
const REPLICATES_A_CONTROL: usize = 8;

/// So many controls without a loss bound it by 8 %.
const CONTROLS_WITH_REPLICATES: usize = 60;

/// The longest wait between two controls on a silent path.
const LONGEST_PATIENCE: Duration = Duration::from_secs(15);

/// The shortest wait for an arrival.
const SHORTEST_PATIENCE: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Condition {
    Opening,
    Open,
    Dead,
}

#[derive(Clone, Debug)]
struct PathState {
    recipient: AccountIx,
    condition: Condition,
    /// From which place on the channel messages say something about the path: the start of the epoch or the last gap.
    since: usize,
    /// The place of the latest message that arrived.
    latest: Option<usize>,
}

/// What was sent on a path after the latest arrival.
#[derive(Clone, Copy, Default)]
struct Tail {
    messages: usize,
    controls: u32,
    /// Candidates without an outcome.
    open_candidates: usize,
}

/// What a channel needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    /// A candidate may be sent.
    Nothing,
    /// A control, now.
    Control,
    /// Arrivals, until this time; then a control.
    Patience(Timestamp),
    /// The answer to the send that is under way.
    Answer,
    /// All paths are dead.
    Dead,
}

/// A channel of the study, and what the engine knows of it.
#[derive(Clone, Debug)]
pub(crate) struct ChannelState {
    index: ChannelIx,
    paths: Vec<PathState>,
    in_flight: u16,
    /// Outcomes of candidates that are missing yet, over all recipients.
    open_candidates: u64,
    last_planned_at: Option<Timestamp>,
    /// The latest candidate, and the latest control that the platform took.
    last_candidate: Option<ProbeId>,
    last_control: Option<ProbeId>,
    candidates_since_control: usize,
    /// With replicates: after so many candidates a control is due.
    candidates_a_control: Option<usize>,
    /// Controls in a row that the platform refused: nothing will arrive here.
    refused_controls: u32,
    /// A candidate was refused, and nothing shows yet that other messages are taken.
    refuses: bool,
    /// Smoothed delay and its mean deviation, as RFC 6298 keeps them for retransmission.
    delay: Option<(i64, i64)>,
}

impl ChannelState {
    pub fn new(index: ChannelIx, study: &Study) -> Self {
        let path =
            |recipient: &AccountIx| PathState { recipient: *recipient, condition: Condition::Opening, since: 0, latest: None };
        let paths = study.channel(index).recipients.iter().map(path).collect();
        Self {
            index,
            paths,
            in_flight: 0,
            open_candidates: 0,
            last_planned_at: None,
            last_candidate: None,
            last_control: None,
            candidates_since_control: 0,
            candidates_a_control: study.decision.replicates.map(|replicates| {
                let sends = study.items_of(Role::Candidate).count().saturating_mul(replicates as usize);
                (sends / CONTROLS_WITH_REPLICATES).clamp(1, REPLICATES_A_CONTROL)
            }),
            refused_controls: 0,
            refuses: false,
            delay: None,
        }
    }

    /// A new epoch: every path must show anew that it is alive.
    pub fn open_epoch(&mut self, evidence: &Evidence) {
        self.in_flight = 0;
        self.last_planned_at = None;
        self.last_candidate = None;
        self.last_control = None;
        self.refused_controls = 0;
        self.refuses = false;
        let since = evidence.sent_on(self.index).len();
        for path in &mut self.paths {
            *path = PathState { condition: Condition::Opening, since, latest: None, ..*path };
        }
    }

    /// The recipient's stream had a gap: its path must show anew that it is alive.
    pub fn reopen(&mut self, recipient: AccountIx, evidence: &Evidence) {
        let since = evidence.sent_on(self.index).len();
        for path in self.paths.iter_mut().filter(|path| path.recipient == recipient) {
            *path = PathState { condition: Condition::Opening, since, latest: None, ..*path };
        }
    }

    pub fn planned(&mut self, at: Timestamp, probe: &Probe, recipients: u64) {
        self.in_flight += 1;
        if probe.role == Role::Control {
            self.candidates_since_control = 0;
        } else {
            self.candidates_since_control += 1;
            self.open_candidates += recipients;
            self.last_candidate = Some(probe.id);
        }
        self.last_planned_at = Some(at);
    }

    pub fn resolved(&mut self, probe: &Probe, result: &SendResult) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let is_control = probe.role == Role::Control;
        match result {
            SendResult::Accepted { .. } => {
                if is_control {
                    self.last_control = self.last_control.max(Some(probe.id));
                }
                self.refused_controls = 0;
                self.refuses = false;
            }
            SendResult::Refused { .. } if is_control => self.refused_controls += 1,
            SendResult::Refused { .. } => self.refuses = true,
            SendResult::RateLimited { .. } | SendResult::NotSent { .. } | SendResult::Unknown { .. } => {}
        }
    }

    /// No control that the platform took came behind the latest candidate.
    fn ends_on_candidate(&self) -> bool {
        self.last_candidate > self.last_control
    }

    /// A candidate has its first outcome for one recipient.
    pub fn concluded(&mut self) {
        self.open_candidates -= 1;
    }

    /// Outcomes of candidates that are missing yet, over all recipients.
    pub fn open_candidates(&self) -> u64 {
        self.open_candidates
    }

    /// Everything that was sent is answered and judged, and a control came last, unless nothing can close it any more.
    pub fn is_settled(&self) -> bool {
        self.in_flight == 0 && self.open_candidates == 0 && (!self.ends_on_candidate() || self.is_dead())
    }

    /// Something arrived on a path: it is alive. `false` if the message is from before the path was last in doubt.
    pub fn arrived(&mut self, evidence: &Evidence, probe: ProbeId, recipient: AccountIx) -> bool {
        let place = evidence.probe(probe).place();
        let Some(path) = self.paths.iter_mut().find(|path| path.recipient == recipient) else { return false };
        if place < path.since {
            return false;
        }
        path.condition = Condition::Open;
        path.latest = path.latest.max(Some(place));
        true
    }

    /// Whether the path to a recipient was given up.
    pub fn is_given_up(&self, recipient: AccountIx) -> bool {
        self.paths.iter().any(|path| path.recipient == recipient && path.condition == Condition::Dead)
    }

    /// The place of the latest message that arrived at a recipient since its path was last in doubt.
    pub fn latest(&self, recipient: AccountIx) -> Option<usize> {
        self.paths.iter().find(|path| path.recipient == recipient).and_then(|path| path.latest)
    }

    /// Takes the delay of a message that arrived in time.
    pub fn learn_delay(&mut self, delay: Duration) {
        let sample = delay.as_micros();
        self.delay = Some(match self.delay {
            None => (sample, sample / 2),
            Some((smoothed, deviation)) => {
                let deviation = deviation - deviation / 4 + (smoothed - sample).abs() / 4;
                (smoothed - smoothed / 8 + sample / 8, deviation)
            }
        });
    }

    /// How long an arrival is waited for before a control is sent: the smoothed delay and four deviations.
    pub fn patience(&self, study: &Study) -> Duration {
        let longest = study.watch.grace.unwrap_or(Duration::from_secs(2));
        match self.delay {
            None => longest,
            Some((smoothed, deviation)) => {
                Duration(smoothed + 4 * deviation).max(SHORTEST_PATIENCE).min(longest.max(SHORTEST_PATIENCE))
            }
        }
    }

    /// The grace after closing evidence: as the experiment says, or learned: ten times the patience, at least 200 ms.
    pub fn grace(&self, study: &Study) -> Duration {
        study
            .watch
            .grace
            .unwrap_or_else(|| self.patience(study).times(10).max(Duration::from_millis(200)).min(Duration::from_secs(60)))
    }

    fn tail(&self, path: &PathState, evidence: &Evidence) -> Tail {
        let sent = evidence.sent_on(self.index);
        let start = path.latest.map_or(path.since, |latest| latest + 1);
        let mut tail = Tail::default();
        for probe in &sent[start..] {
            let record = evidence.probe(*probe);
            if !matches!(record.send_state, None | Some(SendState::Accepted)) {
                continue;
            }
            tail.messages += 1;
            if record.probe.role == Role::Control {
                tail.controls += 1;
            } else if evidence.outcome(*probe, path.recipient).is_none() {
                tail.open_candidates += 1;
            }
        }
        tail
    }

    /// The most messages behind the latest arrival, over the paths.
    pub fn longest_tail(&self, evidence: &Evidence) -> usize {
        self.alive().map(|path| self.tail(path, evidence).messages).max().unwrap_or(0)
    }

    /// Whether a control that was sent behind the latest arrival has not arrived (yet), on some path.
    pub fn misses_control(&self, evidence: &Evidence) -> bool {
        self.alive().any(|path| self.tail(path, evidence).controls > 0)
    }

    fn alive(&self) -> impl Iterator<Item = &PathState> {
        self.paths.iter().filter(|path| path.condition != Condition::Dead)
    }

    pub fn is_dead(&self) -> bool {
        self.alive().next().is_none()
    }

    /// What must happen before a candidate may be sent.
    pub fn need(&self, at: Timestamp, study: &Study, evidence: &Evidence) -> Need {
        let bracket = usize::from(study.watch.bracket_messages);
        let fits = |tail: Tail| tail.messages == 0 || tail.messages < bracket;
        let blocked = self.alive().map(|path| (path.condition, self.tail(path, evidence))).filter(|(condition, tail)| {
            // A control that has not arrived (yet) leaves it open whether the path is alive.
            self.refuses || *condition == Condition::Opening || !fits(*tail) || tail.controls > 0
        });
        if self.refuses && self.refused_controls == 0 && !self.is_dead() {
            return if self.in_flight > 0 { Need::Answer } else { Need::Control };
        }
        let need = self.wait_or_control(at, study, blocked.map(|(_, tail)| tail));
        let wants_control = self.candidates_a_control.is_some_and(|most| self.candidates_since_control >= most);
        if need == Need::Nothing && wants_control { Need::Control } else { need }
    }

    /// What must happen before everything sent on this channel can be judged; `last` asks for a control at the very end.
    pub fn closing_need(&self, at: Timestamp, study: &Study, evidence: &Evidence, last: bool) -> Need {
        if last && self.ends_on_candidate() && !self.is_dead() {
            return if self.in_flight > 0 { Need::Answer } else { Need::Control };
        }
        let blocked = self.alive().map(|path| self.tail(path, evidence)).filter(|tail| tail.open_candidates > 0);
        self.wait_or_control(at, study, blocked)
    }

    /// When nothing but controls is sent: the next, once the one before has arrived on every path or patience is over.
    pub fn next_control(&self, at: Timestamp, study: &Study, evidence: &Evidence) -> Need {
        if self.in_flight > 0 {
            return Need::Answer;
        }
        let missing = self.alive().map(|path| self.tail(path, evidence)).filter(|tail| tail.messages > 0);
        match self.wait_or_control(at, study, missing) {
            Need::Nothing => Need::Control,
            need => need,
        }
    }

    /// Where some path is blocked: a control once patience is over, which doubles with every control that is missing.
    fn wait_or_control(&self, at: Timestamp, study: &Study, blocked: impl Iterator<Item = Tail>) -> Need {
        if self.is_dead() {
            return Need::Dead;
        }
        let Some(missing) = blocked.map(|tail| tail.controls + self.refused_controls).max() else { return Need::Nothing };
        if self.in_flight > 0 {
            return Need::Answer;
        }
        let Some(last) = self.last_planned_at else { return Need::Control };
        let until = last + self.patience(study).times(1 << missing.min(20)).min(LONGEST_PATIENCE);
        if at >= until { Need::Control } else { Need::Patience(until) }
    }

    /// Gives up the paths on which too many controls in a row went missing, and returns their recipients.
    pub fn bury_silent_paths(&mut self, at: Timestamp, study: &Study, evidence: &Evidence) -> Vec<AccountIx> {
        let wait = self.patience(study).times(1 << CONTROLS_UNTIL_DEAD).min(LONGEST_PATIENCE);
        let gone = |path: &PathState| {
            let missing = self.tail(path, evidence).controls;
            let most = if path.condition == Condition::Open { CONTROLS_UNTIL_GONE } else { CONTROLS_UNTIL_DEAD };
            missing >= most || self.refused_controls >= CONTROLS_UNTIL_DEAD
        };
        if self.in_flight > 0 || self.last_planned_at.is_none_or(|last| at < last + wait) {
            return Vec::new();
        }
        let silent = |path: &&PathState| path.condition != Condition::Dead && gone(path);
        let recipients: Vec<AccountIx> = self.paths.iter().filter(silent).map(|path| path.recipient).collect();
        for path in &mut self.paths {
            if recipients.contains(&path.recipient) {
                path.condition = Condition::Dead;
            }
        }
        recipients
    }

    /// The sender will send no more: nothing can be learned on this channel.
    pub fn close(&mut self) {
        for path in &mut self.paths {
            path.condition = Condition::Dead;
        }
    }

    /// Nothing is expected on the path to this recipient.
    pub fn give_up(&mut self, recipient: AccountIx) {
        for path in self.paths.iter_mut().filter(|path| path.recipient == recipient) {
            path.condition = Condition::Dead;
        }
    }

    /// Whether a delay of this outcome says something about how long arrivals take.
    pub fn teaches_delay(outcome: Outcome) -> bool {
        matches!(outcome, Outcome::Delivered | Outcome::Altered)
    }
}
