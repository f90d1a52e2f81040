//! Segments: what a person was when a journey ended.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;
use serde::{Deserialize, Serialize};
use throughline_core::Diagnostic;
use throughline_core::expr::Expr;
use throughline_lake::{CompiledExpr, expression_schema, tables};

use crate::bucket::TIMELINE_COLUMNS;
use crate::error::JourneyError;

/// A segment: a name, and an expression of a person's signals that says which group the person is in.
///
/// What counts for a journey is the last value that is not NULL of the person's signals up to the journey's end, of those that may
/// be used for measurement: what a CRM said of the person by then, and not what it says today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentConfig {
    /// Its name: letters, digits and underscores.
    pub name: String,
    /// An expression of the timeline's columns, such as `properties['tier']`; numbers and truth values are read as text.
    pub value: String,
}

impl SegmentConfig {
    /// Findings (TL457): a name that is none, an expression that cannot be used.
    pub fn check(&self) -> Option<Diagnostic> {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if self.name.is_empty() || !self.name.chars().all(legal) {
            let message = format!("`{}` is no name of a segment", self.name);
            return Some(Diagnostic::error("TL457", message).help("use letters, digits and underscores"));
        }
        self.compile().err()
    }

    fn compile(&self) -> Result<CompiledExpr, Diagnostic> {
        let table = offered();
        let parsed = Expr::parse(&self.value, &expression_schema(&table)).map_err(|e| e.diagnostic("TL457"))?;
        CompiledExpr::new(&parsed, &table).map_err(|e| Diagnostic::error("TL457", e.to_string()))
    }
}

/// The columns of the timeline that expressions may name.
fn offered() -> Schema {
    let schema = tables::timeline().file_schema;
    let known = schema.fields().iter().filter(|f| TIMELINE_COLUMNS.contains(&f.name().as_str()));
    Schema::new(known.cloned().collect::<Vec<_>>())
}

/// Segments ready to be computed.
#[derive(Debug, Clone)]
pub(crate) struct Segments(Arc<[(String, CompiledExpr)]>);

impl Segments {
    pub(crate) fn compile(configs: &[SegmentConfig]) -> Result<Self, JourneyError> {
        let compiled = |config: &SegmentConfig| {
            let compiled = config.compile().map_err(|finding| JourneyError::Segment(finding.message))?;
            Ok((config.name.clone(), compiled))
        };
        Ok(Self(configs.iter().map(compiled).collect::<Result<_, JourneyError>>()?))
    }

    /// The segments of a chunk, row by row: the last known value so far of the person whose rows they are.
    pub(crate) fn of<'a>(
        &self,
        chunk: &RecordBatch,
        people: &(impl Iterator<Item = &'a Range<usize>> + Clone),
        usable: impl Fn(usize) -> bool,
    ) -> Result<Known, JourneyError> {
        let mut known = Vec::with_capacity(self.0.len());
        for (name, expression) in self.0.iter() {
            let values: ArrayRef = cast(&expression.evaluate(chunk)?, &DataType::Utf8)?;
            let texts = throughline_lake::columns::as_text(&values)?.clone();
            let mut at = vec![None; chunk.num_rows()];
            for range in people.clone() {
                let mut last = None;
                for row in range.clone() {
                    if usable(row) && texts.is_valid(row) && !texts.value(row).trim().is_empty() {
                        last = u32::try_from(row).ok();
                    }
                    at[row] = last;
                }
            }
            known.push((name.clone(), texts, at));
        }
        Ok(Known(known))
    }
}

/// Segments by row of a chunk.
#[derive(Debug, Default)]
pub(crate) struct Known(Vec<(String, StringArray, Vec<Option<u32>>)>);

impl Known {
    /// `name=value` of each segment that is known as of a row.
    pub(crate) fn at(&self, row: usize) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(move |(name, texts, at)| {
            at.get(row).copied().flatten().map(|known| format!("{name}={}", texts.value(known as usize)))
        })
    }
}
