-- The vault, schema 1. Instants are microseconds since the epoch, UTC.
PRAGMA application_id = 1414288980; -- 'TLVT'
PRAGMA user_version = 1;

-- One row once a master key is in use: enough to recognise the key, nothing to find it.
CREATE TABLE key_check (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    "check" BLOB    NOT NULL
) STRICT;

CREATE TABLE sources (
    id   INTEGER PRIMARY KEY,
    name TEXT    NOT NULL UNIQUE
) STRICT;

-- One row per identifier, for ever. An erased one keeps only its token, kind, source and the instant of its erasure.
CREATE TABLE subjects (
    seq       INTEGER PRIMARY KEY,
    token     BLOB    NOT NULL UNIQUE CHECK (length(token) = 16),
    kind      TEXT    NOT NULL,
    source    INTEGER NOT NULL REFERENCES sources, -- the first source that had it
    lookup    BLOB, -- its row in lookup
    wrapped   BLOB, -- its data key, sealed with the master key
    sealed    BLOB, -- its value, sealed with its data key
    erased_at INTEGER,
    CHECK ((lookup IS NULL) = (erased_at IS NOT NULL)),
    CHECK ((wrapped IS NULL) = (erased_at IS NOT NULL)),
    CHECK ((sealed IS NULL) = (erased_at IS NOT NULL))
) STRICT;

-- Keyed hash of kind and value → token.
CREATE TABLE lookup (
    hash  BLOB PRIMARY KEY CHECK (length(hash) = 32),
    token BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Who opened how many values, when and what for. No tokens, no values.
CREATE TABLE openings (
    id        INTEGER PRIMARY KEY,
    purpose   TEXT    NOT NULL,
    actor     TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    requested INTEGER NOT NULL,
    opened    INTEGER NOT NULL
) STRICT;
