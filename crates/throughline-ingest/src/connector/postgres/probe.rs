//! Asking a database what a source holds now: columns, windows, and what stands for their content.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Column as _, Connection as _, Executor as _, Statement as _, TypeInfo as _};
use throughline_core::diagnostic::closest;
use throughline_postgres::PostgresAddress;

use super::failed;
use super::options::{Width, Wish};
use super::plan::{DatabaseUnit, Kind, Relation, Table, TableColumn, Window, quoted};
use crate::error::IngestError;

/// The most windows of one source.
const MOST_WINDOWS: usize = 10_000;

/// What every connection of a source sets: it cannot write, text comes in one form, and a run that hangs does not hold
/// the server's old rows for ever.
const SETTINGS: [(&str, &str); 6] = [
    ("default_transaction_read_only", "on"),
    ("timezone", "UTC"),
    ("datestyle", "ISO"),
    ("extra_float_digits", "1"),
    ("lock_timeout", "30s"),
    ("idle_in_transaction_session_timeout", "15min"),
];

/// Connects for reading.
pub(super) async fn connect(file: &str, address: &PostgresAddress) -> Result<PgConnection, IngestError> {
    let schema = address.schema().map(|schema| ("search_path", schema));
    let settings: Vec<(&str, &str)> = SETTINGS.into_iter().chain(schema).collect();
    let unreachable = |source| IngestError::Unreachable { source_name: file.to_owned(), source };
    address.connect(&settings).await.map_err(unreachable)
}

/// The error behind an answer of the server. Messages about values quote them, so those are left out.
pub(super) fn refused(file: &str, error: &sqlx::Error) -> IngestError {
    let reason = match error.as_database_error() {
        Some(answer) => match answer.code() {
            Some(code) if code.starts_with("22") => format!("a value cannot be converted (SQLSTATE {code})"),
            _ => answer.message().to_owned(),
        },
        None => error.to_string(),
    };
    failed(file, reason)
}

/// Runs a future to its end on a thread of its own: connectors are synchronous, their callers may not be.
pub(super) fn block_on<T: Send>(
    file: &str,
    future: impl Future<Output = Result<T, IngestError>> + Send,
) -> Result<T, IngestError> {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(IngestError::io(file.to_owned()))?.block_on(future)
    };
    std::thread::scope(|scope| scope.spawn(run).join())
        .unwrap_or_else(|_| Err(failed(file, "its thread ended without an answer")))
}

/// The units of a source.
pub(super) fn probe(source: &str, address: &PostgresAddress, wish: &Wish) -> Result<Vec<DatabaseUnit>, IngestError> {
    block_on(source, async {
        let mut connection = connect(source, address).await?;
        let said = |error: sqlx::Error| refused(source, &error);
        let mut tx = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(said)?;
        let (columns, warnings) = columns(&mut tx, source, &wish.relation).await?;
        let order = order(&mut tx, source, wish, &columns).await?;
        let window = window(source, wish, &columns)?;
        let table =
            Arc::new(Table { address: address.clone(), relation: wish.relation.clone(), columns, order, warnings });
        let units = match window {
            Some((column, width)) => windows(&mut tx, source, &table, column, width).await?,
            None => vec![whole(&mut tx, source, &table).await?],
        };
        tx.commit().await.map_err(said)?;
        connection.close().await.map_err(said)?;
        Ok(units)
    })
}

/// The columns that mappings can read, and remarks about the others.
async fn columns(
    connection: &mut PgConnection,
    source: &str,
    relation: &Relation,
) -> Result<(Vec<TableColumn>, Vec<String>), IngestError> {
    let sql = AssertSqlSafe(format!("SELECT * FROM {} AS t", relation.sql()));
    let statement = connection.prepare(sqlx::SqlSafeStr::into_sql_str(sql)).await.map_err(|e| refused(source, &e))?;
    let (mut columns, mut warnings, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for column in statement.columns() {
        let name = column.name().to_owned();
        if !seen.insert(name.clone()) {
            return Err(failed(source, format!("two columns of the query are named `{name}`: name one with AS")));
        }
        let type_name = column.type_info().name();
        match Kind::of(type_name) {
            Some(kind) => columns.push(TableColumn { name, kind }),
            None => warnings.push(format!("column `{name}` has type {type_name}, which mappings cannot read")),
        }
    }
    Ok((columns, warnings))
}

/// Checks that a column that an option names is there.
fn named<'c>(
    source: &str,
    option: &str,
    name: &str,
    columns: &'c [TableColumn],
) -> Result<&'c TableColumn, IngestError> {
    columns.iter().find(|column| column.name == name).ok_or_else(|| {
        let names = || columns.iter().map(|c| c.name.as_str());
        let close = closest(name, names()).map(|c| format!("; did you mean `{c}`?")).unwrap_or_default();
        let all = names().collect::<Vec<_>>().join(", ");
        failed(source, format!("`{option}` names the unknown column `{name}` (known: {all}){close}"))
    })
}

