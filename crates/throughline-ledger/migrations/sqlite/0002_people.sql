-- Schema 2: the audit log becomes a Merkle tree; people, their credentials, approvals and switches.
PRAGMA user_version = 2;

-- Complete subtrees of the audit log above its leaves: (level, idx) covers leaves idx * 2^level and on.
CREATE TABLE audit_nodes (
    level INTEGER NOT NULL CHECK (level > 0),
    idx   INTEGER NOT NULL CHECK (idx >= 0),
    hash  BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

-- Heads that were signed, so that later checks compare them.
CREATE TABLE audit_heads (
    size INTEGER PRIMARY KEY CHECK (size >= 0),
    root BLOB    NOT NULL CHECK (length(root) = 32),
    at   INTEGER NOT NULL,
    note TEXT    NOT NULL
) STRICT;

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL COLLATE NOCASE UNIQUE,
    display_name  TEXT NOT NULL,
    roles         TEXT NOT NULL, -- JSON list
    sign_offs     TEXT NOT NULL, -- JSON list
    password_hash TEXT,          -- PHC string
    oidc_issuer   TEXT,
    oidc_subject  TEXT,
    disabled      INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL,
    last_seen_at  INTEGER,
    UNIQUE (oidc_issuer, oidc_subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_tokens (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users,
    label        TEXT NOT NULL,
    scopes       TEXT NOT NULL, -- JSON list
    hash         TEXT NOT NULL, -- PHC string
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    revoked_at   INTEGER,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_tokens_by_user ON api_tokens (user_id);

-- A session is found by the SHA-256 of its cookie; the cookie itself is not kept.
CREATE TABLE sessions (
    id         BLOB PRIMARY KEY CHECK (length(id) = 32),
    user_id    TEXT NOT NULL REFERENCES users,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE approvals (
    id              TEXT PRIMARY KEY,
    kind            TEXT NOT NULL,
    subject         TEXT NOT NULL,
    subject_version TEXT NOT NULL,
    state           TEXT NOT NULL,
    revision        INTEGER NOT NULL CHECK (revision > 0),
    requested_at    INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    body            TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_by_state ON approvals (state, requested_at);
-- At most one open request about one version of one thing.
CREATE UNIQUE INDEX approvals_open ON approvals (kind, subject, subject_version) WHERE state IN ('pending', 'approved');

-- Switches of the installation, such as `frozen`.
CREATE TABLE switches (
    name   TEXT PRIMARY KEY,
    value  TEXT NOT NULL,
    set_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
