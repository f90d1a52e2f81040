//! Corrected rows: a copy of a file in which single rows are replaced. The file itself is never changed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufWriter, Write as _};
use std::path::Path;

use serde_json::Value;
use throughline_core::RunContext;

use crate::compile::CompiledSource;
use crate::connector::{escape, join_fields, open_text};
use crate::error::IngestError;
use crate::evaluate::Evaluator;
use crate::location::SourceFile;
use crate::read::TypedReader;
use crate::report::IngestReport;
use crate::sink::is_cut;
use crate::stage::evaluate;

/// Refused rows of one file that are looked through for those that were corrected.
const MOST_ROWS: usize = 100_000;
/// The longest line of a file with corrections.
const MOST_LINE_BYTES: usize = 64 << 20;

/// A row that would go to quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedText {
    /// Line in the file.
    pub line: i64,
    /// Code of what is wrong.
    pub code: &'static str,
    /// Why, without quoting the row.
    pub reason: String,
    /// The row as the vault would seal it.
    pub raw: String,
}

/// Why a row cannot be replaced in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misplaced {
    /// It is too long to be kept whole.
    Cut,
    /// Its line does not read as the row does: it is a part of a larger document.
    NotALine,
}

/// The rows of a file that would go to quarantine, at most 100,000 of them, in order. Nothing is written.
pub fn refused_rows(
    source: &CompiledSource,
    file: &SourceFile,
    context: &RunContext,
) -> Result<Vec<RefusedText>, IngestError> {
    let layout = source.layout(false);
    let mut reader = TypedReader::open(source, file, &layout)?;
    let mut evaluator = Evaluator::new(source, context);
    let mut report = IngestReport::new(&source.config.name.value, &file.name);
    let mut found = Vec::new();
    while let Some(rows) = reader.next_batch()? {
        if context.is_cancelled() {
            return Err(IngestError::Cancelled { file: file.name.clone() });
        }
        let (_, refused) = evaluate(&rows, &layout, &mut evaluator, &mut report);
        let text = |row: crate::sink::RefusedLine| RefusedText {
            line: row.line,
            code: row.bad.fault.code(),
            reason: row.bad.reason,
            raw: row.raw,
        };
        found.extend(refused.into_iter().map(text).take(MOST_ROWS - found.len()));
        if found.len() == MOST_ROWS {
            break;
        }
    }
    Ok(found)
}

/// A copy of a text file in `folder` with rows replaced: line on which a row begins → the row as it stands and as it shall be. Files
/// that the connector reads beside it are copied too. Rows that cannot be replaced are left and named.
pub fn patched(
    source: &CompiledSource,
    file: &SourceFile,
    rows: &BTreeMap<i64, (String, String)>,
    folder: &Path,
) -> Result<(SourceFile, BTreeMap<i64, Misplaced>), IngestError> {
    let io = |path: &Path| IngestError::io(path.display().to_string());
    std::fs::create_dir_all(folder).map_err(io(folder))?;
    for beside in source.connector.companions(&file.path) {
        if let Some(name) = beside.file_name() {
            std::fs::copy(&beside, folder.join(name)).map_err(io(&beside))?;
        }
    }
    let path = folder.join(file.path.file_name().unwrap_or_default());
    let mut input = open_text(file)?;
    let mut output = BufWriter::new(File::create(&path).map_err(io(&path))?);
    let (mut number, mut line) = (0_i64, Vec::new());
    let mut misplaced = BTreeMap::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).map_err(IngestError::io(&file.name))? == 0 {
            break;
        }
        number += 1;
        let first = number;
        if let Some((before, after)) = rows.get(&first) {
            // A record whose fields hold line breaks goes on for so many lines.
            for _ in 0..before.matches('\n').count() {
                if line.len() < MOST_LINE_BYTES
                    && input.read_until(b'\n', &mut line).map_err(IngestError::io(&file.name))? > 0
                {
                    number += 1;
                }
            }
            match replaced(&line, before, after) {
                Ok(text) => line = text,
                Err(why) => {
                    misplaced.insert(first, why);
                }
            }
        }
        output.write_all(&line).map_err(io(&path))?;
    }
    let inner = output.into_inner().map_err(|e| IngestError::io(path.display().to_string())(e.into_error()))?;
    let bytes = inner.metadata().map_err(io(&path))?.len();
    Ok((SourceFile { path, bytes, ..file.clone() }, misplaced))
}

/// The lines of a row with the row replaced.
fn replaced(line: &[u8], before: &str, after: &str) -> Result<Vec<u8>, Misplaced> {
    if is_cut(before) {
        return Err(Misplaced::Cut);
    }
    let text = escape(line);
    let (body, end) = text.split_at(text.trim_end_matches(['\r', '\n']).len());
    if plain(body) == plain(before) {
        return Ok([after.as_bytes(), end.as_bytes()].concat());
    }
    // One element of a list that stands on one line.
    match text.match_indices(before).collect::<Vec<_>>().as_slice() {
        [(at, _)] if !before.is_empty() => {
            Ok([&text.as_bytes()[..*at], after.as_bytes(), &text.as_bytes()[at + before.len()..]].concat())
        }
        _ => Err(Misplaced::NotALine),
    }
}

/// Quoting left out: a row in quarantine is quoted only where it must be.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '"' | '\r')).collect::<String>().trim().to_owned()
}

