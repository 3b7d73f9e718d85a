//! What in a text is blocked: which searches are begun, and which of their questions is asked next.
//!
//! A text that is blocked for a recipient, by what its own sends show, waits for a search
//! ([`lacuna_inference::searches`]). With `design = "isolate"` two bracketed drops suffice for that, while the verdict on the text goes its
//! own way; with `[then] isolate` texts and combinations wait until the screen is over. A search is begun when a channel has nothing
//! else to ask: the later, the better is the loss known and the more rules are known already. The questions of several searches
//! alternate on a channel, so that none is asked twice in a row and each one's answers bracket the others'.
//!
//! Where nothing is left to be asked, combinations whose own sends do not suffice for the loss that is known by then are
//! sent once more.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use lacuna_inference::evidence::Evidence;
use lacuna_inference::isolation::{Kind, Matching};
use lacuna_inference::rules::{is_text, signal_of, wanting};
use lacuna_inference::searches::{TextSearch, excerpt_of, purpose_of};
use lacuna_inference::tally::Tallies;
use lacuna_model::{
    AccountIx, ArmIx, ChannelIx, DesignKind, Duration, Excerpt, ItemIx, ProbeId, Purpose, Role, SearchIx, SearchPlan, Signal,
    Study, Timestamp, Unit,
};

use crate::screen::Supply;
use lacuna_inference::routes::{Route, RouteIx, route_of, routes};

/// So many bracketed drops make a text worth a search.
const SUSPICIOUS_DROPS: u32 = 2;

/// A message that may be taken away again is watched for so many times the time after which the text was.
const WATCHED: i64 = 3;

/// So many searches more than can be under way on a channel are open on it: while a drop waits for its closing evidence, the questions of the
/// others are that. With one instead of nine, sixteen controls are sent for each rule at 5 % loss, instead of six.
const BESIDE: usize = 9;

/// A text that waits for its search.
type Waiting = (Vec<ItemIx>, AccountIx);

/// A rule that was found in a text of this run.
#[derive(Debug)]
struct KnownRule {
    arm: ArmIx,
    recipient: AccountIx,
    items: Vec<ItemIx>,
    components: Vec<Arc<str>>,
}

impl KnownRule {
    /// The rules that a search has found; not those that want an order, which are known by what they stand in.
    fn of(search: &TextSearch) -> impl Iterator<Item = Self> + '_ {
        let plan = search.plan();
        let rules = search.findings().rules.into_iter().filter(|rule| rule.needed && rule.matching != Matching::Ordered);
        rules.map(move |rule| Self {
            arm: plan.arm,
            recipient: plan.recipient,
            items: plan.items.clone(),
            components: rule.components.iter().filter_map(|range| search.text().get(range.clone())).map(Arc::from).collect(),
        })
    }
}

/// What a route has to do with texts.
#[derive(Debug)]
struct OnRoute {
    route: Route,
    waiting: Vec<Waiting>,
    /// Searches that were begun and have questions left.
    active: Vec<SearchIx>,
    /// The channel on which each search was begun, and which asks all its questions while it is open: senders may be filtered
    /// differently, and answers of several would make a rule that none of them has.
    home: BTreeMap<SearchIx, ChannelIx>,
    /// Combinations to be sent once more, by whoever can.
    again: Vec<(SearchIx, Vec<Range<usize>>)>,
    /// Its open channels, and the search that asked last on each.
    open: BTreeMap<ChannelIx, Option<SearchIx>>,
}

impl OnRoute {
    /// Whether no other search in the same text is open, since its messages may answer what this one would ask; and whether there are
    /// few enough of them, since what one finds is known to the next.
    fn may_begin(&self, (items, _): &Waiting, evidence: &Evidence) -> bool {
        let most = self.open.len() * usize::from(evidence.study().pacing.in_flight) + BESIDE;
        self.active.len() < most
            && self
                .active
                .iter()
                .filter_map(|search| evidence.searches().get(*search))
                .all(|search| search.plan().items != *items)
    }

    /// Whether this channel asks for a search: the one on which it was begun, or any where that is closed.
    fn is_at_home(&self, search: SearchIx, channel: ChannelIx) -> bool {
        self.home.get(&search).is_none_or(|home| *home == channel || !self.open.contains_key(home))
    }
}

/// What to send next for a search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Inquiry {
    pub items: Vec<ItemIx>,
    pub purpose: Purpose,
    /// The how-manieth message of its search.
    pub attempt: u32,
    pub excerpt: Excerpt,
}

