//! The simulator's policy file.

mod files;

use std::ops::Bound::{Included, Unbounded};
use std::path::Path;

use lacuna_model::policy::{Action, Condition, Network, Outage, OutageKind, Policy, Rule, Sanctions};
use lacuna_model::{AccountId, CountryCode, Duration, Location, Problem};

use crate::experiment::{accounts::Accounts, arms::venue_kind};
use crate::toml_reader::{Cursor, Document, Form, Found, Key, Problems, Shape, check};

const ACTIONS: [Action; 5] = [Action::Drop, Action::Refuse, Action::Mask, Action::Retract, Action::Hold];
const OUTAGES: [OutageKind; 3] = [OutageKind::Down, OutageKind::BlackHole, OutageKind::Deaf];

/// Reads a policy file and reports all its problems at once. There is a result only if there is no problem.
#[must_use]
pub fn load(path: &Path) -> (Option<Policy>, Vec<Problem>) {
    let problems = Problems::default();
    let policy = read(path, &problems).and_then(|loaded| loaded.policy);
    problems.finish(policy)
}

/// A policy file, and what can be checked only together with the experiment.
pub(crate) struct Loaded {
    /// `None` if there are problems.
    pub(crate) policy: Option<Policy>,
    pub(crate) sha256: String,
    /// Every account that is named, with the key and the place.
    names: Vec<(Found<String>, Location)>,
}

impl Loaded {
    /// Reports the accounts that the experiment does not have.
    pub(crate) fn check_accounts(&self, accounts: &Accounts, problems: &Problems) {
        for (name, location) in &self.names {
            if accounts.find(&name.value).is_none() {
                problems.push_with(|| Problem {
                    location: location.clone(),
                    key: name.key.clone(),
                    message: format!("the experiment has no account with the id `{}`", name.value),
                    fix: accounts.suggest(&name.value),
                });
            }
        }
    }
}

/// The keys of a policy file.
pub(crate) fn shape() -> Shape {
    Shape::new(vec![
        Key::required("schema", Form::Version(1), "the version of the file format: 1"),
        Key::required("name", Form::Name, "the policy's name"),
        Key::optional("rule", Form::Tables { of: rule_shape(), least: 0 }, "the rules; the first that acts on a message decides"),
        Key::optional(
            "file-rule",
            Form::Tables { of: files::rule_shape(&when_shape), least: 0 },
            "the rules about files; the first that acts on a message decides, behind the rules about texts",
        ),
        Key::with_default("files", Form::Table(files::files_shape()), "{}", "what happens to files that are delivered"),
        Key::with_default("network", Form::Table(network_shape()), "{}", "the network between the platform and its recipients"),
        Key::optional("sanctions", Form::Table(sanctions_shape()), "limits and punishments; without the table there are none"),
        Key::optional(
            "outage",
            Form::Tables { of: outage_shape(), least: 0 },
            "stretches of time in which something does not work",
        ),
    ])
}

fn share() -> Form {
    Form::Number((Included(0.0), Included(1.0)))
}

fn rule_shape() -> Shape {
    Shape::new(vec![
        Key::required("id", Form::Name, "names the rule in results and messages"),
        Key::required(
            "all",
            Form::some(Form::Component),
            "every component must occur in the text, in any order; overlaps are allowed",
        ),
        Key::with_default("unless", Form::list(Form::Component), "[]", "any of these disables the rule"),
        Key::with_default("when", Form::Table(when_shape()), "{}", "whom and where it concerns; all lists must hold"),
        Key::required(
            "action",
            Form::Choice { of: ACTIONS.map(Action::as_str).to_vec(), reserved: &[] },
            "what happens to the message",
        ),
        Key::optional(
            "after",
            Form::Duration,
            "how long after: for retract and hold, which need it; the other actions do not read it",
        ),
        Key::with_default("enforcement", share(), "1.0", "the share of matching messages on which it acts"),
    ])
}

fn when_shape() -> Shape {
    let key = |name, form, help| Key::with_default(name, Form::list(form), "[]", help);
    Shape::new(vec![
        key("sender-registered-in", Form::Country, "where the sender was registered"),
        key("recipient-registered-in", Form::Country, "where the recipient was registered"),
        key("sender", Form::Name, "ids of sending accounts"),
        key("recipient", Form::Name, "ids of receiving accounts"),
        key("venue", Form::choice(&["direct", "group", "feed"]), "kinds of venue"),
        key("group-has-member-registered-in", Form::Country, "the group has at least one member registered in one of these"),
    ])
}

