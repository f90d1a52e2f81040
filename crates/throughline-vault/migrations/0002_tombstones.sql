-- The vault, schema 2: values that were erased for good.
PRAGMA user_version = 2;

-- Keyed hash of kind and value, tied to no token: a source that says the value again is not believed.
CREATE TABLE tombstones (
    hash      BLOB    PRIMARY KEY CHECK (length(hash) = 32),
    erased_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