/// The fields of a row: names are the keys of JSON, else `names` where there is one for each field, else numbers from 1.
pub fn row_fields(raw: &str, names: &[String], delimiter: Option<u8>) -> Vec<(String, String)> {
    if let Ok(Value::Object(object)) = serde_json::from_str(raw) {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return object.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    }
    let fields = fields_of(raw, delimiter.unwrap_or_else(|| delimiter_of(raw, names.len())));
    let named = fields.len() == names.len();
    let name = |i: usize| if named { names[i].clone() } else { (i + 1).to_string() };
    fields.into_iter().enumerate().map(|(i, field)| (name(i), field)).collect()
}

/// A row with fields set; `Err` names the field that the row does not have.
pub fn edit_row(
    raw: &str,
    set: &[(String, String)],
    names: &[String],
    delimiter: Option<u8>,
) -> Result<String, String> {
    if let Ok(Value::Object(mut object)) = serde_json::from_str(raw) {
        for (name, value) in set {
            let place = pointer(&mut object, name).ok_or_else(|| name.clone())?;
            *place = match place {
                Value::Number(_) | Value::Bool(_) => {
                    serde_json::from_str(value).unwrap_or_else(|_| value.as_str().into())
                }
                _ => value.as_str().into(),
            };
        }
        return Ok(Value::Object(object).to_string());
    }
    let delimiter = delimiter.unwrap_or_else(|| delimiter_of(raw, names.len()));
    let mut fields = fields_of(raw, delimiter);
    for (name, value) in set {
        let by_name = names.iter().position(|n| n == name).filter(|_| names.len() == fields.len());
        let by_number = || name.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        let place = by_name.or_else(by_number).and_then(|i| fields.get_mut(i)).ok_or_else(|| name.clone())?;
        value.clone_into(place);
    }
    Ok(join_fields(fields.iter().map(String::as_str), char::from(delimiter)))
}

/// The value under a name, those of nested objects by `a.b`; a name that is not there is added at the top.
fn pointer<'v>(object: &'v mut serde_json::Map<String, Value>, name: &str) -> Option<&'v mut Value> {
    match name.split_once('.') {
        Some((first, rest)) if !object.contains_key(name) => pointer(object.get_mut(first)?.as_object_mut()?, rest),
        _ => Some(object.entry(name).or_insert(Value::Null)),
    }
}

fn fields_of(raw: &str, delimiter: u8) -> Vec<String> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(raw.as_bytes());
    let record = reader.records().next().and_then(Result::ok).unwrap_or_default();
    record.iter().map(str::to_owned).collect()
}

/// The delimiter that gives as many fields as there are names, else the most.
fn delimiter_of(raw: &str, names: usize) -> u8 {
    let count = |delimiter: &u8| fields_of(raw, *delimiter).len();
    let all = [b',', b';', b'\t', b'|'];
    all.into_iter()
        .find(|d| count(d) == names && names > 1)
        .or_else(|| all.into_iter().rev().max_by_key(count))
        .unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[track_caller]
    fn check(raw: &str, set: &[(&str, &str)], expect: Result<&str, &str>) {
        let set: Vec<(String, String)> = set.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let edited = edit_row(raw, &set, &names(&["id", "ts", "note"]), None);
        assert_eq!(edited.as_deref().map_err(String::as_str), expect, "{raw}");
    }

    #[test]
    fn fields_are_set_by_name_number_or_key() {
        check("1,yesterday,x", &[("ts", "2026-03-01")], Ok("1,2026-03-01,x"));
        check("1;yesterday;a,b", &[("ts", "2026-03-01")], Ok("1;2026-03-01;a,b"));
        check("1,yesterday", &[("2", "2026-03-01")], Ok("1,2026-03-01"));
        check("1,\"a,b\",x", &[("note", "say \"so\"")], Ok("1,\"a,b\",\"say \"\"so\"\"\""));
        check("1,2,3", &[("amount", "1")], Err("amount"));
        check("1,2,3", &[("4", "1")], Err("4"));
        check(
            r#"{"a":{"b":1},"c":"x"}"#,
            &[("a.b", "2"), ("c", "3"), ("d", "4")],
            Ok(r#"{"a":{"b":2},"c":"3","d":"4"}"#),
        );
        check(r#"{"a":{"b":1}}"#, &[("x.y", "2")], Err("x.y"));
    }

    #[test]
    fn a_row_is_replaced_where_it_stands() {
        let of = |line: &str, before, after| {
            replaced(line.as_bytes(), before, after).map(|t| String::from_utf8(t).expect("text"))
        };
        assert_eq!(of("1,\"yesterday\",x\r\n", "1,yesterday,x", "1,today,x"), Ok("1,today,x\r\n".into()));
        assert_eq!(
            of(r#"{"data":[{"a":1},{"a":2}]}"#, r#"{"a":2}"#, r#"{"a":3}"#),
            Ok(r#"{"data":[{"a":1},{"a":3}]}"#.into())
        );
        assert_eq!(of(r#"[{"a":2},{"a":2}]"#, r#"{"a":2}"#, "x"), Err(Misplaced::NotALine));
        assert_eq!(of("other\n", "1,yesterday,x", "1,today,x"), Err(Misplaced::NotALine));
        assert_eq!(replaced(b"1,M\xfc\n", "1,M\\xfc", "1,Mu"), Ok(b"1,Mu\n".to_vec()));
    }
}
