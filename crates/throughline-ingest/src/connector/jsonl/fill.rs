//! From one JSON line to the cells of the wanted columns, without building a tree. Scalars keep the text they are
//! written in, so `12.50` and ids of twenty digits stay what they are.

use std::collections::HashMap;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

/// What a path of keys is to the mapping.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
    /// The wanted column of exactly this path.
    column: Option<usize>,
    /// Whether wanted columns lie below.
    inner: bool,
}

/// The wanted columns by path.
#[derive(Debug)]
pub(super) struct Wanted {
    nodes: HashMap<String, Node>,
    count: usize,
}

impl Wanted {
    pub(super) fn new(names: &[String]) -> Self {
        let mut nodes: HashMap<String, Node> = HashMap::new();
        for (i, name) in names.iter().enumerate() {
            nodes.entry(name.clone()).or_default().column.get_or_insert(i);
            for (dot, _) in name.match_indices('.') {
                nodes.entry(name[..dot].to_owned()).or_default().inner = true;
            }
        }
        Self { nodes, count: names.len() }
    }

    pub(super) const fn len(&self) -> usize {
        self.count
    }
}

/// The values of one line.
#[derive(Debug)]
pub(super) struct Cells {
    text: String,
    ranges: Vec<Option<(usize, usize)>>,
    path: String,
    /// The paths of the line before, in their order: lines are mostly alike, and comparing is cheaper than looking up.
    before: Vec<(String, Node)>,
    /// How many paths of this line were met.
    met: usize,
}

/// Paths that are remembered.
const REMEMBERED: usize = 256;

impl Cells {
    pub(super) fn new(columns: usize) -> Self {
        let (text, path, before) = (String::new(), String::new(), Vec::new());
        Self { text, ranges: vec![None; columns], path, before, met: 0 }
    }

    /// What the path at hand is to the mapping.
    fn node(&mut self, wanted: &Wanted) -> Node {
        let place = self.met;
        self.met += 1;
        if let Some((path, node)) = self.before.get(place)
            && *path == self.path
        {
            return *node;
        }
        let node = wanted.nodes.get(&self.path).copied().unwrap_or_default();
        if let Some(remembered) = self.before.get_mut(place) {
            remembered.0.clone_from(&self.path);
            remembered.1 = node;
        } else if place == self.before.len() && place < REMEMBERED {
            self.before.push((self.path.clone(), node));
        }
        node
    }

    /// The value of a wanted column.
    pub(super) fn get(&self, column: usize) -> Option<&str> {
        let (start, end) = self.ranges.get(column).copied().flatten()?;
        self.text.get(start..end)
    }

    /// Reads a line. The reason of a refusal says where, never what.
    pub(super) fn fill(&mut self, line: &str, wanted: &Wanted) -> Result<(), String> {
        self.text.clear();
        self.path.clear();
        self.met = 0;
        self.ranges.fill(None);
        let mut input = serde_json::Deserializer::from_str(line);
        let read = input.deserialize_map(Object { wanted, cells: self }).and_then(|()| input.end());
        read.map_err(|e| match e.classify() {
            Category::Data => "the line is not a JSON object".to_owned(),
            Category::Eof => "the JSON ends too early".to_owned(),
            Category::Syntax | Category::Io => format!("the JSON is malformed at character {}", e.column()),
        })
    }

    fn set(&mut self, column: usize, value: Option<&str>) {
        self.ranges[column] = value.map(|value| {
            let start = self.text.len();
            self.text.push_str(value);
            (start, self.text.len())
        });
    }

    fn set_raw(&mut self, column: usize, raw: &str) -> Result<(), serde_json::Error> {
        match raw.as_bytes().first() {
            Some(b'n') => self.set(column, None),
            Some(b'"') if !raw.contains('\\') => self.set(column, raw.get(1..raw.len() - 1)),
            Some(b'"') => self.set(column, Some(&serde_json::from_str::<String>(raw)?)),
            _ => self.set(column, Some(raw)),
        }
        Ok(())
    }
}

/// The members of an object.
struct Object<'a> {
    wanted: &'a Wanted,
    cells: &'a mut Cells,
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { wanted, cells } = self;
        let parent = cells.path.len();
        while map.next_key_seed(Key(&mut cells.path))?.is_some() {
            match cells.node(wanted) {
                Node { inner: true, column } => map.next_value_seed(Inner { wanted, cells, column })?,
                Node { column: Some(column), .. } => {
                    let raw: &RawValue = map.next_value()?;
                    cells.set_raw(column, raw.get()).map_err(A::Error::custom)?;
                }
                Node { column: None, .. } => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            cells.path.truncate(parent);
        }
        Ok(())
    }
}

