//! `--method did`: before and after, treated and not; on staggered data the spread of answers.

use throughline_evidence::did::difference_in_differences;

use super::PanelArgs;
use crate::{Answer, OneShotError};

pub(super) fn run(args: &PanelArgs) -> Result<Answer, OneShotError> {
    let level = args.level()?;
    let (panel, found) = args.panel()?;
    Ok(Answer::of(&difference_in_differences(&panel, level, args.seed)?, &found))
}
