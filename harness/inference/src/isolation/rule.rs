//! A combination that was found, and what is still owed for its certificate.

use super::breaking::Component;
use super::memo::{Answers, Memo};
use super::report::Matching;
use super::text::{Span, Text};

/// How many answers prove something, to the error rate asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Enough {
    /// Drops that prove a question to hit, against loss.
    pub(crate) dropped: u32,
    /// Deliveries that prove it not to, against a filter that lets some messages through.
    pub(crate) delivered: u32,
}

/// A rule in the text.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// Its components in the order of the text.
    pub(crate) components: Vec<Span>,
    /// Answers to the components in the reverse order.
    pub(crate) reversed: Answers,
    /// Combinations that lift it.
    pub(crate) unless: Vec<Vec<Span>>,
    /// Questions asked when it was found.
    pub(crate) messages: u32,
    /// Whether a smaller one inside it was sought.
    pub(crate) refined: bool,
}

impl Rule {
    pub(crate) fn new(mut components: Vec<Span>, messages: u32) -> Self {
        components.sort();
        components.dedup();
        Self { components, reversed: Answers::default(), unless: Vec::new(), messages, refined: false }
    }

    pub(crate) fn ids(&self, text: &Text) -> Vec<Component> {
        self.components.iter().map(|span| text.ids(*span).to_vec()).collect()
    }

    /// The combination with one component cut at both ends, so that neither it nor anything longer than its parts is left.
    pub(crate) fn without(&self, component: usize) -> Vec<Span> {
        let mut question = Vec::new();
        for (at, span) in self.components.iter().enumerate() {
            if at == component {
                question.push(Span::new(span.start, span.end - 1));
                question.push(Span::new(span.start + 1, span.end));
            } else {
                question.push(*span);
            }
        }
        question.retain(|span| !span.is_empty());
        question
    }

    pub(crate) fn backwards(&self) -> Vec<Span> {
        self.components.iter().rev().copied().collect()
    }

    /// Times that the combination was dropped alone, in either order.
    pub(crate) fn dropped_alone(&self, memo: &Memo) -> u32 {
        memo.of(&self.components).dropped + if self.reversed.delivered == 0 { self.reversed.dropped } else { 0 }
    }

    /// Whether something delivered shows that a component is needed as it is.
    pub(crate) fn needs(&self, component: usize, memo: &Memo, proof: u32) -> bool {
        let question = self.without(component);
        // Nothing at all blocks nothing.
        question.is_empty() || memo.delivered_around(&question, proof)
    }

    /// Whether that is shown for each component.
    pub(crate) fn is_minimal(&self, memo: &Memo, enough: Enough) -> bool {
        (0..self.components.len()).all(|at| self.needs(at, memo, enough.delivered))
    }

    pub(crate) fn certified(&self, memo: &Memo, enough: Enough) -> bool {
        self.is_minimal(memo, enough) && self.dropped_alone(memo) >= enough.dropped
    }

    pub(crate) fn ordered(&self) -> bool {
        self.reversed.delivered > 0
    }

    /// Whether the reverse order has said what it can.
    pub(crate) fn order_is_known(&self, enough: Enough) -> bool {
        self.reversed.delivered >= enough.delivered || self.reversed.dropped >= enough.dropped
    }

    pub(crate) fn matching(&self, text: &Text, enough: Enough) -> Matching {
        match self.components.as_slice() {
            [one] if text.inner_borders(*one) > 0 => Matching::Adjacent,
            [] | [_] => Matching::AnyOrder,
            _ if self.reversed.dropped >= enough.dropped => Matching::AnyOrder,
            _ if self.reversed.delivered >= enough.delivered => Matching::Ordered,
            _ => Matching::Unknown,
        }
    }

    /// Whether fragments of the text hold the whole combination.
    pub(crate) fn is_in(&self, text: &Text, fragments: &[Span]) -> bool {
        if self.ordered() {
            let mut rest: Vec<Span> = fragments.to_vec();
            return self.components.iter().all(|component| {
                let wanted = text.ids(*component);
                while let Some(piece) = rest.first().copied() {
                    if let Some(at) = position(text.ids(piece), wanted) {
                        rest[0].start += super::text::u32_of(at + wanted.len());
                        return true;
                    }
                    rest.remove(0);
                }
                false
            });
        }
        all_in(text, &self.components, fragments)
    }
}

/// Whether fragments of the text hold all components.
pub(crate) fn all_in(text: &Text, components: &[Span], fragments: &[Span]) -> bool {
    components.iter().all(|component| fragments.iter().any(|piece| position(text.ids(*piece), text.ids(*component)).is_some()))
}

fn position(text: &[u32], wanted: &[u32]) -> Option<usize> {
    if wanted.is_empty() || wanted.len() > text.len() {
        return None;
    }
    text.windows(wanted.len()).position(|window| window == wanted)
}
