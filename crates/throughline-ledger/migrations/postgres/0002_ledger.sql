-- The ledger, schema 2: the first that PostgreSQL keeps. A number means the same in each database.
-- Instants are microseconds since the epoch, UTC. Counters are never negative. JSON is text: the audit log hashes exact
-- bytes, and what is read back must be what was written. Text is ordered by its bytes (collation C), on every server alike.
CREATE TABLE ledger (
    id            BIGINT PRIMARY KEY CHECK (id = 1),
    application   TEXT   NOT NULL CHECK (application = 'throughline'),
    schema_number BIGINT NOT NULL,
    project       TEXT   NOT NULL -- whose ledger it is
);

-- One row: who may write, and the fence of the last acquisition. Every write transaction locks it first.
CREATE TABLE lease (
    id          BIGINT PRIMARY KEY CHECK (id = 1),
    fence       BIGINT NOT NULL CHECK (fence >= 0),
    holder      TEXT,
    acquired_at BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
INSERT INTO lease VALUES (1, 0, NULL, 0, 0);

CREATE TABLE runs (
    run_seq     BIGINT PRIMARY KEY CHECK (run_seq > 0),
    as_of       BIGINT NOT NULL,
    config_hash TEXT   NOT NULL,
    seed        BIGINT NOT NULL, -- the 64 bits of an unsigned number
    status      TEXT   NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'cancelled', 'abandoned')),
    fence       BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    resumed     BIGINT NOT NULL DEFAULT 0,
    finished_at BIGINT,
    report      TEXT,
    CHECK ((status = 'running') = (finished_at IS NULL))
);

-- What readers see now.
CREATE TABLE manifest (
    table_name TEXT   COLLATE "C" PRIMARY KEY,
    version    BIGINT NOT NULL CHECK (version >= 0),
    run_seq    BIGINT NOT NULL REFERENCES runs
);

-- Every change of the manifest, in order: writers follow one another, so ids grow in the order of commits.
CREATE TABLE manifest_history (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name   TEXT   COLLATE "C" NOT NULL,
    version      BIGINT NOT NULL CHECK (version >= 0),
    run_seq      BIGINT NOT NULL REFERENCES runs,
    stage        TEXT   NOT NULL,
    unit         TEXT   NOT NULL,
    published_at BIGINT NOT NULL
);
CREATE INDEX manifest_history_by_table ON manifest_history (table_name, run_seq);

CREATE TABLE fingerprints (
    stage        TEXT   COLLATE "C" NOT NULL,
    unit         TEXT   COLLATE "C" NOT NULL,
    fingerprint  TEXT   NOT NULL,
    run_seq      BIGINT NOT NULL REFERENCES runs,
    metrics      TEXT   NOT NULL,
    published_at BIGINT NOT NULL,
    PRIMARY KEY (stage, unit)
);

CREATE TABLE artefacts (
    kind         TEXT   COLLATE "C" NOT NULL,
    name         TEXT   COLLATE "C" NOT NULL,
    version      BIGINT NOT NULL CHECK (version > 0),
    content_hash TEXT   COLLATE "C" NOT NULL,
    metadata     TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (kind, name, version),
    UNIQUE (kind, name, content_hash)
);

CREATE TABLE evidence (
    id         TEXT   COLLATE "C" PRIMARY KEY,
    record     TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE delivery_batches (
    idempotency_key TEXT   COLLATE "C" PRIMARY KEY,
    destination     TEXT   NOT NULL,
    status          TEXT   NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    digest          TEXT   NOT NULL,
    row_count       BIGINT NOT NULL CHECK (row_count >= 0),
    details         TEXT   NOT NULL,
    attempts        BIGINT NOT NULL DEFAULT 1,
    created_at      BIGINT NOT NULL,
    completed_at    BIGINT
);

-- Append-only and without gaps.
CREATE TABLE audit (
    seq     BIGINT PRIMARY KEY,
    kind    TEXT   NOT NULL,
    actor   TEXT   NOT NULL,
    payload TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    prev    BYTEA  NOT NULL CHECK (length(prev) = 32),
    leaf    BYTEA  NOT NULL CHECK (length(leaf) = 32)
);

-- How long the log is and how it ends, so that a cut-off tail is noticed.
CREATE TABLE audit_head (
    id   BIGINT PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL,
    leaf BYTEA  NOT NULL
);
INSERT INTO audit_head VALUES (1, 0, decode(repeat('00', 32), 'hex'));

-- Complete subtrees of the audit log above its leaves: (level, idx) covers leaves idx * 2^level and on.
CREATE TABLE audit_nodes (
    level BIGINT NOT NULL CHECK (level > 0),
    idx   BIGINT NOT NULL CHECK (idx >= 0),
    hash  BYTEA  NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, idx)
);

