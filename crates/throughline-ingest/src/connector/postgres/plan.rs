//! The SQL of a unit.

use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use throughline_core::expr::Type;
use throughline_postgres::PostgresAddress;

use super::super::MAX_ROW_BYTES;
use super::options::Width;

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Relation {
    /// A table or view, by the parts of its name.
    Table(Vec<String>),
    /// A query.
    Query(String),
}

impl Relation {
    pub(super) fn table(name: &str) -> Option<Self> {
        let parts: Vec<String> = name.split('.').map(|part| part.trim().trim_matches('"').to_owned()).collect();
        let fit = parts.len() <= 2 && parts.iter().all(|p| !p.is_empty() && !p.chars().any(char::is_control));
        fit.then_some(Self::Table(parts))
    }

    pub(super) fn query(sql: &str) -> Option<Self> {
        let first = sql.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        let reads = first.eq_ignore_ascii_case("select") || first.eq_ignore_ascii_case("with");
        (reads && !sql.contains(';')).then(|| Self::Query(sql.to_owned()))
    }

    /// What people call it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Table(parts) => parts.join("."),
            Self::Query(_) => "query".to_owned(),
        }
    }

    /// What stands behind FROM.
    pub(super) fn sql(&self) -> String {
        match self {
            Self::Table(parts) => parts.iter().map(|part| quoted(part)).collect::<Vec<_>>().join("."),
            Self::Query(sql) => format!("(\n{sql}\n)"),
        }
    }
}

/// A name in SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// How the values of a column come over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Json,
    Int,
    Float,
    Numeric,
    Bool,
    Time,
}

impl Kind {
    /// The kind of a type by the server's name for it; `None` for bytes, which mappings cannot read.
    pub(super) fn of(type_name: &str) -> Option<Self> {
        Some(match type_name {
            "BYTEA" => return None,
            "INT2" | "INT4" | "INT8" | "OID" => Self::Int,
            "FLOAT4" | "FLOAT8" => Self::Float,
            "NUMERIC" | "MONEY" => Self::Numeric,
            "BOOL" => Self::Bool,
            "TIMESTAMPTZ" | "TIMESTAMP" | "DATE" => Self::Time,
            list if list.ends_with("[]") => Self::Json,
            _ => Self::Text,
        })
    }

