//! Rows of plain readers → the columns of a vendor.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, StringArray, StringBuilder, new_null_array};
use arrow::datatypes::DataType;

use super::facts::Facts;
use super::form::Form;
use super::{List, Made, Row, Vendor};
use crate::connector::{RawBatch, RowReader};
use crate::error::IngestError;
use crate::location::SourceFile;

/// How a wanted column comes about.
enum Plan {
    /// A field of the file.
    Field(usize),
    /// Made of fields, by argument.
    Made { made: Made, slots: Vec<Vec<usize>> },
    /// A column of a list in a field.
    Spread { list: List, name: String, field: usize },
}

/// Reads the columns of a vendor.
pub(super) struct VendorReader {
    inner: Box<dyn RowReader>,
    plans: Vec<Plan>,
    facts: Facts,
}

impl VendorReader {
    pub(super) fn open(
        vendor: &Vendor,
        form: &Form,
        facts: Facts,
        file: &SourceFile,
        wanted: &[String],
    ) -> Result<Self, IngestError> {
        let mut fields: Vec<String> = Vec::new();
        let mut position = |name: &str| {
            fields.iter().position(|f| f == name).unwrap_or_else(|| {
                fields.push(name.to_owned());
                fields.len() - 1
            })
        };
        let mut plans = Vec::with_capacity(wanted.len());
        for name in wanted {
            if let Some(made) = vendor.columns.iter().find(|made| made.name == name) {
                let slots = made.from.iter().map(|names| names.iter().map(|n| position(n)).collect()).collect();
                plans.push(Plan::Made { made: *made, slots });
            } else if let Some((list, rest)) =
                vendor.lists.iter().find_map(|list| Some((list, name.strip_prefix(list.prefix)?)))
            {
                plans.push(Plan::Spread { list: *list, name: rest.to_owned(), field: position(list.field) });
            } else {
                plans.push(Plan::Field(position(name)));
            }
        }
        Ok(Self { inner: form.read(file, &fields)?, plans, facts })
    }

    fn made(&self, made: Made, slots: &[Vec<usize>], arrays: &[StringArray], batch: &mut RawBatch) -> ArrayRef {
        let mut builder = StringBuilder::new();
        for row in 0..batch.numbers.len() {
            match made.make.call(&Row { arrays, slots, at: row, facts: &self.facts }) {
                Ok(value) => builder.append_option(value),
                Err(bad) => {
                    builder.append_null();
                    batch.unfit.push((row, bad.fault, format!("column `{}`: {}", made.name, bad.reason)));
                }
            }
        }
        Arc::new(builder.finish())
    }

    /// The columns of one list, each list parsed once a row.
    fn spread(&self, field: usize, arrays: &[StringArray]) -> Vec<(usize, ArrayRef)> {
        let wanted: Vec<(usize, &List, &str)> = (0..)
            .zip(&self.plans)
            .filter_map(|(i, plan)| match plan {
                Plan::Spread { list, name, field: f } if *f == field => Some((i, list, name.as_str())),
                _ => None,
            })
            .collect();
        let (Some((_, list, _)), Some(texts)) = (wanted.first(), arrays.get(field)) else { return Vec::new() };
        let mut builders: Vec<StringBuilder> = wanted.iter().map(|_| StringBuilder::new()).collect();
        for row in 0..texts.len() {
            let cells = if texts.is_valid(row) { list.cells(texts.value(row)) } else { Vec::new() };
            for ((_, _, name), builder) in wanted.iter().zip(&mut builders) {
                builder.append_option(cells.iter().find(|(n, _)| n == name).map(|(_, value)| value));
            }
        }
        let arrays = builders.iter_mut().map(|b| Arc::new(b.finish()) as ArrayRef);
        wanted.iter().map(|(i, ..)| *i).zip(arrays).collect()
    }
}

impl RowReader for VendorReader {
    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        let Some(mut batch) = self.inner.next_batch()? else { return Ok(None) };
        let rows = batch.numbers.len();
        let fields = std::mem::take(&mut batch.columns);
        let texts = fields.iter().map(|array| match array.as_string_opt::<i32>() {
            Some(texts) => texts.clone(),
            None => StringArray::new_null(rows),
        });
        let arrays: Vec<StringArray> = texts.collect();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.plans.len());
        for plan in &self.plans {
            columns.push(match plan {
                Plan::Field(position) => Arc::clone(&fields[*position]),
                Plan::Made { made, slots } => self.made(*made, slots, &arrays, &mut batch),
                Plan::Spread { .. } => new_null_array(&DataType::Utf8, 0),
            });
        }
        for field in 0..arrays.len() {
            for (i, array) in self.spread(field, &arrays) {
                columns[i] = array;
            }
        }
        batch.columns = columns;
        Ok(Some(batch))
    }

    fn rows_read(&self) -> u64 {
        self.inner.rows_read()
    }
}

/// A file of no bytes.
pub(super) struct Nothing;

impl RowReader for Nothing {
    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        Ok(None)
    }

    fn rows_read(&self) -> u64 {
        0
    }
}
