//! A plan as tables for people.

use std::fmt::Write as _;

use comfy_table::CellAlignment;
use console::style;
use lacuna_runner::plan::{Cell, Figure, Plan};

use crate::table::table;
use crate::visible::visible;

/// The text, at most `width` columns wide where a table can be made so narrow.
pub fn text(plan: &Plan, width: u16) -> String {
    let mut text = headline(plan);
    text += &costs(plan);
    if plan.candidates == 0 {
        return text;
    }
    text += "\nWhat each account sends\n";
    text += &accounts(plan, width);
    text += "\nWhat it costs and finds, by what is blocked and lost (mean ± standard error)\n";
    text += &cells(plan, width);
    text
}

fn headline(plan: &Plan) -> String {
    let name = style(visible(&plan.experiment)).bold();
    let delays = plan.delays;
    let source = if delays.assumed { "assumed" } else { "of the policy" };
    let sample = if plan.simulated_candidates < plan.candidates {
        format!(", with {} of the {} candidates, and costs scaled up", plan.simulated_candidates, plan.candidates)
    } else {
        String::new()
    };
    format!(
        "{name}: planned, nothing was sent\n\
         Simulated in place of the adapter `{}`: {} cases, {} runs each{sample}; delays {source}: median {} ms, 99 % below {} ms\n",
        visible(&plan.adapter),
        plan.cells.len(),
        plan.repeats,
        delays.median_ms,
        delays.p99_ms,
    )
}

fn costs(plan: &Plan) -> String {
    let Plan { candidates, canaries, controls, questions, units, bounds, .. } = plan;
    let mut text = format!(
        "\nTests     {candidates} candidates, {canaries} canaries, {controls} controls: {questions} questions, {units} verdicts\n"
    );
    if let Some(it) = plan.predecessor {
        let _ = writeln!(
            text,
            "Due       {} of {} candidates; {} are left out of this run (earlier runs that were read: {})",
            it.due,
            it.due + it.left_out,
            it.left_out,
            it.runs
        );
    }
    if plan.candidates == 0 {
        let canaries = if plan.canaries > 0 { ", but canaries are asked and controls sent with them" } else { "" };
        let _ = writeln!(text, "Messages  no candidate is due{canaries}");
    } else if let Some(cell) = plan.expected() {
        let (blocked, lost) = (blocked(cell, plan), lost(cell));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "Messages  about {:.0} if {blocked} are blocked and {lost} of the messages lost; {} at worst in the simulation\n\
             \u{20}         never more than {} (`safety.max-messages`), of which at most {} are sends of an item alone",
            cell.messages.mean.unwrap_or(0.0),
            plan.most_messages(),
            bounds.max_messages,
            bounds.sends_alone.min(bounds.max_messages),
        );
        let _ = writeln!(
            text,
            "Time      about {}, {} at worst",
            length(cell.duration_s.mean.unwrap_or(0.0)),
            length(plan.longest_s())
        );
    }
    text
}

fn accounts(plan: &Plan, width: u16) -> String {
    let mut table = table(width);
    table.set_header(["account", "messages", "busiest day", "at worst", "sent today", "daily budget"]);
    for account in &plan.accounts {
        table.add_row([
            visible(&account.account),
            format!("{:.0}", account.messages),
            format!("{:.0}", account.busiest_day),
            account.busiest_day_at_worst.to_string(),
            account.sent_today.to_string(),
            account.daily_budget.to_string(),
        ]);
    }
    aligned(table, 1)
}

fn cells(plan: &Plan, width: u16) -> String {
    let mut table = table(width);
    let header = ["blocked", "lost", "messages", "time", "power", "false positives", "false discoveries", "inconclusive"];
    table.set_header(header);
    for cell in &plan.cells {
        table.add_row([
            blocked(cell, plan),
            lost(cell),
            number(cell.messages),
            length(cell.duration_s.mean.unwrap_or(0.0)),
            share(cell.power),
            share(cell.false_positive_rate),
            share(cell.false_discovery_rate),
            share(cell.inconclusive),
        ]);
    }
    aligned(table, 2)
}

/// The table with all columns from this one on to the right.
fn aligned(mut table: comfy_table::Table, from: usize) -> String {
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if place >= from {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt() + "\n"
}

fn blocked(cell: &Cell, plan: &Plan) -> String {
    format!("{} of {} ({})", cell.blocked, plan.candidates, percent(cell.prevalence))
}

fn lost(cell: &Cell) -> String {
    match (cell.loss > 0.0, cell.burst_length > 1.0) {
        (false, _) => "none".to_owned(),
        (true, false) => percent(cell.loss),
        (true, true) => format!("{} in {}s", percent(cell.loss), cell.burst_length),
    }
}

/// `0.3 %`, `10 %`
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent < 9.95 && (percent - percent.round()).abs() > 0.04 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

fn number(figure: Figure) -> String {
    let error = figure.standard_error.map(|error| format!(" ± {error:.0}")).unwrap_or_default();
    figure.mean.map_or_else(|| "–".to_owned(), |mean| format!("{mean:.0}{error}"))
}

/// A share in percent.
fn share(figure: Figure) -> String {
    let Some(mean) = figure.mean else { return "–".to_owned() };
    let error = figure.standard_error.unwrap_or(0.0);
    if error == 0.0 && (mean <= 0.0 || mean >= 1.0) {
        return format!("{:.0} %", mean * 100.0);
    }
    format!("{:.1} ± {:.1} %", mean * 100.0, error * 100.0)
}

/// Seconds in a unit that people read easily.
fn length(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.0} s"),
        ..7_200.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.1} h", seconds / 3_600.0),
        _ => format!("{:.1} days", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let of = |mean, error| share(Figure { mean: Some(mean), standard_error: Some(error), ..Figure::default() });
        assert_eq!(of(1.0, 0.0), "100 %");
        assert_eq!(of(0.9876, 0.0123), "98.8 ± 1.2 %");
        assert_eq!(share(Figure::default()), "–");
        assert_eq!([0.003, 0.01, 0.1, 0.029].map(percent), ["0.3 %", "1 %", "10 %", "2.9 %"]);
        assert_eq!([3.2, 150.0, 7_200.0, 400_000.0].map(length), ["3 s", "2 min", "2.0 h", "4.6 days"]);
    }
}
