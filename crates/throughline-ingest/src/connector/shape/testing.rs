//! One made column of one row, for the tests of vendors.

use std::collections::BTreeMap;

use arrow::array::StringArray;

use super::facts::{Facts, Zones};
use super::{Row, Vendor};
use crate::connector::Options;
use crate::diagnostics::{BadRow, RowFault};

fn make(
    vendor: &Vendor,
    column: &str,
    fields: &[(&str, &str)],
    options: &[(&str, &str)],
) -> Result<Option<String>, BadRow> {
    let options: Options = options.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let facts = Facts { decimal: '.', lookups: BTreeMap::new(), options, zones: Zones::default() };
    let value = |name: &str| fields.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    if let Some((list, rest)) = vendor.lists.iter().find_map(|l| Some((l, column.strip_prefix(l.prefix)?))) {
        let cells = value(list.field).map(|json| list.cells(&json)).unwrap_or_default();
        return Ok(cells.into_iter().find(|(name, _)| name == rest).map(|(_, value)| value));
    }
    let made = vendor.columns.iter().find(|made| made.name == column).expect("a column of the vendor");
    let names: Vec<&str> = made.from.iter().copied().flatten().copied().collect();
    let arrays: Vec<StringArray> = names.iter().map(|name| StringArray::from(vec![value(name)])).collect();
    let mut next = 0..names.len();
    let slots: Vec<Vec<usize>> = made.from.iter().map(|set| next.by_ref().take(set.len()).collect()).collect();
    let lists = vendor.lists.iter().filter_map(|list| {
        let position = names.iter().position(|name| *name == list.field)?;
        Some((position, list.rows(&arrays[position])))
    });
    let lists = lists.collect();
    let row = Row { arrays: &arrays, slots: &slots, at: 0, lists: &lists, facts: &facts };
    made.make.call(&row).map(|value| value.map(std::borrow::Cow::into_owned))
}

/// The column has this value in a row with these fields.
#[track_caller]
pub(in super::super) fn check(vendor: &Vendor, column: &str, fields: &[(&str, &str)], expect: Option<&str>) {
    let got = make(vendor, column, fields, &[]).expect("readable");
    assert_eq!(got.as_deref(), expect, "{column} of {fields:?}");
}

/// The row is refused for this fault, without quoting a field.
#[track_caller]
pub(in super::super) fn refused(vendor: &Vendor, column: &str, fields: &[(&str, &str)], fault: RowFault) {
    let bad = make(vendor, column, fields, &[]).expect_err("refused");
    assert_eq!(bad.fault, fault, "{}", bad.reason);
    assert!(fields.iter().all(|(_, v)| v.len() < 3 || !bad.reason.contains(v)), "{}", bad.reason);
}
