//! Published vectors.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{check, touches};

fn vectors() -> Option<Value> {
    let folder = std::env::var("THROUGHLINE_REFERENCE")
        .map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let text = std::fs::read_to_string(folder.join("attribution-vectors/vectors.json")).ok()?;
    serde_json::from_str(&text).ok()
}

fn path(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[test]
#[expect(clippy::print_stderr, reason = "a test says when its data is absent")]
fn transforms_are_snowplows() {
    let Some(vectors) = vectors() else {
        eprintln!("attribution-vectors is absent: nothing was compared");
        return;
    };
    let all = &vectors["snowplow_path_transforms"];
    let check = |transform: &str, from: &Value, to: &Value| {
        let words: Vec<String> = path(from).iter().enumerate().map(|(i, c)| format!("{i}:{c}")).collect();
        assert!(!words.is_empty());
        let expect = format!("{}!", path(to).join(">"));
        check(&touches(&format!("transform: \"{transform}\"")), &format!("{} 99:!", words.join(" ")), &expect);
    };
    for transform in ["unique", "exposure", "first", "frequency"] {
        check(transform, &all["in"], &all[format!("{transform}_path")]);
    }
    for transform in ["remove_if_not_all", "remove_if_last_and_not_all"] {
        let one = &all[format!("{transform}_A")];
        check(&format!("{transform}:A"), &one["in"], &one["out"]);
    }
}
