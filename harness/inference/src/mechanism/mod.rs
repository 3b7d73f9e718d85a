//! By which mechanism a file is filtered.
//!
//! Two layers are kept apart: what *enforces* (an index of file hashes, or a look at the content as it passes) and what *analyses* a file
//! to feed the index (its text and how grey the picture is made to read it, its look, its metadata, its name). The decision table
//! (`decision.csv`) says which file asks what and what each answer means; each of its *cells* is answered by `cell`.
//!
//! What is claimed is that something *suffices*: a file that has nothing else of the original is blocked. With two mechanisms at work
//! it cannot be shown that one is necessary.
//!
//! A claim that something suffices takes as much evidence as a verdict: two blocked sends at least, and an e-value of 1 / false-positive-rate. It
//! That it does so *at once* rests on first sends of two copies at least, with an e-value of at least a tenth of that; a single copy cannot say it.
//! A claim is withdrawn where the benign twin of the same transform never arrived, because then the transform may be what breaks delivery. A claim
//! that something does not suffice takes an arrival after the platform had `wait` to look at the file.

mod cell;
mod table;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lacuna_model::{AccountIx, ArmIx, GrayFormula, ItemIx, Outcome, Probe, ProbeId, Role, Study, Timestamp};
use libm::log;

use crate::evidence::Evidence;
use crate::routes::routes;
use crate::tally::Tallies;
use cell::{Copy, Demands, Next, Showing, State, judge};
pub use table::{Mechanism, Row, Says, Subject};
use table::{Need, table};

/// The cell of a harmless file with the MD5 of the original.
const SAME_MD5: &str = "same-md5";

/// An original on one route, and the files made of it that are sent there. No file is sent on two routes, as the hash of one that was
/// sent is burnt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// The original.
    pub base: ItemIx,
    /// The arm.
    pub arm: ArmIx,
    /// Whom a message reaches.
    pub recipients: Vec<AccountIx>,
    /// Which route of the study it is, in the order of [`routes`].
    pub route: usize,
    /// For each row of the table: its files, in the order in which they are used.
    cells: Vec<Vec<ItemIx>>,
}

impl Case {
    /// Every file of the case.
    pub fn files(&self) -> impl Iterator<Item = ItemIx> + '_ {
        self.cells.iter().flatten().copied()
    }
}

/// Which sends showed which file on which arm, in their order.
#[derive(Clone, Debug, Default)]
pub struct Showings(HashMap<(ItemIx, ArmIx), Vec<ProbeId>>);

impl Showings {
    /// Everything that was planned.
    #[must_use]
    pub fn of(evidence: &Evidence) -> Self {
        let mut all = Self::default();
        for record in evidence.probes() {
            all.planned(evidence.study(), &record.probe);
        }
        all
    }

    /// A send was planned.
    pub fn planned(&mut self, study: &Study, probe: &Probe) {
        if let [item] = *probe.items
            && study.item(item).file.is_some()
        {
            self.0.entry((item, study.channel(probe.channel).arm)).or_default().push(probe.id);
        }
    }

    /// The sends of a file on an arm.
    #[must_use]
    pub fn probes(&self, item: ItemIx, arm: ArmIx) -> &[ProbeId] {
        self.0.get(&(item, arm)).map_or(&[], Vec::as_slice)
    }
}

/// What was made of an original: by its cell, the copies with their numbers.
type Made<'a> = BTreeMap<&'a str, Vec<(u32, ItemIx)>>;

/// Every original of the study on every route.
#[must_use]
pub fn cases(study: &Study) -> Vec<Case> {
    let mut made_of: BTreeMap<ItemIx, Made<'_>> = BTreeMap::new();
    for (index, item) in (0..).map(ItemIx).zip(&study.items) {
        let Some(file) = item.file.as_ref().filter(|_| item.role == Role::Candidate) else { continue };
        let origin = &file.origin;
        match (origin.base, origin.same_md5_as) {
            (None, Some(other)) => made_of.entry(other).or_default().entry(SAME_MD5).or_default().push((0, index)),
            (Some(base), _) => {
                made_of.entry(base).or_default().entry(&origin.transform).or_default().push((origin.variant, index));
            }
            (None, None) => {
                made_of.entry(index).or_default();
            }
        }
    }
    let routes = routes(study);
    let mut cases = Vec::new();
    for (base, mut made) in made_of {
        for copies in made.values_mut() {
            copies.sort_unstable();
        }
        for (number, route) in routes.iter().enumerate() {
            let mut spare = Vec::new();
            let mut cells: Vec<Vec<ItemIx>> = Vec::new();
            for row in table() {
                let of_cell = made.get(row.cell).map(Vec::as_slice).unwrap_or_default();
                let own =
                    of_cell.iter().enumerate().filter(|(place, _)| place % routes.len() == number).map(|(_, (_, item))| *item);
                cells.push(match row.cell {
                    "original" if number == 0 => vec![base],
                    SAME_MD5 if number > 0 => Vec::new(),
                    _ => own.collect(),
                });
                if row.cell == "fresh" {
                    spare.clone_from(cells.last().unwrap_or(&Vec::new()));
                }
            }
            // Only one route can have the original: the others take a copy of it.
            if number > 0
                && let Some(first) = table().iter().position(|row| row.cell == "original")
                && let Some(fresh) = table().iter().position(|row| row.cell == "fresh")
                && !spare.is_empty()
            {
                cells[first] = vec![spare.remove(0)];
                cells[fresh] = spare;
            }
            cases.push(Case { base, arm: route.arm, recipients: route.recipients.clone(), route: number, cells });
        }
    }
    cases
}

