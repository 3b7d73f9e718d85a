//! What happened when: messages, controls that did not arrive, gaps, sanctions, stops.

use std::collections::BTreeSet;

use lacuna_inference::evidence::Evidence;
use lacuna_model::{AccountCondition, AccountIx, Decision, Entry, Fact, Outcome, Role, Study, Timestamp};

use super::Figure;
use crate::chart::{Axis, Chart, Mark, Paint, Panel, Scale, Shape, Swatch, Ticks};
use crate::colours::{BLACK, BLUE, QUIET, RULE, VERMILION};
use crate::run::Run;
use crate::text;

/// The name of its files.
pub const NAME: &str = "timeline";

/// The run is cut into so many equal parts.
const PARTS: usize = 60;
/// Accounts that are drawn; the CSV has all.
const MOST_LANES: usize = 24;

/// One account in one part of the run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The recipient.
    pub recipient: AccountIx,
    /// From this moment,
    pub from: Timestamp,
    /// up to this.
    pub to: Timestamp,
    /// Messages of candidates sent to it and taken by the platform.
    pub candidates: u64,
    /// Controls sent to it and taken by the platform.
    pub controls: u64,
    /// Of the controls, missing although the path was alive around them.
    pub controls_lost: u64,
    /// Of the controls, missing without anything that shows the path alive: outages, gaps.
    pub controls_void: u64,
}

/// The first and the last moment of a run.
struct Span {
    from: Timestamp,
    to: Timestamp,
}

impl Span {
    fn of(run: &Run<'_>, evidence: &Evidence) -> Self {
        let to = run.sealed_at.unwrap_or(evidence.last_at()).max(evidence.last_at()).max(run.opened_at);
        Self { from: run.opened_at, to }
    }

    fn length(&self) -> f64 {
        (self.to - self.from).as_secs_f64().max(1e-6)
    }

    /// Seconds since the beginning.
    fn seconds(&self, at: Timestamp) -> f64 {
        (at - self.from).as_secs_f64()
    }

    fn part(&self, at: Timestamp) -> usize {
        let (since, length) = (i128::from((at - self.from).as_micros()), i128::from((self.to - self.from).as_micros().max(1)));
        // What came last belongs to the last part.
        usize::try_from(since * PARTS as i128 / length).map_or(PARTS - 1, |part| part.min(PARTS - 1))
    }

    /// Where a part begins.
    fn edge(&self, part: usize) -> Timestamp {
        let length = i128::from((self.to - self.from).as_micros());
        let us = length * part as i128 / PARTS as i128;
        Timestamp(self.from.0.saturating_add(i64::try_from(us).unwrap_or(i64::MAX)))
    }
}

pub(super) fn figure(run: &Run<'_>, evidence: &Evidence) -> Figure<Row> {
    let study = evidence.study();
    let span = Span::of(run, evidence);
    let mut counts = vec![[[0u64; 4]; PARTS]; study.accounts.len()];
    let mut sent = vec![[0u64; 2]; PARTS];
    for record in evidence.probes().iter().filter(|record| record.is_accepted()) {
        let part = span.part(record.started_at.unwrap_or(record.planned_at));
        sent[part][usize::from(record.probe.role == Role::Control)] += 1;
    }
    for row in evidence.outcomes() {
        let record = evidence.probe(row.probe);
        if !record.is_accepted() {
            continue;
        }
        let [candidates, controls, lost, void] =
            &mut counts[row.recipient.get()][span.part(row.sent_at.unwrap_or(record.planned_at))];
        if record.probe.role == Role::Control {
            *controls += 1;
            *lost += u64::from(row.outcome == Outcome::Dropped);
            *void += u64::from(row.outcome == Outcome::Void);
        } else {
            *candidates += 1;
        }
    }
    let row = |account: usize, part: usize| {
        let [candidates, controls, controls_lost, controls_void] = counts[account][part];
        Row {
            recipient: AccountIx(u16::try_from(account).unwrap_or(u16::MAX)),
            from: span.edge(part),
            to: span.edge(part + 1),
            candidates,
            controls,
            controls_lost,
            controls_void,
        }
    };
    let recipients: BTreeSet<AccountIx> = study.arms.iter().flat_map(|arm| arm.recipients.iter().copied()).collect();
    let rows: Vec<Row> =
        recipients.iter().flat_map(|recipient| (0..PARTS).map(|part| row(recipient.get(), part)).collect::<Vec<_>>()).collect();
    let chart = chart(run, study, &span, &sent, &rows);
    Figure::new(rows, &chart)
}