fn network_shape() -> Shape {
    Shape::new(vec![
        Key::with_default("loss", share(), "0.0", "the share of deliveries that get lost"),
        Key::with_default(
            "burst-length",
            Form::Number((Included(1.0), Unbounded)),
            "1.0",
            "mean messages per loss burst (Gilbert–Elliott); 1 means independent losses",
        ),
        Key::with_default("delay-median", Form::Duration, "'0s'", "median of the delay"),
        Key::optional("delay-p99", Form::Duration, "99th percentile of the delay, log-normal between the two; else the median"),
        Key::with_default("duplicate", share(), "0.0", "the share of deliveries that come twice"),
        Key::with_default("reorder", share(), "0.0", "the share of deliveries that are overtaken by later ones"),
    ])
}

fn sanctions_shape() -> Shape {
    let count = || Form::Integer { least: 1, most: i64::MAX };
    Shape::new(vec![
        Key::optional("suppress-after-hits", count(), "after so many hits of an account, all it sends is silently dropped"),
        Key::optional(
            "carry-over-messages",
            count(),
            "after each hit of an account, so many of its next messages are silently dropped",
        ),
        Key::optional("suspend-after-hits", count(), "after so many hits of an account, it is suspended and told so"),
        Key::optional("messages-per-minute", count(), "messages an account may send per minute before it is told to wait"),
    ])
}

fn outage_shape() -> Shape {
    Shape::new(vec![
        Key::required("from", Form::Duration, "from when, counted from the platform's start"),
        Key::required("lasts", Form::Duration, "how long"),
        Key::required("kind", Form::Choice { of: OUTAGES.map(OutageKind::as_str).to_vec(), reserved: &[] }, "what does not work"),
        Key::with_default("accounts", Form::list(Form::Name), "[]", "for deaf: ids of accounts; empty means all"),
    ])
}

/// As [`load`], for an experiment that names the policy.
pub(crate) fn read(path: &Path, problems: &Problems) -> Option<Loaded> {
    let before = problems.len();
    let document = Document::open(path, problems)?;
    let shape = shape();
    if !check(&document, &shape, problems) {
        return None;
    }
    let root = Cursor::root(&document, &shape);
    let mut reading = Reading { names: Vec::new(), problems };
    let policy = reading.policy(&root);
    let policy = policy.filter(|_| problems.len() == before);
    Some(Loaded { policy, sha256: document.sha256.clone(), names: reading.names })
}

struct Reading<'a> {
    names: Vec<(Found<String>, Location)>,
    problems: &'a Problems,
}

