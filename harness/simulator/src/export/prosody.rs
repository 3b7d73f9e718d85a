//! A policy as a script of `mod_firewall` for Prosody.
//!
//! Registration regions are virtual hosts: an account registered in CN has an address at the host that stands for CN.
//!
//! Where a rule goes follows from where the facts are known. `::preroute` sees a message as its sender's server takes it in,
//! with both addresses of a conversation, but of a group only the sender's and the room's. `::deliver` sees it once for each
//! recipient, in a group from the room, so that the sender is no longer known. Therefore what concerns conversations, and what
//! concerns groups by their sender, goes into `::preroute` in the order of the policy; what concerns groups by their
//! recipient goes into `::deliver`, and the sender still sees its own message. The rules of `::deliver` thus come after all
//! others. That makes a difference only where a `drop` by recipient stands before a `refuse` that meets the same text in the
//! same group, and every recipient is covered by the `drop`: there the sender is told.
//!
//! What `mod_firewall` cannot do is reported, all of it at once, and never left out in silence.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use lacuna_model::policy::{Action, Condition, Enforces, FileHandling, FileRule, Finds, Network, Policy, Rule};
use lacuna_model::{AccountId, CountryCode, Location, Problem, VenueKind};

/// What a refused sender is told.
const BOUNCE: &str = "BOUNCE=policy-violation (The message could not be sent because its content is not allowed here.)";

/// `mod_firewall` keeps each condition that occurs twice in a chain in a local variable of one Lua function, which has at
/// most 200; some are its own.
const MOST_REPEATED_CONDITIONS: usize = 180;

/// A message that is about a file (XEP-0066).
const FILE_LINK: &str = "INSPECT: {jabber:x:oob}x/url#";

/// Blocks of one rule: one for each choice of addresses.
const MOST_BLOCKS: usize = 1_000;

/// Who is where on the server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Addresses {
    /// The virtual host that stands for a registration region, in lower case.
    pub hosts: BTreeMap<CountryCode, String>,
    /// The address of an account, `node@host` in lower case; needed for the accounts that rules name.
    pub accounts: BTreeMap<AccountId, String>,
}

/// A policy as a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script {
    /// The script, for `firewall_scripts`.
    pub text: String,
    /// Tables of the policy that are the simulator's own and are not in the script: `network`, `sanctions`, `outage`, `files`.
    pub left_out: Vec<&'static str>,
}

/// Writes the rules of a policy. The problems name no file; that is for the caller, who read the policy.
pub fn script(policy: &Policy, addresses: &Addresses) -> Result<Script, Vec<Problem>> {
    let mut export = Export { addresses, problems: Vec::new(), preroute: Vec::new(), deliver: Vec::new() };
    export.check_addresses();
    for rule in &policy.rules {
        export.rule(rule);
    }
    for rule in &policy.file_rules {
        export.file_rule(rule);
    }
    export.check_size();
    if !export.problems.is_empty() {
        return Err(export.problems);
    }

    let mut text = format!("# The policy \"{}\" as rules of mod_firewall.\n", policy.name.escape_debug());
    for (chain, blocks) in [("preroute", &export.preroute), ("deliver", &export.deliver)] {
        if !blocks.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n::{chain}\n");
        }
        for block in blocks {
            let _ = write!(text, "\n# rule \"{}\"\n", block.rule.escape_debug());
            for line in &block.conditions {
                let _ = writeln!(text, "{line}");
            }
            let _ = writeln!(text, "{}", block.action);
        }
    }
    let left_out = [
        ("network", policy.network != Network::default()),
        ("sanctions", policy.sanctions.is_some()),
        ("outage", !policy.outages.is_empty()),
        ("files", policy.files != FileHandling::default()),
    ];
    Ok(Script { text, left_out: left_out.into_iter().filter(|(_, is_used)| *is_used).map(|(table, _)| table).collect() })
}

/// One rule of `mod_firewall`.
struct Block {
    rule: String,
    conditions: Vec<String>,
    action: &'static str,
}

/// A rule, whatever it is about.
struct Written<'a> {
    id: &'a str,
    key: String,
    /// So many problems there were before it.
    before: usize,
    /// The lines on what a message says; any of them.
    contents: Vec<Vec<String>>,
    when: &'a Condition,
    action: Action,
    enforcement: f64,
}

struct Export<'a> {
    addresses: &'a Addresses,
    problems: Vec<Problem>,
    preroute: Vec<Block>,
    deliver: Vec<Block>,
}

