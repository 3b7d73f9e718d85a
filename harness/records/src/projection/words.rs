//! The words of the tables, and what each means.

use lacuna_model::{ChangeKind, ChangeReason, MatchedBy, Outcome, Purpose, Reason, SendState, Signal, Verdict};

/// Words that belong together: a column holds some of them.
pub(super) struct Vocabulary {
    /// What they are called.
    pub name: &'static str,
    /// Each word, and what it means.
    pub words: Vec<(&'static str, &'static str)>,
}

/// Which words a column holds. Columns of one name hold the same words in all tables, except where it is said here.
pub(super) fn vocabulary(table: &str, column: &str) -> Option<Vocabulary> {
    macro_rules! of {
        ($name:literal, $type:ty) => {
            Vocabulary { name: $name, words: <$type>::ALL.iter().map(|it| (it.as_str(), it.meaning())).collect() }
        };
    }
    let written = |name, words: &[(&'static str, &'static str)]| Vocabulary { name, words: words.to_vec() };
    Some(match (table, column) {
        (_, "verdict") => of!("Verdicts", Verdict),
        ("changes", "reason") => of!("Reasons of a comparison", ChangeReason),
        (_, "change" | "ended_by") => of!("Changes", ChangeKind),
        ("changes", "old_verdict" | "new_verdict") => of!("Verdicts", Verdict),
        (_, "reason") => of!("Reasons", Reason),
        (_, "outcome" | "first_outcome") => of!("Outcomes", Outcome),
        (_, "matched_by") => of!("Recognition", MatchedBy),
        (_, "purpose") => of!("Purposes", Purpose),
        (_, "send_state") => of!("Hand-overs", SendState),
        (_, "signal") => of!("Signals", Signal),
        (_, "role") => written("Roles", &ROLES),
        (_, "venue") => written("Venues", &VENUES),
        (_, "content_kind") => written("Contents", &CONTENTS),
        ("received", "event") => written("Events at a recipient", &RECEIVED_EVENTS),
        ("accounts", "event") => written("Events of an account", &ACCOUNT_EVENTS),
        (_, "file_state") => written("States of a file", &FILE_STATES),
        (_, "layer") => written("Layers", &LAYERS),
        (_, "mechanism") => written("Mechanisms", &MECHANISMS),
        (_, "supported") => written("Support", &SUPPORT),
        (_, "grayscale") => written("Shades of grey", &GRAYS),
        ("exposures", "kind") => written("Trials", &TRIALS),
        (_, "factor") => written("Factors", &FACTORS),
        (_, "scope") => written("Scopes", &SCOPES),
        (_, "measure") => written("Measures", &MEASURES),
        (_, "component_role") => written("Roles of a component", &COMPONENT_ROLES),
        (_, "matching") => written("Matching", &MATCHING),
        (_, "status") => written("States of a rule", &RULE_STATES),
        _ => return None,
    })
}

type Words<const N: usize> = [(&'static str, &'static str); N];

const ROLES: Words<3> = [
    ("control", "A neutral item, by which a path is known to be alive."),
    ("candidate", "An item under test."),
    ("canary", "An item known to be dropped, by which a filter is known to act."),
];

const VENUES: Words<3> = [
    ("direct", "A conversation of two accounts."),
    ("group", "A group: one message reaches all recipients."),
    ("feed", "A feed that the recipients read."),
];

const CONTENTS: Words<3> = [("text", "Text alone."), ("image", "A picture."), ("document", "A document.")];

const RECEIVED_EVENTS: Words<5> = [
    ("message", "A message arrived."),
    ("edit", "A message was changed afterwards."),
    ("retraction", "A message was taken away."),
    ("notice", "The platform told the account something."),
    ("echo", "The platform showed a sender its own message."),
];

const ACCOUNT_EVENTS: Words<6> = [
    ("connected", "Logged in and listening."),
    ("disconnected", "The session is gone; the adapter tries to get it back."),
    ("sanctioned", "The platform limited, suspended or logged out the account."),
    ("gap", "The account may have missed messages."),
    ("suppressed", "Inferred: nothing that it sends arrives any more."),
    ("carry_over", "Inferred: what it sends right behind a message that the platform acted on goes missing."),
];

const FILE_STATES: Words<4> = [
    ("intact", "Its own bytes."),
    ("reencoded", "It looks the same, in other bytes."),
    ("replaced", "The file of another item came instead."),
    ("unknown", "Nothing that was sent: neither its bytes nor its look."),
];

const LAYERS: Words<2> =
    [("enforcement", "What acts on a message."), ("analysis", "What finds a file sensitive and feeds the index of hashes.")];

const MECHANISMS: Words<7> = [
    ("hash_index", "An index of file hashes."),
    ("text", "The text in the file."),
    ("visual", "What the file looks like."),
    ("metadata", "The file's metadata."),
    ("filename", "The file's name."),
    ("none", "Nothing acts."),
    ("undetermined", "Not written by this version."),
];

const SUPPORT: Words<3> = [("true", "It suffices."), ("false", "It does not."), ("undetermined", "The answers do not say.")];

const GRAYS: Words<3> = [
    ("luminosity", "The weighted mean of red, green and blue (299 : 587 : 114)."),
    ("average", "Their mean."),
    ("lightness", "The mean of the largest and the smallest of them."),
];

const TRIALS: Words<4> = [
    ("exposed", "The harmless twin of what was shown outside."),
    ("unexposed", "The harmless twin of what was never shown."),
    ("harmless", "Half of a harmless pair."),
    ("learning", "A sensitive file of its own."),
];

const FACTORS: Words<5> = [
    ("recipient_registered_in", "Where the recipient was registered."),
    ("sender_registered_in", "Where the sender was registered."),
    ("recipient_located_in", "Where the recipient connects from."),
    ("sender_located_in", "Where the sender connects from."),
    ("venue", "The kind of place."),
];

const SCOPES: Words<2> =
    [("region", "Two accounts or more on each side agree."), ("account_pair", "It is about these accounts only.")];

const MEASURES: Words<2> = [
    ("items", "Items with a conclusion."),
    ("sends", "Sends that could have arrived, where their number was fixed (replicates)."),
];

const COMPONENT_ROLES: Words<2> =
    [("required", "All of these together are blocked."), ("extenuating", "All of one such combination together lift the block.")];

const MATCHING: Words<3> = [
    ("any_order", "The components block in any order."),
    ("ordered", "They block in the order of the text; reversed they arrived."),
    ("adjacent", "One component of several words, as written; apart they arrived."),
];

const RULE_STATES: Words<3> = [
    ("certified", "The combination alone is blocked, to the error rates of the experiment, and every component is needed."),
    ("candidate", "Found, and short of that evidence."),
    ("undecided", "Something in the text is blocked, and the search could not say what."),
];
