//! Bars on a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use lacuna_design::Progress;

use super::Unit;
use super::pace::{Glance, outcomes, seconds};
use crate::screen::Screen;

/// A bar of answered questions, and below it how many messages were sent and what became of them.
pub struct Bars {
    questions: ProgressBar,
    messages: ProgressBar,
    outcomes: ProgressBar,
}

impl Bars {
    pub fn new(screen: &Screen, unit: Unit) -> Self {
        let style = |template: &str| {
            // The templates are constants; where one were wrong, the plain bar would do.
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▓░")
        };
        let questions = screen.bars.add(ProgressBar::new(0));
        questions.set_style(style(match unit {
            Unit::Questions => "{wide_bar} {human_pos}/{human_len} questions  {msg}",
            Unit::Controls => "{wide_bar} {human_pos}/{human_len} controls  {msg}",
        }));
        let line = || screen.bars.add(ProgressBar::new(0)).with_style(style("{wide_msg}"));
        Self { questions, messages: line(), outcomes: line() }
    }

    pub fn show(&self, progress: &Progress, glance: &Glance) {
        self.questions.set_length(progress.questions);
        self.questions.set_position(progress.answered);
        self.questions.set_message(format!("{}  {}", seconds(glance.elapsed), glance.phase.words()));
        let Progress { sent, controls, .. } = progress;
        self.messages.set_message(format!("{sent} messages ({controls} controls), {:.0}/s", glance.rate));
        self.outcomes.set_message(outcomes(progress));
    }

    pub fn clear(&self) {
        for bar in [&self.questions, &self.messages, &self.outcomes] {
            bar.finish_and_clear();
        }
    }
}
