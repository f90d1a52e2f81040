//! `--method did`.

use throughline_core::Diagnostic;

use super::PanelArgs;
use crate::{Answer, OneShotError};

pub(super) fn run(_: &PanelArgs) -> Result<Answer, OneShotError> {
    let message = "method `did` is not available in this build";
    Err(OneShotError::finding(Diagnostic::error("TL065", message).help("use --method did or cs")))
}
