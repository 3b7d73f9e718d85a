//! Lines where nobody looks at a terminal.

use lacuna_design::Progress;
use lacuna_model::Outcome;

use super::Unit;
use super::pace::{Glance, Phase, outcomes, seconds};
use crate::logging::LogFormat;
use crate::screen::Screen;

/// A line for each look at the run: plain, or an event of the JSON log.
pub struct Lines {
    screen: Screen,
    log: LogFormat,
    unit: Unit,
}

impl Lines {
    pub const fn new(screen: Screen, log: LogFormat, unit: Unit) -> Self {
        Self { screen, log, unit }
    }

    pub fn show(&self, progress: &Progress, glance: &Glance) {
        let Progress { sent, controls, questions, answered, .. } = progress;
        match self.log {
            LogFormat::Text => self.screen.line(&format!(
                "{}: {}, {:.0}/s, {}: {}",
                seconds(glance.elapsed),
                match self.unit {
                    Unit::Questions => {
                        format!("{answered} of {questions} questions answered, {sent} sent ({controls} controls)")
                    }
                    Unit::Controls => format!("{sent} of {questions} controls sent"),
                },
                glance.rate,
                glance.phase.words(),
                outcomes(progress),
            )),
            LogFormat::Json => {
                let counts: Vec<String> =
                    Outcome::ALL.iter().map(|outcome| format!("\"{outcome}\":{}", progress.count(*outcome))).collect();
                tracing::info!(
                    target: "lacuna::progress",
                    answered,
                    questions,
                    sent,
                    controls,
                    rate = glance.rate,
                    listening = matches!(glance.phase, Phase::Listening(_)),
                    outcomes = format!("{{{}}}", counts.join(",")),
                    "progress"
                );
            }
        }
    }
}