/// The state of the searches, as far as it is about whose turn it is.
#[derive(Debug)]
pub(crate) struct Isolation {
    on: Vec<OnRoute>,
    /// Per channel: its route.
    route_of: Vec<RouteIx>,
    /// What waits, or was begun, or was given up.
    seen: BTreeSet<(ArmIx, Vec<ItemIx>, AccountIx)>,
    /// Paths on which nothing arrives any more.
    silent: BTreeSet<(ChannelIx, AccountIx)>,
    /// What was found so far.
    found: Vec<KnownRule>,
    enabled: bool,
    /// Texts wait as soon as they are blocked; else they are handed over when the screen is over.
    at_once: bool,
}

impl Isolation {
    pub fn new(study: &Study) -> Self {
        let routes = routes(study);
        let route_of = route_of(study, &routes);
        let on = routes.into_iter().map(|route| OnRoute {
            open: route.channels.iter().map(|channel| (*channel, None)).collect(),
            route,
            waiting: Vec::new(),
            active: Vec::new(),
            home: BTreeMap::new(),
            again: Vec::new(),
        });
        Self {
            on: on.collect(),
            route_of,
            seen: BTreeSet::new(),
            silent: BTreeSet::new(),
            found: Vec::new(),
            enabled: study.isolation.is_some(),
            at_once: study.design == DesignKind::Isolate,
        }
    }

    /// Searches that are open, texts that wait for one, combinations to be sent once more.
    pub fn outstanding(&self) -> usize {
        self.on.iter().map(|on| on.waiting.len() + on.active.len() + on.again.len()).sum()
    }

    /// A new epoch: everything is tried again.
    pub fn open_epoch(&mut self, study: &Study, evidence: &Evidence, tallies: &Tallies) {
        if !self.enabled {
            return;
        }
        self.silent.clear();
        self.seen.clear();
        self.found.clear();
        for index in 0..self.on.len() {
            let on = &mut self.on[index];
            on.open = on.route.channels.iter().map(|channel| (*channel, None)).collect();
            on.waiting.clear();
            on.again.clear();
            on.active.clear();
        }
        for search in evidence.searches().all() {
            let plan = search.plan();
            let Some(route) = self.route_to(plan.arm, plan.recipient) else { continue };
            self.seen.insert((plan.arm, plan.items.clone(), plan.recipient));
            self.on[route].active.push(plan.search);
        }
        if self.at_once {
            for item in study.items_of(Role::Candidate) {
                self.look_at(item, study, tallies);
            }
        }
    }

    fn route_to(&self, arm: ArmIx, recipient: AccountIx) -> Option<usize> {
        self.on.iter().position(|on| on.route.arm == arm && on.route.recipients.contains(&recipient))
    }

    /// What an item did alone may have made it a text that waits.
    pub fn concluded(&mut self, items: &[ItemIx], study: &Study, tallies: &Tallies) {
        if let (true, true, &[item]) = (self.enabled, self.at_once, items) {
            self.look_at(item, study, tallies);
        }
    }

    fn look_at(&mut self, item: ItemIx, study: &Study, tallies: &Tallies) {
        for route in 0..self.on.len() {
            let units: Vec<Unit> = self.on[route].route.units(item).collect();
            for unit in units {
                if signal_of(tallies, unit, SUSPICIOUS_DROPS).is_some() && is_text(study, item) {
                    self.wait(route, vec![item], unit.recipient);
                }
            }
        }
    }

    fn wait(&mut self, route: usize, items: Vec<ItemIx>, recipient: AccountIx) {
        let on = &mut self.on[route];
        if !on.open.is_empty() && self.seen.insert((on.route.arm, items.clone(), recipient)) {
            on.waiting.push((items, recipient));
        }
    }

    /// The screen is over: what it found to be blocked waits now. Returns whether there is anything new.
    pub fn hand_over(&mut self, study: &Study, tallies: &Tallies) -> bool {
        if !self.enabled || self.at_once {
            return false;
        }
        let before = self.outstanding();
        for route in 0..self.on.len() {
            for item in study.items_of(Role::Candidate).filter(|item| is_text(study, *item)) {
                let units: Vec<Unit> = self.on[route].route.units(item).collect();
                for unit in units {
                    if tallies.verdict(unit).is_some() && signal_of(tallies, unit, SUSPICIOUS_DROPS).is_some() {
                        self.wait(route, vec![item], unit.recipient);
                    }
                }
            }
            let (arm, recipients) = (self.on[route].route.arm, self.on[route].route.recipients.clone());
            let contents = tallies.pools().contents().iter().filter(|content| content.arm == arm);
            // A question may be nearly twice as long as its text.
            let fits = |items: &[ItemIx]| study.joined(items).chars().count() * 2 <= study.text.longest;
            for content in contents.filter(|content| content.items.len() > 1 && fits(&content.items)) {
                for recipient in &recipients {
                    if tallies.combination(arm, *recipient, &content.items) == Some(true) {
                        self.wait(route, content.items.clone(), *recipient);
                    }
                }
            }
        }
        self.outstanding() > before
    }

