//! The driver without sockets and without a clock: the production engine over `simulator::world` and an event queue.
//!
//! Everything is derived from the study's seed, so a run is reproducible to the byte, journal included. Thousands of messages
//! take milliseconds; scenario tests, `plan` and `evaluate` run here what `run` runs over the network.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

use lacuna_content::{md5_hex, sha256_hex};
use lacuna_design::{Command, Engine};
use lacuna_model::policy::Policy;
use lacuna_model::{
    AccountCondition, AccountIx, ContentKind, Decision, Duration, Entry, EntrySequence, Fact, FileFacts, FileFormat, ItemIx,
    Observation, PlatformMessageId, Probe, ProbeId, ReceivedFile, Recognised, SendResult, Study, Timestamp, VenueIx,
};
use lacuna_simulator::world::{AccountProfile, DeliveredFile, Delivery, Member, Place, Submission, Upload, World};

use crate::timers::Timers;

/// From hand-over to the platform's answer.
const ACKNOWLEDGEMENT: Duration = Duration::from_millis(1);

/// The earliest start of a run in virtual time: 2026-01-01T00:00:00Z.
const FIRST_START: i64 = 1_767_225_600_000_000;

/// The latest start is that many seconds later.
const STARTS: u64 = 365 * 86_400;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// More entries than any sensible run has: a run that gets here would never end.
const LONGEST_RUN: u64 = 2_000_000_000;

/// When a run in virtual time starts, derived from the seed.
#[must_use]
pub fn start_of(seed: u64) -> Timestamp {
    Timestamp(FIRST_START + i64::try_from(seed % STARTS).unwrap_or(0) * 1_000_000)
}

/// Something that goes wrong on the researcher's own side. (What goes wrong on the platform's is in the policy.)
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// When, counted from the start.
    pub at: Duration,
    /// What.
    pub kind: FaultKind,
}

/// What goes wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// An account's stream of observations has a gap.
    Gap(AccountIx),
    /// The platform sanctions an account.
    Sanction(AccountIx),
    /// The process dies and is started again: a new epoch.
    Crash,
    /// The researcher presses Ctrl-C.
    StopRequest,
}

/// Drives one run to its end, telling every entry to `journal`. Returns the engine with all that it knows.
pub fn run(study: &Arc<Study>, policy: &Policy, faults: &[Fault], journal: &mut dyn FnMut(Timestamp, &Entry)) -> Engine {
    run_engine(Engine::new(Arc::clone(study)), policy, faults, journal)
}

/// As [`run`], of an engine that has not begun.
pub fn run_engine(engine: Engine, policy: &Policy, faults: &[Fault], journal: &mut dyn FnMut(Timestamp, &Entry)) -> Engine {
    let mut driver = Driver::new(engine, policy, journal);
    for fault in faults {
        let at = driver.now + fault.at;
        driver.push(at, Event::Fault(fault.kind.clone()));
    }
    driver.open_epoch();
    while !driver.finished && driver.entries < LONGEST_RUN && driver.step() {}
    driver.engine
}

/// Makes the study's accounts and venues on the simulated platform, in the order of the study.
pub(crate) fn settle(world: &mut World, study: &Study) -> (Vec<Member>, Vec<Place>) {
    let mut add = |account: &lacuna_model::Account| {
        world.add_account(AccountProfile {
            id: account.id.clone(),
            registered_in: account.registered_in,
            located_in: account.located_in,
        })
    };
    let members: Vec<Member> = study.accounts.iter().map(&mut add).collect();
    let places = study.venues.iter().map(|venue| {
        let inside: Vec<Member> = venue.members.iter().map(|member| members[member.get()]).collect();
        world.add_venue(venue.kind, &inside)
    });
    let places = places.collect();
    (members, places)
}

/// Something that is going to happen.
#[derive(Debug)]
enum Event {
    Result(ProbeId, SendResult),
    Sanction(AccountIx),
    Fault(FaultKind),
}

struct Driver<'a> {
    study: Arc<Study>,
    engine: Engine,
    world: World,
    members: Vec<Member>,
    places: Vec<Place>,
    journal: &'a mut dyn FnMut(Timestamp, &Entry),
    entries: u64,
    now: Timestamp,
    epoch: u32,
    /// In the place of a ledger: how many messages each account sent on the UTC day of its latest.
    sent: Vec<(i64, u64)>,
    /// By time, then in the order in which they were caused.
    queue: BinaryHeap<Reverse<(Timestamp, u64)>>,
    events: BTreeMap<u64, Event>,
    pushed: u64,
    timers: Timers,
    commands: Vec<Command>,
    deliveries: VecDeque<Delivery>,
    scratch: Vec<Delivery>,
    finished: bool,
}

