//! What a plan should make its author think again about.

use std::collections::{BTreeMap, BTreeSet};

use lacuna_content::{Script, script};
use lacuna_model::{AccountIx, CountryCode, Role, Study};
use serde::Serialize;

use super::{AccountPlan, Plan};

/// Power below this is low, by convention (Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988).
const LOW_POWER: f64 = 0.8;

/// Fewer controls than this become known to a platform by their repetition.
const FEWEST_CONTROLS: u64 = 10;

/// A region of fewer accounts cannot be told from an account.
const FEWEST_ACCOUNTS: usize = 2;

/// The share of the candidates for which a control of their script, or about their length, may be missing.
const MOST_WITHOUT_CONTROL: f64 = 0.05;

/// So many times longer or shorter than every control is another kind of text.
const OTHER_LENGTH: usize = 2;

/// Something that should be mended before the experiment is run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Warning {
    /// What kind.
    pub kind: WarningKind,
    /// What is wrong, and what to do.
    pub text: String,
}

/// What can be wrong with a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// The messages of the run may be used up before it ends.
    MessageBudget,
    /// An account's messages of the day may be used up.
    DailyBudget,
    /// Blocked items may be missed.
    LowPower,
    /// A region has too few accounts.
    FewAccounts,
    /// No item is known to be dropped.
    NoCanaries,
    /// There are few controls.
    FewControls,
    /// Controls are written in another script than candidates.
    ControlScript,
    /// Controls are longer or shorter than candidates.
    ControlLength,
}

/// All that there is to say, the most expensive mistakes first.
pub(super) fn warnings(study: &Study, plan: &Plan) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |kind, text: Option<String>| warnings.extend(text.map(|text| Warning { kind, text }));
    warn(WarningKind::MessageBudget, message_budget(plan));
    for account in &plan.accounts {
        warn(WarningKind::DailyBudget, daily_budget(account));
    }
    warn(WarningKind::LowPower, low_power(study, plan));
    for (side, accounts) in [("receive", receiving(study)), ("send", sending(study))] {
        warn(WarningKind::FewAccounts, few_accounts(study, side, &accounts));
    }
    warn(WarningKind::NoCanaries, no_canaries(plan));
    warn(WarningKind::FewControls, few_controls(plan));
    warn(WarningKind::ControlScript, control_script(study));
    warn(WarningKind::ControlLength, control_length(study));
    warnings
}

fn message_budget(plan: &Plan) -> Option<String> {
    let (most, budget) = (plan.most_messages(), plan.bounds.max_messages);
    let expected = plan.expected()?.messages.mean?;
    let how = if expected > budget as f64 {
        format!("the run needs about {expected:.0} messages")
    } else if most > budget {
        format!("the run may need {most} messages")
    } else {
        return None;
    };
    Some(format!(
        "{how}, and `safety.max-messages` is {budget}: it would stop before everything is decided (raise it, or test less)"
    ))
}

fn daily_budget(account: &AccountPlan) -> Option<String> {
    let AccountPlan { account, busiest_day, busiest_day_at_worst, sent_today, daily_budget, .. } = account;
    let left = daily_budget.saturating_sub(*sent_today);
    let how = if *busiest_day > left as f64 {
        format!("needs about {busiest_day:.0} messages in a day")
    } else if *busiest_day_at_worst > left {
        format!("may need {busiest_day_at_worst} messages in a day")
    } else {
        return None;
    };
    let spent = if *sent_today > 0 { format!(", of which {sent_today} are sent today already") } else { String::new() };
    Some(format!(
        "`{account}` {how}, and `safety.max-messages-per-account-per-day` is {daily_budget}{spent}: the run would stop before everything is decided (add senders, test less, or send more slowly with `pacing.min-gap`)"
    ))
}