    /// What this channel could ask now, or when it will have something.
    pub fn supply(&mut self, channel: ChannelIx, at: Timestamp, evidence: &Evidence, tallies: &Tallies) -> Supply {
        if !self.enabled {
            return Supply::Nothing;
        }
        let route = self.route_of[channel.get()] as usize;
        self.tidy(route, evidence, tallies);
        let on = &self.on[route];
        let waiting = on.waiting.iter().filter(|waiting| on.may_begin(waiting, evidence)).count();
        let active = on
            .active
            .iter()
            .filter(|search| on.is_at_home(**search, channel))
            .filter_map(|search| askable_from(evidence.searches().get(*search)?, evidence));
        let again = on.again.iter().filter_map(|(search, _)| free_from(evidence.searches().get(*search)?, evidence));
        let (mut ready, mut later) = (waiting, None);
        for from in active.chain(again) {
            if from <= at {
                ready += 1;
            } else {
                later = Some(later.map_or(from, |later: Timestamp| later.min(from)));
            }
        }
        match (ready, later) {
            (0, None) => Supply::Nothing,
            (0, Some(from)) => Supply::Later(from),
            (ready, _) => Supply::Ready(ready),
        }
    }

    /// Searches that are open, texts that wait for one, combinations to be sent once more; what is over is left out.
    pub fn count(&mut self, evidence: &Evidence, tallies: &Tallies) -> usize {
        for route in 0..self.on.len() {
            if self.enabled {
                self.tidy(route, evidence, tallies);
            }
        }
        self.outstanding()
    }

    /// Leaves out what is over, or is no longer worth anything.
    fn tidy(&mut self, route: usize, evidence: &Evidence, tallies: &Tallies) {
        let silent = &self.silent;
        let on = &mut self.on[route];
        let (arm, open) = (on.route.arm, &on.open);
        let is_reached = |recipient: AccountIx| open.keys().any(|channel| !silent.contains(&(*channel, recipient)));
        let is_blocked = |items: &[ItemIx], recipient: AccountIx| match items {
            &[item] => signal_of(tallies, Unit { item, arm, recipient }, SUSPICIOUS_DROPS).is_some(),
            _ => tallies.combination(arm, recipient, items) != Some(false),
        };
        let is_worth = |search: &TextSearch| {
            let plan = search.plan();
            is_reached(plan.recipient) && is_blocked(&plan.items, plan.recipient)
        };
        let searches = evidence.searches();
        let found = &mut self.found;
        on.active.retain(|search| {
            let Some(it) = searches.get(*search) else { return false };
            let goes_on = it.under_way().is_some() || it.question().is_some() && is_worth(it);
            if !goes_on {
                found.extend(KnownRule::of(it));
            }
            goes_on
        });
        on.again.retain(|(search, _)| searches.get(*search).is_some_and(|it| it.has_budget() && is_worth(it)));
        on.waiting.retain(|(items, recipient)| is_reached(*recipient) && is_blocked(items, *recipient));
    }

    /// The search that is to be begun before this channel asks, because nothing else is to be asked.
    pub fn next_plan(&mut self, channel: ChannelIx, at: Timestamp, evidence: &Evidence, tallies: &Tallies) -> Option<SearchPlan> {
        let is_askable = |search: Option<&TextSearch>| is_askable(search, at, evidence);
        let route = self.route_of[channel.get()] as usize;
        let on = &self.on[route];
        let asked_last = on.open.get(&channel).copied().flatten();
        let askable = |search: &SearchIx| {
            Some(*search) != asked_last && on.is_at_home(*search, channel) && is_askable(evidence.searches().get(*search))
        };
        if on.active.iter().any(askable) {
            return None;
        }
        let place = on.waiting.iter().position(|waiting| on.may_begin(waiting, evidence))?;
        let (items, recipient) = self.on[route].waiting.remove(place);
        let plan = self.plan(self.on[route].route.arm, items, recipient, evidence, tallies);
        self.on[route].active.push(plan.search);
        self.on[route].home.insert(plan.search, channel);
        Some(plan)
    }