impl Export<'_> {
    fn problem(&mut self, key: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) {
        let location = Location::default();
        self.problems.push(Problem { location, key: key.into(), message: message.into(), fix: fix.into() });
    }

    /// Addresses must be such that they stand in the script for themselves.
    fn check_addresses(&mut self) {
        let mut taken: HashMap<&str, CountryCode> = HashMap::new();
        for (&region, host) in &self.addresses.hosts {
            if !is_host(host) {
                let message = format!("`{}` is no host name in lower case", host.escape_debug());
                self.problem(format!("host.{region}"), message, "");
            }
            if let Some(other) = taken.insert(host, region) {
                let message = format!("the host `{}` stands for {other} as well", host.escape_debug());
                self.problem(format!("host.{region}"), message, "give each region a virtual host of its own");
            }
        }
        for (account, address) in &self.addresses.accounts {
            if !is_address(address) {
                let message = format!("`{}` is no address `node@host` in lower case", address.escape_debug());
                self.problem(format!("address.{account}"), message, "");
            }
        }
    }

    fn check_size(&mut self) {
        for chain in ["preroute", "deliver"] {
            let blocks = if chain == "preroute" { &self.preroute } else { &self.deliver };
            let mut seen = BTreeSet::new();
            let conditions =
                blocks.iter().flat_map(|block| &block.conditions).map(|line| line.strip_prefix("NOT ").unwrap_or(line));
            let repeated: BTreeSet<&str> = conditions.filter(|condition| !seen.insert(*condition)).collect();
            let repeated = repeated.len();
            if repeated > MOST_REPEATED_CONDITIONS {
                let message = format!(
                    "in ::{chain} {repeated} conditions would occur more than once, and mod_firewall compiles at most \
                     {MOST_REPEATED_CONDITIONS}"
                );
                self.problem("rule", message, "split the policy over several servers, or name fewer regions and accounts a rule");
            }
        }
    }

    fn rule(&mut self, rule: &Rule) {
        let key = format!("rule.{}", rule.id);
        let before = self.problems.len();
        let contents = vec![self.content(rule, &key)];
        let Rule { id, when, action, enforcement, .. } = rule;
        self.write(&Written { id, key, before, contents, when, action: *action, enforcement: *enforcement });
    }

    /// A server sees of a file its address, which ends with its name. What is in it would take a look at the file.
    fn file_rule(&mut self, rule: &FileRule) {
        let key = format!("file-rule.{}", rule.id);
        let before = self.problems.len();
        let Finds { md5, text, gray: _, similar_to, metadata, filename } = &rule.finds;
        for (name, is_used) in [
            ("md5", !md5.is_empty()),
            ("text", !text.is_empty()),
            ("similar-to", !similar_to.is_empty()),
            ("metadata", !metadata.is_empty()),
        ] {
            if is_used {
                self.problem(format!("{key}.{name}"), "mod_firewall does not look into files", "use `filename` alone");
            }
        }
        if rule.enforces == Enforces::Index {
            let message = "mod_firewall keeps no index of hashes";
            self.problem(format!("{key}.enforces"), message, "use enforces = \"at-once\"");
        }
        if filename.iter().any(String::is_empty) {
            self.problem(format!("{key}.filename"), "the empty word is in every name", "take it out");
        }
        let content = |word: &String| vec![FILE_LINK.to_owned(), format!("INSPECT: body#~={}", at_the_end(word))];
        let contents = filename.iter().map(content).collect();
        let FileRule { id, when, action, enforcement, .. } = rule;
        self.write(&Written { id, key, before, contents, when, action: *action, enforcement: *enforcement });
    }

    fn write(&mut self, rule: &Written<'_>) {
        let Written { key, before, .. } = rule;
        let action = match rule.action {
            Action::Drop => "DROP.",
            Action::Refuse => BOUNCE,
            Action::Mask | Action::Retract | Action::Hold => {
                let message = format!("mod_firewall cannot {} a message", rule.action.as_str());
                self.problem(format!("{key}.action"), message, "use `drop` or `refuse`");
                ""
            }
        };
        if rule.enforcement < 1.0 {
            let message = format!("mod_firewall has no chance: it cannot act on a share of {} of the messages", rule.enforcement);
            self.problem(format!("{key}.enforcement"), message, "use 1.0");
        }
        let when = format!("{key}.when");
        let condition = rule.when;
        let senders = self.parties("FROM", &condition.sender, &condition.sender_registered_in, &when);
        let recipients = self.parties("TO", &condition.recipient, &condition.recipient_registered_in, &when);

        if !condition.group_has_member_registered_in.is_empty() {
            let message = "mod_firewall does not know who is in a group";
            self.problem(format!("{when}.group-has-member-registered-in"), message, "use recipient-registered-in");
        }
        if condition.venue.contains(&VenueKind::Feed) {
            self.problem(format!("{when}.venue"), "there are no feeds on this server", "use \"direct\" and \"group\"");
        }
        let holds_in = |kind| condition.venue.is_empty() || condition.venue.contains(&kind);
        let is_conditional = |choices: &[Vec<String>]| choices.iter().any(|lines| !lines.is_empty());
        let (is_by_sender, is_by_recipient) = (is_conditional(&senders), is_conditional(&recipients));
        if holds_in(VenueKind::Group) && is_by_recipient {
            if is_by_sender {
                let message = "in a group mod_firewall knows the sender or the recipient of a message, never both";
                self.problem(&when, message, "use venue = [\"direct\"], or a condition on one side only");
            }
            if rule.action == Action::Refuse {
                let message = "in a group mod_firewall learns who receives a message only after it was taken";
                self.problem(&when, message, "use venue = [\"direct\"], action = \"drop\", or no condition on the recipient");
            }
        }
        if senders.len() * recipients.len() * rule.contents.len() > MOST_BLOCKS {
            let message = format!("the rule has more than {MOST_BLOCKS} combinations of senders, recipients and words");
            self.problem(&when, message, "name fewer accounts and regions");
        }
        if self.problems.len() > *before {
            return;
        }

        // Conversations, and groups where the recipient does not matter, are decided together before routing.
        let is_late_in_groups = is_by_recipient && holds_in(VenueKind::Group);
        let early: &[&str] = match (holds_in(VenueKind::Direct), holds_in(VenueKind::Group) && !is_late_in_groups) {
            (true, true) => &["TYPE: chat|normal|groupchat"],
            (true, false) => &["TYPE: chat|normal"],
            (false, true) => &["TYPE: groupchat"],
            (false, false) => &[],
        };
        for from in &senders {
            for to in &recipients {
                for content in &rule.contents {
                    let block = |kind: &str| Block {
                        rule: rule.id.to_owned(),
                        conditions: ["KIND: message", kind]
                            .into_iter()
                            .map(str::to_owned)
                            .chain(from.iter().chain(to).chain(content).cloned())
                            .collect(),
                        action,
                    };
                    self.preroute.extend(early.iter().map(|kind| block(kind)));
                    if is_late_in_groups {
                        self.deliver.push(block("TYPE: groupchat"));
                    }
                }
            }
        }
    }

    /// The lines on what a message says.
    fn content(&mut self, rule: &Rule, key: &str) -> Vec<String> {
        // Any text at all: chat states, receipts and the like are messages without one.
        let mut lines = if rule.all.is_empty() { vec!["INSPECT: body#".to_owned()] } else { Vec::new() };
        for (name, prefix, components) in [("all", "", &rule.all), ("unless", "NOT ", &rule.unless)] {
            for component in components {
                match substring(component) {
                    Ok(comparison) => lines.push(format!("{prefix}INSPECT: body#{comparison}")),
                    Err(message) => {
                        let message = format!("`{}` {message}", component.escape_debug());
                        self.problem(format!("{key}.{name}"), message, "choose a component without it");
                    }
                }
            }
        }
        lines
    }

    /// For each choice of an account and a region, the lines that hold for it. No condition at all is one choice without
    /// lines.
    fn parties(&mut self, side: &str, accounts: &[AccountId], regions: &[CountryCode], when: &str) -> Vec<Vec<String>> {
        let mut by_account = vec![Vec::new()];
        if !accounts.is_empty() {
            by_account.clear();
            for account in accounts {
                match self.addresses.accounts.get(account) {
                    Some(address) => by_account.push(vec![format!("{side}: {address}")]),
                    None => self.problem(when, format!("the address of account `{account}` is not known"), "state it"),
                }
            }
        }
        if regions.is_empty() {
            return by_account;
        }
        let mut both = Vec::new();
        for region in regions {
            let Some(host) = self.addresses.hosts.get(region) else {
                self.problem(when, format!("no host stands for accounts registered in {region}"), "name one");
                continue;
            };
            both.extend(by_account.iter().map(|lines| {
                let mut lines = lines.clone();
                lines.push(format!("{side}: <*>@{host}"));
                lines
            }));
        }
        both
    }
}

