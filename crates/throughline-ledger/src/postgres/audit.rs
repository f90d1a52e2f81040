//! The audit log in PostgreSQL.

use sqlx::PgConnection;
use throughline_core::Timestamp;

use super::PostgresLedger;
use super::convert::{Doing, from_sql, to_sql};
use crate::audit::{
    Checker, GENESIS, Node, completed_by, consistency_ranges, cover, fold, inclusion_ranges, node_hash,
};
use crate::{
    AuditCheck, AuditEntry, AuditFilter, AuditRecord, ConsistencyProof, Hash, InclusionProof, LedgerError, SignedHead,
};

const READ: &str = "read the audit log";
const WRITE: &str = "append to the audit log";
const PAGE: u32 = 1000;

/// Appends within the caller's transaction, which must be one that may write.
pub(super) async fn append(connection: &mut PgConnection, entry: AuditEntry<'_>) -> Result<AuditRecord, LedgerError> {
    let (size, head) = head(connection).await?;
    let mut record = AuditRecord {
        seq: size + 1,
        kind: entry.kind.to_owned(),
        actor: entry.actor.to_owned(),
        payload: entry.payload.to_string(),
        at: entry.at,
        prev: head,
        leaf: GENESIS,
    };
    record.leaf = record.compute_leaf();
    let seq = to_sql("audit sequence number", record.seq)?;
    sqlx::query("INSERT INTO audit (seq, kind, actor, payload, at, prev, leaf) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(seq)
        .bind(&record.kind)
        .bind(&record.actor)
        .bind(&record.payload)
        .bind(record.at.micros())
        .bind(&record.prev[..])
        .bind(&record.leaf[..])
        .execute(&mut *connection)
        .await
        .doing(WRITE)?;
    complete_nodes(connection, size, record.leaf).await?;
    sqlx::query("UPDATE audit_head SET size = $1, leaf = $2")
        .bind(seq)
        .bind(&record.leaf[..])
        .execute(connection)
        .await
        .doing(WRITE)?;
    Ok(record)
}

/// Stores the nodes that leaf number `leaf` completes.
async fn complete_nodes(connection: &mut PgConnection, leaf: u64, hash: Hash) -> Result<(), LedgerError> {
    let mut right = hash;
    for ((level, index), left) in completed_by(leaf) {
        right = node_hash(&node(connection, left).await?, &right);
        sqlx::query("INSERT INTO audit_nodes (level, idx, hash) VALUES ($1, $2, $3)")
            .bind(i64::from(level))
            .bind(to_sql("audit node", index)?)
            .bind(&right[..])
            .execute(&mut *connection)
            .await
            .doing(WRITE)?;
    }
    Ok(())
}

/// The hash of a complete subtree; of a leaf at level 0.
async fn node(connection: &mut PgConnection, (level, index): Node) -> Result<Hash, LedgerError> {
    let query = if level == 0 {
        sqlx::query_scalar("SELECT leaf FROM audit WHERE seq = $1").bind(to_sql("audit sequence number", index + 1)?)
    } else {
        let sql = "SELECT hash FROM audit_nodes WHERE level = $1 AND idx = $2";
        sqlx::query_scalar(sql).bind(i64::from(level)).bind(to_sql("audit node", index)?)
    };
    let found: Option<Vec<u8>> = query.fetch_optional(connection).await.doing(READ)?;
    let missing = || LedgerError::Unreadable { what: "audit node", detail: format!("{level}/{index} is missing") };
    hash(&found.ok_or_else(missing)?)
}

/// The root over a range of leaves.
async fn range_root(connection: &mut PgConnection, range: std::ops::Range<u64>) -> Result<Hash, LedgerError> {
    let mut hashes = Vec::new();
    for place in cover(&range) {
        hashes.push(node(connection, place).await?);
    }
    Ok(fold(&hashes))
}

/// Length and root of the log.
pub(super) async fn tree(ledger: &PostgresLedger) -> Result<(u64, Hash), LedgerError> {
    let mut tx = ledger.read().await?;
    let (size, _) = head(&mut tx).await?;
    let root = range_root(&mut tx, 0..size).await?;
    tx.commit().await.doing(READ)?;
    Ok((size, root))
}

/// That a record stands in the log of its first `size` records.
pub(super) async fn inclusion(ledger: &PostgresLedger, seq: u64, size: u64) -> Result<InclusionProof, LedgerError> {
    let mut tx = ledger.read().await?;
    let (length, _) = head(&mut tx).await?;
    if seq == 0 || seq > size || size > length {
        return Err(LedgerError::Unknown {
            what: "audit record",
            key: format!("{seq} in a log of {}", size.min(length)),
        });
    }
    let mut path = Vec::new();
    for range in inclusion_ranges(seq - 1, size) {
        path.push(range_root(&mut tx, range).await?);
    }
    let (leaf, root) = (node(&mut tx, (0, seq - 1)).await?, range_root(&mut tx, 0..size).await?);
    tx.commit().await.doing(READ)?;
    Ok(InclusionProof { seq, size, leaf, root, path })
}

/// That the log of `first` records is the beginning of the log of `second`.
pub(super) async fn consistency(
    ledger: &PostgresLedger,
    first: u64,
    second: u64,
) -> Result<ConsistencyProof, LedgerError> {
    let mut tx = ledger.read().await?;
    let (length, _) = head(&mut tx).await?;
    if first > second || second > length {
        return Err(LedgerError::Unknown { what: "audit log", key: format!("of {first} and {second} records") });
    }
    let mut path = Vec::new();
    for range in consistency_ranges(first, second) {
        path.push(range_root(&mut tx, range).await?);
    }
    let (first_root, second_root) = (range_root(&mut tx, 0..first).await?, range_root(&mut tx, 0..second).await?);
    tx.commit().await.doing(READ)?;
    Ok(ConsistencyProof { first, first_root, second, second_root, path })
}

/// Keeps a signed head. One that was kept for its size stays.
pub(super) async fn keep_head(ledger: &PostgresLedger, head: &SignedHead) -> Result<(), LedgerError> {
    sqlx::query("INSERT INTO audit_heads (size, root, at, note) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
        .bind(to_sql("audit size", head.head.size)?)
        .bind(&head.head.root[..])
        .bind(head.head.at.micros())
        .bind(&head.note)
        .execute(&ledger.pool)
        .await
        .doing(WRITE)?;
    Ok(())
}

/// The signed heads by size.
pub(super) async fn heads(ledger: &PostgresLedger) -> Result<Vec<SignedHead>, LedgerError> {
    let notes: Vec<String> =
        sqlx::query_scalar("SELECT note FROM audit_heads ORDER BY size").fetch_all(&ledger.pool).await.doing(READ)?;
    notes.iter().map(|n| SignedHead::parse(n)).collect()
}

/// Records newest first, those that a filter lets through.
pub(super) async fn latest(ledger: &PostgresLedger, filter: &AuditFilter<'_>) -> Result<Vec<AuditRecord>, LedgerError> {
    let before = filter.before.map(|b| to_sql("audit sequence number", b)).transpose()?;
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT seq, kind, actor, payload, at, prev, leaf FROM audit WHERE ($1 IS NULL OR seq < $1) \
         AND ($2 IS NULL OR kind = $2) AND ($3 IS NULL OR actor = $3) ORDER BY seq DESC LIMIT $4",
    )
    .bind(before)
    .bind(filter.kind)
    .bind(filter.actor)
    .bind(i64::from(filter.limit))
    .fetch_all(&ledger.pool)
    .await
    .doing(READ)?;
    rows.into_iter().map(record).collect()
}

pub(super) async fn append_alone(ledger: &PostgresLedger, entry: AuditEntry<'_>) -> Result<AuditRecord, LedgerError> {
    let mut tx = ledger.write().await?;
    let record = append(&mut tx, entry).await?;
    tx.commit().await.doing(WRITE)?;
    Ok(record)
}

pub(super) async fn list(ledger: &PostgresLedger, after: u64, limit: u32) -> Result<Vec<AuditRecord>, LedgerError> {
    let mut connection = ledger.pool.acquire().await.doing(READ)?;
    page(&mut connection, after, limit).await
}

pub(super) async fn verify(ledger: &PostgresLedger) -> Result<AuditCheck, LedgerError> {
    // One transaction, so that the pages and the remembered end are of the same moment.
    let mut tx = ledger.read().await?;
    let roots: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT size, root FROM audit_heads").fetch_all(&mut *tx).await.doing(READ)?;
    let heads: Result<Vec<(u64, Hash)>, LedgerError> =
        roots.into_iter().map(|(size, root)| Ok((from_sql("audit size", size)?, hash(&root)?))).collect();
    let mut checker = Checker::new(heads?);
    loop {
        let records = page(&mut tx, checker.last_seq(), PAGE).await?;
        if records.is_empty() {
            break;
        }
        for record in &records {
            checker.read(record);
        }
    }
    let (size, leaf) = head(&mut tx).await?;
    // A missing node is a departure of the tree, not a failure of the check.
    let root = match range_root(&mut tx, 0..size).await {
        Err(LedgerError::Unreadable { .. }) => None,
        other => Some(other?),
    };
    tx.commit().await.doing(READ)?;
    Ok(checker.finish(size, leaf, root))
}

async fn head(connection: &mut PgConnection) -> Result<(u64, Hash), LedgerError> {
    let (size, leaf): (i64, Vec<u8>) =
        sqlx::query_as("SELECT size, leaf FROM audit_head").fetch_one(connection).await.doing(READ)?;
    Ok((from_sql("audit size", size)?, hash(&leaf)?))
}

type Row = (i64, String, String, String, i64, Vec<u8>, Vec<u8>);

async fn page(connection: &mut PgConnection, after: u64, limit: u32) -> Result<Vec<AuditRecord>, LedgerError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT seq, kind, actor, payload, at, prev, leaf FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2",
    )
    .bind(to_sql("audit sequence number", after)?)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await
    .doing(READ)?;
    rows.into_iter().map(record).collect()
}

fn record((seq, kind, actor, payload, at, prev, leaf): Row) -> Result<AuditRecord, LedgerError> {
    let (prev, leaf) = (hash(&prev)?, hash(&leaf)?);
    let seq = from_sql("audit sequence number", seq)?;
    Ok(AuditRecord { seq, kind, actor, payload, at: Timestamp::from_micros(at), prev, leaf })
}

fn hash(bytes: &[u8]) -> Result<Hash, LedgerError> {
    bytes.try_into().map_err(|_| LedgerError::Unreadable {
        what: "audit hash",
        detail: format!("{} bytes, expected {}", bytes.len(), GENESIS.len()),
    })
}