    /// The type in expressions.
    pub(super) const fn ty(self) -> Type {
        match self {
            Self::Text | Self::Json => Type::Text,
            Self::Int => Type::Int,
            Self::Float | Self::Numeric => Type::Float,
            Self::Bool => Type::Bool,
            Self::Time => Type::Time,
        }
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableColumn {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// Years that instants can be in.
const YEARS: &str = "BETWEEN '1000-01-01' AND '9999-12-31'";

impl TableColumn {
    /// The value, in the form that it is carried in. What cannot be carried is NULL; [`Self::too_long`] and [`Self::untimely`] say so.
    fn value(&self) -> String {
        let q = format!("t.{}", quoted(&self.name));
        match self.kind {
            Kind::Text => format!("CASE WHEN octet_length({q}::text) <= {MAX_ROW_BYTES} THEN {q}::text END"),
            Kind::Json => format!("CASE WHEN octet_length({q}::text) <= {MAX_ROW_BYTES} THEN to_json({q})::text END"),
            Kind::Int => format!("{q}::int8"),
            Kind::Float => format!("{q}::float8"),
            // The server refuses the whole query over a number that is too large or too small for a float.
            Kind::Numeric => format!(
                "CASE WHEN {q} IS NULL THEN NULL WHEN abs({q}::numeric) >= 1e308 THEN 'NaN'::float8 \
                 WHEN abs({q}::numeric) < 1e-300 THEN 0 ELSE {q}::numeric::float8 END"
            ),
            Kind::Bool => q,
            Kind::Time => format!("CASE WHEN {q} {YEARS} THEN (extract(epoch FROM {q}) * 1000000)::int8 END"),
        }
    }

    /// SQL that is true where the value is too long to be carried.
    fn too_long(&self) -> Option<String> {
        let text = matches!(self.kind, Kind::Text | Kind::Json);
        text.then(|| format!("octet_length(t.{}::text) > {MAX_ROW_BYTES}", quoted(&self.name)))
    }

    /// SQL that is true where the value is no instant that can be carried.
    fn untimely(&self) -> Option<String> {
        (self.kind == Kind::Time).then(|| format!("t.{} NOT {YEARS}", quoted(&self.name)))
    }
}

/// What the units of a source have in common.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) address: PostgresAddress,
    pub(super) relation: Relation,
    pub(super) columns: Vec<TableColumn>,
    /// Columns that order the rows, the watermark first.
    pub(super) order: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// Rows whose watermark lies in a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) column: String,
    pub(super) width: Width,
    /// Where it begins; `None` for the rows without a watermark that can be ordered.
    pub(super) begin: Option<String>,
}

impl Window {
    /// What people call it: where it begins.
    pub(super) fn shown(&self) -> String {
        match (&self.begin, self.width) {
            (None, _) => "unmarked".to_owned(),
            (Some(begin), Width::Time("hour")) => begin.replace(' ', "T"),
            (Some(begin), Width::Time(_)) => begin.trim_end_matches(" 00:00").to_owned(),
            (Some(begin), Width::Count(_)) => begin.clone(),
        }
    }

    /// SQL for where a row's window begins, as text that sorts; NULL where there is none.
    pub(super) fn begin_of(column: &str, width: Width) -> String {
        let q = format!("t.{}", quoted(column));
        match width {
            Width::Count(n) => format!("({q}::numeric - mod(mod({q}::numeric, {n}) + {n}, {n}))::text"),
            Width::Time(unit) => format!(
                "CASE WHEN {q} {YEARS} THEN to_char(date_trunc('{unit}', {q}::timestamptz AT TIME ZONE 'UTC'), \
                 'YYYY-MM-DD HH24:MI') END"
            ),
        }
    }

    /// SQL that holds for the rows of the window, in a form that an index on the watermark serves.
    fn holds(&self) -> String {
        let q = format!("t.{}", quoted(&self.column));
        match (&self.begin, self.width) {
            (None, Width::Time(_)) => format!("({q} IS NULL OR {q} NOT {YEARS})"),
            (None, Width::Count(_)) => format!("{q} IS NULL"),
            (Some(begin), Width::Count(n)) => format!("{q} >= {begin} AND {q} < {begin}::numeric + {n}"),
            (Some(begin), Width::Time(unit)) => {
                let from = format!("timestamp '{begin}' AT TIME ZONE 'UTC'");
                let to = format!("(timestamp '{begin}' + interval '1 {unit}') AT TIME ZONE 'UTC'");
                format!("{q} >= {from} AND {q} < {to}")
            }
        }
    }
}

/// One unit of a source: a window of a table, or all of it.
#[derive(Debug)]
pub struct DatabaseUnit {
    pub(super) table: Arc<Table>,
    pub(super) window: Option<Window>,
    /// What the server said about its rows: how many, and the ends of their watermark or a hash over all.
    pub(super) state: String,
}

impl PartialEq for DatabaseUnit {
    fn eq(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl Eq for DatabaseUnit {}

impl DatabaseUnit {
    /// Stands for the content of the unit, as the hash of a file does for a file's.
    pub(super) fn digest(&self) -> String {
        let parts = [
            self.table.relation.sql(),
            self.table.order.join(","),
            self.window.as_ref().map(Window::holds).unwrap_or_default(),
            self.state.clone(),
        ];
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hex::encode(hash.finalize())
    }

    /// The query of its rows: the wanted columns that there are, then the names of columns with a value that is too long and
    /// with a time that is out of range (NULL where there are none), then the whole row as JSON where there are some.
    pub(super) fn select(&self, wanted: &[&TableColumn]) -> String {
        let mut sql = "SELECT ".to_owned();
        for column in wanted {
            let _infallible = write!(sql, "{}, ", column.value());
        }
        let names = |fault: fn(&TableColumn) -> Option<String>| {
            let cases = wanted.iter().filter_map(|c| {
                let name = c.name.replace('\'', "''");
                Some(format!(", CASE WHEN {} THEN '{name}' END", fault(c)?))
            });
            format!("nullif(concat_ws(', '{}), '')", cases.collect::<String>())
        };
        let (long, untimely) = (names(TableColumn::too_long), names(TableColumn::untimely));
        let _infallible = write!(
            sql,
            "{long}, {untimely}, CASE WHEN {long} IS NOT NULL OR {untimely} IS NOT NULL \
             THEN left(to_json(t)::text, {MAX_ROW_BYTES}) END FROM {} AS t",
            self.table.relation.sql()
        );
        if let Some(window) = &self.window {
            let _infallible = write!(sql, " WHERE {}", window.holds());
        }
        let order: Vec<String> = self.table.order.iter().map(|name| format!("t.{}", quoted(name))).collect();
        let _infallible = write!(sql, " ORDER BY {}", order.join(", "));
        sql
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_quotes() {
        let hostile = Relation::table("a\"; DROP TABLE b; --").expect("a strange name");
        assert_eq!(hostile.sql(), "\"a\"\"; DROP TABLE b; --\"");
        assert_eq!(Relation::table("shop.Orders").map(|r| r.sql()).as_deref(), Some("\"shop\".\"Orders\""));
    }

    #[test]
    fn windows_are_half_open_ranges() {
        let window = |begin: Option<&str>, width| Window { column: "w".into(), width, begin: begin.map(str::to_owned) };
        let day = window(Some("2026-03-01 00:00"), Width::Time("day"));
        assert_eq!(day.shown(), "2026-03-01");
        assert_eq!(
            day.holds(),
            "t.\"w\" >= timestamp '2026-03-01 00:00' AT TIME ZONE 'UTC' AND \
             t.\"w\" < (timestamp '2026-03-01 00:00' + interval '1 day') AT TIME ZONE 'UTC'"
        );
        assert_eq!(window(Some("2026-03-01 07:00"), Width::Time("hour")).shown(), "2026-03-01T07:00");
        assert_eq!(
            window(Some("-500"), Width::Count(500)).holds(),
            "t.\"w\" >= -500 AND t.\"w\" < -500::numeric + 500"
        );
        assert_eq!(window(None, Width::Count(500)).holds(), "t.\"w\" IS NULL");
        assert_eq!(window(None, Width::Time("day")).shown(), "unmarked");
    }
}