/// How `INSPECT` asks for a component. The reader of the script trims each line and joins a line that ends with a backslash
/// to the next; a component that ends so is written as a Lua pattern whose last character stands in a set.
fn substring(component: &str) -> Result<String, &'static str> {
    if component.is_empty() {
        return Err("is in every text");
    }
    if component.chars().any(|char| char.is_control() && char != '\t') {
        return Err("has a line break or another control character, which a line of the script cannot hold");
    }
    if !component.ends_with([' ', '\t', '\\']) {
        return Ok(format!("/={component}"));
    }
    let mut pattern = String::from("~=");
    let last = component.len() - 1;
    for char in component[..last].chars() {
        if char.is_ascii_punctuation() {
            pattern.push('%');
        }
        pattern.push(char);
    }
    pattern.push('[');
    pattern.push_str(&component[last..]);
    pattern.push(']');
    Ok(pattern)
}

/// A Lua pattern for a part of a file's name as it stands in the last part of an address, where all but letters, digits and a few
/// signs is percent-encoded. There is no `/` in a name, so none may follow.
fn at_the_end(word: &str) -> String {
    let mut pattern = String::new();
    for byte in word.bytes() {
        // Writing to a string cannot fail.
        let _ = match byte {
            _ if byte.is_ascii_alphanumeric() => write!(pattern, "{}", char::from(byte)),
            _ if b"_-.!~*'():@&=+$,".contains(&byte) => write!(pattern, "%{}", char::from(byte)),
            _ => write!(pattern, "%%{byte:02X}"),
        };
    }
    pattern.push_str("[^/]*$");
    pattern
}