-- Heads that were signed, so that later checks compare them.
CREATE TABLE audit_heads (
    size BIGINT PRIMARY KEY CHECK (size >= 0),
    root BYTEA  NOT NULL CHECK (length(root) = 32),
    at   BIGINT NOT NULL,
    note TEXT   NOT NULL
);

CREATE TABLE users (
    id            TEXT    COLLATE "C" PRIMARY KEY,
    name          TEXT    COLLATE "C" NOT NULL,
    display_name  TEXT    NOT NULL,
    roles         TEXT    NOT NULL, -- JSON list
    sign_offs     TEXT    NOT NULL, -- JSON list
    password_hash TEXT,             -- PHC string
    oidc_issuer   TEXT    COLLATE "C",
    oidc_subject  TEXT    COLLATE "C",
    disabled      BOOLEAN NOT NULL DEFAULT FALSE,
    created_at    BIGINT  NOT NULL,
    last_seen_at  BIGINT,
    UNIQUE (oidc_issuer, oidc_subject)
);
-- Without regard to the case of ASCII letters: under collation C, `lower` changes no others.
CREATE UNIQUE INDEX users_by_name ON users (lower(name));

CREATE TABLE api_tokens (
    id           TEXT   COLLATE "C" PRIMARY KEY,
    user_id      TEXT   COLLATE "C" NOT NULL REFERENCES users,
    label        TEXT   NOT NULL,
    scopes       TEXT   NOT NULL, -- JSON list
    hash         TEXT   NOT NULL, -- PHC string
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    revoked_at   BIGINT,
    last_used_at BIGINT
);
CREATE INDEX api_tokens_by_user ON api_tokens (user_id);

-- A session is found by the SHA-256 of its cookie; the cookie itself is not kept.
CREATE TABLE sessions (
    id         BYTEA  PRIMARY KEY CHECK (length(id) = 32),
    user_id    TEXT   COLLATE "C" NOT NULL REFERENCES users,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE approvals (
    id              TEXT   COLLATE "C" PRIMARY KEY,
    kind            TEXT   COLLATE "C" NOT NULL,
    subject         TEXT   COLLATE "C" NOT NULL,
    subject_version TEXT   COLLATE "C" NOT NULL,
    state           TEXT   COLLATE "C" NOT NULL,
    revision        BIGINT NOT NULL CHECK (revision > 0),
    requested_at    BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    body            TEXT   NOT NULL
);
CREATE INDEX approvals_by_state ON approvals (state, requested_at);
-- At most one open request about one version of one thing.
CREATE UNIQUE INDEX approvals_open ON approvals (kind, subject, subject_version) WHERE state IN ('pending', 'approved');

-- Switches of the installation, such as `frozen`.
CREATE TABLE switches (
    name   TEXT   COLLATE "C" PRIMARY KEY,
    value  TEXT   NOT NULL,
    set_at BIGINT NOT NULL
);

-- What is never changed. Whoever owns the tables can take the triggers away; the proofs of the audit log would tell.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$;

CREATE FUNCTION audit_follows() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit) THEN
        RAISE EXCEPTION 'audit records have no gaps';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER artefacts_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON artefacts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('artefacts are immutable');
CREATE TRIGGER evidence_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('evidence is immutable');
CREATE TRIGGER audit_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('audit records are append-only');
CREATE TRIGGER audit_next BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_follows();