/// What is to be sent next about a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// This file, from this time on.
    Send {
        /// Which.
        item: ItemIx,
        /// Not before.
        from: Timestamp,
        /// The platform has not seen it yet.
        first: bool,
        /// It is likely to be dropped.
        doubtful: bool,
    },
    /// What was sent is not answered yet.
    UnderWay,
    /// Everything that can be known is.
    Done,
}

/// What is claimed about one original, on one arm, for one recipient.
#[derive(Clone, PartialEq, Debug)]
pub struct MechanismRecord {
    /// The original.
    pub base: ItemIx,
    /// The arm.
    pub arm: ArmIx,
    /// The recipient.
    pub recipient: AccountIx,
    /// Whether a filter acts on it; `None` where that is not known.
    pub filtered: Option<bool>,
    /// The claims, enforcement first.
    pub claims: Vec<Claim>,
    /// How grey the picture is made before its text is read, where that is known.
    pub gray: Option<GrayFormula>,
    /// Sends about it that count.
    pub probes: u32,
    /// What was asked, in the order of the decision table.
    pub cells: Vec<CellRecord>,
}

/// What one row of the decision table gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CellRecord {
    /// Which file was sent.
    pub cell: &'static str,
    /// The first of its copies that was sent.
    pub file: ItemIx,
    /// What it says.
    pub says: CellSays,
    /// What became of each copy, in words.
    pub answers: String,
}

/// What the files of a cell say together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CellSays {
    /// They are dropped when they are sent for the first time.
    DroppedAtFirst,
    /// They pass, and are dropped later.
    DroppedLater,
    /// They pass.
    Passes,
    /// Not enough.
    Open,
}

impl CellSays {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DroppedAtFirst => "dropped at first",
            Self::DroppedLater => "dropped later",
            Self::Passes => "passes",
            Self::Open => "open",
        }
    }
}

/// Which layer a claim is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Layer {
    /// What acts on a message.
    Enforcement,
    /// What finds a file sensitive, and feeds the index.
    Analysis,
}

impl Layer {
    /// As the files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforcement => "enforcement",
            Self::Analysis => "analysis",
        }
    }
}

/// One claim.
#[derive(Clone, PartialEq, Debug)]
pub struct Claim {
    /// The layer.
    pub layer: Layer,
    /// The mechanism; `None` for "none at all".
    pub mechanism: Option<Mechanism>,
    /// Whether it suffices; `None` where that is not known.
    pub supported: Option<bool>,
    /// The logarithm of the e-value, of what is claimed to suffice.
    pub ln_e: Option<f64>,
    /// Sends that count, of the files that say it.
    pub probes: u32,
    /// The answers, in words.
    pub evidence: String,
}

/// What is known of a case for one recipient.
struct Known<'a> {
    case: &'a Case,
    states: Vec<Option<State>>,
    said: BTreeMap<Subject, (Says, usize)>,
}

/// Reads what was sent.
struct Reading<'a> {
    evidence: &'a Evidence,
    tallies: &'a Tallies,
    showings: &'a Showings,
}

