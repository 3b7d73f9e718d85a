//! The summary as one JSON object. Its keys are stable: they are added to, never renamed.

use std::ops::Range;

use lacuna_model::Verdict;
use serde_json::{Map, Value, json};

use super::Summary;

/// The object.
pub fn object(summary: &Summary) -> Value {
    let study = &summary.study;
    let matrix = summary.matrix.iter().map(|line| {
        let counts = Verdict::ALL.iter().zip(line.counts).map(|(verdict, count)| (verdict.as_str().to_owned(), json!(count)));
        json!({
            "arm_id": study.arm(line.arm).id,
            "recipient_account": study.account(line.recipient).id,
            "verdicts": counts.collect::<Map<_, _>>(),
            "control_loss_rate": line.control_loss,
        })
    });
    let findings = summary.findings.iter().map(|finding| {
        let item = study.item(finding.item);
        json!({
            "item_id": item.id,
            "text": item.message,
            "category": item.category,
            "arm_id": study.arm(finding.arm).id,
            "recipient_account": study.account(finding.recipient).id,
            "verdict": finding.verdict.as_str(),
        })
    });
    let texts = summary.texts.iter().map(|record| {
        let part = |range: &Range<usize>| record.text.get(range.clone()).unwrap_or_default().to_owned();
        let parts = |ranges: &[Range<usize>]| ranges.iter().map(part).collect::<Vec<_>>();
        let rules = record.rules.iter().map(|rule| {
            json!({
                "components": parts(&rule.components),
                "unless": rule.unless.iter().map(|combination| parts(combination)).collect::<Vec<_>>(),
                "signal": rule.signal,
                "certified": rule.certified,
            })
        });
        json!({
            "item_ids": record.items.iter().map(|item| &study.item(*item).id).collect::<Vec<_>>(),
            "arm_id": study.arm(record.arm).id,
            "recipient_account": study.account(record.recipient).id,
            "signal": record.signal,
            "rules": rules.collect::<Vec<_>>(),
            "complete": record.is_complete(),
            "messages": record.messages,
            "rounds": record.rounds,
        })
    });
    json!({
        "run_id": summary.run_id,
        "experiment": study.name,
        "folder": summary.folder().display().to_string(),
        "end": summary.end,
        "exit_code": summary.exit_code,
        "stop_reason": summary.stop_reason,
        "took_s": summary.took,
        "messages": { "candidates": summary.candidates_sent, "controls": summary.controls_sent },
        "matrix": matrix.collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
        "texts": texts.collect::<Vec<_>>(),
        "registration": summary.registration,
    })
}
