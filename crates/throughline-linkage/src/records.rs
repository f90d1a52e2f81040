//! Records as they are collected, batch by batch.

use std::num::NonZeroUsize;

use crate::column::Column;
use crate::link::LinkError;
use crate::parallel::{each_mut, map};
use crate::raw::RawColumn;

/// The records to link. Texts are not kept: a column holds each distinct value once.
#[derive(Debug, Default)]
pub struct Records {
    columns: Vec<Column>,
    count: usize,
}

impl Records {
    /// Records from whole columns.
    pub fn of(columns: &[RawColumn], threads: NonZeroUsize) -> Result<Self, LinkError> {
        let mut records = Self::default();
        records.extend(columns, threads)?;
        Ok(records)
    }

    /// How many records there are.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a batch. Columns are told apart by name; records have no value in a column that their batch lacks.
    ///
    /// Refuses columns of different lengths, and a name that comes twice.
    pub fn extend(&mut self, batch: &[RawColumn], threads: NonZeroUsize) -> Result<(), LinkError> {
        let added = batch.first().map_or(0, RawColumn::len);
        for (place, raw) in batch.iter().enumerate() {
            if raw.len() != added {
                return Err(LinkError::Ragged { column: raw.name.clone(), found: raw.len(), expected: added });
            }
            if batch[..place].iter().any(|b| b.name == raw.name) {
                return Err(LinkError::Twice { column: raw.name.clone() });
            }
            if !self.columns.iter().any(|c| c.name == raw.name) {
                self.columns.push(Column::new(&raw.name, self.count));
            }
        }
        each_mut(&mut self.columns, threads, |column| match batch.iter().find(|raw| raw.name == column.name) {
            Some(raw) => column.extend(raw),
            None => column.skip(added),
        });
        self.count += added;
        Ok(())
    }

    /// Adds records that have no value at all.
    pub fn skip(&mut self, count: usize) {
        self.columns.iter_mut().for_each(|column| column.skip(count));
        self.count += count;
    }

    /// The columns in their final form.
    pub(crate) fn settle(self, threads: NonZeroUsize) -> Vec<Column> {
        let columns: Vec<_> = self.columns.into_iter().map(|c| std::sync::Mutex::new(Some(c))).collect();
        let taken = map(&columns, threads, |c| c.lock().ok().and_then(|mut c| c.take()).map(Column::settle));
        taken.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_one_list_whatever_columns_they_have() {
        let two = NonZeroUsize::new(2).expect("some");
        let mut records = Records::of(&[RawColumn::of("a", ["x", "y"])], two).expect("records");
        records.extend(&[RawColumn::of("b", ["z"]), RawColumn::of("a", ["x"])], two).expect("records");
        records.extend(&[RawColumn::of("b", ["z"])], two).expect("records");
        records.skip(1);
        assert_eq!(records.len(), 5);
        let columns = records.settle(two);
        let codes: Vec<&[u32]> = columns.iter().map(|c| c.codes.as_slice()).collect();
        assert_eq!(codes, [[1, 2, 1, 0, 0], [0, 0, 1, 1, 0]]);
    }

    #[test]
    fn ragged_and_repeated_columns_are_refused() {
        let of = |columns: &[RawColumn]| Records::of(columns, NonZeroUsize::MIN).err().map(|e| e.to_string());
        let ragged = of(&[RawColumn::of("a", ["x"]), RawColumn::of("b", ["x", "y"])]);
        assert_eq!(ragged.as_deref(), Some("column `b` has 2 values, the first one 1"));
        let twice = of(&[RawColumn::of("a", ["x"]), RawColumn::of("a", ["y"])]);
        assert_eq!(twice.as_deref(), Some("column `a` comes twice"));
    }
}
