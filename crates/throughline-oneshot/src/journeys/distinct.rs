//! Distinct paths with what came of them: what attribution reads.

use std::collections::HashMap;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Float64Array, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use throughline_paths::names::PathNames;
use throughline_paths::{NONE, Output};

use super::out::{Texts, create, options, unwritten};
use crate::OneShotError;

/// What came of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    conversions: u64,
    nulls: u64,
    micros: i128,
}

/// Paths by their steps; where steps have numbers, those follow.
#[derive(Debug, Default)]
pub(super) struct Distinct {
    paths: HashMap<Box<[u32]>, Counts>,
    key: Vec<u32>,
}

impl Distinct {
    pub(super) fn len(&self) -> usize {
        self.paths.len()
    }

    pub(super) fn add(&mut self, out: &Output) {
        for journey in 0..out.len() {
            let steps = out.steps_of(journey);
            self.key.clear();
            self.key.extend(&out.steps[steps.clone()]);
            self.key.extend(out.repeats.get(steps).into_iter().flatten());
            let converted = out.conversion[journey] != NONE;
            let counts = Counts {
                conversions: u64::from(converted),
                nulls: u64::from(!converted),
                micros: i128::from(out.value_micros[journey]),
            };
            match self.paths.get_mut(self.key.as_slice()) {
                Some(known) => known.add(counts),
                None => drop(self.paths.insert(self.key.as_slice().into(), counts)),
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        if self.paths.is_empty() {
            self.paths = other.paths;
            return;
        }
        #[expect(clippy::iter_over_hash_type, reason = "sums of whole numbers are equal in any order")]
        for (path, counts) in other.paths {
            self.paths.entry(path).or_default().add(counts);
        }
    }

    /// Writes the paths in the order of their steps.
    pub(super) fn write(&self, path: &Path, names: &PathNames, repeats: bool) -> Result<(), OneShotError> {
        let mut rows: Vec<(&[u32], Counts)> = self.paths.iter().map(|(key, counts)| (&**key, *counts)).collect();
        rows.sort_unstable_by(|a, b| a.0.cmp(b.0));
        let split = |key: &[u32]| if repeats { key.len() / 2 } else { key.len() };
        if path.extension().is_some_and(|e| e == "parquet") {
            return parquet(path, &rows, |key, text| {
                let (steps, times) = key.split_at(split(key));
                names.write(steps, times, text);
            });
        }
        let shown = path.display().to_string();
        let failed = |source| OneShotError::Io { doing: "write", path: shown.clone(), source };
        let mut to = csv::Writer::from_writer(BufWriter::new(create(path)?));
        let unwritten = |e: csv::Error| failed(std::io::Error::other(e));
        to.write_record(["path", "conversions", "value", "nulls"]).map_err(unwritten)?;
        for (key, counts) in &rows {
            let (steps, times) = key.split_at(split(key));
            let numbers = [counts.conversions.to_string(), counts.value().to_string(), counts.nulls.to_string()];
            let [conversions, value, nulls] = &numbers;
            to.write_record([&names.text(steps, times), conversions, value, nulls]).map_err(unwritten)?;
        }
        let mut inner = to.into_inner().map_err(|e| failed(std::io::Error::other(e.to_string())))?;
        inner.flush().map_err(failed)
    }
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.conversions += other.conversions;
        self.nulls += other.nulls;
        self.micros += other.micros;
    }

    fn value(&self) -> f64 {
        self.micros as f64 / 1e6
    }
}

fn parquet(path: &Path, rows: &[(&[u32], Counts)], text: impl Fn(&[u32], &mut String)) -> Result<(), OneShotError> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("path", DataType::LargeUtf8, false),
        Field::new("conversions", DataType::UInt64, false),
        Field::new("value", DataType::Float64, false),
        Field::new("nulls", DataType::UInt64, false),
    ]));
    let failed = |e| unwritten(path, e);
    let mut writer = ArrowWriter::try_new_with_options(create(path)?, schema.clone(), options()).map_err(failed)?;
    for rows in rows.chunks(1 << 16) {
        let mut texts = Texts::default();
        for (key, _) in rows {
            texts.push(|to| text(key, to));
        }
        let batch = RecordBatch::try_new(
            schema.clone(),
            vec![
                texts.finish(),
                Arc::new(rows.iter().map(|(_, c)| c.conversions).collect::<UInt64Array>()),
                Arc::new(rows.iter().map(|(_, c)| c.value()).collect::<Float64Array>()),
                Arc::new(rows.iter().map(|(_, c)| c.nulls).collect::<UInt64Array>()),
            ],
        );
        batch.map_err(Into::into).and_then(|batch| writer.write(&batch)).map_err(failed)?;
    }
    writer.close().map(drop).map_err(failed)
}