    fn plan(&self, arm: ArmIx, items: Vec<ItemIx>, recipient: AccountIx, evidence: &Evidence, tallies: &Tallies) -> SearchPlan {
        let signal = match items.as_slice() {
            &[item] => signal_of(tallies, Unit { item, arm, recipient }, SUSPICIOUS_DROPS).unwrap_or(Signal::Dropped),
            _ => Signal::Dropped,
        };
        let settle = match signal {
            Signal::Retracted => taken_away_after(evidence, arm, &items, recipient).times(WATCHED),
            Signal::Dropped | Signal::Refused | Signal::Altered => Duration::ZERO,
        };
        let text = evidence.study().joined(&items);
        let near = self.found.iter().filter(|it| it.arm == arm && it.recipient == recipient || it.items == items);
        let begun = evidence.searches().all().len();
        SearchPlan {
            search: SearchIx(u32::try_from(begun).unwrap_or(u32::MAX)),
            known: held_by(&text, near.map(|it| &it.components)),
            loss_ppm: likely_loss(tallies, arm, recipient),
            items,
            arm,
            recipient,
            signal,
            settle,
        }
    }

    /// What this channel asks. Behind messages that have not arrived yet what is likely to arrive comes first.
    pub fn next(&mut self, channel: ChannelIx, at: Timestamp, tail: usize, evidence: &Evidence) -> Option<Inquiry> {
        let on = &mut self.on[self.route_of[channel.get()] as usize];
        let asked_last = on.open.get(&channel).copied().flatten();
        let searches = evidence.searches();
        let chosen = on
            .active
            .iter()
            .filter(|search| on.is_at_home(**search, channel))
            .filter_map(|index| searches.get(*index))
            .filter(|search| is_askable(Some(search), at, evidence))
            .min_by_key(|search| {
                let index = search.plan().search;
                (Some(index) == asked_last, tail > 0 && search.question().is_some_and(|it| is_likely_blocked(it.kind)), index)
            });
        let (search, kind, fragments) = if let Some((search, question)) = chosen.and_then(|it| Some((it, it.question()?))) {
            (search, question.kind, question.fragments.clone())
        } else {
            let is_free =
                |search: &SearchIx| searches.get(*search).and_then(|it| free_from(it, evidence)).is_some_and(|from| from <= at);
            let place = on.again.iter().position(|(search, _)| is_free(search))?;
            let (search, fragments) = on.again.remove(place);
            (searches.get(search)?, Kind::Alone, fragments)
        };
        let plan = search.plan();
        on.open.insert(channel, Some(plan.search));
        Some(Inquiry {
            items: plan.items.clone(),
            purpose: purpose_of(kind),
            attempt: search.messages() + 1,
            excerpt: excerpt_of(plan.search, &fragments),
        })
    }

    /// How long a message that arrived must stay for its search to believe it; `None` where it is believed at once, or asks for
    /// somebody else.
    pub fn settle(probe: ProbeId, recipient: AccountIx, evidence: &Evidence) -> Option<Duration> {
        let excerpt = evidence.probe(probe).probe.excerpt.as_ref()?;
        let search = evidence.searches().get(excerpt.search)?;
        let waits = search.plan().recipient == recipient && search.under_way() == Some(probe);
        Some(search.plan().settle).filter(|settle| waits && *settle > Duration::ZERO)
    }

    /// Queues what was found and falls short of a claim. Returns whether there is anything.
    pub fn reconsider(&mut self, evidence: &Evidence, tallies: &Tallies) -> bool {
        if !self.enabled {
            return false;
        }
        let mut any = false;
        // What was believed and then arrived alone is sought anew.
        for search in evidence.searches().all().iter().filter(|it| it.question().is_some()) {
            let plan = search.plan();
            let Some(on) = self.route_to(plan.arm, plan.recipient).map(|route| &mut self.on[route]) else { continue };
            if !on.open.is_empty() && !on.active.contains(&plan.search) {
                on.active.push(plan.search);
            }
        }
        for route in 0..self.on.len() {
            self.tidy(route, evidence, tallies);
            any |= !self.on[route].active.is_empty();
        }
        for (search, components) in wanting(evidence, tallies) {
            let Some(it) = evidence.searches().get(search) else { continue };
            let plan = it.plan();
            let route = self.route_to(plan.arm, plan.recipient);
            let can_be_proved = tallies.required_drops(plan.arm, plan.recipient).is_some();
            let Some(route) = route.filter(|route| can_be_proved && it.has_budget() && !self.on[*route].open.is_empty()) else {
                continue;
            };
            self.on[route].again.push((search, components));
            self.tidy(route, evidence, tallies);
            any |= !self.on[route].again.is_empty();
        }
        any
    }

