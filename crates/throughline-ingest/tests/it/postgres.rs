//! Tables of a real PostgreSQL server as sources.

use std::collections::BTreeMap;
use std::path::Path;

use throughline_ingest::{CompiledSource, SourceFile, list_units};
use throughline_testbed::PostgresServer;

use crate::harness::{Done, Project, config, context};

const TABLE: &str = "
CREATE SCHEMA shop;
CREATE TYPE shop.state AS ENUM ('paid', 'open');
CREATE TABLE shop.orders (
    id bigint PRIMARY KEY, placed timestamptz, email text, amount numeric(12,2), channel varchar(20), visits smallint,
    vip boolean, score real, born date, tags text[], extra jsonb, state shop.state, token uuid, photo bytea,
    updated_at timestamptz
);
INSERT INTO shop.orders
SELECT i, timestamptz '2026-03-01 10:00+00' + i * interval '1 hour', 'p' || i || '@example.org', i + 0.25, 'search', 3,
    true, 0.5, '2000-01-02', ARRAY['a', 'b'], '{\"k\": 1}', 'paid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x00',
    timestamptz '2026-03-01 12:00+00' + i * interval '1 hour'
FROM generate_series(1, 30) AS i;
";

const MAPPING: &str = "
consent: \"'granted'\"
emits:
  - id: id::text
    revision: updated_at
    kind: \"'purchase'\"
    occurred_at: placed
    subjects: { email: email }
    value: amount
    currency: \"'EUR'\"
    properties: { visits: visits, vip: vip, score: score, born: born, tags: tags, extra: extra, state: state, token: token }
";

const BY_DAY: &str = "\noptions: { table: shop.orders, watermark: updated_at }";

fn server(sql: &str) -> PostgresServer {
    let server = PostgresServer::start().expect("a server");
    server.sql("postgres", sql).expect("tables");
    server.sql("postgres", "CREATE ROLE reader LOGIN; GRANT pg_read_all_data TO reader").expect("a role");
    server
}

/// The units of the source, with its address in a variable.
fn units(server: &PostgresServer, rest: &str) -> Result<Vec<SourceFile>, String> {
    let config = config("postgres", "${ORDERS}", rest).expect("a source");
    let variables = BTreeMap::from([("ORDERS".to_owned(), server.url("reader", "postgres"))]);
    list_units(Path::new("."), &config, &variables).map_err(|e| e.to_string())
}

fn names(units: &[SourceFile]) -> Vec<&str> {
    units.iter().map(|u| u.name.as_str()).collect()
}

/// Each unit in a lake of its own.
async fn ingest(units: &[SourceFile], rest: &str) -> Vec<Done> {
    let config = config("postgres", "${ORDERS}", rest).expect("a source");
    let source =
        CompiledSource::compile(&config, units).map_err(|f| f.iter().map(ToString::to_string).collect::<String>());
    let source = source.expect("a source that fits its table");
    let mut done = Vec::new();
    for unit in units {
        done.push(Project::new().ingest_unit(&context(), &source, unit).await.expect("ingested"));
    }
    done
}

#[tokio::test]
async fn a_table_becomes_events_of_every_type_it_has() {
    let server = server(TABLE);
    let rest = format!("{BY_DAY}{MAPPING}");
    let units = units(&server, &rest).expect("units");
    assert_eq!(names(&units), ["${ORDERS}/shop.orders/2026-03-01", "${ORDERS}/shop.orders/2026-03-02"]);
    let done = ingest(&units, &rest).await;
    assert_eq!(done.iter().map(|d| d.report.events).collect::<Vec<_>>(), [11, 19], "updated before and after midnight");
    let first = &done[0].events[0];
    for part in
        ["2026-03-01T11:00:00", "1250000", "EUR", "\"visits\":3", "\"vip\":true", "\"score\":0.5", "\"state\":\"paid\""]
    {
        assert!(first.contains(part), "{part} in {first}");
    }
    for part in ["2000-01-02", r#"[\"a\",\"b\"]"#, r#"{\"k\": 1}"#, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"] {
        assert!(first.contains(part), "{part} in {first}");
    }
    let warned = &done[0].report.warnings;
    assert!(warned.iter().any(|w| w.message.contains("`photo` has type BYTEA")), "{warned:?}");
}

