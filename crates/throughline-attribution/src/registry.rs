//! The list of models: a new one is one file in `models/` and one line here.

use throughline_core::diagnostic::closest;

use crate::models::first::First;
use crate::models::hazard::Hazard;
use crate::models::last::Last;
use crate::models::last_non_direct::LastNonDirect;
use crate::models::leave_one_out::LeaveOneOut;
use crate::models::linear::Linear;
use crate::models::logistic::Logistic;
use crate::models::markov::Markov;
use crate::models::no_parameter;
use crate::models::participation::Participation;
use crate::models::path::Path;
use crate::models::position::Position;
use crate::models::same_touch::SameTouch;
use crate::models::shao_li::ShaoLi;
use crate::models::shapley::Shapley;
use crate::models::shapley_ordered::ShapleyOrdered;
use crate::models::shapley_simplified::ShapleySimplified;
use crate::models::time_decay::TimeDecay;
use crate::models::w_shaped::WShaped;
use crate::{AttributionError, Model};

type Read = fn(Option<&str>) -> Result<Box<dyn Model>, AttributionError>;

/// A model by name.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The name in specifications.
    pub name: &'static str,
    /// An example of the parameter after the colon; empty where there is none.
    pub parameter: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    read: Read,
}

const fn entry(name: &'static str, parameter: &'static str, summary: &'static str, read: Read) -> Entry {
    Entry { name, parameter, summary, read }
}

fn fixed<M: Model + 'static>(
    name: &'static str,
    parameter: Option<&str>,
    model: M,
) -> Result<Box<dyn Model>, AttributionError> {
    no_parameter(name, parameter).map(|()| Box::new(model) as Box<dyn Model>)
}

fn boxed<M: Model + 'static>(model: M) -> Box<dyn Model> {
    Box::new(model)
}

/// Every model.
#[rustfmt::skip]
pub const MODELS: &[Entry] = &[
    entry("first", "", "all credit to the first touch", |p| fixed("first", p, First)),
    entry("last", "", "all credit to the last touch", |p| fixed("last", p, Last)),
    entry("last_non_direct", "direct", "the last touch that is not direct traffic", |p| LastNonDirect::read(p).map(boxed)),
    entry("linear", "", "equal credit to every touch", |p| fixed("linear", p, Linear)),
    entry("time_decay", "7d", "credit halves with every half-life before the conversion", |p| TimeDecay::read(p).map(boxed)),
    entry("position", "0.4,0.2,0.4", "fixed shares for first, middle and last", |p| Position::read(p).map(boxed)),
    entry("u", "", "position 40/20/40", |p| fixed("u", p, Position::u())),
    entry("j", "", "position 20/20/60", |p| fixed("j", p, Position::j())),
    entry("inverse_j", "", "position 60/20/20", |p| fixed("inverse_j", p, Position::inverse_j())),
    entry("w", "", "30/30/30/10: first, middle and last stand out", |p| fixed("w", p, WShaped)),
    entry("same_touch", "30m", "the touches of the visit that converted", |p| SameTouch::read(p).map(boxed)),
    entry("participation", "", "full credit to every channel present; does not add up", |p| fixed("participation", p, Participation)),
    entry("shapley_simplified", "", "equal credit to every different channel", |p| fixed("shapley_simplified", p, ShapleySimplified)),
    entry("shapley_ordered", "", "the same, kept apart by position", |p| fixed("shapley_ordered", p, ShapleyOrdered)),
    entry("shapley", "rate", "Shapley value of the conversion-rate game; may be negative", |p| Shapley::read(p).map(boxed)),
    entry("shao_li", "", "rates of channels and of pairs of channels", |p| fixed("shao_li", p, ShaoLi)),
    entry("leave_one_out", "", "loss of conversion rate without each touch, on exact paths", |p| fixed("leave_one_out", p, LeaveOneOut)),
    entry("markov", "1", "removal effects in a Markov chain of order 1 to 4", |p| Markov::read(p).map(boxed)),
    entry("path", "markov:1", "another model, path by path", |p| Path::read(p).map(boxed)),
    entry("markov", "1", "removal effects in a Markov chain of order 1 to 4, or of the order that predicts best (auto)", |p| Markov::read(p).map(boxed)),
    entry("hazard", "", "shares in a rate of conversion to which touches add and which decays", |p| fixed("hazard", p, Hazard)),
    entry("logistic", "presence", "what a bagged logistic regression loses without each channel", |p| Logistic::read(p).map(boxed)),
];

/// Reads a model specification: a name, or a name and a parameter after a colon, such as `time_decay:7d`.
///
/// ```
/// use throughline_attribution::read_spec;
/// assert_eq!(read_spec("markov")?.spec(), "markov:1");
/// let error = read_spec("linaer").unwrap_err().to_string();
/// assert!(error.starts_with("unknown attribution model `linaer`, did you mean `linear`?"));
/// # Ok::<(), throughline_attribution::AttributionError>(())
/// ```
pub fn read_spec(spec: &str) -> Result<Box<dyn Model>, AttributionError> {
    let (name, parameter) = spec.split_once(':').map_or((spec, None), |(n, p)| (n, Some(p.trim())));
    let name = name.trim();
    match MODELS.iter().find(|entry| entry.name == name) {
        Some(entry) => (entry.read)(parameter),
        None => Err(AttributionError::UnknownModel {
            name: name.chars().take(80).collect(),
            suggestion: closest(name, MODELS.iter().map(|e| e.name)).map(str::to_owned),
            known: MODELS.iter().map(|e| e.name).collect::<Vec<_>>().join(", "),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_reads_itself_back() {
        for entry in MODELS {
            let with_parameter = format!("{}:{}", entry.name, entry.parameter);
            let texts = if entry.parameter.is_empty() { vec![entry.name] } else { vec![entry.name, &with_parameter] };
            for text in texts {
                let spec = read_spec(text).expect("listed").spec();
                assert_eq!(read_spec(&spec).map(|m| m.spec()), Ok(spec), "{text}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        #[track_caller]
        fn check(spec: &str, expect: &str) {
            let error = read_spec(spec).expect_err("wrong").to_string();
            assert!(error.contains(expect), "{error}");
        }
        check("marcov:1", "unknown attribution model `marcov`, did you mean `markov`? (known: first, last,");
        check("shapely", "unknown attribution model `shapely`, did you mean `shapley`? (known: ");
        check("", "unknown attribution model ``");
        check("linear:2", "`2` is not a parameter of attribution model `linear` (expected nothing after the name)");
        check("markov:9", "(expected an order of 1 to 4, or auto)");
        check("position:1", "(expected three shares FIRST,MIDDLE,LAST");
    }
}