/// The columns that order the rows of a unit.
async fn order(
    connection: &mut PgConnection,
    source: &str,
    wish: &Wish,
    columns: &[TableColumn],
) -> Result<Vec<String>, IngestError> {
    let mut order: Vec<String> = wish.watermark.iter().cloned().collect();
    let after = match &wish.relation {
        Relation::Table(_) if wish.order_by.is_empty() => primary_key(connection, source, &wish.relation).await?,
        _ => wish.order_by.clone(),
    };
    if after.is_empty() {
        return Err(failed(source, "the table has no primary key: name columns that order its rows with `order_by`"));
    }
    for name in &after {
        named(source, "order_by", name, columns)?;
        if !order.contains(name) {
            order.push(name.clone());
        }
    }
    Ok(order)
}

async fn primary_key(
    connection: &mut PgConnection,
    source: &str,
    relation: &Relation,
) -> Result<Vec<String>, IngestError> {
    sqlx::query_scalar(
        "SELECT a.attname::text FROM pg_index i \
         CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place) \
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number \
         WHERE i.indrelid = $1::regclass AND i.indisprimary ORDER BY k.place",
    )
    .bind(relation.sql())
    .fetch_all(connection)
    .await
    .map_err(|e| refused(source, &e))
}

/// The watermark and the width of its windows.
fn window<'w>(source: &str, wish: &'w Wish, columns: &[TableColumn]) -> Result<Option<(&'w str, Width)>, IngestError> {
    let Some(name) = wish.watermark.as_deref() else { return Ok(None) };
    let width = match (named(source, "watermark", name, columns)?.kind, wish.width) {
        (Kind::Time, None) => Width::Time("day"),
        (Kind::Time, Some(width @ Width::Time(_))) | (Kind::Int, Some(width @ Width::Count(_))) => width,
        (Kind::Time, Some(Width::Count(_))) => {
            return Err(failed(source, format!("`window` is a count, but the watermark `{name}` is a time")));
        }
        (Kind::Int, _) => {
            let reason = format!("the watermark `{name}` is a whole number: say with `window` how many one unit holds");
            return Err(failed(source, reason));
        }
        _ => return Err(failed(source, format!("the watermark `{name}` is neither a time nor a whole number"))),
    };
    Ok(Some((name, width)))
}

/// The windows that have rows, each with the number of its rows and the ends of its watermark.
async fn windows(
    connection: &mut PgConnection,
    source: &str,
    table: &Arc<Table>,
    column: &str,
    width: Width,
) -> Result<Vec<DatabaseUnit>, IngestError> {
    let (begin, watermark) = (Window::begin_of(column, width), format!("t.{}", quoted(column)));
    let sql = format!(
        "SELECT begin, count(*)::text || ' ' || coalesce(min(w)::text, '') || ' ' || coalesce(max(w)::text, '') \
         FROM (SELECT {begin} AS begin, {watermark} AS w FROM {} AS t) AS r GROUP BY begin ORDER BY begin LIMIT {}",
        table.relation.sql(),
        MOST_WINDOWS + 1
    );
    let rows: Vec<(Option<String>, String)> =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_all(connection).await.map_err(|e| refused(source, &e))?;
    if rows.len() > MOST_WINDOWS {
        return Err(failed(source, format!("it has more than {MOST_WINDOWS} windows: choose a wider `window`")));
    }
    let unit = |(begin, state)| {
        let window = Window { column: column.to_owned(), width, begin };
        DatabaseUnit { table: Arc::clone(table), window: Some(window), state }
    };
    Ok(rows.into_iter().map(unit).collect())
}

/// All rows as one unit. Nothing in them tells what changed, so the server hashes each.
async fn whole(connection: &mut PgConnection, source: &str, table: &Arc<Table>) -> Result<DatabaseUnit, IngestError> {
    let sql = format!(
        "SELECT count(*)::text || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM {} AS t",
        table.relation.sql()
    );
    let state = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.map_err(|e| refused(source, &e))?;
    Ok(DatabaseUnit { table: Arc::clone(table), window: None, state })
}
