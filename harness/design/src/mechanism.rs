//! Files: which is sent next, and when.
//!
//! What a case needs says [`lacuna_inference::mechanism::step`], from the evidence alone; here is only the order. Cases wait in queues: those that
//! can be asked now, apart by whether an arrival or a drop is likely, and those that give the platform time to look. A case is looked at
//! again when something that was sent about it is answered.

use std::collections::{BTreeSet, HashMap, VecDeque};

use lacuna_inference::evidence::Evidence;
use lacuna_inference::mechanism::{Case, Showings, Step, cases, step};
use lacuna_inference::routes::{RouteIx, route_of, routes};
use lacuna_inference::tally::Tallies;
use lacuna_model::{AccountIx, ChannelIx, DesignKind, ItemIx, Probe, Purpose, Study, Timestamp};

use crate::screen::Supply;

/// Index of a case.
type CaseIx = usize;

/// A file to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FileAsk {
    pub item: ItemIx,
    pub purpose: Purpose,
    /// The how-manieth send of this file.
    pub attempt: u32,
}

/// What a case waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// To be asked: this file.
    Ready(Ready),
    /// The platform is given time.
    Later(Timestamp, Ready),
    /// The answer to what was sent.
    UnderWay,
    /// Nothing.
    Done,
    /// Nobody can ask any more.
    GivenUp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Ready {
    item: ItemIx,
    first: bool,
    doubtful: bool,
}

/// The state of a mechanism study.
#[derive(Debug, Default)]
pub(crate) struct Mechanism {
    cases: Vec<Case>,
    stages: Vec<Stage>,
    /// Per case: the channel on which it is asked, all of it: senders may be filtered differently.
    homes: Vec<Option<ChannelIx>>,
    case_of: HashMap<ItemIx, Vec<CaseIx>>,
    showings: Showings,
    on: Vec<OnRoute>,
    route_of: Vec<RouteIx>,
    /// Cases that are neither done nor given up.
    unfinished: usize,
    silent: BTreeSet<(ChannelIx, AccountIx)>,
}

/// The cases of one route.
#[derive(Debug, Default)]
struct OnRoute {
    open: BTreeSet<ChannelIx>,
    hopeful: VecDeque<CaseIx>,
    doubtful: VecDeque<CaseIx>,
    later: BTreeSet<(Timestamp, CaseIx)>,
}

impl Mechanism {
    pub fn new(study: &Study) -> Self {
        if study.design != DesignKind::Mechanism {
            return Self::default();
        }
        let routes = routes(study);
        let cases = cases(study);
        let mut case_of: HashMap<ItemIx, Vec<CaseIx>> = HashMap::new();
        for (index, case) in cases.iter().enumerate() {
            for item in case.files() {
                case_of.entry(item).or_default().push(index);
            }
        }
        Self {
            stages: vec![Stage::UnderWay; cases.len()],
            homes: vec![None; cases.len()],
            unfinished: cases.len(),
            cases,
            case_of,
            showings: Showings::default(),
            route_of: route_of(study, &routes),
            on: routes
                .iter()
                .map(|route| OnRoute { open: route.channels.iter().copied().collect(), ..OnRoute::default() })
                .collect(),
            silent: BTreeSet::new(),
        }
    }

    /// A new epoch: everything is tried again.
    pub fn open_epoch(&mut self, study: &Study, evidence: &Evidence, tallies: &Tallies) {
        self.silent.clear();
        for (route, on) in routes(study).iter().zip(&mut self.on) {
            on.open = route.channels.iter().copied().collect();
        }
        for case in 0..self.cases.len() {
            self.set(case, Stage::UnderWay);
            self.look_at(case, evidence, tallies);
        }
    }

    /// How many cases there are, and how many are neither done nor given up.
    pub fn questions(&self) -> (usize, usize) {
        (self.cases.len(), self.unfinished)
    }

    fn set(&mut self, case: CaseIx, stage: Stage) {
        let is_over = |stage: Stage| matches!(stage, Stage::Done | Stage::GivenUp);
        let on = &mut self.on[self.cases[case].route];
        match self.stages[case] {
            Stage::Ready(ready) => {
                let queue = if ready.doubtful { &mut on.doubtful } else { &mut on.hopeful };
                queue.retain(|waiting| *waiting != case);
            }
            Stage::Later(from, _) => {
                on.later.remove(&(from, case));
            }
            Stage::UnderWay | Stage::Done | Stage::GivenUp => {}
        }
        match (is_over(self.stages[case]), is_over(stage)) {
            (false, true) => self.unfinished -= 1,
            (true, false) => self.unfinished += 1,
            _ => {}
        }
        self.stages[case] = stage;
        match stage {
            Stage::Ready(ready) if ready.doubtful => on.doubtful.push_back(case),
            Stage::Ready(_) => on.hopeful.push_back(case),
            Stage::Later(from, _) => {
                on.later.insert((from, case));
            }
            Stage::UnderWay | Stage::Done | Stage::GivenUp => {}
        }
    }