fn low_power(study: &Study, plan: &Plan) -> Option<String> {
    let low = |cell: &&super::Cell| cell.power.mean.is_some_and(|power| power < LOW_POWER);
    let worst = plan.cells.iter().filter(low).min_by(|a, b| {
        let power = |cell: &super::Cell| cell.power.mean.unwrap_or(1.0);
        power(a).total_cmp(&power(b))
    })?;
    let (cells, power) = (plan.cells.iter().filter(low).count(), worst.power.mean.unwrap_or(0.0));
    let bursts = if worst.burst_length > 1.0 { format!(" in bursts of {}", worst.burst_length) } else { String::new() };
    let lost = format!("{} % of the messages lost{bursts}", worst.loss * 100.0);
    let rate = study.decision.false_positive_rate;
    Some(format!(
        "in {cells} of {} cases fewer than {:.0} % of the blocked items are found, with {lost} only {:.0} %: too few sends can convict at a false positive rate of {rate} (raise `decision.max-probes-per-item` from {}, or allow a higher rate)",
        plan.cells.len(),
        LOW_POWER * 100.0,
        power * 100.0,
        study.decision.max_probes_per_item,
    ))
}

fn receiving(study: &Study) -> BTreeSet<AccountIx> {
    study.arms.iter().flat_map(|arm| arm.recipients.iter().copied()).collect()
}

fn sending(study: &Study) -> BTreeSet<AccountIx> {
    study.arms.iter().flat_map(|arm| arm.senders.iter().copied()).collect()
}

/// Where accounts of several regions are on one side, each region needs two: what happens to one may be about that account.
fn few_accounts(study: &Study, side: &str, accounts: &BTreeSet<AccountIx>) -> Option<String> {
    let mut regions: BTreeMap<CountryCode, Vec<&str>> = BTreeMap::new();
    for account in accounts {
        let account = study.account(*account);
        regions.entry(account.registered_in).or_default().push(account.id.as_str());
    }
    let few: Vec<String> = regions
        .iter()
        .filter(|(_, ids)| ids.len() < FEWEST_ACCOUNTS)
        .map(|(region, ids)| format!("{region} (`{}`)", ids.join("`, `")))
        .collect();
    (regions.len() > 1 && !few.is_empty()).then(|| {
        format!(
            "only one account is to {side} in {}: a difference to other regions could be that account's own (register a second one in each region that is to be compared)",
            few.join(", ")
        )
    })
}

fn no_canaries(plan: &Plan) -> Option<String> {
    (plan.canaries == 0).then(|| {
        "there are no canaries, so that an arm on which everything arrives may have a filter that was not reached (list items that are known to be dropped in `corpora.canaries`)".to_owned()
    })
}

fn few_controls(plan: &Plan) -> Option<String> {
    (plan.controls < FEWEST_CONTROLS).then(|| {
        format!(
            "there are only {} controls, each of which is repeated often enough to be noticed (list {FEWEST_CONTROLS} or more)",
            plan.controls
        )
    })
}

fn messages(study: &Study, role: Role) -> impl Iterator<Item = &str> {
    study.items.iter().filter(move |item| item.role == role).map(|item| &*item.message)
}

fn control_script(study: &Study) -> Option<String> {
    let controls: Vec<Script> = messages(study, Role::Control).filter_map(script).collect();
    let mut without: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut all = 0_u64;
    for message in messages(study, Role::Candidate) {
        all += 1;
        if let Some(script) = script(message).filter(|script| !controls.contains(script)) {
            *without.entry(script.full_name()).or_default() += 1;
        }
    }
    let count: u64 = without.values().sum();
    let names: Vec<&str> = without.into_keys().collect();
    (count as f64 > all as f64 * MOST_WITHOUT_CONTROL).then(|| {
        format!(
            "{count} of {all} candidates are written in a script that no control is written in ({}): what is done to that script as a whole would look like a block (add controls in it)",
            names.join(", ")
        )
    })
}

fn control_length(study: &Study) -> Option<String> {
    let length = |message: &str| message.chars().count();
    let controls = || messages(study, Role::Control).map(length);
    let (shortest, longest) = (controls().min()?, controls().max()?);
    let unlike = |length: &usize| *length > longest * OTHER_LENGTH || *length * OTHER_LENGTH < shortest;
    let all = messages(study, Role::Candidate).count();
    let count = messages(study, Role::Candidate).map(length).filter(unlike).count();
    (count as f64 > all as f64 * MOST_WITHOUT_CONTROL).then(|| {
        format!(
            "{count} of {all} candidates are less than half as long as any control, or more than twice (controls have {shortest} to {longest} characters): what is done to messages of that length would look like a block (add controls about as long)"
        )
    })
}
