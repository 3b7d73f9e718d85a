//! The task that owns the engine.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use lacuna_design::{Command, Engine, Progress};
use lacuna_model::{
    AccountCondition, AccountIx, Cursor, Decision, Entry, EntrySequence, Fact, Invocation, ItemIx, Probe, ProbeId, RunId,
    StopReason, Study, Timestamp, VenueKind,
};
use lacuna_platform::{Outgoing, Session};
use lacuna_records::journal::{Encoder, Storage};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::accounts::{self, Input, Message};
use super::clock::Clock;
use super::files::Files;
use super::writer::{Batch, Outlets, Writer};
use super::{Allowance, LiveEnd, LiveError, LiveRun, client_ref};
use crate::burnt::that_burn;
use crate::timers::Timers;

/// How much may wait for the core. Sessions wait when it is full.
const QUEUE: usize = 4_096;

/// So much is taken from the queue before the journal is handed on.
const TAKE: usize = 512;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

pub(super) struct Core<S> {
    engine: Engine,
    run_id: RunId,
    encoder: Encoder,
    epoch: u32,
    resumed_by: Option<Invocation>,
    allowance: Box<dyn Allowance>,
    clock: Clock,
    files: Arc<Files>,
    /// Accounts with a session.
    connected: Vec<AccountIx>,
    stop: CancellationToken,
    progress: watch::Sender<Progress>,
    writer: Writer<S>,
    inputs: mpsc::Receiver<Input>,
    tasks: JoinSet<()>,
    cancel: CancellationToken,
    timers: Timers,
    batch: Batch,
    /// The items with files whose hashes a filter may learn.
    burning: BTreeSet<ItemIx>,
    /// The files of those in the batch.
    exposing: Vec<(Arc<str>, VenueKind)>,
    commands: VecDeque<Command>,
    scratch: Vec<Command>,
    finished: bool,
}

