//! What `lacuna platform check` found, as tables for people and as one JSON object.

use std::fmt::Write as _;

use comfy_table::CellAlignment;
use console::style;
use lacuna_inference::paths::{PathRecord, PathState};
use lacuna_model::{AccountIx, Duration, Study};
use lacuna_runner::check::{CheckEnd, CheckSummary};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::table::table;
use crate::visible::{shortened, visible};

/// The longest words of a platform that are shown.
const NOTICE_WIDTH: usize = 200;

/// The text, at most `width` columns wide where a table can be made so narrow.
pub fn text(summary: &CheckSummary, width: u16) -> String {
    let mut text = headline(summary);
    text += "\nAccounts\n";
    text += &accounts(summary, width);
    text += "\nControls, by arm, sender and recipient\n";
    text += &paths(summary, width);
    let problems = problems(summary);
    if !problems.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(text, "\nNot alive\n{problems}");
    }
    let changed = not_intact(summary);
    if !changed.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(text, "\nControls that did not arrive as they were sent\n{changed}");
    }
    text + &advice(summary)
}

fn headline(summary: &CheckSummary) -> String {
    let name = style(visible(&summary.study.name)).bold();
    let alive = summary.paths.iter().filter(|path| summary.is_alive(path)).count();
    let count = format!("{alive} of {} paths alive", summary.paths.len());
    let sanctioned: Vec<_> =
        summary.accounts.iter().filter(|it| it.sanctioned).map(|it| id(it.account, &summary.study)).collect();
    let end = match (summary.end, summary.reason) {
        (CheckEnd::Safety, _) if !sanctioned.is_empty() => {
            style(format!("{} sanctioned by the platform, {count}", sanctioned.join(", "))).yellow()
        }
        (CheckEnd::Alive, _) => style(count).green(),
        (CheckEnd::Safety, Some(reason)) => {
            style(format!("stopped by a safety rule ({}), {count}", reason.as_str().replace('_', " "))).yellow()
        }
        (CheckEnd::Interrupted, _) => style(format!("interrupted, {count}")).yellow(),
        _ => style(count).yellow(),
    };
    format!("{name} checked: {end} in {:.1} s\n", seconds(summary.took))
}

fn accounts(summary: &CheckSummary, width: u16) -> String {
    let mut table = table(width);
    table.set_header(["account", "registered", "located", "sent", "echoes", "state"]);
    for record in &summary.accounts {
        let account = summary.study.account(record.account);
        let state = match &record.problem {
            None if record.sanctioned => "sanctioned".to_owned(),
            None => "logged in".to_owned(),
            Some(problem) => shortened(problem, NOTICE_WIDTH),
        };
        table.add_row([
            visible(account.id.as_str()),
            account.registered_in.to_string(),
            account.located_in.to_string(),
            record.sent.to_string(),
            record.echoes.to_string(),
            state,
        ]);
    }
    aligned(table, 3..5)
}

/// Counts that are zero everywhere have no column, but for those that are always looked for.
fn paths(summary: &CheckSummary, width: u16) -> String {
    type Count = fn(&PathRecord) -> u64;
    let counts: [(&str, Count, bool); 10] = [
        ("sent", |path| path.sent, true),
        ("arrived", |path| path.arrived, true),
        ("lost", |path| path.lost, true),
        ("awaited", |path| path.awaited, false),
        ("altered", |path| path.altered, false),
        ("retracted", |path| path.retracted, false),
        ("refused", |path| path.refused, false),
        ("rate\nlimited", |path| path.rate_limited, false),
        ("failed", |path| path.failed, false),
        ("unknown", |path| path.unknown, false),
    ];
    let shown: Vec<_> =
        counts.iter().filter(|(_, count, always)| *always || summary.paths.iter().any(|path| count(path) > 0)).collect();
    let mut table = table(width);
    let mut header = vec!["path"];
    header.extend(shown.iter().map(|(name, ..)| *name));
    header.extend(["median\ndelay", "longest\ndelay"]);
    let numbers = 1..header.len();
    table.set_header(header);
    for path in &summary.paths {
        let mut row = vec![name(path, &summary.study)];
        let unseen = summary.absent(path).is_some();
        // Where nobody listened, only what was sent is known.
        let cell = |(place, count): (usize, u64)| if unseen && place > 0 { "–".to_owned() } else { count.to_string() };
        row.extend(shown.iter().map(|(_, count, _)| count(path)).enumerate().map(cell));
        row.extend([path.median_delay, path.greatest_delay].map(|delay| delay.map_or_else(|| "–".to_owned(), milliseconds)));
        table.add_row(row);
    }
    aligned(table, numbers)
}

/// A line for each path that is alive, and on which some controls were lost, refused, altered or retracted.
fn not_intact(summary: &CheckSummary) -> String {
    let mut text = String::new();
    for path in summary.paths.iter().filter(|path| summary.is_alive(path) && !path.not_intact.is_empty()) {
        let ids: Vec<&str> = path.not_intact.iter().map(|item| summary.study.item(*item).id.as_str()).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {}: {}", name(path, &summary.study), visible(&ids.join(", ")));
    }
    text
}