impl Reading<'_> {
    fn study(&self) -> &Study {
        self.evidence.study()
    }

    fn copies(&self, case: &Case, row: usize, recipient: AccountIx) -> Vec<Copy> {
        let copy = |item: &ItemIx| Copy { item: *item, showings: self.showings_of(*item, case.arm, recipient) };
        case.cells[row].iter().map(copy).collect()
    }

    fn showings_of(&self, item: ItemIx, arm: ArmIx, recipient: AccountIx) -> Vec<Showing> {
        let showing = |probe: &ProbeId| {
            let record = self.evidence.probe(*probe);
            let at = record.started_at.unwrap_or(record.planned_at);
            Showing {
                at,
                outcome: self.evidence.outcome(*probe, recipient),
                loss_upper: self.tallies.loss_bound_at(arm, recipient, at),
            }
        };
        self.showings.probes(item, arm).iter().map(showing).collect()
    }

    fn known<'a>(&self, case: &'a Case, recipient: AccountIx) -> (Known<'a>, Step) {
        let mut known = Known { case, states: vec![None; table().len()], said: BTreeMap::new() };
        let study = self.study();
        let rule = study.mechanism.as_ref();
        let wait = rule.map_or(study.pacing.confirm_after, |rule| rule.wait);
        for (index, row) in table().iter().enumerate() {
            if !known.wants(&row.needs) {
                continue;
            }
            let demands = Demands {
                ln_least: -log(study.decision.false_positive_rate),
                wait,
                confirm_after: study.pacing.confirm_after,
                arrivals: row.arrivals,
                lenient: !row.convicts(),
                tells_when: row.tells_when(),
            };
            let state = judge(&self.copies(case, index, recipient), demands);
            known.states[index] = Some(state);
            match state {
                State::Open(Next::UnderWay) => return (known, Step::UnderWay),
                State::Open(Next::Send { item, from, first, doubtful }) => {
                    // An index must have had the time to learn the original.
                    let shown = (row.cell == SAME_MD5).then(|| self.first_shown(case, recipient)).flatten();
                    let from = shown.map_or(from, |shown| from.max(shown + wait));
                    let most = rule.map_or(u32::MAX, |rule| rule.max_messages_per_item);
                    if self.sends(case) >= most {
                        return (known, Step::Done);
                    }
                    return (known, Step::Send { item, from, first, doubtful });
                }
                State::DroppedAtFirst(_) => known.learn(&row.dropped_at_first, index),
                State::DroppedLater(_) => known.learn(&row.dropped_later, index),
                State::Delivered => known.learn(&row.delivered, index),
                State::Stuck => {}
            }
        }
        (known, Step::Done)
    }

    /// When the original was sent for the first time.
    fn first_shown(&self, case: &Case, recipient: AccountIx) -> Option<Timestamp> {
        let original = table().iter().position(|row| row.cell == "original")?;
        self.copies(case, original, recipient).iter().flat_map(|copy| &copy.showings).map(|showing| showing.at).min()
    }

    fn sends(&self, case: &Case) -> u32 {
        let sends: usize = case.files().map(|item| self.showings.probes(item, case.arm).len()).sum();
        u32::try_from(sends).unwrap_or(u32::MAX)
    }
}

impl Known<'_> {
    fn says(&self, subject: Subject) -> Option<Says> {
        self.said.get(&subject).map(|(says, _)| *says)
    }

    fn suffices(&self, subject: Subject) -> bool {
        self.says(subject) == Some(Says::Yes)
    }

    fn wants(&self, needs: &[Need]) -> bool {
        let content = |mechanism| self.suffices(Subject::AtOnce(mechanism)) || self.suffices(Subject::Fed(mechanism));
        needs.iter().all(|need| match need {
            Need::Filtered => self.suffices(Subject::Filtered),
            Need::Unindexed => !self.suffices(Subject::Index),
            Need::Unexplained => !Mechanism::OF_CONTENT.into_iter().any(content),
            Need::Text => content(Mechanism::Text),
            Need::Ungray => !GrayFormula::ALL.into_iter().any(|formula| self.suffices(Subject::Gray(formula))),
        })
    }

    /// What suffices once suffices; what was said first otherwise stands.
    fn learn(&mut self, answers: &[(Subject, Says)], row: usize) {
        for (subject, says) in answers {
            let known = self.said.entry(*subject).or_insert((*says, row));
            if *says == Says::Yes && known.0 != Says::Yes {
                *known = (*says, row);
            }
        }
    }
}

/// What is to be sent next about a case: what the first of its recipients needs who needs something.
#[must_use]
pub fn step(case: &Case, evidence: &Evidence, tallies: &Tallies, showings: &Showings) -> Step {
    let reading = Reading { evidence, tallies, showings };
    let mut step = Step::Done;
    for recipient in &case.recipients {
        match reading.known(case, *recipient).1 {
            Step::UnderWay => return Step::UnderWay,
            next @ Step::Send { .. } if step == Step::Done => step = next,
            Step::Send { .. } | Step::Done => {}
        }
    }
    step
}

