//! Every detector, in one list.

use crate::detector::{Component, Detector};
use crate::detectors::median_mad;
use crate::error::WatchError;

/// A detector as the registry holds it.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The name used in files.
    pub name: &'static str,
    /// One sentence for people.
    pub doc: &'static str,
    build: fn(&serde_json::Value) -> Result<Box<dyn Detector>, WatchError>,
}

/// Every detector.
pub const DETECTORS: &[Entry] = &[entry::<median_mad::MedianMad>()];

const fn entry<T: Component>() -> Entry {
    Entry { name: T::NAME, doc: T::DOC, build: build::<T> }
}

fn build<T: Component>(params: &serde_json::Value) -> Result<Box<dyn Detector>, WatchError> {
    let refused = |reason| WatchError::Params { name: T::NAME, reason };
    let params = match params {
        serde_json::Value::Null => T::Params::default(),
        given => serde_json::from_value(given.clone()).map_err(|e| refused(e.to_string()))?,
    };
    Ok(Box::new(T::new(params).map_err(refused)?))
}

/// The detector of a name with the given parameters (null for its defaults).
pub fn detector(name: &str, params: &serde_json::Value) -> Result<Box<dyn Detector>, WatchError> {
    let entry = DETECTORS.iter().find(|e| e.name == name).ok_or_else(|| WatchError::UnknownDetector {
        name: name.to_owned(),
        known: DETECTORS.iter().map(|e| e.name).collect::<Vec<_>>().join(", "),
    })?;
    (entry.build)(params)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metric::Metric;
    use crate::{Series, Status};

    #[test]
    fn every_entry_meets_the_contract_of_detectors() {
        for entry in DETECTORS {
            let rule = detector(entry.name, &serde_json::Value::Null).expect("the defaults are accepted");
            assert_eq!(rule.name(), entry.name);
            for metric in Metric::ALL {
                let series =
                    |history, value| Series { history, value, floor: metric.floor(100), worse: metric.worse() };
                assert_eq!(rule.judge(&series(&[], 1.0)).status, Status::First, "{}", entry.name);
                assert_eq!(rule.judge(&series(&[0.5; 10], 0.5)).status, Status::Ok, "{}", entry.name);
            }
        }
    }

    #[test]
    fn unknown_names_and_parameters_are_refused() {
        let message = |name: &str, params| detector(name, &params).map(|_| ()).expect_err("refused").to_string();
        assert_eq!(message("mad", json!({})), "unknown detector `mad` (known: median_mad)");
        assert!(message("median_mad", json!({"window": 3})).contains("unknown field `window`"));
        assert!(message("median_mad", json!({"changed": -1})).contains("changed of -1 scales is not above 0"));
    }
}
