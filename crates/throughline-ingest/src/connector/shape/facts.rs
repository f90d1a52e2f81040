//! What holds for a whole file: its decimal sign, the files beside it, the options of its source.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use arrow::array::{Array as _, AsArray as _};
use jiff::tz::TimeZone;

use super::form::Form;
use super::number::Evidence;
use super::{Table, Vendor};
use crate::connector::{BadOption, Options, zone};
use crate::error::IngestError;
use crate::location::SourceFile;

/// Largest lookup file: they are held in memory.
const MAX_LOOKUP_BYTES: u64 = 64 << 20;

/// What holds for a file.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) decimal: char,
    /// Field → code → meaning.
    pub(super) lookups: BTreeMap<&'static str, BTreeMap<String, String>>,
    pub(super) options: Options,
    pub(super) zones: Zones,
}

/// Time zones that were asked for: making one takes longer than a row.
#[derive(Debug, Default)]
pub(super) struct Zones(Mutex<BTreeMap<String, Option<TimeZone>>>);

impl Zones {
    /// Most names that are kept: hostile rows could each bring another.
    const MOST: usize = 1024;

    pub(super) fn find(&self, name: &str) -> Option<TimeZone> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = known.get(name) {
            return zone.clone();
        }
        if known.len() >= Self::MOST {
            known.clear();
        }
        known.entry(name.to_owned()).or_insert_with(|| zone::find(name)).clone()
    }
}

impl Facts {
    pub(super) fn find(
        vendor: &Vendor,
        form: &Form,
        file: &SourceFile,
        options: &Options,
    ) -> Result<Self, IngestError> {
        let decimal = match options.get("decimal").and_then(|text| text.chars().next()) {
            Some(decimal) => decimal,
            None if matches!(form, Form::Table(_)) => decimal(vendor, form, file)?,
            None => '.',
        };
        let mut lookups = BTreeMap::new();
        if let Table::Beside { lookups: files, own, .. } = vendor.table {
            for (name, field) in files {
                let path = neighbours(&file.path, own, name).into_iter().find(|path| path.is_file());
                if let Some(path) = path {
                    lookups.insert(*field, lookup(&path).map_err(IngestError::io(path.display().to_string()))?);
                }
            }
        }
        Ok(Self { decimal, lookups, options: options.clone(), zones: Zones::default() })
    }
}

/// Checks the values of the options that shapes have.
pub(super) fn check(options: &Options) -> Result<(), BadOption> {
    if let Some(text) = options.get("decimal")
        && !matches!(text.as_str(), "." | ",")
    {
        return Err(BadOption { name: "decimal", message: format!("decimal `{text}` is neither `.` nor `,`") });
    }
    if let Some(name) = options.get("zone")
        && zone::find(name).is_none()
    {
        let message = format!("zone `{name}` is not in the time zone database, expected for example Europe/Berlin");
        return Err(BadOption { name: "zone", message });
    }
    Ok(())
}

/// The decimal sign that the first rows prove.
fn decimal(vendor: &Vendor, form: &Form, file: &SourceFile) -> Result<char, IngestError> {
    let numbers = vendor.numbers;
    let fields: Vec<String> = numbers.amounts.iter().chain(numbers.counts).map(|name| (*name).to_owned()).collect();
    if fields.is_empty() {
        return Ok('.');
    }
    let mut evidence = Evidence::default();
    if let Some(batch) = form.read(file, &fields)?.next_batch()? {
        for (i, array) in batch.columns.iter().enumerate() {
            let Some(texts) = array.as_string_opt::<i32>() else { continue };
            for row in (0..texts.len()).filter(|row| texts.is_valid(*row)) {
                evidence.add(texts.value(row).trim(), i >= numbers.amounts.len());
            }
        }
    }
    evidence.decimal().ok_or_else(|| IngestError::Format {
        file: file.name.clone(),
        format: vendor.name,
        reason: "some of its numbers have a decimal comma and some a decimal point; set `options: { decimal: … }`"
            .to_owned(),
    })
}

/// The names of the columns from the file beside.
pub(super) fn beside(vendor: &Vendor, file: &SourceFile) -> Result<Vec<String>, IngestError> {
    let Table::Beside { header, own, .. } = vendor.table else { return Ok(Vec::new()) };
    let candidates = neighbours(&file.path, own, header);
    let Some(path) = candidates.iter().find(|path| path.is_file()) else {
        let reason = format!("its header is missing: put `{header}` beside it");
        return Err(IngestError::Format { file: file.name.clone(), format: vendor.name, reason });
    };
    let mut line = String::new();
    let read = File::open(path).and_then(|f| BufReader::new(f).read_line(&mut line));
    read.map_err(IngestError::io(path.display().to_string()))?;
    Ok(line.trim_end_matches(['\r', '\n']).split('\t').map(|name| name.trim().to_owned()).collect())
}

/// Files beside a file whose content its rows depend on.
pub(super) fn companions(table: Table, path: &Path) -> Vec<PathBuf> {
    let Table::Beside { header, own, lookups } = table else { return Vec::new() };
    let names = [header].into_iter().chain(lookups.iter().map(|(name, _)| *name));
    names.filter_map(|name| neighbours(path, own, name).into_iter().find(|p| p.is_file())).collect()
}

/// Where a file beside may be: with the same beginning of its name, or under its plain name.
fn neighbours(path: &Path, own: &str, name: &str) -> Vec<PathBuf> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let with_prefix = file.strip_suffix(own).map(|prefix| path.with_file_name(format!("{prefix}{name}")));
    with_prefix.into_iter().chain([path.with_file_name(name)]).collect()
}

/// A table of code and meaning.
fn lookup(path: &Path) -> std::io::Result<BTreeMap<String, String>> {
    if fs::metadata(path)?.len() > MAX_LOOKUP_BYTES {
        let message = format!("it exceeds {MAX_LOOKUP_BYTES} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, message));
    }
    let bytes = fs::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let pairs = text.lines().filter_map(|line| line.split_once('\t'));
    Ok(pairs.map(|(code, meaning)| (code.to_owned(), meaning.to_owned())).collect())
}
