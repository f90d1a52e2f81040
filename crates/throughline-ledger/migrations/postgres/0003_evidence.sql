-- Schema 3: what is noted about evidence.
CREATE TABLE evidence_notes (
    evidence TEXT   COLLATE "C" NOT NULL REFERENCES evidence,
    key      TEXT   COLLATE "C" NOT NULL,
    kind     TEXT   NOT NULL CHECK (kind IN ('approved', 'retired', 'used')),
    made_by  TEXT   NOT NULL,
    text     TEXT   NOT NULL,
    made_at  BIGINT NOT NULL,
    PRIMARY KEY (evidence, key)
);
CREATE TRIGGER evidence_notes_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence_notes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('notes about evidence are immutable');