/// A key, put behind the path.
struct Key<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<(), E> {
        if !self.0.is_empty() {
            self.0.push('.');
        }
        self.0.push_str(key);
        Ok(())
    }
}

/// A value below which wanted columns lie; it may be a scalar all the same, and wanted as such.
struct Inner<'a> {
    wanted: &'a Wanted,
    cells: &'a mut Cells,
    column: Option<usize>,
}

impl Inner<'_> {
    fn scalar(self, value: Option<&str>) {
        if let Some(column) = self.column {
            self.cells.set(column, value);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Inner<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inner<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        Object { wanted: self.wanted, cells: self.cells }.visit_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<&RawValue>()? {
            items.push(item.get());
        }
        self.scalar(Some(&format!("[{}]", items.join(","))));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.scalar(Some(value));
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.scalar(Some(if value { "true" } else { "false" }));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.scalar(Some(&value.to_string()));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.scalar(Some(&value.to_string()));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.scalar(Some(&value.to_string()));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.scalar(None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, names: &[&str], expect: &[Option<&str>]) {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        let mut cells = Cells::new(names.len());
        let read = cells.fill(line, &Wanted::new(&names));
        assert_eq!(read, Ok(()), "{line}");
        let got: Vec<Option<&str>> = (0..names.len()).map(|i| cells.get(i)).collect();
        assert_eq!(got, expect, "{line}");
    }

    #[test]
    fn scalars_keep_their_text() {
        check(
            r#"{"a":12.50,"b":true,"c":null,"d":""}"#,
            &["a", "b", "c", "d"],
            &[Some("12.50"), Some("true"), None, Some("")],
        );
        check(r#"{"id":123456789012345678901234567890}"#, &["id"], &[Some("123456789012345678901234567890")]);
        check(r#"{"s":"a\u00e9\n\"b\""}"#, &["s"], &[Some("aé\n\"b\"")]);
        check(r#"{"a":1,"a":2}"#, &["a", "missing"], &[Some("2"), None]);
    }

    #[test]
    fn nested_values() {
        check(r#"{"a":{"b":{"c":1},"d":2},"a.d":3}"#, &["a.b.c", "a.d"], &[Some("1"), Some("3")]);
        check(r#"{"a":[1, {"x":2}],"b":{"k":1}}"#, &["a", "b"], &[Some(r#"[1, {"x":2}]"#), Some(r#"{"k":1}"#)]);
        check(r#"{"a":5}"#, &["a", "a.b"], &[Some("5"), None]);
        check(r#"{"a":["x"]}"#, &["a", "a.b"], &[Some(r#"["x"]"#), None]);
        check(r#"{"":1,"b":{"":2}}"#, &["", "b."], &[Some("1"), Some("2")]);
    }

    #[test]
    fn the_order_of_keys_may_change_from_line_to_line() {
        let names = ["a".to_owned(), "b.c".to_owned()];
        let (wanted, mut cells) = (Wanted::new(&names), Cells::new(2));
        for line in [r#"{"a":1,"b":{"c":2}}"#, r#"{"b":{"c":2},"a":1}"#, r#"{"x":0,"a":1,"b":{"x":0,"c":2}}"#] {
            for _ in 0..2 {
                assert_eq!(cells.fill(line, &wanted), Ok(()));
                assert_eq!((cells.get(0), cells.get(1)), (Some("1"), Some("2")), "{line}");
            }
        }
        assert_eq!(cells.fill("{}", &wanted), Ok(()));
        assert_eq!((cells.get(0), cells.get(1)), (None, None));
    }

    #[test]
    fn refusals_never_quote_the_line() {
        let wanted = Wanted::new(&["a".to_owned(), "b.c".to_owned()]);
        let deep = "[".repeat(100_000);
        for line in ["\"ann@example.org\"", "[1]", "{\"a\":", "{\"a\":1}x", "{'a':1}", "{\"a\":\"\u{1}\"}", &deep] {
            let reason = Cells::new(2).fill(line, &wanted).expect_err("refused");
            assert!(!reason.contains("ann") && reason.len() < 60, "{reason}");
        }
        let bomb = format!("{{\"b\":{}1{}}}", "{\"x\":".repeat(10_000), "}".repeat(10_000));
        assert!(Cells::new(2).fill(&bomb, &wanted).is_ok(), "what is not wanted is skipped without recursion");
        let inside = format!("{{\"b\":{{\"c\":{}", "[".repeat(10_000));
        assert!(Cells::new(2).fill(&inside, &wanted).is_err());
    }
}