/// A line for each path that is not alive.
fn problems(summary: &CheckSummary) -> String {
    let mut text = String::new();
    for path in summary.paths.iter().filter(|path| !summary.is_alive(path)) {
        let why = match (summary.absent(path), path.state()) {
            (Some(account), _) => format!("{} is not logged in", id(account, &summary.study)),
            (None, PathState::Sanctioned) => {
                let account = path.sanctioned.unwrap_or(path.recipient);
                format!("the platform sanctioned {}", id(account, &summary.study))
            }
            (None, PathState::CutShort) => {
                let listened = seconds(path.listened.unwrap_or(Duration::ZERO));
                format!("nothing arrived until listening was cut short, {listened:.1} s after the last message")
            }
            (None, PathState::Refused) => "the platform took no message".to_owned(),
            (None, PathState::RateLimited) => "the platform took no message, and told the sender to wait".to_owned(),
            (None, PathState::Failed) => "no message left".to_owned(),
            (None, PathState::Unsent) => "nothing was sent".to_owned(),
            (None, PathState::Silent | PathState::Alive) => {
                let usual = summary.study.watch.late.max(summary.study.watch.grace.unwrap_or(Duration::from_secs(2)));
                // Shorter where the recipient's session ended.
                let listened = match path.listened {
                    Some(listened) if listened < usual => format!("{:.1} s", seconds(listened)),
                    _ => usual.to_string(),
                };
                format!("the platform took messages, and none arrived within {listened} of the last")
            }
        };
        let notice = path.notice.as_ref().map(|notice| format!(" (last told: {})", shortened(notice, NOTICE_WIDTH)));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {}: {why}{}", name(path, &summary.study), notice.unwrap_or_default());
    }
    text
}

fn advice(summary: &CheckSummary) -> String {
    let (Some(better), Some(grace)) = (summary.better_grace, summary.study.watch.grace) else { return String::new() };
    format!(
        "\nDelays come near to `watch.grace` ({grace}), and what comes later counts as missing: \"{better}\" is four times the longest \
         delay\n"
    )
}

fn id(account: AccountIx, study: &Study) -> String {
    visible(study.account(account).id.as_str())
}

fn name(path: &PathRecord, study: &Study) -> String {
    let channel = study.channel(path.channel);
    let (sender, recipient) = (study.account(channel.sender), study.account(path.recipient));
    visible(&format!("{}: {} → {}", study.arm(channel.arm).id, sender.id, recipient.id))
}

/// The table with these columns to the right.
fn aligned(mut table: comfy_table::Table, numbers: std::ops::Range<usize>) -> String {
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if numbers.contains(&place) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt() + "\n"
}

fn seconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e6
}

fn milliseconds(delay: Duration) -> String {
    format!("{:.0} ms", delay.as_micros() as f64 / 1e3)
}

/// The object. Its keys are stable: they are added to, never renamed.
pub fn object(summary: &CheckSummary) -> Value {
    let study = &summary.study;
    let millis = |delay: Duration| delay.as_micros() as f64 / 1e3;
    let accounts = summary.accounts.iter().map(|record| {
        let account = study.account(record.account);
        json!({
            "account": account.id,
            "registered_in": account.registered_in,
            "located_in": account.located_in,
            "logged_in": record.problem.is_none(),
            "problem": record.problem,
            "sanctioned": record.sanctioned,
            "sent": record.sent,
            "echoes": record.echoes,
        })
    });
    let paths = summary.paths.iter().map(|path| {
        let channel = study.channel(path.channel);
        let venue = study.venue(channel.venue);
        let absent = summary.absent(path);
        // Where nobody listened, only what was sent is known.
        let seen = |count: u64| if absent.is_none() { json!(count) } else { Value::Null };
        json!({
            "arm_id": study.arm(channel.arm).id,
            "sender_account": study.account(channel.sender).id,
            "venue": venue.kind.as_str(),
            "venue_id": venue.id,
            "recipient_account": study.account(path.recipient).id,
            "state": if absent.is_some() { "not_logged_in" } else { path.state().as_str() },
            "sent": path.sent,
            "arrived": seen(path.arrived),
            "altered": seen(path.altered),
            "retracted": seen(path.retracted),
            "lost": seen(path.lost),
            "awaited": seen(path.awaited),
            "refused": seen(path.refused),
            "rate_limited": seen(path.rate_limited),
            "failed": seen(path.failed),
            "unknown": seen(path.unknown),
            "median_delay_ms": path.median_delay.map(millis),
            "greatest_delay_ms": path.greatest_delay.map(millis),
            "notice": path.notice,
            "not_intact": path.not_intact.iter().filter(|_| absent.is_none()).map(|item| &study.item(*item).id).collect::<Vec<_>>(),
        })
    });
    json!({
        "experiment": study.name,
        "end": summary.end.as_str(),
        "exit_code": Exit::from(summary.end).code(),
        "stop_reason": summary.reason.map(lacuna_model::StopReason::as_str),
        "took_s": seconds(summary.took),
        "accounts": accounts.collect::<Vec<_>>(),
        "paths": paths.collect::<Vec<_>>(),
        "grace_ms": study.watch.grace.map(millis),
        "better_grace_ms": summary.better_grace.map(millis),
    })
}