impl<S: Storage + Send + 'static> Core<S> {
    pub fn start(run: LiveRun<S>, sessions: Vec<Option<Session>>) -> Result<Self, LiveError> {
        let (input_sender, inputs) = mpsc::channel(QUEUE);
        let cancel = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let files = Files::new(Arc::clone(run.engine.study()), run.contents);
        for record in run.engine.evidence().probes().iter().filter(|record| record.started_at.is_some()) {
            note_file(&files, run.engine.study(), &record.probe);
        }
        let mut connected = Vec::new();
        let mut outlets = Outlets { sends: Vec::new(), cursors: Vec::new() };
        for (account, session) in (0u16..).map(AccountIx).zip(sessions) {
            let (sends, messages) = mpsc::unbounded_channel();
            outlets.sends.push(sends);
            let Some(session) = session else {
                outlets.cursors.push(watch::channel(None).0);
                continue;
            };
            connected.push(account);
            outlets.cursors.push(session.acknowledged);
            tasks.spawn(accounts::send_all(session.sender, messages, Arc::clone(&files), input_sender.clone(), cancel.clone()));
            tasks.spawn(accounts::listen(account, session.events, Arc::clone(&files), input_sender.clone()));
        }
        let writer = Writer::start(run.storage, outlets).map_err(LiveError::Journal)?;
        let burning = that_burn(run.engine.study());
        Ok(Self {
            engine: run.engine,
            run_id: run.run_id,
            encoder: run.encoder,
            epoch: run.epoch,
            resumed_by: run.resumed_by,
            allowance: run.allowance,
            clock: run.clock,
            files,
            connected,
            stop: run.stop,
            progress: run.progress,
            writer,
            inputs,
            tasks,
            cancel,
            timers: Timers::default(),
            batch: Batch { bytes: run.pending, ..Batch::default() },
            burning,
            exposing: Vec::new(),
            commands: VecDeque::new(),
            scratch: Vec::new(),
            finished: false,
        })
    }

    pub async fn drive(mut self) -> Result<LiveEnd<S>, LiveError> {
        let ended = self.run().await;
        self.cancel.cancel();
        self.inputs.close();
        // The journal is flushed also when something went wrong: what it holds is what happened.
        let Self { engine, encoder, clock, files, mut allowance, writer, mut tasks, .. } = self;
        let storage = writer.end().map_err(LiveError::Journal);
        tasks.shutdown().await;
        files.settle().await;
        // First the journal: where it cannot be written, all else ended for that reason.
        let storage = storage?;
        ended?;
        allowance.settle().map_err(LiveError::Ledger)?;
        let reason = engine.stopped().unwrap_or(StopReason::Requested);
        Ok(LiveEnd { engine, encoder, storage, clock, reason })
    }

    async fn run(&mut self) -> Result<(), LiveError> {
        let day = self.clock.now().0.div_euclid(MICROSECONDS_PER_DAY);
        let sent_today = self.allowance.sent_on(day).map_err(LiveError::Ledger)?;
        // First of all, for to a replayed engine anything else would belong to the epoch that was interrupted.
        let resumed_by = self.resumed_by.take().map(Arc::new);
        self.fact(Fact::EpochOpened { epoch: self.epoch, sent_today, resumed_by })?;
        for account in self.connected.clone() {
            self.fact(Fact::AccountState {
                account,
                condition: AccountCondition::Connected,
                detail: "logged in and listening".to_owned(),
            })?;
        }
        let mut stop_requested = false;
        let writer_ended = self.writer.ended();
        while !self.finished {
            self.hand_over()?;
            let _ = self.progress.send_replace(self.engine.progress());
            let timer = self.timers.next_at().map(|at| tokio::time::Instant::from_std(self.clock.instant(at)));
            let first = tokio::select! {
                biased;
                () = self.stop.cancelled(), if !stop_requested => {
                    stop_requested = true;
                    self.fact(Fact::StopRequested)?;
                    continue;
                }
                () = writer_ended.cancelled() => return Err(LiveError::Internal("writer of the journal")),
                input = self.inputs.recv() => Some(input.ok_or(LiveError::Internal("queue of the accounts"))?),
                () = sleep_until(timer) => None,
            };
            if let Some(first) = first {
                self.take(first)?;
                for _ in 1..TAKE {
                    let Ok(input) = self.inputs.try_recv() else { break };
                    self.take(input)?;
                }
            }
            self.ring()?;
        }
        self.hand_over()?;
        let _ = self.progress.send_replace(self.engine.progress());
        Ok(())
    }

    fn take(&mut self, input: Input) -> Result<(), LiveError> {
        match input {
            Input::Answered(probe, result) => self.fact(Fact::SendResult { probe, result }),
            Input::Observed(observation) => {
                let (account, cursor) = (observation.recipient, observation.cursor.clone());
                self.fact(Fact::Observed(observation))?;
                if let Some(cursor) = cursor {
                    self.acknowledge(account, cursor);
                }
                Ok(())
            }
            Input::Gap(account, detail) => self.fact(Fact::Gap { account, detail }),
            Input::Condition(account, condition, detail) => self.fact(Fact::AccountState { account, condition, detail }),
            Input::Unkept(error) => Err(LiveError::Files(error)),
            Input::Ended(account) => {
                let detail = "the session ended".to_owned();
                self.fact(Fact::AccountState { account, condition: AccountCondition::Disconnected, detail: detail.clone() })?;
                self.fact(Fact::Gap { account, detail })
            }
        }
    }

    fn acknowledge(&mut self, account: AccountIx, cursor: Cursor) {
        match self.batch.cursors.iter_mut().find(|(it, _)| *it == account) {
            Some((_, last)) => *last = cursor,
            None => self.batch.cursors.push((account, cursor)),
        }
    }

    /// Journals the deadlines that have passed.
    fn ring(&mut self) -> Result<(), LiveError> {
        let now = self.clock.now();
        while !self.finished
            && let Some(deadline) = self.timers.pop_passed(now)
        {
            self.fact(Fact::DeadlinePassed(deadline))?;
        }
        Ok(())
    }

    /// Appends a fact to the journal, lets the engine answer, and appends and prepares the answer.
    fn fact(&mut self, fact: Fact) -> Result<(), LiveError> {
        let at = self.clock.now();
        let entry = Entry::Fact(fact);
        let sequence = self.encoder.append(at, &entry, &mut self.batch.bytes);
        let Entry::Fact(fact) = entry else { return Ok(()) };
        self.handle(sequence, at, &fact);
        while let Some(command) = self.commands.pop_front() {
            match command {
                Command::Decide(decision) => {
                    self.encoder.append(at, &Entry::Decision(decision.clone()), &mut self.batch.bytes);
                    if let Decision::ProbePlanned(probe) = decision {
                        self.send(at, &probe)?;
                    }
                }
                Command::Arm { deadline, at } => self.timers.arm(deadline, at),
                Command::Cancel(deadline) => self.timers.cancel(deadline),
                Command::Finish => self.finished = true,
            }
        }
        Ok(())
    }

    fn handle(&mut self, sequence: EntrySequence, at: Timestamp, fact: &Fact) {
        self.engine.handle(sequence, at, fact, &mut self.scratch);
        self.commands.extend(self.scratch.drain(..));
    }

    fn send(&mut self, at: Timestamp, probe: &Probe) -> Result<(), LiveError> {
        let study = Arc::clone(self.engine.study());
        let channel = study.channel(probe.channel);
        let day = at.0.div_euclid(MICROSECONDS_PER_DAY);
        self.allowance.spend(channel.sender, day).map_err(LiveError::Ledger)?;
        let text = study.text_of(probe);
        let started = Entry::Fact(Fact::SendStarted { probe: probe.id, text: Arc::clone(&text) });
        let sequence = self.encoder.append(at, &started, &mut self.batch.bytes);
        if let Entry::Fact(started) = &started {
            self.handle(sequence, at, started);
        }
        let with = note_file(&self.files, &study, probe);
        if let Some(file) = with.filter(|item| self.burning.contains(item)).and_then(|item| study.item(item).file.as_deref()) {
            self.exposing.push((Arc::clone(&file.facts.md5), study.venue(channel.venue).kind));
        }
        let outgoing = Outgoing { venue: channel.venue, client_ref: self.client_ref(probe.id), text, file: None };
        self.batch.sends.push((channel.sender, Message { probe: probe.id, outgoing, with }));
        Ok(())
    }

    fn client_ref(&self, probe: ProbeId) -> String {
        client_ref(&self.run_id, probe)
    }

    fn hand_over(&mut self) -> Result<(), LiveError> {
        if !self.exposing.is_empty() {
            self.allowance.expose(self.clock.now(), &std::mem::take(&mut self.exposing)).map_err(LiveError::Ledger)?;
        }
        if self.batch.is_empty() || self.writer.submit(std::mem::take(&mut self.batch)) {
            return Ok(());
        }
        // The writer ended because of an error, which `drive` fetches from it.
        Err(LiveError::Internal("writer of the journal"))
    }
}

/// The item whose file goes with a probe, noted as sent on its way.
fn note_file(files: &Files, study: &Study, probe: &Probe) -> Option<ItemIx> {
    let item = probe.items.first().copied().filter(|item| study.item(*item).file.is_some())?;
    let channel = study.channel(probe.channel);
    files.sending(item, channel.sender, channel.venue);
    Some(item)
}

async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