/// What is claimed of every original for every recipient.
#[must_use]
pub fn derive(evidence: &Evidence, tallies: &Tallies) -> Vec<MechanismRecord> {
    if evidence.study().mechanism.is_none() {
        return Vec::new();
    }
    let showings = Showings::of(evidence);
    let reading = Reading { evidence, tallies, showings: &showings };
    let twins = Twins::of(evidence);
    let cases = cases(evidence.study());
    let record = |(case, recipient): (&Case, &AccountIx)| reading.record(case, *recipient, &twins);
    cases.iter().flat_map(|case| case.recipients.iter().map(move |recipient| (case, recipient))).map(record).collect()
}

/// Which transforms arrived on a benign picture.
struct Twins(BTreeSet<(String, ArmIx, AccountIx)>);

impl Twins {
    fn of(evidence: &Evidence) -> Self {
        let study = evidence.study();
        let mut arrived = BTreeSet::new();
        for record in evidence.probes() {
            let [item] = *record.probe.items else { continue };
            let Some(file) = &study.item(item).file else { continue };
            if study.item(item).role != Role::Control || file.origin.transform.is_empty() {
                continue;
            }
            let channel = study.channel(record.probe.channel);
            for recipient in &channel.recipients {
                if matches!(
                    evidence.outcome(record.probe.id, *recipient),
                    Some(Outcome::Delivered | Outcome::DeliveredLate | Outcome::Altered)
                ) {
                    arrived.insert((file.origin.transform.to_string(), channel.arm, *recipient));
                }
            }
        }
        Self(arrived)
    }

    /// Whether a benign picture that was made in this way arrived. What was not transformed needs none.
    fn arrived(&self, cell: &str, arm: ArmIx, recipient: AccountIx) -> bool {
        matches!(cell, "original" | SAME_MD5) || self.0.contains(&(cell.to_owned(), arm, recipient))
    }
}

