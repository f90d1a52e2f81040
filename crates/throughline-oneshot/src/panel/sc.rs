//! `--method sc`.

use throughline_evidence::synth::control::ControlSpec;
use throughline_evidence::synth::predictors::PredictorWeights;
use throughline_evidence::synth::{ReadSpec, read_control};
use throughline_evidence::{Panel, PanelSpec};

use super::PanelArgs;
use super::synth_args::{ImportanceChoice, PermutationChoice};
use crate::files::read_table;
use crate::{Answer, OneShotError};

pub(super) fn run(args: &PanelArgs) -> Result<Answer, OneShotError> {
    let synth = &args.synth;
    // Columns of predictors come along beside the covariates of other methods.
    let predictors = synth.predictor_columns();
    let mut columns = vec![args.unit.as_str(), &args.time, &args.outcome, &args.treatment];
    columns.extend(&predictors);
    let (table, found) = read_table(&args.file, &args.delimiter, &columns)?;
    let spec = PanelSpec {
        unit: &args.unit,
        time: &args.time,
        outcome: &args.outcome,
        treatment: &args.treatment,
        treated_from: args.treated_from.as_deref(),
        covariates: &predictors,
        cluster: None,
    };
    let panel = Panel::of(&table, &spec)?;
    let panel = match (&args.pre, &args.post) {
        (None, None) => panel,
        (pre, post) => panel.between(pre.as_deref(), post.as_deref())?,
    };
    let report = read_control(&panel, &read_spec(args, &panel)?)?;
    Ok(Answer::of(&report, &found))
}

fn read_spec(args: &PanelArgs, panel: &Panel) -> Result<ReadSpec, OneShotError> {
    let synth = &args.synth;
    let level = args.level()?;
    Ok(ReadSpec {
        control: ControlSpec { solver: synth.solver(), intercept: synth.intercept, ridge: synth.ridge() },
        predictors: synth.predictors(panel)?,
        importance: match synth.predictor_weights {
            ImportanceChoice::Nested => PredictorWeights::Nested,
            ImportanceChoice::Equal => PredictorWeights::Equal,
        },
        fitted: synth.fitted(panel)?,
        inference: synth.inference(),
        permutations: synth.permutations(PermutationChoice::Block, args.seed),
        level,
        placebos: synth.placebos,
        seed: args.seed,
    })
}
