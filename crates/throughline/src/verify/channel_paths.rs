//! 10,000 paths over 12 channels: first, last, linear and Markov order 1 against exact closed forms.

use std::path::Path;

use serde_json::Value;
use throughline_attribution::read_spec;
use throughline_oneshot::attribute::{AttributeArgs, read_paths};

use super::{Check, read_text, reference};
use crate::failure::Failure;

const SOURCE: &str = "closed forms over ChannelAttribution's sample";

pub(super) fn checks(dir: &Path) -> Result<Vec<Check>, Failure> {
    let expected: Value = serde_json::from_str(&read_text(dir, "channel-paths/expected_closed_form.json")?)?;
    let file = reference(dir, "channel-paths/PathData.csv")?;
    let args = |nulls: bool| AttributeArgs {
        file: file.clone(),
        delimiter: ";".into(),
        path: "path".into(),
        separator: " > ".into(),
        conversions: Some("total_conversions".into()),
        value: Some("total_conversion_value".into()),
        nulls: nulls.then(|| "total_null".into()),
        person: None,
        models: Vec::new(),
        compare: false,
        draws: 0,
        level: 0.9,
        seed: 0,
        json: false,
    };
    let (paths, _) = read_paths(&args(true))?;
    let mut out = Vec::new();
    for model in ["first", "last", "linear"] {
        let credits = read_spec(model)?.attribute(&paths)?;
        for what in ["conversions", "value"] {
            for (channel, number) in expected["heuristic"][model][what].as_object().into_iter().flatten() {
                let found = credits.channel(channel);
                let got = found.map_or(f64::NAN, |c| if what == "value" { c.value } else { c.conversions });
                let wanted = number.as_f64().unwrap_or(f64::NAN);
                out.push(Check::relative(format!("{model} {what}, {channel}"), wanted, got, 1e-8, SOURCE));
            }
        }
    }
    for entry in expected["markov"].as_array().into_iter().flatten() {
        let nulls = entry["use_null"].as_bool().unwrap_or(true);
        let (paths, _) = read_paths(&args(nulls))?;
        let credits = read_spec("markov:1")?.attribute(&paths)?;
        let name = if nulls { "with nulls" } else { "without nulls" };
        for (key, which) in [("removal_effect", 0), ("attributed_conversions", 1), ("attributed_value", 2)] {
            for (channel, number) in entry[key].as_object().into_iter().flatten() {
                let got = credits.channel(channel).map_or(f64::NAN, |c| match which {
                    0 => c.removal_effect.unwrap_or(f64::NAN),
                    1 => c.conversions,
                    _ => c.value,
                });
                let wanted = number.as_f64().unwrap_or(f64::NAN);
                out.push(Check::relative(format!("markov 1 {name}, {key}, {channel}"), wanted, got, 1e-8, SOURCE));
            }
        }
    }
    Ok(out)
}
