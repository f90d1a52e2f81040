//! `--method sdid`.

use throughline_evidence::synth::read_sdid;
use throughline_evidence::synth::sdid::{Kind, SdidSpec};

use super::PanelArgs;
use crate::{Answer, OneShotError};

pub(super) fn run(args: &PanelArgs) -> Result<Answer, OneShotError> {
    let (panel, found) = args.panel()?;
    let spec = SdidSpec { kind: Kind::Sdid, solver: args.synth.solver(), noise: None };
    let report = read_sdid(&panel, &spec, args.synth.variance(args.seed), args.level()?)?;
    Ok(Answer::of(&report, &found))
}
