//! Last touch that is not direct traffic.

use crate::rule::Weigher;
use crate::{AttributionError, PathTable, Rule};

/// All credit to the last touch whose channel is not direct traffic; to the last touch when all are.
///
/// Source: "Paid and organic last click" of Google Analytics 4, which ignores direct visits unless the path holds
/// nothing else. Without a parameter, direct is a channel named `direct`, `(direct)` or `(direct) / (none)`, in any
/// capitals; `last_non_direct:Typed in` names another one. A channel that is direct under another name is not
/// recognised, and the model then equals last touch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LastNonDirect {
    /// The direct channel; `None` for the usual names.
    pub direct: Option<String>,
}

const USUAL: [&str; 3] = ["direct", "(direct)", "(direct) / (none)"];

impl LastNonDirect {
    /// Reads the part of a specification after the colon.
    #[expect(clippy::unnecessary_wraps, reason = "the registry's readers share one signature")]
    pub(crate) fn read(parameter: Option<&str>) -> Result<Self, AttributionError> {
        Ok(Self { direct: parameter.map(str::to_owned) })
    }

    fn is_direct(&self, channel: &str) -> bool {
        match &self.direct {
            Some(direct) => channel == direct,
            None => USUAL.iter().any(|name| channel.eq_ignore_ascii_case(name)),
        }
    }
}

impl Rule for LastNonDirect {
    fn name(&self) -> &'static str {
        "last_non_direct"
    }

    fn spec(&self) -> String {
        self.direct.as_ref().map_or_else(|| "last_non_direct".to_owned(), |d| format!("last_non_direct:{d}"))
    }

    fn weigher<'t>(&self, table: &'t PathTable) -> Result<Weigher<'t>, AttributionError> {
        let direct: Vec<bool> = table.channels().iter().map(|c| self.is_direct(c)).collect();
        Ok(Box::new(move |path, _, weights| {
            let last = path.steps.iter().rposition(|s| !direct[*s as usize]).unwrap_or(path.steps.len() - 1);
            weights[last] = 1.0;
        }))
    }
}

#[cfg(test)]
mod tests {
    use crate::models::testing::check_weights;

    #[test]
    fn direct_is_passed_over() {
        check_weights("last_non_direct", "a b Direct (direct)", &[0.0, 1.0, 0.0, 0.0]);
        check_weights("last_non_direct", "direct DIRECT", &[0.0, 1.0]);
        check_weights("last_non_direct", "a b", &[0.0, 1.0]);
        check_weights("last_non_direct:typed", "a direct typed", &[0.0, 1.0, 0.0]);
    }
}
