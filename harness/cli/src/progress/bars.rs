//! Bars on a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use lacuna_design::Progress;

use super::pace::{Glance, outcomes, seconds};
use crate::screen::Screen;

/// A bar of answered questions, and below it what became of the messages.
pub struct Bars {
    questions: ProgressBar,
    outcomes: ProgressBar,
}

impl Bars {
    pub fn new(screen: &Screen) -> Self {
        let style = |template: &str| {
            // The templates are constants; where one were wrong, the plain bar would do.
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▓░")
        };
        let questions = screen.bars.add(ProgressBar::new(0));
        questions.set_style(style("{wide_bar} {human_pos}/{human_len} questions  {msg}"));
        let outcomes = screen.bars.add(ProgressBar::new(0));
        outcomes.set_style(style("{wide_msg}"));
        Self { questions, outcomes }
    }

    pub fn show(&self, progress: &Progress, glance: &Glance) {
        self.questions.set_length(progress.questions);
        self.questions.set_position(progress.answered);
        self.questions.set_message(format!("{}  {}", seconds(glance.elapsed), glance.phase.words()));
        let Progress { sent, controls, .. } = progress;
        let text = format!("{sent} sent ({controls} controls), {:.0}/s: {}", glance.rate, outcomes(progress));
        self.outcomes.set_message(text);
    }

    pub fn clear(&self) {
        self.questions.finish_and_clear();
        self.outcomes.finish_and_clear();
    }
}
