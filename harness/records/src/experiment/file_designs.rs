//! `[mechanism]` and `[exposure]`, and what these designs ask of an experiment.

use std::collections::BTreeSet;

use lacuna_inference::exposure::{Trials, UNEXPOSED_TO_ARRIVE};
use lacuna_inference::mechanism::cases;
use lacuna_model::study::{DesignKind, ExposureRule, MechanismRule};
use lacuna_model::{AccountIx, Arm, ArmIx, Duration, Study};

use super::accounts::Accounts;
use super::arms::Arms;
use crate::toml_reader::{Cursor, Form, Key, Problems, Shape};

pub(super) fn mechanism_shape() -> Shape {
    Shape::new(vec![
        Key::with_default(
            "wait",
            Form::Duration,
            "'10min'",
            "how long the platform is given to look at a file before the same bytes are sent again; a filter that takes longer is taken for none",
        ),
        Key::with_default(
            "max-messages-per-item",
            Form::Integer { least: 2, most: i64::from(u32::MAX) },
            "40",
            "how many messages about one original an arm may take",
        ),
    ])
}

pub(super) fn exposure_shape() -> Shape {
    Shape::new(vec![
        Key::required(
            "outside",
            Form::Name,
            "the arm on which sensitive files are shown: none of its accounts is registered inside",
        ),
        Key::required("inside", Form::Name, "the arm on which their harmless twins are sent"),
        Key::with_default(
            "delays",
            Form::some(Form::Duration),
            "['30s', '1min', '2min', '5min', '10min', '30min']",
            "after how long twins are sent; the longest decides, the others find how long the platform takes to learn",
        ),
        Key::with_default(
            "max-pairs",
            Form::Integer { least: 3, most: i64::from(u32::MAX) },
            "30",
            "how many pairs are exposed at most",
        ),
    ])
}

/// The designs that ask about files, and their keys.
pub(super) struct FileDesigns {
    pub(super) mechanism: Option<MechanismRule>,
    pub(super) exposure: Option<ExposureRule>,
}

impl FileDesigns {
    /// The design, where it is one of them.
    pub(super) const fn kind(&self) -> Option<DesignKind> {
        match (&self.mechanism, &self.exposure) {
            (Some(_), _) => Some(DesignKind::Mechanism),
            (None, Some(_)) => Some(DesignKind::Exposure),
            (None, None) => None,
        }
    }

    /// What the file says, with its contradictions reported.
    pub(super) fn read(root: &Cursor<'_>, accounts: &Accounts, arms: &Arms, problems: &Problems) -> Self {
        let written = root.text("design");
        let is = |design: DesignKind| written.as_ref().is_some_and(|written| written.value == design.as_str());
        for design in [DesignKind::Mechanism, DesignKind::Exposure] {
            if !is(design) && root.has(design.as_str()) {
                let message = format!("the design is not `{}`", design.as_str());
                let fix = format!("leave the table out, or write design = \"{}\"", design.as_str());
                root.report(&root.key(design.as_str()), &message, &fix, problems);
            }
        }
        if (is(DesignKind::Mechanism) || is(DesignKind::Exposure))
            && let Some(decision) = root.table("decision")
            && decision.has("replicates")
        {
            let message = "which file is sent next depends on the answers so far, and a fixed number of sends does not";
            decision.report(&decision.key("replicates"), message, "leave it out", problems);
        }
        let mechanism = root.table("mechanism").filter(|_| is(DesignKind::Mechanism));
        let exposure = root.table("exposure").filter(|_| is(DesignKind::Exposure));
        if is(DesignKind::Exposure) && !root.has("exposure") {
            let fix = "add a table [exposure] with `outside` and `inside`";
            root.report_missing("`exposure` is missing: it names the two arms", fix, problems);
        }
        Self {
            mechanism: mechanism.and_then(|table| {
                let wait = table.duration("wait")?.value;
                Some(MechanismRule { wait, max_messages_per_item: table.whole("max-messages-per-item")? })
            }),
            exposure: exposure.filter(|_| root.has("exposure")).and_then(|table| exposed(&table, accounts, arms, problems)),
        }
    }
}