#[tokio::test]
async fn only_windows_that_changed_are_read_again_and_each_row_is_in_one() {
    let server = server(TABLE);
    let rest = format!("{BY_DAY}{MAPPING}");
    let hashes = |units: &[SourceFile]| {
        units
            .iter()
            .map(|u| (u.name.rsplit('/').next().unwrap_or_default().to_owned(), u.content_hash.clone()))
            .collect()
    };
    let look = || -> BTreeMap<String, String> { hashes(&units(&server, &rest).expect("units")) };
    let before = look();
    assert_eq!(look(), before, "nothing changed");

    // A late update leaves its old day for the newest; its revision grows.
    server
        .sql("postgres", "UPDATE shop.orders SET amount = 99, updated_at = '2026-03-05 01:00+00' WHERE id = 20")
        .expect("an update");
    let after = look();
    assert_eq!(after["2026-03-01"], before["2026-03-01"]);
    assert_ne!(after["2026-03-02"], before["2026-03-02"]);
    let listed = units(&server, &rest).expect("units");
    let done = ingest(&listed, &rest).await;
    assert_eq!(done.iter().map(|d| d.report.events).collect::<Vec<_>>(), [11, 18, 1]);
    assert!(done[2].events[0].contains("99000000"), "{:?}", done[2].events);

    // A row committed late lands in the window it belongs to.
    server.sql("postgres", "INSERT INTO shop.orders (id, placed, email, amount, updated_at) VALUES (77, '2026-03-01', 'l@e.org', 1, '2026-03-01 12:30+00')").expect("a row");
    let late = look();
    assert_ne!(late["2026-03-01"], after["2026-03-01"]);
    assert_eq!((&late["2026-03-02"], &late["2026-03-05"]), (&after["2026-03-02"], &after["2026-03-05"]));
    server.sql("postgres", "DELETE FROM shop.orders WHERE id = 77").expect("gone");
    assert_eq!(look(), after);
}

#[tokio::test]
async fn rows_that_cannot_be_carried_are_refused_with_a_reason() {
    let server = server(TABLE);
    server
        .sql(
            "postgres",
            "UPDATE shop.orders SET email = repeat('x', 1048577) WHERE id = 1;
             UPDATE shop.orders SET placed = 'infinity' WHERE id = 2;
             UPDATE shop.orders SET placed = '0044-03-15 BC' WHERE id = 3;
             UPDATE shop.orders SET amount = 'NaN' WHERE id = 4;
             UPDATE shop.orders SET amount = NULL WHERE id = 5;
             UPDATE shop.orders SET updated_at = NULL WHERE id = 6;
             UPDATE shop.orders SET updated_at = 'infinity' WHERE id = 7;
             ALTER TABLE shop.orders ALTER amount TYPE numeric;
             UPDATE shop.orders SET amount = 1e400 WHERE id = 8;
             UPDATE shop.orders SET amount = 1e-400 WHERE id = 9",
        )
        .expect("bad rows");
    let rest = format!("{BY_DAY}\nfailure_limit: 1{MAPPING}");
    let listed = units(&server, &rest).expect("units");
    assert_eq!(names(&listed)[2], "${ORDERS}/shop.orders/unmarked");
    let done = ingest(&listed, &rest).await;
    let all: Vec<&String> = done.iter().flat_map(|d| &d.quarantine).collect();
    let said = |code: &str, reason: &str| all.iter().filter(|q| q.contains(code) && q.contains(reason)).count();
    assert_eq!(said("TL204", "more than 1 MB in column email"), 1, "{all:?}");
    assert_eq!(said("TL210", "a time outside the years 1000 to 9999 in column placed"), 2, "{all:?}");
    assert_eq!(said("TL210", "in column updated_at"), 1, "{all:?}");
    assert_eq!(said("TL215", "`amount` holds a number that is not finite"), 2, "{all:?}");
    assert_eq!(done.iter().map(|d| d.report.rows_read).sum::<u64>(), 30);
    assert_eq!(done.iter().map(|d| d.report.events).sum::<u64>() + all.len() as u64, 30, "{all:?}");
    assert!(done.iter().all(|d| d.sealed == d.quarantine.len()), "each with its row");
}

