//! Records side by side: one row a record, so that a pair touches two places of memory.

use std::num::NonZeroUsize;

use crate::apart::Apart;
use crate::column::{Column, Kind};
use crate::dictionary::Dictionary;
use crate::parallel::map;

/// First letters of a prefix.
const LETTERS: usize = 4;

/// Columns and the codes of every record: first the whole values, then the beginnings of those that have one.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    /// Slot of each column's beginning.
    beginnings: Vec<Option<usize>>,
    width: usize,
    cells: Vec<u32>,
    pub(crate) apart: Apart,
}

impl Table {
    /// Lays the columns out; their own lists of codes are given back.
    pub(crate) fn new(mut columns: Vec<Column>, apart: Apart, threads: NonZeroUsize) -> Self {
        let prefixes = map(&columns, threads, prefix_codes);
        let mut width = columns.len();
        let mut beginnings = Vec::new();
        for prefix in &prefixes {
            beginnings.push(prefix.is_some().then_some(width));
            width += usize::from(prefix.is_some());
        }
        let records = columns.first().map_or(0, |c| c.codes.len());
        let mut cells = vec![0_u32; records * width];
        for (place, column) in columns.iter_mut().enumerate() {
            let codes = std::mem::take(&mut column.codes);
            for (row, code) in cells.chunks_exact_mut(width).zip(&codes) {
                row[place] = *code;
            }
            if let (Some(slot), Some(prefixes)) = (beginnings[place], &prefixes[place]) {
                for (row, code) in cells.chunks_exact_mut(width).zip(codes) {
                    row[slot] = prefixes[code as usize];
                }
            }
        }
        Self { columns, beginnings, width, cells, apart }
    }

    /// How many records there are.
    pub(crate) fn records(&self) -> usize {
        self.cells.len().checked_div(self.width).unwrap_or(0)
    }

    /// The codes of a record.
    pub(crate) fn row(&self, record: u32) -> &[u32] {
        let from = record as usize * self.width;
        &self.cells[from..from + self.width]
    }

    /// Every so-manieth row, from the first on.
    pub(crate) fn rows(&self, step: usize) -> impl Iterator<Item = &[u32]> {
        self.cells.chunks_exact(self.width.max(1)).step_by(step.max(1))
    }

    /// The slot of a column's beginning.
    pub(crate) fn beginning(&self, column: usize) -> Option<usize> {
        self.beginnings[column]
    }

    /// The column of a slot, and whether it is its beginning.
    pub(crate) fn column_of(&self, slot: usize) -> (usize, bool) {
        let begun = self.beginnings.iter().position(|b| *b == Some(slot));
        begun.map_or((slot, false), |column| (column, true))
    }

    /// Slots in which two records have the same value, one bit each.
    pub(crate) fn agreement(&self, a: u32, b: u32) -> u64 {
        let cells = self.row(a).iter().zip(self.row(b)).enumerate();
        cells.fold(0, |bits, (slot, (x, y))| bits | u64::from(x == y && *x != 0) << slot)
    }
}

/// For each code of a column that of its beginning: the first letters, a date's year and month.
fn prefix_codes(column: &Column) -> Option<Vec<u32>> {
    let letters = match column.kind {
        Kind::Text | Kind::Email => LETTERS,
        Kind::Date => 6,
        Kind::Address => 7,
        Kind::Digits | Kind::Category => return None,
    };
    let mut beginnings = Dictionary::default();
    let codes = 0..u32::try_from(column.counts.len()).unwrap_or(u32::MAX);
    let of = |code| {
        let text = column.text(code);
        beginnings.code(&text[..text.len().min(letters)])
    };
    Some(codes.map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::RawColumn;

    #[test]
    fn rows_hold_values_and_beginnings() {
        let of = |kind, texts: &[&str]| {
            let mut column = Column::of(&RawColumn::of("c", texts));
            column.kind = kind;
            column
        };
        let columns = vec![of(Kind::Digits, &["1", "", "1"]), of(Kind::Text, &["smithson", "smithers", "ray"])];
        let table = Table::new(columns, Apart::default(), NonZeroUsize::MIN);
        assert_eq!((table.records(), table.beginning(0), table.beginning(1)), (3, None, Some(2)));
        assert_eq!((table.row(0), table.row(1), table.row(2)), (&[1, 1, 1][..], &[0, 2, 1][..], &[1, 3, 2][..]));
        assert_eq!((table.agreement(0, 1), table.agreement(0, 2), table.agreement(1, 2)), (0b100, 0b001, 0));
        assert_eq!((table.column_of(1), table.column_of(2)), ((1, false), (1, true)));
        assert_eq!(table.rows(2).count(), 2);
    }
}
