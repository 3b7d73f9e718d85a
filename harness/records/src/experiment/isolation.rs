//! What an experiment isolates, and which of its keys contradict that.

use lacuna_model::study::DesignKind;

use crate::toml_reader::{Cursor, Problems};

/// In what the words to blame are looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Isolates {
    /// In nothing.
    Nothing,
    /// In the texts of `design = "isolate"`.
    Texts,
    /// In what a screen finds to be dropped: `[then] isolate`.
    Findings,
}

impl Isolates {
    /// What the file says, with its contradictions reported.
    pub(crate) fn read(root: &Cursor<'_>, problems: &Problems) -> Self {
        let design = root.text("design").filter(|design| design.value == DesignKind::Isolate.as_str());
        let then = root.table("then").filter(|then| then.has("isolate"));
        let hands_over = then.as_ref().and_then(|then| then.boolean("isolate")).is_some_and(|isolate| isolate.value);
        let isolates = match design {
            Some(_) => Self::Texts,
            None if hands_over => Self::Findings,
            None => Self::Nothing,
        };
        if let (Self::Texts, Some(then)) = (isolates, &then) {
            let message = "the design isolates already, and nothing follows it";
            then.report(&then.key("isolate"), message, "leave it out", problems);
        }
        if let Some(decision) = root.table("decision").filter(|_| isolates != Self::Nothing) {
            let pools = || decision.text("pooling").is_some_and(|pooling| pooling.value == "auto");
            if isolates == Self::Texts && decision.has("pooling") && pools() {
                let message = "texts are not pooled: what shares a message with one would be held against its words";
                decision.report(&decision.key("pooling"), message, "leave it out, or write \"off\"", problems);
            }
            if decision.has("replicates") {
                let message = "isolating chooses each question by the answers so far, and a fixed number of sends does not";
                let fix = "leave it out, or make an experiment of its own that isolates";
                decision.report(&decision.key("replicates"), message, fix, problems);
            }
        }
        if let Some(corpora) = root.table("corpora").filter(|_| isolates == Self::Nothing)
            && !corpora.texts("rules").is_empty()
        {
            let fix = "leave it out, or isolate: design = \"isolate\", or isolate = true under [then]";
            corpora.report(&corpora.key("rules"), "nothing is isolated, so that no rule is looked for", fix, problems);
        }
        isolates
    }

    /// The design.
    pub(crate) fn design(self) -> DesignKind {
        if self == Self::Texts { DesignKind::Isolate } else { DesignKind::Screen }
    }
}
