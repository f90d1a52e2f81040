//! Which columns of which table are watched.

use arrow::datatypes::DataType;
use throughline_lake::TableSpec;

/// The column that says when a row's fact became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeColumn {
    /// Microseconds, UTC.
    Instant(&'static str),
    /// A date as text, `YYYY-MM-DD`.
    Date(&'static str),
}

/// What is watched of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Watched {
    pub(crate) time: Option<TimeColumn>,
    /// Columns whose share of nulls is measured.
    pub(crate) keys: Vec<String>,
    /// Whether rows are also counted by the column `source`.
    pub(crate) by_source: bool,
}

/// (table, time, key columns, by source)
type Row = (&'static str, Option<TimeColumn>, &'static [&'static str], bool);

const TABLES: &[Row] = &[
    (
        "events",
        Some(TimeColumn::Instant("available_at")),
        &["channel", "campaign", "value_micros", "properties", "tokens"],
        true,
    ),
    ("spend", Some(TimeColumn::Date("date")), &["channel", "campaign"], true),
    ("links", None, &[], false),
    ("persons", None, &[], false),
    ("timeline", Some(TimeColumn::Instant("available_at")), &["channel"], false),
    ("journeys", Some(TimeColumn::Instant("ended_at")), &["value_micros"], false),
    ("touches", Some(TimeColumn::Instant("occurred_at")), &["campaign"], false),
    ("credits", None, &["conversions", "value"], false),
    ("credit_cells", None, &["conversions", "value"], false),
    ("scores", Some(TimeColumn::Instant("scored_at")), &["effect", "base"], false),
    (
        "decisions",
        Some(TimeColumn::Instant("decided_at")),
        &["score", "expected_net_value_micros", "model_id", "scored_at"],
        false,
    ),
    ("deliveries", Some(TimeColumn::Instant("planned_at")), &[], false),
    ("receipts", Some(TimeColumn::Instant("received_at")), &[], false),
];

/// Tables that are judged by other figures than their own rows, or not at all.
const SKIPPED: &[&str] = &["quarantine", "profiles", "matches", "person_changes", "health"];

/// What is watched of a table; `None` for tables that are not. A table that is not listed (feature snapshots, tables of
/// extensions) has its rows counted and every optional column of a plain type watched.
pub(crate) fn watched(spec: &TableSpec) -> Option<Watched> {
    if SKIPPED.contains(&spec.name.as_str()) {
        return None;
    }
    if let Some((_, time, keys, by_source)) = TABLES.iter().find(|(name, ..)| *name == spec.name) {
        let keys = keys.iter().map(|k| (*k).to_owned()).collect();
        return Some(Watched { time: *time, keys, by_source: *by_source });
    }
    let plain = |kind: &DataType| !kind.is_nested();
    let fields = spec.file_schema.fields();
    let keys = fields.iter().filter(|f| f.is_nullable() && plain(f.data_type())).map(|f| f.name().clone()).collect();
    Some(Watched { time: None, keys, by_source: false })
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;
    use throughline_lake::tables;

    use super::*;

    #[test]
    fn every_watched_column_exists() {
        for (name, time, keys, by_source) in TABLES {
            let spec = tables::all().into_iter().find(|t| t.name == *name).expect("a table of the line");
            let schema = spec.table_schema();
            let mut columns: Vec<&str> = keys.to_vec();
            columns.extend(time.map(|(TimeColumn::Instant(c) | TimeColumn::Date(c))| c));
            columns.extend(by_source.then_some("source"));
            for column in columns {
                assert!(schema.index_of(column).is_ok(), "{name}.{column}");
            }
        }
    }

    #[test]
    fn every_table_of_the_line_is_watched_or_skipped_on_purpose() {
        for spec in tables::all() {
            let listed = TABLES.iter().any(|(name, ..)| *name == spec.name);
            assert!(listed != SKIPPED.contains(&spec.name.as_str()), "{}", spec.name);
        }
    }

    #[test]
    fn other_tables_have_their_optional_columns_watched() {
        let fields = vec![
            Field::new("person_id", DataType::Binary, false),
            Field::new("visits", DataType::Int64, true),
            Field::new("path", DataType::new_list(DataType::Utf8, true), true),
        ];
        let found = watched(&TableSpec::new("features_main", 1, fields, None, "features")).expect("watched");
        assert_eq!(found, Watched { time: None, keys: vec!["visits".to_owned()], by_source: false });
    }
}