fn chart(run: &Run<'_>, study: &Study, span: &Span, sent: &[[u64; 2]], rows: &[Row]) -> Chart {
    let most = sent.iter().map(|[candidates, controls]| candidates + controls).max().unwrap_or(0);
    if most == 0 {
        return super::nothing(NAME, TITLE, "Nothing was sent");
    }
    let time = || Scale::linear(0.0, span.length(), Ticks::Elapsed);
    let edge = |part: usize| span.length() * part as f64 / PARTS as f64;
    let mut bars = Vec::new();
    for (part, [candidates, controls]) in sent.iter().enumerate().filter(|(_, sent)| sent[0] + sent[1] > 0) {
        let (low, high) = (*candidates as f64, (candidates + controls) as f64);
        bars.push(Mark::Bar { from: (edge(part), 0.0), to: (edge(part + 1), low), paint: Paint::Full(BLUE) });
        bars.push(Mark::Bar { from: (edge(part), low), to: (edge(part + 1), high), paint: Paint::Full(BLACK) });
    }
    bars.extend(moments(run, span));
    let lanes = lanes(run, study);
    let mut marks = Vec::new();
    for (lane, account) in lanes.iter().enumerate() {
        marks.extend(away(run, span, *account, lane));
        for row in rows.iter().filter(|row| row.recipient == *account && row.controls > 0) {
            let (from, to) = (span.seconds(row.from), span.seconds(row.to));
            let floor = lane as f64 + 0.92;
            let (lost, void) = (row.controls_lost as f64 / row.controls as f64, row.controls_void as f64 / row.controls as f64);
            let height = |share: f64| floor - 0.8 * share;
            marks.push(Mark::Bar { from: (from, height(0.0)), to: (to, floor + 0.04), paint: Paint::Full(RULE) });
            if lost > 0.0 {
                marks.push(Mark::Bar { from: (from, floor), to: (to, height(lost)), paint: Paint::Full(VERMILION) });
            }
            if void > 0.0 {
                marks.push(Mark::Bar { from: (from, height(lost)), to: (to, height(lost + void)), paint: Paint::Hatched });
            }
        }
        marks.extend(incidents(run, span, *account, lane));
    }
    marks.extend(moments(run, span));
    let name = |account: &AccountIx| {
        let it = study.account(*account);
        format!("{} ({})", text::name(it.id.as_str()).line(), it.registered_in)
    };
    let elapsed = "time since the beginning of the run";
    let panels = vec![
        Panel {
            title: vec!["messages taken by the platform".to_owned()],
            x: Axis::new(elapsed, time()),
            y: Axis::new("", Scale::linear(0.0, most as f64, Ticks::Count)),
            height: 80.0,
            marks: bars,
        },
        Panel {
            title: vec!["controls missing at each account, and what happened to it".to_owned()],
            x: Axis::new(elapsed, time()),
            height: lanes.len() as f64 * 34.0,
            y: Axis::new("", Scale::Bands(lanes.iter().map(name).collect())),
            marks,
        },
    ];
    Chart {
        name: NAME,
        title: TITLE.to_owned(),
        description: format!(
            "Above, the messages sent over the time of the run; below, for each account the share of controls that did not arrive, its gaps, \
             disconnections and sanctions. figures/{NAME}.csv and accounts.csv have the numbers."
        ),
        legend: legend(run),
        columns: 1,
        panels,
    }
}

const TITLE: &str = "The run over time";

/// Recipients, and other accounts of which something is told.
fn lanes(run: &Run<'_>, study: &Study) -> Vec<AccountIx> {
    let mut lanes: BTreeSet<AccountIx> = study.arms.iter().flat_map(|arm| arm.recipients.iter().copied()).collect();
    for (_, entry) in run.events {
        match entry {
            Entry::Fact(Fact::Gap { account, .. }) => lanes.insert(*account),
            Entry::Fact(Fact::AccountState { account, condition, .. }) if *condition != AccountCondition::Connected => {
                lanes.insert(*account)
            }
            _ => continue,
        };
    }
    lanes.into_iter().take(MOST_LANES).collect()
}

/// What happened to an account at one moment. Of many in one part of the run one is drawn.
fn incidents(run: &Run<'_>, span: &Span, of: AccountIx, lane: usize) -> Vec<Mark> {
    let mut drawn = BTreeSet::new();
    let incident = |(at, entry): &(Timestamp, Entry)| {
        let (account, shape, colour) = match entry {
            Entry::Fact(Fact::Gap { account, .. }) => (*account, GAP.0, GAP.1),
            Entry::Fact(Fact::AccountState { account, condition: AccountCondition::Sanctioned, .. }) => {
                (*account, SANCTION.0, SANCTION.1)
            }
            _ => return None,
        };
        let first = account == of && drawn.insert((span.part(*at), shape == GAP.0));
        first.then(|| Mark::Point { at: (span.seconds(*at), lane as f64 + 0.45), shape, colour })
    };
    run.events.iter().filter_map(incident).collect()
}

