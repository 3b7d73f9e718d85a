//! Rate, time left, and the words for them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use lacuna_design::Progress;
use lacuna_model::Outcome;

/// The rate is that of the last so many seconds.
const WINDOW: Duration = Duration::from_secs(5);

/// Follows a run to say how fast it is.
pub struct Pace {
    late: Duration,
    began: Option<Instant>,
    /// Messages sent and questions answered at moments of the last seconds.
    recent: VecDeque<(Instant, u64, u64)>,
    /// Since when nothing is sent any more.
    listening_since: Option<Instant>,
}

/// How a run is getting on.
#[derive(Clone, PartialEq, Debug)]
pub struct Glance {
    /// Since the accounts were connected.
    pub elapsed: Duration,
    /// Messages a second.
    pub rate: f64,
    /// What the run is at, and how long still.
    pub phase: Phase,
}

/// What a run is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Sending; how long still, once there is something to tell it by.
    Sending(Option<Duration>),
    /// Listening; how long still.
    Listening(Duration),
}

impl Pace {
    pub fn new(late: Duration) -> Self {
        Self { late, began: None, recent: VecDeque::new(), listening_since: None }
    }

    /// Takes note of news.
    pub fn update(&mut self, now: Instant, progress: &Progress) {
        self.began.get_or_insert(now);
        if self.recent.back().is_none_or(|(at, ..)| now.duration_since(*at) >= WINDOW / 50) {
            self.recent.push_back((now, progress.sent, progress.answered));
        }
        while self.recent.len() > 1 && self.recent.front().is_some_and(|(at, ..)| now.duration_since(*at) > WINDOW) {
            self.recent.pop_front();
        }
        if progress.listening {
            self.listening_since.get_or_insert(now);
        }
    }

    /// How the run is getting on.
    pub fn glance(&self, now: Instant, progress: &Progress) -> Glance {
        let elapsed = self.began.map_or(Duration::ZERO, |began| now.duration_since(began));
        let (seconds, sent, answered) = self.recent.front().map_or((0.0, 0, 0), |&(at, sent, answered)| {
            (now.duration_since(at).as_secs_f64(), progress.sent.saturating_sub(sent), progress.answered.saturating_sub(answered))
        });
        let rate = if seconds > 0.0 { sent as f64 / seconds } else { 0.0 };
        let phase = if let Some(since) = self.listening_since {
            Phase::Listening(self.late.saturating_sub(now.duration_since(since)))
        } else {
            // By the last seconds alone: what is answered last (the drops) takes longest.
            let left = progress.questions.saturating_sub(progress.answered) as f64;
            Phase::Sending((answered > 0).then(|| Duration::from_secs_f64((seconds * left / answered as f64).min(1e9))))
        };
        Glance { elapsed, rate, phase }
    }
}

impl Phase {
    /// In words: `12 s left`.
    pub fn words(self) -> String {
        match self {
            Self::Sending(None) => "sending".to_owned(),
            Self::Sending(Some(left)) => format!("{} left", seconds(left)),
            Self::Listening(left) => format!("listening for {} more", seconds(left)),
        }
    }
}

/// `7 s`, `3 min 05 s`, `2 h 05 min`.
pub fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        s => format!("{} h {:02} min", s / 3600, s / 60 % 60),
    }
}

/// The outcomes so far that there are any of, in the order of the contract.
pub fn outcomes(progress: &Progress) -> String {
    let some = Outcome::ALL.iter().filter(|outcome| progress.count(**outcome) > 0);
    let words: Vec<String> = some
        .map(|outcome| {
            format!("{} {}", progress.count(*outcome), outcome.as_str().replace("delivered_late", "late").replace('_', " "))
        })
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::NOTHING_YET;
    use super::*;

    #[test]
    fn the_time_left_follows_from_what_was_answered_in_the_last_seconds() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let mut pace = Pace::new(Duration::from_secs(6));
        // A resumed run: half was answered before.
        let mut progress = Progress { questions: 100, answered: 50, sent: 500, ..NOTHING_YET };
        pace.update(at(0), &progress);
        assert_eq!(pace.glance(at(1), &progress).phase, Phase::Sending(None));
        progress.answered = 75;
        progress.sent = 600;
        pace.update(at(4), &progress);
        let glance = pace.glance(at(4), &progress);
        assert_eq!(glance.phase.words(), "4 s left");
        assert!((glance.rate - 25.0).abs() < 1e-9);
        progress.listening = true;
        pace.update(at(8), &progress);
        assert_eq!(pace.glance(at(10), &progress).phase.words(), "listening for 4 s more");
        assert_eq!(pace.glance(at(100), &progress).phase.words(), "listening for 0 s more");
    }

    #[test]
    fn lengths_of_time_are_told_in_two_units_at_most() {
        let told = [0, 59, 60, 3599, 3600, 90_061].map(|s| seconds(Duration::from_secs(s)));
        assert_eq!(told, ["0 s", "59 s", "1 min 00 s", "59 min 59 s", "1 h 00 min", "25 h 01 min"]);
    }
}
