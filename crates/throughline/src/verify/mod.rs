//! Reference checks of the whole line, beside those of plain files. One file a group and one line in [`LINE`].

mod fractribution;

use std::path::Path;

use throughline_core::Diagnostic;
use throughline_core::diagnostic::closest;
pub(crate) use throughline_oneshot::verify::{Check, reference};

use crate::failure::Failure;

/// A group that needs more than plain files.
struct LineGroup {
    name: &'static str,
    run: fn(&Path) -> Result<Vec<Check>, Failure>,
}

/// Those groups.
const LINE: &[LineGroup] = &[LineGroup { name: "fractribution", run: fractribution::checks }];

/// Runs the groups of the given names, all without any.
pub(crate) fn checks(names: &[String], reference: &Path) -> Result<Vec<Check>, Failure> {
    let plain = throughline_oneshot::verify::GROUPS;
    let known: Vec<&str> = plain.iter().map(|g| g.name).chain(LINE.iter().map(|g| g.name)).collect();
    if let Some(name) = names.iter().find(|n| !known.contains(&n.as_str())) {
        let mut finding = Diagnostic::error("TL050", format!("unknown group `{name}` (known: {})", known.join(", ")));
        if let Some(close) = closest(name, known) {
            finding = finding.help(format!("did you mean `{close}`?"));
        }
        return Err(Failure::finding(finding));
    }
    let wanted = |name: &str| names.is_empty() || names.iter().any(|n| n == name);
    let mut out = Vec::new();
    for group in plain.iter().filter(|g| wanted(g.name)) {
        out.extend((group.run)(reference)?);
    }
    for group in LINE.iter().filter(|g| wanted(g.name)) {
        out.extend((group.run)(reference)?);
    }
    Ok(out)
}