#[tokio::test]
async fn queries_numbers_and_whole_tables_are_units_too() {
    let server = server("CREATE TABLE clicks (n bigint PRIMARY KEY, at timestamp, who text);
        INSERT INTO clicks SELECT i, timestamp '2026-03-01' + i * interval '1 minute', 'w' || i FROM generate_series(-5, 24) AS i");
    let mapping = "
emits:
  - { id: \"n::text\", kind: \"'click'\", occurred_at: at, subjects: { crm: who } }
";
    let by_number = format!("\noptions: {{ table: clicks, watermark: n, window: \"10\" }}{mapping}");
    let listed = units(&server, &by_number).expect("units");
    assert_eq!(
        names(&listed),
        ["${ORDERS}/clicks/-10", "${ORDERS}/clicks/0", "${ORDERS}/clicks/10", "${ORDERS}/clicks/20"]
    );
    let done = ingest(&listed, &by_number).await;
    assert_eq!(done.iter().map(|d| d.report.events).collect::<Vec<_>>(), [5, 10, 10, 5]);

    let whole = format!("\noptions: {{ table: public.clicks }}{mapping}");
    let before = units(&server, &whole).expect("units");
    assert_eq!(names(&before), ["${ORDERS}/public.clicks"]);
    assert_eq!(units(&server, &whole).expect("units"), before);
    server.sql("postgres", "UPDATE clicks SET who = 'other' WHERE n = 3").expect("an update");
    assert_ne!(units(&server, &whole).expect("units")[0].content_hash, before[0].content_hash);

    let query = format!(
        "\noptions: {{ query: \"SELECT n, at, upper(who) AS who FROM clicks WHERE n > 20\", order_by: n }}{mapping}"
    );
    let listed = units(&server, &query).expect("units");
    assert_eq!(names(&listed), ["${ORDERS}/query"]);
    let done = ingest(&listed, &query).await;
    assert_eq!(done[0].report.events, 4);
}

#[tokio::test]
async fn many_wide_rows_come_in_bounded_batches() {
    let server = server("CREATE TABLE wide (n int PRIMARY KEY, at timestamptz, who text, note text);
        INSERT INTO wide SELECT i, '2026-03-01', 'w' || i, repeat(md5(i::text), 3000) FROM generate_series(1, 1500) AS i");
    let rest = "\noptions: { table: wide }
emits:
  - { id: \"n::text\", kind: \"'click'\", occurred_at: at, subjects: { crm: who }, properties: { note: \"length(note)\" } }
";
    let listed = units(&server, rest).expect("units");
    let done = ingest(&listed, rest).await;
    assert_eq!((done[0].report.rows_read, done[0].report.events), (1500, 1500));
    assert!(done[0].events[1499].contains("96000"), "{}", done[0].events[1499]);
}

#[test]
fn what_cannot_be_read_is_said_without_the_password() {
    let server = server(TABLE);
    let said = |options: &str| units(&server, &format!("\noptions: {{ {options} }}{MAPPING}")).expect_err("refused");
    assert!(said("table: shop.nowhere").contains("relation \"shop.nowhere\" does not exist"));
    assert!(said("table: shop.orders, watermark: update_at").contains("did you mean `updated_at`?"));
    assert!(said("table: shop.orders, watermark: email").contains("neither a time nor a whole number"));
    assert!(said("table: shop.orders, watermark: visits").contains("say with `window`"));
    assert!(said("table: shop.orders, watermark: updated_at, window: \"5\"").contains("is a count"));
    assert!(
        said("query: \"SELECT id, id FROM shop.orders\", order_by: id")
            .contains("two columns of the query are named `id`")
    );
    assert!(said("query: \"SELECT nothing\", order_by: id").contains("does not exist"));
    let hidden = said("query: \"SELECT ('hush' || id)::int AS id FROM shop.orders\", order_by: id");
    assert!(hidden.contains("a value cannot be converted (SQLSTATE 22P02)") && !hidden.contains("hush"), "{hidden}");
    let writes = "query: \"WITH gone AS (DELETE FROM shop.orders RETURNING id) SELECT id FROM gone\", order_by: id";
    assert!(
        said(writes).contains("must be at the top level") || said(writes).contains("read-only"),
        "{}",
        said(writes)
    );
    server.sql("postgres", "CREATE TABLE bare (x int)").expect("a table");
    assert!(said("table: bare").contains("has no primary key"));

    let config = config("postgres", "${ORDERS}", &format!("{BY_DAY}{MAPPING}")).expect("a source");
    let at = |address: &str| {
        let variables = BTreeMap::from([("ORDERS".to_owned(), address.to_owned())]);
        list_units(Path::new("."), &config, &variables).expect_err("refused").to_string()
    };
    for (address, expect) in [
        ("postgres://ana:hush@127.0.0.1:1/shop", "source `orders`: cannot connect to 127.0.0.1:1/shop"),
        ("postgres://ana:hush/hush@db/shop", "it is no URL"),
        ("hush", "no postgres:// address"),
    ] {
        let said = at(address);
        assert!(said.contains(expect) && !said.contains("hush"), "{said}");
    }
}