impl Reading<'_> {
    fn policy(&mut self, root: &Cursor<'_>) -> Option<Policy> {
        // Every part is read before any is found wanting, so that all problems are seen.
        let rules: Vec<_> = root.tables("rule").iter().map(|table| self.rule(table)).collect();
        let outages: Vec<_> = root.tables("outage").iter().map(|table| self.outage(table)).collect();
        let problems = self.problems;
        let file_rules: Vec<_> =
            root.tables("file-rule").iter().map(|table| files::rule(table, |when| self.condition(when), problems)).collect();
        let network = self.network(&root.table("network")?);
        Some(Policy {
            name: root.text("name")?.value,
            rules: rules.into_iter().collect::<Option<_>>()?,
            network: network?,
            sanctions: root.table("sanctions").map(|table| Sanctions {
                suppress_after_hits: table.whole("suppress-after-hits"),
                carry_over_messages: table.whole("carry-over-messages"),
                suspend_after_hits: table.whole("suspend-after-hits"),
                messages_per_minute: table.whole("messages-per-minute"),
            }),
            outages: outages.into_iter().collect::<Option<_>>()?,
            file_rules: file_rules.into_iter().collect::<Option<_>>()?,
            files: files::handling(&root.table("files")?)?,
        })
    }

    fn rule(&mut self, table: &Cursor<'_>) -> Option<Rule> {
        let when = table.table("when").map(|when| self.condition(&when));
        let action = table.text("action");
        let action = ACTIONS.into_iter().find(|known| action.as_ref().is_some_and(|action| action.value == known.as_str()))?;
        let deferred = matches!(action, Action::Retract | Action::Hold);
        if deferred && !table.has("after") {
            let message = format!("`after` is missing: `{}` happens some time after", action.as_str());
            table.report_missing(&message, "add `after = \"5s\"`", self.problems);
        }
        // The contract lets the key stand with any action; only these two read it.
        let after = if deferred { table.duration("after")?.value } else { Duration::ZERO };
        Some(Rule {
            id: table.text("id")?.value,
            all: table.texts("all").into_iter().map(|text| text.value).collect(),
            unless: table.texts("unless").into_iter().map(|text| text.value).collect(),
            when: when?,
            action,
            after,
            enforcement: table.number("enforcement")?,
        })
    }

    fn condition(&mut self, table: &Cursor<'_>) -> Condition {
        Condition {
            sender_registered_in: countries(table, "sender-registered-in"),
            recipient_registered_in: countries(table, "recipient-registered-in"),
            sender: self.accounts(table, "sender"),
            recipient: self.accounts(table, "recipient"),
            venue: table.texts("venue").iter().filter_map(|venue| venue_kind(&venue.value)).collect(),
            group_has_member_registered_in: countries(table, "group-has-member-registered-in"),
        }
    }

    fn accounts(&mut self, table: &Cursor<'_>, key: &str) -> Vec<AccountId> {
        let names = table.texts(key);
        let ids = names.iter().map(|name| AccountId::new(name.value.as_str())).collect();
        self.names.extend(names.into_iter().map(|name| {
            let location = table.location(&name);
            (name, location)
        }));
        ids
    }

    fn network(&self, table: &Cursor<'_>) -> Option<Network> {
        let median = table.duration("delay-median");
        let p99 = table.duration("delay-p99");
        if let (Some(median), Some(p99)) = (&median, &p99)
            && p99.value < median.value
        {
            let message = format!("{} is less than the median of {}", p99.value, median.value);
            table.report(p99, &message, "give the delay that 99 of 100 messages do not exceed", self.problems);
        }
        let median = median?.value;
        Some(Network {
            loss: table.number("loss")?,
            burst_length: table.number("burst-length")?,
            delay_median: median,
            delay_p99: p99.map_or(median, |p99| p99.value),
            duplicate: table.number("duplicate")?,
            reorder: table.number("reorder")?,
        })
    }

    fn outage(&mut self, table: &Cursor<'_>) -> Option<Outage> {
        let accounts = self.accounts(table, "accounts");
        let kind = table.text("kind");
        let kind = OUTAGES.into_iter().find(|known| kind.as_ref().is_some_and(|kind| kind.value == known.as_str()))?;
        if kind != OutageKind::Deaf && !accounts.is_empty() {
            let message = format!("`{}` concerns everybody", kind.as_str());
            table.report(&table.key("accounts"), &message, "leave `accounts` out, or use kind = \"deaf\"", self.problems);
        }
        let lasts = table.duration("lasts")?;
        if lasts.value == Duration::ZERO {
            table.report(&lasts, "an outage of no length is none", "give a length, or take the outage out", self.problems);
        }
        Some(Outage { from: table.duration("from")?.value, lasts: lasts.value, kind, accounts })
    }
}

fn countries(table: &Cursor<'_>, key: &str) -> Vec<CountryCode> {
    table.texts(key).iter().filter_map(|code| code.value.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::experiment::tests::{data, shown};

    #[test]
    fn every_key() {
        let (policy, problems) = load(&data("good/policies/every-key.toml"));
        assert_eq!(shown(&problems), "");
        insta::assert_debug_snapshot!(policy.unwrap());
    }

    #[test]
    fn a_file_with_problems_is_no_policy() {
        let (policy, problems) = load(&data("bad/policy.toml"));
        assert!(policy.is_none());
        // Which accounts there are, only the experiment knows.
        assert!(problems.len() > 20 && !shown(&problems).contains("has no account"), "{}", shown(&problems));
    }

    #[test]
    fn nothing_but_a_name_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        std::fs::write(&path, "schema = 1\nname = \"open\"\n").unwrap();
        let expected = Policy { name: "open".to_owned(), ..Policy::default() };
        assert_eq!(load(&path), (Some(expected), Vec::new()));
    }
}
