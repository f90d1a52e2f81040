//! Rows that leave every version.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, RecordBatch, TimestampMicrosecondArray};
use throughline_core::{PersonId, SubjectToken};
use throughline_lake::{Erased, Lake, LakeError, columns, tables};

use crate::unit;

/// Token `i` of person `i % 3`.
fn rows(tokens: &[u8]) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(BinaryArray::from_iter_values(tokens.iter().map(|t| [*t; 16]))),
        Arc::new(BinaryArray::from_iter_values(tokens.iter().map(|t| [t % 3; 16]))),
        Arc::new(TimestampMicrosecondArray::from(vec![0; tokens.len()]).with_timezone("UTC")),
    ];
    RecordBatch::try_new(tables::persons().file_schema, columns).expect("rows fit")
}

async fn commit(lake: &Lake, name: &str, base: Option<u64>, tokens: &[u8]) -> Result<u64, LakeError> {
    let mut writer = lake.writer(&tables::persons(), &unit(name, "f", 1))?;
    writer.write(None, &rows(tokens)).await?;
    lake.commit(base, writer.finish().await?).await
}

/// The tokens of a version; what the log says of its files must be what they hold.
async fn tokens(lake: &Lake, version: u64) -> Result<Vec<u8>, LakeError> {
    let snapshot = lake.snapshot(&tables::persons(), Some(version)).await?;
    let mut all = Vec::new();
    for batch in snapshot.read_all(None).await? {
        let token = columns::binary(&batch, "token")?;
        all.extend((0..batch.num_rows()).map(|row| token.value(row)[0]));
    }
    all.sort_unstable();
    assert_eq!(snapshot.row_count(), all.len() as u64);
    Ok(all)
}

fn erased(tokens: &[u8]) -> Erased {
    Erased { tokens: tokens.iter().map(|t| SubjectToken([*t; 16])).collect(), ..Erased::default() }
}

fn size_of(folder: &Path, path: &str) -> u64 {
    std::fs::metadata(folder.join("persons").join(path)).expect("a file").len()
}

#[tokio::test]
async fn erased_rows_leave_every_version_and_the_log_follows() -> Result<(), LakeError> {
    let dir = tempfile::tempdir().expect("a folder");
    let lake = Lake::open_local(dir.path())?;
    let first = commit(&lake, "a", None, &[1, 2, 3]).await?;
    let second = commit(&lake, "a", Some(first), &[1, 4]).await?;
    let third = commit(&lake, "b", Some(second), &[5]).await?;
    // Written and never committed: a run was killed.
    let mut writer = lake.writer(&tables::persons(), &unit("c", "f", 2))?;
    writer.write(None, &rows(&[1, 6])).await?;
    let stray = writer.finish().await?.files[0].path.clone();
    let published = lake.snapshot(&tables::persons(), Some(third)).await?;
    let planned = lake.erase(&published, &erased(&[1]), true).await?;
    assert_eq!(tokens(&lake, third).await?, [1, 4, 5], "a dry run changes nothing");
    let done = lake.erase(&published, &erased(&[1]), false).await?;
    assert_eq!(done, planned);
    assert_eq!((done.files, done.rows, done.rows_published), (3, 3, 1));
    for lake in [&lake, &Lake::open_local(dir.path())?] {
        assert_eq!(tokens(lake, first).await?, [2, 3]);
        assert_eq!(tokens(lake, second).await?, [4]);
        assert_eq!(tokens(lake, third).await?, [4, 5]);
    }
    let files = lake.every_file(&tables::persons()).await?;
    assert!(files.files().iter().any(|f| f.path == stray && f.size == size_of(dir.path(), &stray)));
    for file in lake.snapshot(&tables::persons(), Some(third)).await?.files() {
        assert_eq!(file.size, size_of(dir.path(), &file.path), "other readers go by it");
    }
    assert_eq!(lake.erase(&published, &erased(&[1]), false).await?.files, 0, "once");
    // Nothing stands in the way of what comes next.
    let fourth = commit(&lake, "b", Some(third), &[7]).await?;
    assert_eq!(tokens(&lake, fourth).await?, [4, 7]);
    Ok(())
}

#[tokio::test]
async fn a_crash_before_the_log_followed_is_mended_and_checkpoints_do_not_contradict() -> Result<(), LakeError> {
    let dir = tempfile::tempdir().expect("a folder");
    let lake = Lake::open_local(dir.path())?;
    let mut version = commit(&lake, "u0", None, &[0, 200]).await?;
    for i in 1..104_u8 {
        version = commit(&lake, &format!("u{i}"), Some(version), &[i]).await?;
    }
    let log = dir.path().join("persons/_delta_log");
    let checkpoints = || {
        let names = std::fs::read_dir(&log).expect("a log").flatten().map(|e| e.file_name().into_string());
        names.flatten().filter(|name| name.contains("checkpoint")).count()
    };
    assert!(checkpoints() > 0, "the log has a checkpoint");
    let published = lake.snapshot(&tables::persons(), Some(version)).await?;
    // The log as it was before, beside files that changed already.
    let kept: Vec<_> =
        std::fs::read_dir(&log).expect("a log").flatten().map(|e| (e.path(), std::fs::read(e.path()))).collect();
    lake.erase(&published, &erased(&[200]), false).await?;
    for (path, bytes) in kept {
        std::fs::write(path, bytes.expect("read")).expect("written");
    }
    lake.erase(&published, &erased(&[200]), false).await?;
    assert_eq!(checkpoints(), 0, "a checkpoint would contradict the log");
    let again = Lake::open_local(dir.path())?;
    assert_eq!(tokens(&again, version).await?, (0..104).collect::<Vec<u8>>());
    assert_eq!(tokens(&again, 1).await?, [0]);
    Ok(())
}

#[tokio::test]
async fn people_of_earlier_versions_go_from_those_only() -> Result<(), LakeError> {
    let dir = tempfile::tempdir().expect("a folder");
    let lake = Lake::open_local(dir.path())?;
    let spec = tables::timeline();
    assert!(spec.file_schema.index_of("person_id").is_ok());
    // The table persons goes by tokens alone: somebody's other identifiers are not the erased one's.
    let first = commit(&lake, "a", None, &[1, 4]).await?;
    let second = commit(&lake, "a", Some(first), &[4, 7]).await?;
    let published = lake.snapshot(&tables::persons(), Some(second)).await?;
    let of = Erased { persons_before: BTreeSet::from([PersonId([1; 16])]), ..erased(&[1]) };
    assert_eq!(lake.erase(&published, &of, false).await?.rows, 1);
    assert_eq!((tokens(&lake, first).await?, tokens(&lake, second).await?), (vec![4], vec![4, 7]));
    Ok(())
}
