//! `--method cs`: Callaway and Sant'Anna's staggered adoption.

use throughline_evidence::did::{Adjustment, Aggregate, Base, Controls, CsOptions, callaway_santanna};

use super::{AggregateChoice, BaseChoice, ControlChoice, EstimatorChoice, PanelArgs};
use crate::{Answer, OneShotError};

pub(super) fn run(args: &PanelArgs) -> Result<Answer, OneShotError> {
    let options = options(args)?;
    let (panel, found) = args.panel()?;
    Ok(Answer::of(&callaway_santanna(&panel, &options)?, &found))
}

/// What the arguments ask for.
fn options(args: &PanelArgs) -> Result<CsOptions, OneShotError> {
    Ok(CsOptions {
        controls: match args.control_group {
            ControlChoice::Never => Controls::Never,
            ControlChoice::Notyet => Controls::NotYet,
        },
        base: match args.base {
            BaseChoice::Varying => Base::Varying,
            BaseChoice::Universal => Base::Universal,
        },
        anticipation: args.anticipation,
        adjustment: match args.estimator {
            EstimatorChoice::Reg => Adjustment::Regression,
            EstimatorChoice::Ipw => Adjustment::Weighting,
            EstimatorChoice::Dr => Adjustment::DoublyRobust,
        },
        aggregate: match args.aggregate {
            AggregateChoice::Simple => Aggregate::Simple,
            AggregateChoice::Group => Aggregate::Group,
            AggregateChoice::Dynamic => Aggregate::Dynamic,
            AggregateChoice::Calendar => Aggregate::Calendar,
        },
        level: args.level()?,
        seed: args.seed,
    })
}
