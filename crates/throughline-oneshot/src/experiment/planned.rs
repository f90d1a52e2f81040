//! A plan written before the experiment, and the reading it asks for.

use std::path::Path;

use throughline_core::Diagnostic;
use throughline_evidence::design::{self, Looks as Planned};
use throughline_evidence::experiment::{Looks, Plan};

use super::ExperimentReadArgs;
use crate::OneShotError;

/// The plan in a file that `experiment design` wrote, as YAML or as JSON. Errors: a file that holds no plan, or one of a design
/// that another command reads (TL065).
pub(super) fn load(file: &Path) -> Result<design::Plan, OneShotError> {
    let refuse = |why: String| {
        let help = "give what `throughline experiment design` wrote";
        let finding = Diagnostic::error("TL065", format!("no plan: {why}")).help(help);
        OneShotError::finding(finding.at(file.display().to_string(), None, None))
    };
    let text = std::fs::read_to_string(file).map_err(|e| refuse(e.to_string()))?;
    let mut json: serde_json::Value = serde_saphyr::from_str(&text).map_err(|e| refuse(e.to_string()))?;
    if let Some(inner) = json.get_mut("plan") {
        json = inner.take();
    }
    let plan: design::Plan = serde_json::from_value(json).map_err(|e| refuse(e.to_string()))?;
    match plan.design.as_str() {
        other @ ("factorial" | "switchback") => {
            Err(refuse(format!("a {other} design is read by `throughline experiment {other}`")))
        }
        _ => Ok(plan),
    }
}

/// What the plan decides where no flag does: control, weights, level and how it is looked at. A planned group sequential test
/// needs `--look`, unless the units say that it is over.
pub(super) fn apply(planned: &design::Plan, args: &ExperimentReadArgs, reading: &mut Plan) -> Result<(), OneShotError> {
    if args.control.is_none() {
        reading.control.clone_from(&planned.control);
    }
    if reading.weights.is_empty() {
        reading.weights = planned.arms.iter().map(|a| (a.name.clone(), a.weight)).collect();
    }
    if args.level.is_none() {
        reading.level = planned.level;
    }
    if reading.sequential.is_some() {
        return Ok(());
    }
    reading.sequential = match planned.power.as_ref().map(|p| &p.looks) {
        None | Some(Planned::Fixed) => None,
        Some(Planned::ConfidenceSequence { tuned_for }) => {
            Some(Looks::ConfidenceSequence { tuned_at: tuned_for.unwrap_or(planned.stop.at_units as f64) })
        }
        Some(Planned::Group { looks, spending }) => {
            let Some(look) = args.look else {
                let message = format!("the plan has {} looks, and this one has no number", looks.len());
                let finding = Diagnostic::error("TL065", message).help("add --look, for example --look 2");
                return Err(OneShotError::finding(finding));
            };
            Some(Looks::GroupSequential { fractions: looks.clone(), look, spending: *spending })
        }
    };
    Ok(())
}