impl<'a> Driver<'a> {
    fn new(engine: Engine, policy: &Policy, journal: &'a mut dyn FnMut(Timestamp, &Entry)) -> Self {
        let study = Arc::clone(engine.study());
        let now = start_of(study.seed);
        let mut world = World::new(policy, study.seed, now);
        let (members, places) = settle(&mut world, &study);
        Self {
            engine,
            world,
            members,
            places,
            journal,
            entries: 0,
            now,
            epoch: 0,
            sent: vec![(0, 0); study.accounts.len()],
            study,
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            pushed: 0,
            timers: Timers::default(),
            commands: Vec::new(),
            deliveries: VecDeque::new(),
            scratch: Vec::new(),
            finished: false,
        }
    }

    fn push(&mut self, at: Timestamp, event: Event) {
        self.queue.push(Reverse((at, self.pushed)));
        self.events.insert(self.pushed, event);
        self.pushed += 1;
    }

    fn open_epoch(&mut self) {
        self.timers.clear();
        let today = day_of(self.now);
        let sent_today = self.sent.iter().map(|(day, sent)| if *day == today { *sent } else { 0 }).collect();
        self.fact(&Fact::EpochOpened { epoch: self.epoch, sent_today, resumed_by: None });
        self.epoch += 1;
    }

