//! A JSON value as YAML, for documents that people keep in a repository.

use serde_json::Value;

/// The value as block-style YAML. Texts that could be read as anything else are quoted as in JSON, which YAML contains.
pub fn yaml(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out
}

fn write(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                out.push_str(&"  ".repeat(depth));
                out.push_str(&text(key));
                out.push(':');
                nested(out, value, depth + 1);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                out.push_str(&"  ".repeat(depth));
                out.push('-');
                nested(out, item, depth + 1);
            }
        }
        other => {
            out.push_str(&"  ".repeat(depth));
            out.push_str(&scalar(other));
            out.push('\n');
        }
    }
}

fn nested(out: &mut String, value: &Value, depth: usize) {
    let flat = match value {
        Value::Array(items) => items.iter().all(|i| !i.is_object() && !i.is_array()) && value.to_string().len() <= 90,
        Value::Object(map) => map.is_empty(),
        _ => true,
    };
    if flat {
        out.push(' ');
        out.push_str(&scalar(value));
        out.push('\n');
    } else {
        out.push('\n');
        write(out, value, depth);
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(s) => text(s),
        other => other.to_string(),
    }
}

/// A text without quotes where nothing in it means anything to YAML.
fn text(s: &str) -> String {
    let plain = s.chars().all(|c| c.is_alphanumeric() || " _./()−×".contains(c))
        && s.chars().next().is_some_and(char::is_alphabetic)
        && !s.ends_with(' ')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&s.to_lowercase().as_str());
    if plain { s.to_owned() } else { Value::from(s).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_are_nested_and_risky_texts_quoted() {
        let got = yaml(&json!({
            "name": "summer test", "n": 12, "on": "no", "odd": "a: b", "list": [1, 2], "arms": [{ "name": "a", "share": 0.5 }], "none": {}, "x": null,
        }));
        let expected = "name: summer test\n\"n\": 12\n\"on\": \"no\"\nodd: \"a: b\"\nlist: [1,2]\narms:\n  -\n    name: a\n    share: 0.5\nnone: {}\nx: null\n";
        assert_eq!(got, expected);
    }
}
