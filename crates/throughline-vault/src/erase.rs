//! Erasure: destroying data keys, values and the way to find them.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};
use throughline_core::{SubjectToken, Timestamp};

use crate::store::{self, Doing, over_packed};
use crate::vault::{CHUNK, packed};
use crate::{Vault, VaultError};

const DOING: &str = "erase identifiers";

impl Vault {
    /// Erases the values of tokens and returns how many were erased now; unknown and already erased ones do not count.
    ///
    /// Data key, sealed value and lookup hash are overwritten in the file (`secure_delete`) and the write-ahead log is
    /// emptied. The token stays as a tombstone and is never given again: the same value arriving later is a new
    /// identifier with a new token. Backups of the vault are the caller's to expire.
    pub async fn erase(&self, tokens: &[SubjectToken], now: Timestamp) -> Result<u64, VaultError> {
        self.destroy(tokens, false, now).await
    }

    /// [`erase`](Self::erase) that also refuses the values from now on: [`tokenise`](Self::tokenise) gives no token for them,
    /// whichever source says them again. The keyed hash of kind and value is all that is kept for it.
    pub async fn erase_for_good(&self, tokens: &[SubjectToken], now: Timestamp) -> Result<u64, VaultError> {
        self.destroy(tokens, true, now).await
    }

    async fn destroy(&self, tokens: &[SubjectToken], for_good: bool, now: Timestamp) -> Result<u64, VaultError> {
        let mut erased = 0;
        let mut tx = store::write(&self.pool).await?;
        for chunk in tokens.chunks(CHUNK) {
            if for_good {
                sqlx::query(over_packed!(
                    16,
                    "INSERT OR IGNORE INTO tombstones SELECT lookup, ?2 FROM subjects WHERE lookup IS NOT NULL \
                     AND token IN (SELECT substr(?1, i * 16 + 1, 16) FROM n)"
                ))
                .bind(packed(chunk))
                .bind(now.micros())
                .execute(&mut *tx)
                .await
                .doing(DOING)?;
            }
            sqlx::query(over_packed!(
                16,
                "DELETE FROM lookup WHERE hash IN (SELECT lookup FROM subjects WHERE lookup IS NOT NULL \
                 AND token IN (SELECT substr(?1, i * 16 + 1, 16) FROM n))"
            ))
            .bind(packed(chunk))
            .execute(&mut *tx)
            .await
            .doing(DOING)?;
            erased += sqlx::query(over_packed!(
                16,
                "UPDATE subjects SET lookup = NULL, wrapped = NULL, sealed = NULL, erased_at = ?2 \
                 WHERE erased_at IS NULL AND token IN (SELECT substr(?1, i * 16 + 1, 16) FROM n)"
            ))
            .bind(packed(chunk))
            .bind(now.micros())
            .execute(&mut *tx)
            .await
            .doing(DOING)?
            .rows_affected();
        }
        tx.commit().await.doing(DOING)?;
        if empty_log(&self.pool).await? { Ok(erased) } else { Err(VaultError::ErasureUnfinished { erased }) }
    }
}

/// Moves the log into the file and cuts it to nothing; whether that succeeded. Waits for readers as long as writers wait.
async fn empty_log(pool: &SqlitePool) -> Result<bool, VaultError> {
    let row: SqliteRow = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(pool).await.doing("empty its log")?;
    let busy: i64 = row.try_get(0).doing("empty its log")?;
    Ok(busy == 0)
}
