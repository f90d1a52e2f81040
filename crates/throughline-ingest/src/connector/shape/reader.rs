//! Rows of plain readers → the columns of a vendor.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, StringArray, StringBuilder};

use super::facts::Facts;
use super::form::Form;
use super::list::Lists;
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
    /// A column of the list in a field.
    Spread { name: String, field: usize },
}

/// Reads the columns of a vendor.
pub(super) struct VendorReader {
    inner: Box<dyn RowReader>,
    plans: Vec<Plan>,
    /// The fields that hold lists, by position.
    lists: Vec<(usize, List)>,
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
                plans.push(Plan::Spread { name: rest.to_owned(), field: position(list.field) });
            } else {
                plans.push(Plan::Field(position(name)));
            }
        }
        let lists = vendor.lists.iter();
        let lists = lists.filter_map(|list| Some((fields.iter().position(|f| f == list.field)?, *list))).collect();
        Ok(Self { inner: form.read(file, &fields)?, plans, lists, facts })
    }

    /// A made column of every row.
    fn made(&self, made: Made, slots: &[Vec<usize>], texts: &Texts, batch: &mut RawBatch) -> ArrayRef {
        let mut builder = StringBuilder::new();
        for at in 0..batch.numbers.len() {
            let row = Row { arrays: &texts.arrays, slots, at, lists: &texts.lists, facts: &self.facts };
            match made.make.call(&row) {
                Ok(value) => builder.append_option(value),
                Err(bad) => {
                    builder.append_null();
                    batch.unfit.push((at, bad.fault, format!("column `{}`: {}", made.name, bad.reason)));
                }
            }
        }
        Arc::new(builder.finish())
    }
}

/// The fields of a batch.
struct Texts {
    arrays: Vec<StringArray>,
    lists: Lists,
}

impl RowReader for VendorReader {
    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        let Some(mut batch) = self.inner.next_batch()? else { return Ok(None) };
        let rows = batch.numbers.len();
        let fields = std::mem::take(&mut batch.columns);
        let arrays = fields.iter().map(|array| match array.as_string_opt::<i32>() {
            Some(texts) => texts.clone(),
            None => StringArray::new_null(rows),
        });
        let arrays: Vec<StringArray> = arrays.collect();
        let lists = self.lists.iter().map(|(field, list)| (*field, list.rows(&arrays[*field]))).collect();
        let texts = Texts { arrays, lists };
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.plans.len());
        for plan in &self.plans {
            columns.push(match plan {
                Plan::Field(position) => Arc::clone(&fields[*position]),
                Plan::Made { made, slots } => self.made(*made, slots, &texts, &mut batch),
                Plan::Spread { name, field } => {
                    let cells = texts.lists.get(field).into_iter().flatten();
                    let values = cells.map(|row| row.iter().find(|(n, _)| n == name).map(|(_, value)| value));
                    Arc::new(values.collect::<StringArray>())
                }
            });
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
