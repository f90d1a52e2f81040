"""Events for timing ingestion, and what DuckDB needs for the same mapping.

    ingest.py make DIR EVENTS        events.parquet and events.jsonl of DIR, in files of a million
    ingest.py duckdb DIR FORMAT [unique]
    ingest.py ours DIR FORMAT BINARY     the stage `ingest` of the project DIR/project

DuckDB reads, casts, replaces the identifier by a hash (SHA-256; it has no HMAC) and writes one Parquet file a day and thread with
zstd, as our table is. `unique` also keeps the first of each id only, which we do always. It keeps no token map and seals nothing.
"""
import json, pathlib, resource, shutil, subprocess, sys, time

import duckdb

FILE = 1_000_000

EVENTS = """
SELECT 'e' || lpad(i::VARCHAR, 10, '0') AS event_id,
       'c' || lpad(((:people * pow(hash(i) % 1000000007 / 1000000007.0, 1.3))::BIGINT)::VARCHAR, 9, '0') AS cookie,
       strftime(make_timestamp(1767225600000000 + (i * 86400 // 1 * 90.0 / :events * 1000000)::BIGINT), '%Y-%m-%dT%H:%M:%S.%fZ') AS happened,
       CASE hash(i + 1) % 20 WHEN 0 THEN 'purchase' WHEN 1 THEN 'signup' WHEN 2 THEN 'click' ELSE 'page_view' END AS kind,
       ['paid_search', 'organic', 'email', 'direct', 'display', 'social_paid', 'affiliate', 'referral'][(hash(i + 2) % 8 + 1)::BIGINT] AS channel,
       'campaign-' || (hash(i + 3) % 40)::VARCHAR AS campaign,
       '/product/' || (hash(i + 4) % 5000)::VARCHAR AS page,
       CASE WHEN hash(i + 1) % 20 = 0 THEN (hash(i + 5) % 20000) / 100.0 END AS value,
       ['granted', 'measurement=granted', 'measurement=granted;messaging=denied', 'unknown'][(hash(i + 6) % 4 + 1)::BIGINT] AS consent
FROM range(:first, :last) t(i)
"""


def make(folder: pathlib.Path, events: int) -> None:
    for kind in ("parquet", "jsonl"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    db = duckdb.connect()
    for number, first in enumerate(range(0, events, FILE)):
        if (folder / "jsonl" / f"{number:04}.jsonl").exists():
            continue
        last = min(first + FILE, events)
        sql = EVENTS
        for name, value in (("people", events // 8), ("events", events), ("first", first), ("last", last)):
            sql = sql.replace(f":{name}", str(value))
        db.execute(f"CREATE OR REPLACE TABLE t AS {sql}")
        db.execute(f"COPY (SELECT * REPLACE (happened::TIMESTAMP AS happened) FROM t) TO '{folder}/parquet/{number:04}.parquet' (COMPRESSION zstd)")
        db.execute(f"COPY t TO '{folder}/jsonl/{number:04}.jsonl' (FORMAT json)")


MAPPED = """
SELECT 'web' AS source, event_id AS source_event_id, 1::BIGINT AS revision, kind, NULL::VARCHAR AS name,
       happened AS occurred_at, happened AS available_at, now() AS ingested_at, channel, campaign, NULL::VARCHAR AS ad,
       NULL::VARCHAR AS geo, NULL::VARCHAR AS device, NULL::BIGINT AS cost_micros, round(value * 1000000)::BIGINT AS value_micros,
       CASE WHEN value IS NOT NULL THEN 'EUR' END AS currency, json_object('page', page)::VARCHAR AS properties, consent,
       [unhex(sha256('key' || cookie))[1:16]] AS tokens, happened::DATE AS date
FROM {table}
"""
TYPES = "{event_id: 'VARCHAR', cookie: 'VARCHAR', happened: 'TIMESTAMP', kind: 'VARCHAR', channel: 'VARCHAR', campaign: 'VARCHAR', page: 'VARCHAR', value: 'DOUBLE', consent: 'VARCHAR'}"


def with_duckdb(folder: pathlib.Path, kind: str, unique: bool) -> None:
    out = folder / "duckdb-out"
    shutil.rmtree(out, ignore_errors=True)
    db = duckdb.connect()
    db.execute(f"SET temp_directory = '{folder}/duckdb-spill'")
    db.execute("SET preserve_insertion_order = false")
    files = f"{folder}/{kind}/*.{kind}"
    table = f"read_parquet('{files}')" if kind == "parquet" else f"read_json('{files}', format = 'newline_delimited', columns = {TYPES})"
    if unique:
        table = f"(SELECT DISTINCT ON (event_id) * FROM {table})"
    began = time.perf_counter()
    rows = db.execute(f"COPY ({MAPPED.format(table=table)}) TO '{out}' (FORMAT parquet, PARTITION_BY (date), COMPRESSION zstd)").fetchone()[0]
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    mb = sum(f.stat().st_size for f in out.rglob("*.parquet")) // 10**6
    shutil.rmtree(out, ignore_errors=True)
    print(json.dumps({"peer": f"duckdb {duckdb.__version__}{' unique' if unique else ''}", "format": kind, "events": rows,
                      "seconds": round(seconds, 2), "events_per_second": round(rows / seconds), "peak_mb": peak, "mb_written": mb}))


def ours(folder: pathlib.Path, kind: str, binary: str) -> None:
    began = time.perf_counter()
    told = subprocess.run([binary, "run", str(folder / "project"), "--stage", "ingest", "--json"], check=True, capture_output=True)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    units = [unit for stage in json.loads(told.stdout)["stages"] for unit in stage["units"]]
    events = sum(unit["metrics"]["events"] for unit in units)
    mb = sum(f.stat().st_size for f in (folder / "project").rglob("events/**/*.parquet")) // 10**6
    print(json.dumps({"throughline": "ingest", "format": kind, "events": events, "seconds": round(seconds, 2),
                      "events_per_second": round(events / seconds), "peak_mb": peak, "mb_written": mb}))


if __name__ == "__main__":
    what, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if what == "make":
        make(folder, int(sys.argv[3]))
    elif what == "ours":
        ours(folder, sys.argv[3], sys.argv[4])
    else:
        with_duckdb(folder, sys.argv[3], "unique" in sys.argv[4:])
