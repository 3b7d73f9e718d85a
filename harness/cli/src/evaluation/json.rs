//! An evaluation as one JSON object. Its keys are stable: they are added to, never renamed.

use lacuna_model::ArmIx;
use lacuna_runner::assessment::MEASURES;
use serde_json::{Map, Value, json};

use super::Told;

/// The object.
pub fn object(told: &Told<'_>) -> Value {
    let evaluation = told.evaluation;
    let study = &evaluation.study;
    let measures = |arm: Option<ArmIx>| {
        let of_arm = MEASURES.iter().map(|measure| {
            let estimate = evaluation.estimate(measure, arm);
            let value = json!({
                "mean": estimate.mean,
                "standard_error": estimate.standard_error,
                "low": estimate.interval.map(|(low, _)| low),
                "high": estimate.interval.map(|(_, high)| high),
                "count": estimate.count,
                "of": estimate.of,
            });
            (measure.name.to_owned(), value)
        });
        of_arm.collect::<Map<_, _>>()
    };
    let arms =
        (0u16..).zip(&study.arms).map(|(index, arm)| json!({ "arm_id": arm.id, "measures": measures(Some(ArmIx(index))) }));
    json!({
        "experiment": study.name,
        "policy": told.policy,
        "seed": study.seed,
        "repeats": evaluation.runs.len(),
        "stop_reasons": evaluation.ends(),
        "measures": measures(None),
        "arms": arms.collect::<Vec<_>>(),
        "took_s": told.took.as_secs_f64(),
        "rows": told.rows.display().to_string(),
        "summary": told.summary.display().to_string(),
    })
}
