//! The log of a table after files changed under their names: sizes and row counts follow.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::Value;

use crate::erase::listed;
use crate::error::LakeError;

const LOG: &str = "_delta_log";
const FIRST: &str = "_delta_log/00000000000000000000.json";

/// Makes every entry of the log state the size and rows that its file has. `counted` are the rows of files that changed
/// now; those that changed before a crash are found by their size.
pub(crate) async fn follow(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    counted: &BTreeMap<String, u64>,
) -> Result<(), LakeError> {
    let sizes: BTreeMap<String, u64> = listed(store).await?.into_iter().collect();
    let mut rows = counted.clone();
    let all: Vec<_> = store.list(Some(&Path::from(LOG))).try_collect().await?;
    let mut names: Vec<String> = all.into_iter().map(|meta| meta.location.to_string()).collect();
    names.sort();
    let mut whole = false;
    let mut changed = Vec::new();
    for name in names.iter().filter(|name| std::path::Path::new(name).extension().is_some_and(|e| e == "json")) {
        whole |= name == FIRST;
        let bytes = store.get(&Path::from(name.as_str())).await?.bytes().await?;
        let mut lines = Vec::new();
        let mut differs = false;
        for line in std::str::from_utf8(&bytes).unwrap_or_default().lines().filter(|line| !line.is_empty()) {
            let mut entry: Value = serde_json::from_str(line).map_err(|e| unreadable(table, name, e.into()))?;
            differs |= follow_entry(store, table, &sizes, &mut rows, &mut entry).await?;
            lines.push(entry.to_string());
        }
        if differs {
            changed.push((name, lines.join("\n") + "\n"));
        }
    }
    let checkpoints = names.iter().filter(|name| name.contains(".checkpoint") || name.ends_with("_last_checkpoint"));
    let checkpoints: Vec<&String> = checkpoints.collect();
    if changed.is_empty() {
        return Ok(());
    }
    // A checkpoint repeats entries; without it the log is read from its beginning. It goes first, so that a crash leaves no
    // checkpoint that contradicts the log.
    if !checkpoints.is_empty() && !whole {
        return Err(LakeError::LogCutShort { table: table.to_owned() });
    }
    for name in checkpoints {
        store.delete(&Path::from(name.as_str())).await?;
    }
    for (name, text) in changed {
        store.put(&Path::from(name.as_str()), text.into_bytes().into()).await?;
    }
    Ok(())
}

/// Corrects one entry; whether it differed.
async fn follow_entry(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    sizes: &BTreeMap<String, u64>,
    rows: &mut BTreeMap<String, u64>,
    entry: &mut Value,
) -> Result<bool, LakeError> {
    let mut differs = false;
    for kind in ["add", "remove"] {
        let Some(file) = entry.get_mut(kind).and_then(Value::as_object_mut) else { continue };
        let path = file.get("path").and_then(Value::as_str).unwrap_or_default().to_owned();
        let Some(&size) = sizes.get(&path) else { continue };
        if file.get("size").and_then(Value::as_u64) == Some(size) && !rows.contains_key(&path) {
            continue;
        }
        let count = match rows.get(&path) {
            Some(count) => *count,
            None => rows_of(store, table, &path).await?,
        };
        rows.insert(path, count);
        let stats = format!("{{\"numRecords\":{count}}}");
        let before = (file.get("size").cloned(), file.get("stats").cloned());
        if file.contains_key("size") {
            file.insert("size".into(), size.into());
        }
        if file.get("stats").is_some_and(Value::is_string) {
            file.insert("stats".into(), stats.into());
        }
        differs |= before != (file.get("size").cloned(), file.get("stats").cloned());
    }
    Ok(differs)
}

async fn rows_of(store: &Arc<dyn ObjectStore>, table: &str, path: &str) -> Result<u64, LakeError> {
    let bytes = store.get(&Path::from(path)).await?.bytes().await?;
    let reader = SerializedFileReader::new(bytes).map_err(|e| unreadable(table, path, e.into()))?;
    Ok(u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0))
}

fn unreadable(table: &str, path: &str, source: Box<dyn std::error::Error + Send + Sync>) -> LakeError {
    LakeError::File { table: table.to_owned(), path: path.to_owned(), source }
}