    /// Nothing can be asked on this channel any more.
    pub fn close(&mut self, channel: ChannelIx) {
        let on = &mut self.on[self.route_of[channel.get()] as usize];
        on.open.remove(&channel);
        if on.open.is_empty() {
            on.waiting.clear();
            on.active.clear();
            on.again.clear();
        }
    }

    /// Nothing arrives on this path any more.
    pub fn silenced(&mut self, channel: ChannelIx, recipient: AccountIx) {
        self.silent.insert((channel, recipient));
    }

    /// Something arrived on this path.
    pub fn heard(&mut self, channel: ChannelIx, recipient: AccountIx) {
        self.silent.remove(&(channel, recipient));
    }
}

/// Whether its question can be asked now.
fn is_askable(search: Option<&TextSearch>, at: Timestamp, evidence: &Evidence) -> bool {
    search.and_then(|it| askable_from(it, evidence)).is_some_and(|from| from <= at)
}

/// From when its question can be asked; `None` where there is none, or an answer is waited for.
fn askable_from(search: &TextSearch, evidence: &Evidence) -> Option<Timestamp> {
    let question = search.question().filter(|_| search.under_way().is_none())?;
    if question.kind == Kind::Alone { free_from(search, evidence) } else { Some(Timestamp(0)) }
}

/// From when a combination of it can be sent alone: not soon after one of the same text was dropped for anybody.
fn free_from(search: &TextSearch, evidence: &Evidence) -> Option<Timestamp> {
    let plan = search.plan();
    let dropped = evidence.searches().in_text(plan.arm, &plan.items).filter_map(TextSearch::dropped_alone_at).max();
    let from = dropped.map_or(Timestamp(0), |dropped| dropped + evidence.study().pacing.confirm_after);
    search.under_way().is_none().then_some(from)
}

/// Whether such a question is blocked more often than not.
fn is_likely_blocked(kind: Kind) -> bool {
    match kind {
        Kind::Alone | Kind::Order => true,
        Kind::Cut | Kind::Certificate | Kind::Broken | Kind::Lifting => false,
    }
}

/// The loss that a search assumes, in parts per million: the share seen and one standard error, with one loss in fifty messages until more is
/// known. It steers the order of its questions; what convicts is the bound.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of at most 0.3")]
fn likely_loss(tallies: &Tallies, arm: ArmIx, recipient: AccountIx) -> u32 {
    let seen = tallies.baseline(arm, recipient);
    let losses = seen.losses as f64;
    let guess = (losses + libm::sqrt(losses + 1.0)) / (seen.sends as f64 + 50.0);
    libm::ceil(guess.clamp(0.001, 0.3) * 1e6) as u32
}

/// After how long the text was taken away from the recipient, at most.
fn taken_away_after(evidence: &Evidence, arm: ArmIx, items: &[ItemIx], recipient: AccountIx) -> Duration {
    let study = evidence.study();
    let of_arm = study.arm(arm).channels.iter().flat_map(|channel| evidence.sent_on(*channel));
    let of_text = of_arm.filter(|probe| {
        let record = evidence.probe(**probe);
        record.probe.items == items && record.probe.excerpt.is_none()
    });
    let seconds = Duration::from_secs(1);
    of_text
        .filter_map(|probe| evidence.retracted_after(*probe, recipient))
        .max()
        .unwrap_or(seconds)
        .max(Duration::from_millis(200))
}

/// Rules among these that a text holds, each once.
fn held_by<'r>(text: &str, rules: impl Iterator<Item = &'r Vec<Arc<str>>>) -> Vec<Vec<Arc<str>>> {
    let held = |rule: &&Vec<Arc<str>>| !rule.is_empty() && rule.iter().all(|part| !part.is_empty() && text.contains(&**part));
    let mut known: Vec<Vec<Arc<str>>> = Vec::new();
    for rule in rules.filter(held) {
        let mut rule = rule.clone();
        rule.sort();
        rule.dedup();
        if !known.contains(&rule) {
            known.push(rule);
        }
    }
    known
}