impl Reading<'_> {
    fn record(&self, case: &Case, recipient: AccountIx, twins: &Twins) -> MechanismRecord {
        let (known, _) = self.known(case, recipient);
        let filtered = known.says(Subject::Filtered).map(|says| says == Says::Yes);
        let mut claims = Vec::new();
        if filtered == Some(false) {
            let (probes, evidence) = self.answered(&known, 0, recipient);
            let claim = Claim { layer: Layer::Enforcement, mechanism: None, supported: Some(true), ln_e: None, probes, evidence };
            claims.push(claim);
        } else {
            let mut claim =
                |layer, mechanism, subject| claims.push(self.claim(&known, recipient, twins, (layer, mechanism, subject)));
            claim(Layer::Enforcement, Mechanism::HashIndex, Subject::Index);
            for mechanism in Mechanism::OF_CONTENT {
                claim(Layer::Enforcement, mechanism, Subject::AtOnce(mechanism));
            }
            for mechanism in Mechanism::OF_CONTENT {
                claim(Layer::Analysis, mechanism, Subject::Fed(mechanism));
            }
        }
        let gray = GrayFormula::ALL.into_iter().find(|formula| known.suffices(Subject::Gray(*formula)));
        let counts = |item: ItemIx| {
            self.showings_of(item, case.arm, recipient).iter().filter(|it| it.outcome.is_some_and(is_counted)).count()
        };
        let probes = u32::try_from(case.files().map(counts).sum::<usize>()).unwrap_or(u32::MAX);
        let cells = self.cells(&known, recipient);
        MechanismRecord { base: case.base, arm: case.arm, recipient, filtered, claims, gray, probes, cells }
    }

    fn claim(
        &self,
        known: &Known<'_>,
        recipient: AccountIx,
        twins: &Twins,
        (layer, mechanism, subject): (Layer, Mechanism, Subject),
    ) -> Claim {
        let nothing = |evidence: &str| Claim {
            layer,
            mechanism: Some(mechanism),
            supported: None,
            ln_e: None,
            probes: 0,
            evidence: evidence.to_owned(),
        };
        let masked = matches!(subject, Subject::Fed(of) if known.suffices(Subject::AtOnce(of)));
        if masked {
            return nothing("it is acted upon at once, so that what it would feed cannot be seen");
        }
        let unfed = matches!(subject, Subject::Fed(_)) && known.suffices(Subject::Unfed);
        let Some((says, row)) = known.said.get(&subject).copied() else {
            return if unfed {
                Claim { supported: Some(false), ..nothing("a copy with another hash passes") }
            } else {
                self.left_open(known, recipient, subject, nothing)
            };
        };
        let cell = table()[row].cell;
        let (probes, evidence) = match says {
            Says::Yes => self.in_words(known, row, recipient),
            Says::No | Says::Perhaps => self.answered(known, row, recipient),
        };
        let ln_e = match known.states[row] {
            Some(State::DroppedAtFirst(ln_e) | State::DroppedLater(ln_e)) => Some(ln_e),
            _ => None,
        };
        let supported = match says {
            Says::Yes if !twins.arrived(cell, known.case.arm, recipient) => {
                let evidence = format!("{evidence}; but no benign twin of it arrived, so that the transform may be to blame");
                return Claim { probes, ..nothing(&evidence) };
            }
            Says::Yes => Some(true),
            Says::No => Some(false),
            Says::Perhaps => None,
        };
        Claim { layer, mechanism: Some(mechanism), supported, ln_e: ln_e.filter(|_| says == Says::Yes), probes, evidence }
    }

    /// What was asked about a subject, and did not suffice to say anything.
    fn left_open(&self, known: &Known<'_>, recipient: AccountIx, subject: Subject, nothing: impl Fn(&str) -> Claim) -> Claim {
        let is_about = |row: &Row| {
            [&row.dropped_at_first, &row.dropped_later, &row.delivered].into_iter().flatten().any(|(it, _)| *it == subject)
        };
        let mut asked = Vec::new();
        let mut probes = 0;
        for (row, _) in table().iter().enumerate().filter(|(_, row)| is_about(row)) {
            let (counted, words) = self.answered(known, row, recipient);
            if known.states[row].is_some() && counted > 0 {
                probes += counted;
                asked.push(words);
            }
        }
        if asked.is_empty() {
            return nothing("it was not asked, or there was no file left to ask it with");
        }
        Claim { probes, ..nothing(&format!("not enough to tell: {}", asked.join("; "))) }
    }

    /// What became of the files of a cell, by its name.
    fn answered(&self, known: &Known<'_>, row: usize, recipient: AccountIx) -> (u32, String) {
        let (counted, answers) = self.answers(known, row, recipient);
        (counted, format!("{}: {answers}", table()[row].cell))
    }

    fn cells(&self, known: &Known<'_>, recipient: AccountIx) -> Vec<CellRecord> {
        let record = |(row, state): (usize, &Option<State>)| {
            let says = match (*state)? {
                State::DroppedAtFirst(_) => CellSays::DroppedAtFirst,
                State::DroppedLater(_) => CellSays::DroppedLater,
                State::Delivered => CellSays::Passes,
                State::Open(_) | State::Stuck => CellSays::Open,
            };
            let (sends, answers) = self.answers(known, row, recipient);
            let was_sent = |item: &ItemIx| !self.showings.probes(*item, known.case.arm).is_empty();
            let file = known.case.cells[row].iter().copied().find(was_sent)?;
            (sends > 0).then_some(CellRecord { cell: table()[row].cell, file, says, answers })
        };
        known.states.iter().enumerate().filter_map(record).collect()
    }

    /// How many sends of a cell count, what became of them, and why that says something.
    fn in_words(&self, known: &Known<'_>, row: usize, recipient: AccountIx) -> (u32, String) {
        let (counted, answers) = self.answers(known, row, recipient);
        (counted, format!("{}: {answers} ({})", table()[row].cell, table()[row].because))
    }

    fn answers(&self, known: &Known<'_>, row: usize, recipient: AccountIx) -> (u32, String) {
        let copies = self.copies(known.case, row, recipient);
        let mut counted = 0;
        let mut parts = Vec::new();
        for copy in &copies {
            let letters: Vec<&str> = copy.showings.iter().filter_map(|showing| showing.outcome.map(in_a_word)).collect();
            counted += copy.showings.iter().filter(|showing| showing.outcome.is_some_and(is_counted)).count();
            if !letters.is_empty() {
                parts.push(letters.join(" then "));
            }
        }
        (u32::try_from(counted).unwrap_or(u32::MAX), parts.join("; another copy "))
    }
}

const fn is_counted(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Delivered | Outcome::DeliveredLate | Outcome::Altered | Outcome::Dropped | Outcome::Refused | Outcome::Retracted
    )
}

const fn in_a_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered | Outcome::DeliveredLate | Outcome::Altered => "passed",
        Outcome::Dropped => "dropped",
        Outcome::Refused => "refused",
        Outcome::Retracted => "taken away",
        Outcome::Void | Outcome::UnknownSubmission => "unknown",
        Outcome::SendFailed | Outcome::RateLimited => "not sent",
    }
}