    /// Lets the next thing happen. `false` if nothing ever will.
    fn step(&mut self) -> bool {
        if let Some(delivery) = self.deliveries.pop_front() {
            self.deliver(&delivery);
            return true;
        }
        let delivery = self.world.next_delivery_at();
        let event = self.queue.peek().map(|Reverse((at, _))| *at);
        let timer = self.timers.next_at();
        let Some(next) = [delivery, event, timer].into_iter().flatten().min() else { return false };
        self.now = self.now.max(next);
        if delivery == Some(next) {
            self.world.deliver_due(self.now, &mut self.scratch);
            self.deliveries.extend(self.scratch.drain(..));
        } else if event == Some(next) {
            if let Some(event) = self.queue.pop().and_then(|Reverse((_, number))| self.events.remove(&number)) {
                self.happen(event);
            }
        } else if let Some(deadline) = self.timers.pop_passed(self.now) {
            self.fact(&Fact::DeadlinePassed(deadline));
        }
        true
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Result(probe, result) => self.fact(&Fact::SendResult { probe, result }),
            Event::Sanction(account) | Event::Fault(FaultKind::Sanction(account)) => self.fact(&Fact::AccountState {
                account,
                condition: AccountCondition::Sanctioned,
                detail: "suspended by the platform".to_owned(),
            }),
            Event::Fault(FaultKind::Gap(account)) => {
                self.fact(&Fact::Gap { account, detail: "planned by the scenario".to_owned() });
            }
            Event::Fault(FaultKind::StopRequest) => self.fact(&Fact::StopRequested),
            Event::Fault(FaultKind::Crash) => {
                // What was under way when the process died is never answered.
                self.events.retain(|_, event| !matches!(event, Event::Result(..)));
                self.queue.retain(|Reverse((_, number))| self.events.contains_key(number));
                self.open_epoch();
            }
        }
    }

    fn deliver(&mut self, delivery: &Delivery) {
        let index = |member: Member| self.members.iter().position(|it| *it == member);
        let (Some(recipient), sender) = (index(delivery.to), index(delivery.sender)) else { return };
        let venue = self.places.iter().position(|it| *it == delivery.place);
        let account = |index: usize| AccountIx(u16::try_from(index).unwrap_or(u16::MAX));
        self.fact(&Fact::Observed(Observation {
            recipient: account(recipient),
            sender: sender.map(account),
            venue: venue.map(|venue| VenueIx(u16::try_from(venue).unwrap_or(u16::MAX))),
            kind: delivery.kind,
            platform_id: Some(message_id(delivery.message.0)),
            text: delivery.text.clone(),
            file: delivery.file.as_ref().map(|file| self.received_file(file)),
            cursor: None,
        }));
    }

    /// A file as its recipient sees it. There are no bytes in virtual time: re-encoded ones get hashes of their own.
    fn received_file(&self, delivered: &DeliveredFile) -> ReceivedFile {
        let item = ItemIx(delivered.upload.id);
        let sent = self.study.item(item).file.as_ref();
        let mut facts = sent.map_or_else(|| unknown_file(&delivered.upload.name), |file| file.facts.clone());
        let mut distance = None;
        if delivered.reencoded {
            let seed = format!("re-encoded {} {}", facts.sha256, self.entries);
            facts = FileFacts {
                format: FileFormat::Jpeg,
                md5: md5_hex(seed.as_bytes()).into(),
                sha256: sha256_hex(seed.as_bytes()).into(),
                ..facts
            };
            distance = Some(100);
        }
        ReceivedFile { facts, recognised: Some(Recognised { item, distance }) }
    }

    /// Journals a fact, lets the engine answer, and carries the answer out.
    fn fact(&mut self, fact: &Fact) {
        let sequence = EntrySequence(self.entries);
        // The journal takes entries; cloning a fact copies a few pointers.
        self.write(&Entry::Fact(fact.clone()));
        let mut commands = std::mem::take(&mut self.commands);
        self.engine.handle(sequence, self.now, fact, &mut commands);
        for command in commands.drain(..) {
            match command {
                Command::Decide(decision) => {
                    self.write(&Entry::Decision(decision.clone()));
                    if let Decision::ProbePlanned(probe) = decision {
                        self.send(&probe);
                    }
                }
                Command::Arm { deadline, at } => self.timers.arm(deadline, at),
                Command::Cancel(deadline) => self.timers.cancel(deadline),
                Command::Finish => self.finished = true,
            }
        }
        self.commands = commands;
    }

    fn send(&mut self, probe: &Probe) {
        let channel = self.study.channel(probe.channel);
        let (sender, venue) = (channel.sender, channel.venue);
        let (today, (day, sent)) = (day_of(self.now), &mut self.sent[sender.get()]);
        *sent = if *day == today { *sent + 1 } else { 1 };
        *day = today;
        let text = self.study.text_of(probe);
        let started = Fact::SendStarted { probe: probe.id, text: Arc::clone(&text) };
        let sequence = EntrySequence(self.entries);
        self.write(&Entry::Fact(started.clone()));
        let mut nothing = Vec::new();
        self.engine.handle(sequence, self.now, &started, &mut nothing);
        debug_assert!(nothing.is_empty(), "a started send decides nothing");
        let upload = probe.items.first().and_then(|item| upload_of(&self.study, *item));
        let (from, place) = (self.members[sender.get()], self.places[venue.get()]);
        let submission = self.world.submit_file(self.now, from, place, &text, upload.as_ref());
        let answered = self.now + ACKNOWLEDGEMENT;
        let result = match submission {
            Submission::Accepted { message } => SendResult::Accepted { platform_id: Some(message_id(message.0)) },
            Submission::Refused { notice, sanction } => {
                // Told before the answer, so that the refusal is known not to be about the message.
                if sanction {
                    self.push(answered, Event::Sanction(sender));
                }
                SendResult::Refused { notice: notice.to_owned() }
            }
            Submission::RateLimited { retry_after } => SendResult::RateLimited { retry_after },
            Submission::Down => SendResult::NotSent { error: "the platform is out of order".to_owned() },
        };
        self.push(answered, Event::Result(probe.id, result));
    }

    fn write(&mut self, entry: &Entry) {
        (self.journal)(self.now, entry);
        self.entries += 1;
    }
}

/// The file of an item, as the simulated platform takes it.
pub(crate) fn upload_of(study: &Study, item: ItemIx) -> Option<Arc<Upload>> {
    let it = study.item(item);
    let file = it.file.as_ref()?;
    Some(Arc::new(Upload {
        id: item.0,
        md5: Arc::clone(&file.facts.md5),
        name: Arc::clone(&file.facts.name),
        is_picture: it.kind == ContentKind::Image,
        shown: file.shown.clone(),
    }))
}

/// What is written of a file that the study does not have.
fn unknown_file(name: &Arc<str>) -> FileFacts {
    FileFacts {
        name: Arc::clone(name),
        format: FileFormat::Other,
        bytes: 0,
        md5: md5_hex(b"").into(),
        sha256: sha256_hex(b"").into(),
        width: None,
        height: None,
        perceptual_hash: None,
    }
}

fn day_of(at: Timestamp) -> i64 {
    at.0.div_euclid(MICROSECONDS_PER_DAY)
}

fn message_id(number: u64) -> PlatformMessageId {
    PlatformMessageId(format!("m{number}").into())
}
