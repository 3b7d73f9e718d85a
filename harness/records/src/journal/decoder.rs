//! Lines to entries.

use std::borrow::Cow;
use std::sync::Arc;

use lacuna_model::{
    AccountCondition, Build, Cursor, Deadline, Decision, Duration, Entry, Excerpt, Fact, FileFacts, Invocation, Observation,
    ObservationKind, PlatformMessageId, Probe, ProbeId, Purpose, ReceivedFile, Recognised, Role, SearchIx, SearchPlan,
    SendResult, SendState, Signal, StopReason, Study, Timestamp,
};
use serde::Deserialize;

use super::counts::{Counts, Seal};
use super::error::LineProblem;
use super::names::NameLookup;

/// What a line behind the header holds.
#[derive(Debug)]
pub(super) enum Content {
    Entry(Entry),
    Seal(Seal),
}

/// Turns lines into entries.
#[derive(Debug)]
pub(super) struct Decoder {
    names: NameLookup,
    /// The members behind `entry`, made into an object of their own.
    object: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EpochOpened {
    epoch: u32,
    sent_today: Vec<u64>,
    lacuna_version: Option<String>,
    build: Option<Build>,
    overrides: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendStarted<'a> {
    probe: &'a str,
    text: Arc<str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendResultLine<'a> {
    probe: &'a str,
    send_state: SendState,
    platform_id: Option<PlatformMessageId>,
    notice: Option<String>,
    retry_after_us: Option<i64>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Observed<'a> {
    #[serde(borrow)]
    recipient: Cow<'a, str>,
    #[serde(borrow)]
    sender: Option<Cow<'a, str>>,
    #[serde(borrow)]
    venue: Option<Cow<'a, str>>,
    event: ObservationKind,
    platform_id: Option<PlatformMessageId>,
    text: Option<Arc<str>>,
    file: Option<FileFacts>,
    #[serde(borrow)]
    recognised: Option<Cow<'a, str>>,
    distance: Option<u32>,
    cursor: Option<Cursor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountState<'a> {
    #[serde(borrow)]
    account: Cow<'a, str>,
    condition: AccountCondition,
    detail: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeadlinePassed<'a> {
    deadline: &'a str,
    probe: Option<&'a str>,
    #[serde(borrow)]
    recipient: Option<Cow<'a, str>>,
    channel: Option<u16>,
    #[serde(borrow)]
    arm: Option<Cow<'a, str>>,
    #[serde(borrow)]
    sender: Option<Cow<'a, str>>,
    #[serde(borrow)]
    venue: Option<Cow<'a, str>>,
    #[serde(borrow)]
    account: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gap<'a> {
    #[serde(borrow)]
    account: Cow<'a, str>,
    detail: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProbePlanned<'a> {
    probe: &'a str,
    channel: u16,
    #[serde(borrow)]
    arm: Cow<'a, str>,
    #[serde(borrow)]
    sender: Cow<'a, str>,
    #[serde(borrow)]
    venue: Cow<'a, str>,
    role: Role,
    purpose: Purpose,
    attempt: u32,
    #[serde(borrow)]
    items: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    carrier: Option<Cow<'a, str>>,
    search: Option<u32>,
    fragments: Option<Vec<(u32, u32)>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SearchBegun<'a> {
    search: u32,
    #[serde(borrow)]
    arm: Cow<'a, str>,
    #[serde(borrow)]
    recipient: Cow<'a, str>,
    #[serde(borrow)]
    items: Vec<Cow<'a, str>>,
    signal: Signal,
    loss_ppm: u32,
    settle_us: i64,
    known: Vec<Vec<Arc<str>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stopped {
    reason: StopReason,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    exit_code: u8,
    counts: Counts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

impl Decoder {
    pub(super) fn new(study: &Arc<Study>) -> Self {
        Self { names: NameLookup::new(study), object: Vec::new() }
    }

    /// Reads a line up to its hash.
    pub(super) fn decode(&mut self, body: &[u8]) -> Result<(u64, Timestamp, Content), LineProblem> {
        let (sequence, at, kind, members) = prefix(body).ok_or(LineProblem::Shape)?;
        self.object.clear();
        self.object.push(b'{');
        self.object.extend_from_slice(members.strip_prefix(b",").unwrap_or(members));
        self.object.push(b'}');
        let content = match kind {
            "sealed" => {
                let Sealed { exit_code, counts } = members_of("sealed", &self.object)?;
                Content::Seal(Seal { at, exit_code, counts })
            }
            _ => Content::Entry(entry(&self.names, kind, &self.object)?),
        };
        Ok((sequence, at, content))
    }
}

/// Splits `{"seq":N,"at":N,"entry":"kind"…` into number, time, kind and what follows.
fn prefix(body: &[u8]) -> Option<(u64, Timestamp, &str, &[u8])> {
    let rest = body.strip_prefix(b"{\"seq\":")?;
    let (sequence, rest) = until(rest, b",\"at\":")?;
    let (at, rest) = until(rest, b",\"entry\":\"")?;
    let (kind, members) = until(rest, b"\"")?;
    Some((sequence.parse().ok()?, Timestamp(at.parse().ok()?), kind, members))
}

fn until<'a>(bytes: &'a [u8], end: &[u8]) -> Option<(&'a str, &'a [u8])> {
    let length = bytes.iter().position(|byte| end.first() == Some(byte))?;
    let rest = bytes[length..].strip_prefix(end)?;
    Some((std::str::from_utf8(&bytes[..length]).ok()?, rest))
}

fn members_of<'a, T: Deserialize<'a>>(kind: &'static str, object: &'a [u8]) -> Result<T, LineProblem> {
    serde_json::from_slice(object).map_err(|error| LineProblem::Members { kind, detail: error.to_string() })
}

fn entry(names: &NameLookup, kind: &str, object: &[u8]) -> Result<Entry, LineProblem> {
    let fact = match kind {
        "send_started" => {
            let SendStarted { probe, text } = members_of("send_started", object)?;
            Fact::SendStarted { probe: probe_id(probe)?, text }
        }
        "send_result" => {
            let line: SendResultLine<'_> = members_of("send_result", object)?;
            Fact::SendResult { probe: probe_id(line.probe)?, result: send_result(line)? }
        }
        "observed" => Fact::Observed(observation(names, members_of("observed", object)?)?),
        "deadline_passed" => Fact::DeadlinePassed(deadline(names, &members_of("deadline_passed", object)?)?),
        "account_state" => {
            let AccountState { account, condition, detail } = members_of("account_state", object)?;
            Fact::AccountState { account: names.account("account", &account)?, condition, detail }
        }
        "gap" => {
            let Gap { account, detail } = members_of("gap", object)?;
            Fact::Gap { account: names.account("account", &account)?, detail }
        }
        "epoch_opened" => {
            let EpochOpened { epoch, sent_today, lacuna_version, build, overrides } = members_of("epoch_opened", object)?;
            if sent_today.len() != names.accounts() {
                let detail = "sent_today must have one number for each account".to_owned();
                return Err(LineProblem::Members { kind: "epoch_opened", detail });
            }
            let resumed_by = match (lacuna_version, build, overrides) {
                (None, None, None) => None,
                (Some(lacuna_version), build, Some(overrides)) => Some(Arc::new(Invocation { lacuna_version, build, overrides })),
                _ => return Err(mixed("epoch_opened", "a resumed run")),
            };
            Fact::EpochOpened { epoch, sent_today, resumed_by }
        }
        "stop_requested" => {
            let Empty {} = members_of("stop_requested", object)?;
            Fact::StopRequested
        }
        "probe_planned" => {
            return Ok(Entry::Decision(Decision::ProbePlanned(probe(names, &members_of("probe_planned", object)?)?)));
        }
        "search_begun" => {
            return Ok(Entry::Decision(Decision::SearchBegun(search(names, members_of("search_begun", object)?)?)));
        }
        "stopped" => {
            let Stopped { reason } = members_of("stopped", object)?;
            return Ok(Entry::Decision(Decision::Stopped { reason }));
        }
        other => return Err(LineProblem::Kind(other.chars().take(40).collect())),
    };
    Ok(Entry::Fact(fact))
}

fn probe(names: &NameLookup, line: &ProbePlanned<'_>) -> Result<Probe, LineProblem> {
    let excerpt = match (line.search, &line.fragments) {
        (None, None) => None,
        (Some(search), Some(fragments)) if fragments.iter().all(|(start, end)| start < end) => {
            Some(Excerpt { search: SearchIx(search), fragments: fragments.iter().map(|(start, end)| *start..*end).collect() })
        }
        _ => return Err(mixed("probe_planned", "excerpt")),
    };
    Ok(Probe {
        excerpt,
        id: probe_id(line.probe)?,
        channel: names.channel(line.channel, &line.arm, &line.sender, &line.venue)?,
        role: line.role,
        purpose: line.purpose,
        attempt: line.attempt,
        items: line.items.iter().map(|item| names.item(item)).collect::<Result<_, _>>()?,
        carrier: line.carrier.as_deref().map(|item| names.item(item)).transpose()?,
    })
}

fn search(names: &NameLookup, line: SearchBegun<'_>) -> Result<SearchPlan, LineProblem> {
    if line.items.is_empty() {
        return Err(LineProblem::Members { kind: "search_begun", detail: "a text needs one item at least".to_owned() });
    }
    let arm = names.arm(&line.arm)?;
    Ok(SearchPlan {
        search: SearchIx(line.search),
        arm,
        recipient: names.recipient(arm, &line.recipient)?,
        items: line.items.iter().map(|item| names.item(item)).collect::<Result<_, _>>()?,
        signal: line.signal,
        loss_ppm: line.loss_ppm,
        settle: Duration(line.settle_us),
        known: line.known,
    })
}

fn send_result(line: SendResultLine<'_>) -> Result<SendResult, LineProblem> {
    let SendResultLine { send_state, platform_id, notice, retry_after_us, error, .. } = line;
    Ok(match (send_state, platform_id, notice, retry_after_us, error) {
        (SendState::Accepted, platform_id, None, None, None) => SendResult::Accepted { platform_id },
        (SendState::Refused, None, Some(notice), None, None) => SendResult::Refused { notice },
        (SendState::RateLimited, None, None, Some(us), None) => SendResult::RateLimited { retry_after: Duration(us) },
        (SendState::Failed, None, None, None, Some(error)) => SendResult::NotSent { error },
        (SendState::UnknownSubmission, None, None, None, Some(error)) => SendResult::Unknown { error },
        (state, ..) => return Err(mixed("send_result", state.as_str())),
    })
}

fn observation(names: &NameLookup, line: Observed<'_>) -> Result<Observation, LineProblem> {
    let file = match (line.file, line.recognised, line.distance) {
        (None, None, None) => None,
        (Some(facts), None, None) => Some(ReceivedFile { facts, recognised: None }),
        (Some(facts), Some(item), distance) => {
            Some(ReceivedFile { facts, recognised: Some(Recognised { item: names.item(&item)?, distance }) })
        }
        _ => return Err(mixed("observed", "file")),
    };
    Ok(Observation {
        recipient: names.account("recipient", &line.recipient)?,
        sender: line.sender.map(|sender| names.account("sender", &sender)).transpose()?,
        venue: line.venue.map(|venue| names.venue(&venue)).transpose()?,
        kind: line.event,
        platform_id: line.platform_id,
        text: line.text,
        file,
        cursor: line.cursor,
    })
}

fn deadline(names: &NameLookup, line: &DeadlinePassed<'_>) -> Result<Deadline, LineProblem> {
    let DeadlinePassed { deadline, probe, recipient, channel, arm, sender, venue, account } = line;
    match (*deadline, probe, recipient, channel, account) {
        ("grace", Some(probe), Some(recipient), None, None) if (arm, sender, venue) == (&None, &None, &None) => {
            Ok(Deadline::Grace { probe: probe_id(probe)?, recipient: names.account("recipient", recipient)? })
        }
        ("settle", Some(probe), Some(recipient), None, None) if (arm, sender, venue) == (&None, &None, &None) => {
            Ok(Deadline::Settle { probe: probe_id(probe)?, recipient: names.account("recipient", recipient)? })
        }
        ("patience", None, None, Some(channel), None) => match (arm, sender, venue) {
            (Some(arm), Some(sender), Some(venue)) => {
                Ok(Deadline::Patience { channel: names.channel(*channel, arm, sender, venue)? })
            }
            _ => Err(mixed("deadline_passed", deadline)),
        },
        ("wake", None, None, None, Some(account)) if (arm, sender, venue) == (&None, &None, &None) => {
            Ok(Deadline::Wake { account: names.account("account", account)? })
        }
        ("listen", None, None, None, None) if (arm, sender, venue) == (&None, &None, &None) => Ok(Deadline::Listen),
        (other, ..) => Err(mixed("deadline_passed", other)),
    }
}

fn mixed(kind: &'static str, what: &str) -> LineProblem {
    LineProblem::Members { kind, detail: format!("they are not those of `{what}`") }
}

/// Reads `p0000042` as it is written, and in no other form.
fn probe_id(text: &str) -> Result<ProbeId, LineProblem> {
    let digits = text.strip_prefix('p').filter(|digits| {
        digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits.len() == 7 || digits.len() > 7 && !digits.starts_with('0'))
    });
    digits
        .and_then(|digits| digits.parse().ok())
        .map(ProbeId)
        .ok_or_else(|| LineProblem::Name { member: "probe", name: text.chars().take(40).collect() })
}
