//! Lists of objects spread over columns: `event_params` of GA4, `actions` of Meta.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array as _, AsArray as _, StringArray};
use serde_json::{Map, Value};

use super::Vendor;
use super::form::Form;
use crate::error::IngestError;
use crate::location::SourceFile;

/// Rows looked into for the names of columns.
const DISCOVERY_ROWS: usize = 1000;
/// Most columns that are made of lists.
const MAX_COLUMNS: usize = 4096;

/// The name of a column, without prefix, and its value.
pub(in super::super) type Cell = (String, String);

/// The columns of the lists of a batch: position of the field → row → columns. Each list is parsed once.
pub(super) type Lists = BTreeMap<usize, Vec<Vec<Cell>>>;

/// A list whose objects become columns.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct List {
    /// The field that holds it.
    pub(in super::super) field: &'static str,
    /// What the columns' names begin with.
    pub(in super::super) prefix: &'static str,
    /// The names for the documentation, such as `params.NAME`.
    pub(in super::super) pattern: &'static str,
    /// What the columns hold.
    pub(in super::super) doc: &'static str,
    /// The rest of the name and the value of each column that an object gives.
    pub(in super::super) spread: fn(&Map<String, Value>) -> Vec<Cell>,
}

impl List {
    /// The columns of a list, names without prefix; of objects with one name the first counts. What is no list of
    /// objects gives nothing.
    pub(super) fn cells(&self, json: &str) -> Vec<Cell> {
        let Ok(items) = serde_json::from_str::<Vec<Value>>(json) else { return Vec::new() };
        items.iter().filter_map(Value::as_object).flat_map(self.spread).collect()
    }

    /// The columns of every row of a field.
    pub(super) fn rows(&self, texts: &StringArray) -> Vec<Vec<Cell>> {
        texts.iter().map(|json| json.map(|json| self.cells(json)).unwrap_or_default()).collect()
    }
}

/// The names of the columns that the lists of the first rows give.
pub(super) fn names(vendor: &Vendor, form: &Form, file: &SourceFile) -> Result<Vec<String>, IngestError> {
    if vendor.lists.is_empty() {
        return Ok(Vec::new());
    }
    let fields: Vec<String> = vendor.lists.iter().map(|list| list.field.to_owned()).collect();
    let mut reader = form.read(file, &fields)?;
    let Some(batch) = reader.next_batch()? else { return Ok(Vec::new()) };
    let (mut seen, mut names) = (BTreeSet::new(), Vec::new());
    for (list, array) in vendor.lists.iter().zip(&batch.columns) {
        let Some(texts) = array.as_string_opt::<i32>() else { continue };
        for row in (0..texts.len().min(DISCOVERY_ROWS)).filter(|row| texts.is_valid(*row)) {
            for (name, _) in list.cells(texts.value(row)) {
                let name = format!("{}{name}", list.prefix);
                if names.len() < MAX_COLUMNS && seen.insert(name.clone()) {
                    names.push(name);
                }
            }
        }
    }
    Ok(names)
}

/// A scalar as text; lists and objects as JSON.
pub(in super::super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
