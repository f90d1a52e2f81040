-- The ledger, schema 1. Instants are microseconds since the epoch, UTC. Counters are never negative.
PRAGMA application_id = 1414286407; -- 'TLLG'
PRAGMA user_version = 1;

-- One row: who may write, and the fence of the last acquisition.
CREATE TABLE lease (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    fence       INTEGER NOT NULL CHECK (fence >= 0),
    holder      TEXT,
    acquired_at INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;
INSERT INTO lease VALUES (1, 0, NULL, 0, 0);

CREATE TABLE runs (
    run_seq     INTEGER PRIMARY KEY CHECK (run_seq > 0),
    as_of       INTEGER NOT NULL,
    config_hash TEXT    NOT NULL,
    seed        INTEGER NOT NULL, -- the 64 bits of an unsigned number
    status      TEXT    NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'cancelled', 'abandoned')),
    fence       INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    resumed     INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER,
    report      TEXT,
    CHECK ((status = 'running') = (finished_at IS NULL))
) STRICT;

-- What readers see now.
CREATE TABLE manifest (
    table_name TEXT    PRIMARY KEY,
    version    INTEGER NOT NULL CHECK (version >= 0),
    run_seq    INTEGER NOT NULL REFERENCES runs
) STRICT, WITHOUT ROWID;

-- Every change of the manifest, in order.
CREATE TABLE manifest_history (
    id           INTEGER PRIMARY KEY,
    table_name   TEXT    NOT NULL,
    version      INTEGER NOT NULL CHECK (version >= 0),
    run_seq      INTEGER NOT NULL REFERENCES runs,
    stage        TEXT    NOT NULL,
    unit         TEXT    NOT NULL,
    published_at INTEGER NOT NULL
) STRICT;
CREATE INDEX manifest_history_by_table ON manifest_history (table_name, run_seq);

CREATE TABLE fingerprints (
    stage        TEXT    NOT NULL,
    unit         TEXT    NOT NULL,
    fingerprint  TEXT    NOT NULL,
    run_seq      INTEGER NOT NULL REFERENCES runs,
    metrics      TEXT    NOT NULL,
    published_at INTEGER NOT NULL,
    PRIMARY KEY (stage, unit)
) STRICT, WITHOUT ROWID;

CREATE TABLE artefacts (
    kind         TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    version      INTEGER NOT NULL CHECK (version > 0),
    content_hash TEXT    NOT NULL,
    metadata     TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (kind, name, version),
    UNIQUE (kind, name, content_hash)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER artefacts_keep BEFORE UPDATE ON artefacts BEGIN SELECT RAISE(ABORT, 'artefacts are immutable'); END;
CREATE TRIGGER artefacts_stay BEFORE DELETE ON artefacts BEGIN SELECT RAISE(ABORT, 'artefacts are immutable'); END;

CREATE TABLE evidence (
    id         TEXT    PRIMARY KEY,
    record     TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER evidence_keep BEFORE UPDATE ON evidence BEGIN SELECT RAISE(ABORT, 'evidence is immutable'); END;
CREATE TRIGGER evidence_stay BEFORE DELETE ON evidence BEGIN SELECT RAISE(ABORT, 'evidence is immutable'); END;

CREATE TABLE delivery_batches (
    idempotency_key TEXT    PRIMARY KEY,
    destination     TEXT    NOT NULL,
    status          TEXT    NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    digest          TEXT    NOT NULL,
    row_count       INTEGER NOT NULL CHECK (row_count >= 0),
    details         TEXT    NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 1,
    created_at      INTEGER NOT NULL,
    completed_at    INTEGER
) STRICT, WITHOUT ROWID;

-- Append-only and without gaps. The insert trigger also stops REPLACE, which would not fire the delete trigger.
CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY,
    kind    TEXT    NOT NULL,
    actor   TEXT    NOT NULL,
    payload TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    prev    BLOB    NOT NULL CHECK (length(prev) = 32),
    leaf    BLOB    NOT NULL CHECK (length(leaf) = 32)
) STRICT;
CREATE TRIGGER audit_keep BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END;
CREATE TRIGGER audit_stay BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END;
CREATE TRIGGER audit_next BEFORE INSERT ON audit
    WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
    BEGIN SELECT RAISE(ABORT, 'audit records have no gaps'); END;

-- How long the log is and how it ends, so that a cut-off tail is noticed.
CREATE TABLE audit_head (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL,
    leaf BLOB    NOT NULL
) STRICT;
INSERT INTO audit_head VALUES (1, 0, zeroblob(32));