fn exposed(table: &Cursor<'_>, accounts: &Accounts, arms: &Arms, problems: &Problems) -> Option<ExposureRule> {
    let arm = |key: &str| -> Option<(ArmIx, &Arm)> {
        let written = table.text(key)?;
        let found = (0..).map(ArmIx).zip(&arms.list).find(|(_, arm)| arm.id.as_str() == written.value);
        if found.is_none() {
            let message = format!("the experiment has no arm with the id `{}`", written.value);
            table.report(&written, &message, "name one of its arms", problems);
        }
        found
    };
    let delays = table.durations("delays");
    let lengths: Vec<Duration> = delays.iter().map(|delay| delay.value).collect();
    if let Some(place) = lengths.windows(2).position(|pair| pair[1] <= pair[0]) {
        table.report(
            &delays[place + 1],
            "is not longer than the delay before it",
            "write the delays in ascending order",
            problems,
        );
    }
    let (outside, inside) = (arm("outside"), arm("inside"));
    let (outside, inside) = (outside?, inside?);
    let registered = |account: &AccountIx| accounts.list.get(account.get()).map(|account| account.registered_in);
    let within: BTreeSet<_> = inside.1.recipients.iter().filter_map(registered).collect();
    let members = outside.1.senders.iter().chain(&outside.1.recipients);
    if let Some(account) = members.clone().find(|account| registered(account).is_some_and(|country| within.contains(&country))) {
        let id = accounts.list.get(account.get()).map_or("", |account| account.id.as_str());
        let message = format!("`{id}` on this arm is registered where a recipient inside is");
        let fix = "let nobody on the arm outside be registered where recipients inside are";
        table.report(&table.key("outside"), &message, fix, problems);
    }
    let max_pairs = table.whole("max-pairs")?;
    Some(ExposureRule { outside: outside.0, inside: inside.0, delays: lengths, max_pairs })
}

/// Whether the corpora have what the design asks for; said where they are listed.
pub(super) fn check(study: &Study, corpora: &Cursor<'_>, problems: &Problems) {
    let report = |message: &str, fix: &str| corpora.report(&corpora.key("candidates"), message, fix, problems);
    if study.mechanism.is_some() {
        let cases = cases(study);
        if cases.is_empty() {
            report("there is no file whose mechanism could be asked", "list a corpus with pictures or documents");
        } else if let Some(case) = cases.iter().find(|case| case.files().next().is_none()) {
            let paths = 1 + cases.iter().map(|case| case.route).max().unwrap_or(0);
            let message = format!(
                "`{}` has no copy left for arm `{}`: no hash is sent on two of the {paths} paths",
                study.item(case.base).id.as_str(),
                study.arm(case.arm).id.as_str()
            );
            report(&message, &format!("make more of each: `lacuna corpus transform --variants {}`", 4 * paths));
        } else if cases.iter().all(|case| case.files().count() == 1) {
            let fix = "list what `lacuna corpus transform --battery mechanism` makes of it";
            report("there are originals, and nothing that was made of them", fix);
        }
    }
    if study.exposure.is_some() {
        let trials = Trials::of(study);
        let wanted = [
            (trials.pairs.len(), 3, "pairs of a sensitive file and a harmless one with its MD5"),
            (trials.unexposed.len(), UNEXPOSED_TO_ARRIVE, "pairs of which nothing is shown (every fifth pair is one)"),
            (trials.harmless.len(), 1, "pairs of two harmless files with one MD5"),
            (trials.singles.len(), 1, "sensitive files of their own"),
        ];
        for (found, least, what) in wanted {
            if found < least {
                let message = format!("there are {found} {what}, and it takes {least}");
                let fix = "mark sensitive files with expected = dropped, and twins with same_md5_as; `lacuna corpus collide` makes pairs";
                report(&message, fix);
            }
        }
    }
}
