//! Files into shards: row groups of Parquet files and whole CSV files, on some threads.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use throughline_paths::{JourneyConfig, Parts, PathsError, Shard};
use throughline_stats::parallel::map_parts;

use super::people::People;
use super::rows::{Found, Reader};
use super::{JourneysArgs, csv, parquet};
use crate::OneShotError;

/// A line of a CSV file is taken for so many bytes, to guess the number of rows.
const BYTES_A_LINE: u64 = 40;

/// What was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) shards: Vec<Shard<u64>>,
    pub(super) found: Found,
    /// Where people are texts.
    pub(super) people: Option<People>,
}

/// What is read at once.
enum Work<'a> {
    Csv(&'a Path),
    RowGroup(&'a parquet::Opened, usize),
}

pub(super) fn read(args: &JourneysArgs, config: &JourneyConfig, threads: usize) -> Result<Read, OneShotError> {
    let is_parquet = |path: &Path| path.extension().is_some_and(|e| e == "parquet");
    let mut opened = Vec::new();
    let (mut rows, mut texts) = (0_u64, false);
    for path in &args.files {
        if is_parquet(path) {
            let file = parquet::Opened::new(path, args)?;
            rows += file.rows();
            texts |= !file.people_are_numbers();
            opened.push(file);
        } else {
            let shown = path.display().to_string();
            let size = std::fs::metadata(path)
                .map_err(|source| OneShotError::Io { doing: "read", path: shown, source })?
                .len();
            rows += size / BYTES_A_LINE;
            texts = true;
        }
    }
    let people = texts.then(People::new);
    let mut work: Vec<Work<'_>> = Vec::new();
    work.extend(args.files.iter().filter(|path| !is_parquet(path)).map(|path| Work::Csv(path)));
    work.extend(opened.iter().flat_map(|file| (0..file.row_groups()).map(move |group| Work::RowGroup(file, group))));
    let parts = Parts::for_rows(rows);
    // One reader a thread: whoever starts takes one that is free.
    let readers: Mutex<Vec<Reader>> = Mutex::new(Vec::new());
    let free = || readers.lock().unwrap_or_else(PoisonError::into_inner);
    let done = map_parts(work, threads, |work| -> Result<(), OneShotError> {
        let taken = free().pop();
        let mut reader = taken.unwrap_or_else(|| Reader::new(parts, config));
        let result = match work {
            Work::Csv(path) => csv::read(path, args, people.as_ref(), &mut reader),
            Work::RowGroup(file, group) => file.read(group, args, people.as_ref(), &mut reader),
        };
        free().push(reader);
        result
    });
    done.into_iter().collect::<Result<Vec<()>, _>>()?;
    let mut found = Found::default();
    let mut shards = Vec::new();
    for reader in readers.into_inner().unwrap_or_else(PoisonError::into_inner) {
        found.merge(reader.found);
        shards.push(reader.shard);
    }
    found.lines.sort_by(|a, b| {
        let place = |d: &throughline_core::Diagnostic| d.location.as_ref().map(|l| (l.file.clone(), l.line));
        place(a).cmp(&place(b))
    });
    if shards.is_empty() {
        shards.push(Shard::new(parts));
    }
    Ok(Read { shards, found, people })
}

/// An error of the kernel, at a file.
pub(super) fn at(error: PathsError, file: &str) -> OneShotError {
    match error.into() {
        OneShotError::Findings(found) => {
            OneShotError::Findings(found.into_iter().map(|d| d.at(file, None, None)).collect())
        }
        other => other,
    }
}
