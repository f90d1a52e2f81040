//! `--method geo`.

use throughline_evidence::geo::{GeoSpec, read_geo};

use super::PanelArgs;
use super::synth_args::PermutationChoice;
use crate::{Answer, OneShotError};

pub(super) fn run(args: &PanelArgs) -> Result<Answer, OneShotError> {
    let (panel, found) = args.panel()?;
    let spec = GeoSpec {
        ridge: args.synth.ridge(),
        permutations: args.synth.permutations(PermutationChoice::Iid, args.seed),
        spend: args.synth.spend,
        ..GeoSpec::new(args.level()?)
    };
    let report = read_geo(&panel, &spec)?;
    Ok(Answer::of(&report, &found))
}
