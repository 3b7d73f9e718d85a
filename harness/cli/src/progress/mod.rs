//! Where a run stands, for people: bars on a terminal, a line every few seconds off it.

mod bars;
mod lines;
mod pace;

use std::time::Duration;

use lacuna_design::Progress;
use lacuna_model::Outcome;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::bars::Bars;
use self::lines::Lines;
use self::pace::Pace;
use crate::logging::LogFormat;
use crate::screen::Screen;

/// How often the bars are drawn.
const REDRAW: Duration = Duration::from_millis(100);
/// How often a line is written.
const LINE: Duration = Duration::from_secs(5);

/// What the log must let through so that lines of progress are in it.
pub const TARGET_DIRECTIVE: &str = "lacuna::progress=info";

/// Before the run has told anything.
pub const NOTHING_YET: Progress =
    Progress { sent: 0, controls: 0, questions: 0, answered: 0, outcomes: [0; Outcome::ALL.len()], listening: false };

/// What a run's length is counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Questions that are answered.
    Questions,
    /// Controls that are sent, and nothing else.
    Controls,
}

/// Shows where a run stands.
pub struct Display {
    face: Face,
    pace: Pace,
}

enum Face {
    Bars(Bars),
    Lines(Lines),
}

impl Display {
    /// Bars where stderr is a terminal, unless it must be `plain`. `late` is how long the run listens after its last send.
    pub fn new(screen: Screen, log: LogFormat, plain: bool, late: lacuna_model::Duration, unit: Unit) -> Self {
        let face = if Screen::is_terminal() && log == LogFormat::Text && !plain {
            Face::Bars(Bars::new(&screen, unit))
        } else {
            Face::Lines(Lines::new(screen, log, unit))
        };
        Self { face, pace: Pace::new(late.into()) }
    }

    /// Shows what the run tells until it tells no more.
    pub async fn follow(mut self, mut seen: watch::Receiver<Progress>) {
        let period = if matches!(self.face, Face::Bars(_)) { REDRAW } else { LINE };
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut shown: Option<Instant> = None;
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    let progress = seen.borrow().clone();
                    // The questions are known once the accounts are connected; the first tick comes at once.
                    if progress.questions > 0 {
                        self.show(&progress);
                        shown = Some(Instant::now());
                    }
                }
                changed = seen.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    let progress = seen.borrow_and_update().clone();
                    self.pace.update(Instant::now().into_std(), &progress);
                }
            }
        }
        let progress = seen.borrow().clone();
        if shown.is_some() || progress.questions > 0 {
            self.show(&progress);
        }
        if let Face::Bars(bars) = &self.face {
            bars.clear();
        }
    }

    fn show(&mut self, progress: &Progress) {
        let glance = self.pace.glance(Instant::now().into_std(), progress);
        match &self.face {
            Face::Bars(bars) => bars.show(progress, &glance),
            Face::Lines(lines) => lines.show(progress, &glance),
        }
    }
}