fn is_host(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
}

fn is_address(address: &str) -> bool {
    let is_node = |node: &str| {
        !node.is_empty()
            && node == node.to_lowercase()
            && !node.contains(|char: char| char.is_whitespace() || char.is_control() || "\"&'/:<>@\\".contains(char))
    };
    address.split_once('@').is_some_and(|(node, host)| is_node(node) && is_host(host))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use lacuna_model::Duration;
    use lacuna_model::GrayFormula;
    use lacuna_model::policy::{Outage, OutageKind, Sanctions};

    use super::*;

    fn region(code: &str) -> CountryCode {
        code.parse().unwrap()
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn rule(id: &str, all: &[&str], when: Condition, action: Action) -> Rule {
        Rule { id: id.to_owned(), all: texts(all), unless: Vec::new(), when, action, after: Duration::ZERO, enforcement: 1.0 }
    }

    fn anybody() -> Condition {
        Condition::default()
    }

    fn to_china() -> Condition {
        Condition { recipient_registered_in: vec![region("CN")], ..anybody() }
    }

    fn addresses() -> Addresses {
        let hosts = [("CN", "cn.test"), ("CA", "ca.test"), ("US", "us.test")];
        Addresses {
            hosts: hosts.map(|(code, host)| (region(code), host.to_owned())).into(),
            accounts: [(AccountId::new("cn-a"), "a@cn.test".to_owned())].into(),
        }
    }

    fn policy(rules: Vec<Rule>) -> Policy {
        Policy { name: "two \"regions\"\n".to_owned(), rules, ..Policy::default() }
    }

    #[test]
    fn a_policy_becomes_a_script() {
        let mut combination = rule("combination", &["新疆", "集中营"], to_china(), Action::Drop);
        combination.unless = texts(&["群发机"]);
        let north_america = vec![region("CA"), region("US")];
        let rules = vec![
            combination,
            rule("everywhere", &["blocked=phrase: \"50%\" \\n"], anybody(), Action::Drop),
            rule("refused", &["ends with a blank "], anybody(), Action::Refuse),
            rule("edges", &["100% \\", "\tx"], anybody(), Action::Drop),
            rule("group", &["天安门"], Condition { venue: vec![VenueKind::Group], ..to_china() }, Action::Drop),
            rule(
                "direct",
                &["ᠮᠣᠩᠭᠣᠯ"],
                Condition { venue: vec![VenueKind::Direct], sender_registered_in: north_america, ..to_china() },
                Action::Refuse,
            ),
            rule("account", &[], Condition { sender: vec![AccountId::new("cn-a")], ..anybody() }, Action::Drop),
            rule(
                "silenced\\",
                &["x"],
                Condition { recipient: vec![AccountId::new("cn-a")], venue: vec![VenueKind::Group], ..anybody() },
                Action::Drop,
            ),
        ];
        let script = script(&policy(rules), &addresses()).unwrap();
        assert_eq!(script.left_out, [""; 0]);
        insta::assert_snapshot!(script.text);
    }

    #[test]
    fn what_cannot_be_done_is_said_all_at_once() {
        let cn = vec![region("CN")];
        let sender = Condition { sender_registered_in: cn.clone(), ..anybody() };
        let stranger = Condition { sender: vec![AccountId::new("nobody")], ..anybody() };
        let elsewhere = Condition { recipient_registered_in: vec![region("RU")], ..anybody() };
        let with_member = Condition { group_has_member_registered_in: cn, ..anybody() };
        let feed = Condition { venue: vec![VenueKind::Feed], ..anybody() };
        let mut chance = rule("chance", &["x"], anybody(), Action::Drop);
        chance.enforcement = 0.25;
        let rules = vec![
            rule("mask", &["x"], anybody(), Action::Mask),
            rule("retract", &["x"], anybody(), Action::Retract),
            rule("hold", &["x"], anybody(), Action::Hold),
            chance,
            rule("line-break", &["a\nb", ""], anybody(), Action::Drop),
            rule("both-sides", &["x"], Condition { recipient_registered_in: vec![region("CA")], ..sender }, Action::Drop),
            rule("late", &["x"], to_china(), Action::Refuse),
            rule("stranger", &["x"], stranger, Action::Drop),
            rule("elsewhere", &["x"], elsewhere, Action::Drop),
            rule("member", &["x"], with_member, Action::Drop),
            rule("feed", &["x"], feed, Action::Drop),
        ];
        let mut addresses = addresses();
        addresses.hosts.insert(region("TW"), "cn.test".to_owned());
        addresses.hosts.insert(region("HK"), "HK.test\nDROP.".to_owned());
        addresses.accounts.insert(AccountId::new("b"), "<*>@cn.test".to_owned());
        let problems = script(&policy(rules), &addresses).unwrap_err();
        let lines: Vec<String> =
            problems.iter().map(|problem| format!("{}: {} ({})", problem.key, problem.message, problem.fix)).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    fn file_rule(id: &str, finds: Finds, when: Condition) -> FileRule {
        FileRule {
            id: id.to_owned(),
            finds,
            enforces: Enforces::AtOnce,
            learns_after: Duration::ZERO,
            analyses: anybody(),
            when,
            action: Action::Drop,
            after: Duration::ZERO,
            enforcement: 1.0,
        }
    }

    #[test]
    fn a_rule_about_names_of_files_becomes_one_about_links() {
        let finds = Finds { filename: texts(&["\u{65b0}\u{7586} (1)", "plain_-.x"]), ..Finds::default() };
        let policy = Policy { file_rules: vec![file_rule("names", finds, to_china())], ..policy(Vec::new()) };
        insta::assert_snapshot!(script(&policy, &addresses()).unwrap().text);
    }

    #[test]
    fn what_is_in_a_file_is_not_seen() {
        let finds = Finds {
            md5: texts(&["d41d8cd98f00b204e9800998ecf8427e"]),
            text: texts(&["x"]),
            gray: Some(GrayFormula::Average),
            similar_to: texts(&["c/1"]),
            metadata: texts(&["x"]),
            filename: texts(&[""]),
        };
        let rule = FileRule { enforces: Enforces::Index, ..file_rule("inside", finds, anybody()) };
        let problems = script(&Policy { file_rules: vec![rule], ..policy(Vec::new()) }, &addresses()).unwrap_err();
        let lines: Vec<String> =
            problems.iter().map(|problem| format!("{}: {} ({})", problem.key, problem.message, problem.fix)).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn the_simulators_own_tables_are_left_out_and_named() {
        let mut policy = policy(Vec::new());
        policy.network.loss = 0.01;
        policy.sanctions = Some(Sanctions::default());
        let (from, lasts) = (Duration::ZERO, Duration::ZERO);
        policy.outages = vec![Outage { from, lasts, kind: OutageKind::Down, accounts: Vec::new() }];
        policy.files.reencode = true;
        assert_eq!(script(&policy, &addresses()).unwrap().left_out, ["network", "sanctions", "outage", "files"]);
    }

    #[test]
    fn more_repeated_conditions_than_can_be_compiled_are_refused() {
        let by_region =
            Condition { venue: vec![VenueKind::Direct], recipient_registered_in: vec![region("CN"), region("CA")], ..anybody() };
        let many = |count| {
            let rules = (0..count).map(|n| rule("r", &[&format!("word {n}")], by_region.clone(), Action::Drop)).collect();
            script(&policy(rules), &addresses())
        };
        // The kind, the type and the two hosts repeat as well.
        assert!(many(MOST_REPEATED_CONDITIONS - 4).is_ok());
        assert_eq!(many(MOST_REPEATED_CONDITIONS - 3).unwrap_err().len(), 1);
    }
}
