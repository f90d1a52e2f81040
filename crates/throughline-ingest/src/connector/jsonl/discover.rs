//! Finding the columns of JSON lines.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Most columns that are kept: hostile lines could each bring new names.
const MAX_COLUMNS: usize = 4096;

/// Names found so far, in order of appearance.
#[derive(Debug, Default)]
pub(super) struct Discovered {
    order: Vec<String>,
    seen: BTreeSet<String>,
}

impl Discovered {
    /// Adds the fields of a line; a line that is not an object adds nothing.
    pub(super) fn look_at(&mut self, line: &[u8]) {
        if let Ok(Value::Object(object)) = serde_json::from_slice(line) {
            self.add(&object, "");
        }
    }

    fn add(&mut self, object: &Map<String, Value>, prefix: &str) {
        for (key, value) in object {
            let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            match value {
                // The parser bounds the depth of nesting.
                Value::Object(inner) => self.add(inner, &path),
                _ if self.order.len() >= MAX_COLUMNS => return,
                _ => {
                    if self.seen.insert(path.clone()) {
                        self.order.push(path);
                    }
                }
            }
        }
    }

    /// The names.
    pub(super) fn names(self) -> Vec<String> {
        self.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_in_order_of_appearance() {
        let mut found = Discovered::default();
        for line in [r#"{"b":1,"a":{"y":[1],"x":{"deep":null}}}"#, "[1]", "{", r#"{"c":true,"b":2}"#] {
            found.look_at(line.as_bytes());
        }
        assert_eq!(found.names(), ["b", "a.y", "a.x.deep", "c"]);
    }

    #[test]
    fn the_number_of_columns_is_bounded() {
        let mut found = Discovered::default();
        for i in 0..5000 {
            found.look_at(format!("{{\"k{i}\":1}}").as_bytes());
        }
        assert_eq!(found.names().len(), MAX_COLUMNS);
    }
}