/// When an account was disconnected.
fn away(run: &Run<'_>, span: &Span, of: AccountIx, lane: usize) -> Vec<Mark> {
    let mut spans = Vec::new();
    let mut since: Option<Timestamp> = None;
    let mut close = |from: Timestamp, to: Timestamp| {
        let (from, to) = (span.seconds(from), span.seconds(to));
        spans.push((from, to));
    };
    for (at, entry) in run.events {
        match entry {
            Entry::Fact(Fact::AccountState { account, condition, .. }) if *account == of => match (condition, since) {
                (AccountCondition::Disconnected, None) => since = Some(*at),
                (AccountCondition::Connected, Some(from)) => {
                    close(from, *at);
                    since = None;
                }
                _ => {}
            },
            _ => {}
        }
    }
    if let Some(from) = since {
        close(from, span.to);
    }
    // Those too short to be seen are joined to the one before.
    let pixel = span.length() / 400.0;
    let mut joined: Vec<(f64, f64)> = Vec::new();
    for (from, to) in spans {
        match joined.last_mut() {
            Some(last) if from - last.1 < pixel => last.1 = to.max(last.1),
            _ => joined.push((from, to)),
        }
    }
    let bar = |(from, to): (f64, f64)| Mark::Bar {
        from: (from, lane as f64 + 0.1),
        to: (to.max(from + pixel), lane as f64 + 0.96),
        paint: Paint::Full(RULE),
    };
    joined.into_iter().map(bar).collect()
}

/// When the run was resumed, and when nothing more was sent.
fn moments(run: &Run<'_>, span: &Span) -> Vec<Mark> {
    let mut drawn = BTreeSet::new();
    let moment = |(at, entry): &(Timestamp, Entry)| {
        let (colour, dashed) = match entry {
            Entry::Fact(Fact::EpochOpened { epoch: 1.., .. }) => RESUMED,
            Entry::Decision(Decision::Stopped { .. }) => STOPPED,
            _ => return None,
        };
        drawn.insert((span.part(*at), dashed)).then(|| Mark::Rule { x: span.seconds(*at), colour, dashed })
    };
    run.events.iter().filter_map(moment).collect()
}

const GAP: (Shape, &str) = (Shape::Cross, BLACK);
const SANCTION: (Shape, &str) = (Shape::Triangle, VERMILION);
const RESUMED: (&str, bool) = (BLACK, true);
const STOPPED: (&str, bool) = (QUIET, false);

/// Only what occurs, but always what the bars mean.
fn legend(run: &Run<'_>) -> Vec<(Swatch, String)> {
    let occurs = |of: fn(&Entry) -> bool| run.events.iter().any(|(_, entry)| of(entry));
    let mut legend = vec![
        (Swatch::Surface(Paint::Full(BLUE)), "candidates".to_owned()),
        (Swatch::Surface(Paint::Full(BLACK)), "controls".to_owned()),
        (Swatch::Surface(Paint::Full(VERMILION)), "control lost, path alive".to_owned()),
        (Swatch::Surface(Paint::Hatched), "control missing, path not provably alive".to_owned()),
    ];
    let mut add = |of: fn(&Entry) -> bool, swatch, words: &str| {
        if occurs(of) {
            legend.push((swatch, words.to_owned()));
        }
    };
    add(|it| matches!(it, Entry::Fact(Fact::Gap { .. })), Swatch::Point(GAP.0, GAP.1), "gap: may have missed messages");
    add(
        |it| matches!(it, Entry::Fact(Fact::AccountState { condition: AccountCondition::Disconnected, .. })),
        Swatch::Surface(Paint::Full(RULE)),
        "disconnected",
    );
    add(
        |it| matches!(it, Entry::Fact(Fact::AccountState { condition: AccountCondition::Sanctioned, .. })),
        Swatch::Point(SANCTION.0, SANCTION.1),
        "sanctioned",
    );
    add(|it| matches!(it, Entry::Fact(Fact::EpochOpened { epoch: 1.., .. })), Swatch::Rule(RESUMED.0, RESUMED.1), "resumed");
    add(
        |it| matches!(it, Entry::Decision(Decision::Stopped { .. })),
        Swatch::Rule(STOPPED.0, STOPPED.1),
        "nothing more was sent",
    );
    legend
}
