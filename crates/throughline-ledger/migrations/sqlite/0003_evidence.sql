-- Schema 3: what is noted about evidence.
PRAGMA user_version = 3;

CREATE TABLE evidence_notes (
    evidence TEXT    NOT NULL REFERENCES evidence,
    key      TEXT    NOT NULL,
    kind     TEXT    NOT NULL CHECK (kind IN ('approved', 'retired', 'used')),
    made_by  TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    made_at  INTEGER NOT NULL,
    PRIMARY KEY (evidence, key)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER evidence_notes_keep BEFORE UPDATE ON evidence_notes
BEGIN SELECT RAISE(ABORT, 'notes about evidence are immutable'); END;
CREATE TRIGGER evidence_notes_stay BEFORE DELETE ON evidence_notes
BEGIN SELECT RAISE(ABORT, 'notes about evidence are immutable'); END;