    fn look_at(&mut self, case: CaseIx, evidence: &Evidence, tallies: &Tallies) {
        let stage = match step(&self.cases[case], evidence, tallies, &self.showings) {
            Step::Send { item, from, first, doubtful } if self.is_reached(case) => {
                Stage::Later(from, Ready { item, first, doubtful })
            }
            Step::Send { .. } => Stage::GivenUp,
            Step::UnderWay => Stage::UnderWay,
            Step::Done => Stage::Done,
        };
        self.set(case, stage);
    }

    /// Whether somebody is left who can ask, and somebody who would hear.
    fn is_reached(&self, case: CaseIx) -> bool {
        let Case { route, recipients, .. } = &self.cases[case];
        let open = &self.on[*route].open;
        open.iter().any(|channel| recipients.iter().any(|recipient| !self.silent.contains(&(*channel, *recipient))))
    }

    /// Something that was sent was answered for a recipient, or an answer was revised.
    pub fn concluded(&mut self, probe: &Probe, evidence: &Evidence, tallies: &Tallies) {
        if let [item] = *probe.items {
            for case in self.case_of.get(&item).cloned().unwrap_or_default() {
                self.look_at(case, evidence, tallies);
            }
        }
    }

    /// A send was planned.
    pub fn planned(&mut self, study: &Study, probe: &Probe) {
        if self.cases.is_empty() {
            return;
        }
        self.showings.planned(study, probe);
    }

    fn ripen(&mut self, route: usize, at: Timestamp) {
        while let Some(&(from, case)) = self.on[route].later.first()
            && from <= at
            && let Stage::Later(_, ready) = self.stages[case]
        {
            self.set(case, Stage::Ready(ready));
        }
    }

    fn is_at_home(&self, case: CaseIx, channel: ChannelIx) -> bool {
        self.homes[case].is_none_or(|home| home == channel || !self.on[self.cases[case].route].open.contains(&home))
    }

    /// What this channel could ask now, or when it will have something.
    pub fn supply(&mut self, channel: ChannelIx, at: Timestamp) -> Supply {
        if self.cases.is_empty() {
            return Supply::Nothing;
        }
        let route = self.route_of[channel.get()] as usize;
        self.ripen(route, at);
        let on = &self.on[route];
        let ready = on.hopeful.iter().chain(&on.doubtful).filter(|case| self.is_at_home(**case, channel)).count();
        if ready > 0 {
            return Supply::Ready(ready);
        }
        let later = on.later.iter().find(|(_, case)| self.is_at_home(*case, channel));
        later.map_or(Supply::Nothing, |(from, _)| Supply::Later(*from))
    }

    /// What this channel asks. Behind messages that have not arrived yet what is likely to arrive comes first.
    pub fn next(&mut self, channel: ChannelIx, tail: usize) -> Option<FileAsk> {
        if self.cases.is_empty() {
            return None;
        }
        let on = &self.on[self.route_of[channel.get()] as usize];
        let (one, other) = if tail > 0 { (&on.hopeful, &on.doubtful) } else { (&on.doubtful, &on.hopeful) };
        let case = one.iter().chain(other).copied().find(|case| self.is_at_home(*case, channel))?;
        let Stage::Ready(ready) = self.stages[case] else { return None };
        self.homes[case] = Some(channel);
        self.set(case, Stage::UnderWay);
        let sent = self.showings.probes(ready.item, self.cases[case].arm).len();
        let purpose = if ready.first { Purpose::Exposure } else { Purpose::Confirm };
        Some(FileAsk { item: ready.item, purpose, attempt: u32::try_from(sent + 1).unwrap_or(u32::MAX) })
    }

    /// Nothing can be asked on this channel any more.
    pub fn close(&mut self, channel: ChannelIx, evidence: &Evidence, tallies: &Tallies) {
        if self.cases.is_empty() {
            return;
        }
        let route = self.route_of[channel.get()] as usize;
        self.on[route].open.remove(&channel);
        self.look_again(evidence, tallies);
    }

    /// Nothing arrives on this path any more.
    pub fn silenced(&mut self, channel: ChannelIx, recipient: AccountIx, evidence: &Evidence, tallies: &Tallies) {
        if !self.cases.is_empty() {
            self.silent.insert((channel, recipient));
            self.look_again(evidence, tallies);
        }
    }

    /// Something arrived on this path.
    pub fn heard(&mut self, channel: ChannelIx, recipient: AccountIx, evidence: &Evidence, tallies: &Tallies) {
        if !self.silent.is_empty() && self.silent.remove(&(channel, recipient)) {
            self.look_again(evidence, tallies);
        }
    }

    /// Looks at everything once more, now that the loss is known better. Returns whether anything is to be asked again.
    pub fn reconsider(&mut self, evidence: &Evidence, tallies: &Tallies) -> bool {
        self.look_again(evidence, tallies);
        self.unfinished > 0
    }

    fn look_again(&mut self, evidence: &Evidence, tallies: &Tallies) {
        for case in 0..self.cases.len() {
            self.look_at(case, evidence, tallies);
        }
    }
}
