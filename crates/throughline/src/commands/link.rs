//! `throughline link`: records of files to people, without a project.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Instant;

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use throughline_core::Diagnostic;
use throughline_linkage::{LinkOptions, Linked, PairQuality, RawColumn, link as link_records, pair_quality};

use crate::cli::LinkArgs;
use crate::failure::Failure;
use crate::files::Csv;
use crate::output::{print, print_json, table};

/// The records of all files, one below the other.
#[derive(Default)]
struct Records {
    columns: Vec<RawColumn>,
    /// The file and the row of each record.
    places: Vec<(u32, u32)>,
}

/// Links the records of files, across and within them.
pub(super) fn link(args: &LinkArgs) -> Result<ExitCode, Failure> {
    let begun = Instant::now();
    let mut records = Records::default();
    for (file, path) in (0..).zip(&args.files) {
        records.read(file, path, &args.delimiter)?;
    }
    let truth = args.truth.as_deref().map(|name| records.take(name)).transpose()?;
    let threads = args.threads.and_then(NonZeroUsize::new);
    let threads = threads.unwrap_or_else(|| available_parallelism().unwrap_or(NonZeroUsize::MIN));
    let linked = link_records(&records.columns, &LinkOptions { threads, most_pairs: args.most_pairs })?;
    let seconds = begun.elapsed().as_secs_f64();
    if let Some(out) = &args.out {
        write(out, args, &records, &linked)?;
    }
    let quality = truth.map(|truth| pair_quality(&labels(&truth), &linked.persons, None));
    let told = told(&records, &linked, quality, seconds);
    if args.json {
        print_json(&told)?;
    } else {
        print(&summary(&told, &linked))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Records {
    fn read(&mut self, file: u32, path: &Path, delimiter: &str) -> Result<(), Failure> {
        let before = self.places.len();
        let rows = if path.extension().is_some_and(|e| e == "parquet") {
            self.read_parquet(path)?
        } else {
            self.read_csv(path, delimiter)?
        };
        let count = u32::try_from(rows - before).unwrap_or(u32::MAX);
        self.places.extend((0..count).map(|row| (file, row)));
        Ok(())
    }

    /// The column of a name; a new one has no value for the records before.
    fn column(&mut self, name: &str, before: usize) -> usize {
        let found = self.columns.iter().position(|c| c.name == name);
        found.unwrap_or_else(|| {
            self.columns.push(RawColumn::of(name, std::iter::repeat_n("", before)));
            self.columns.len() - 1
        })
    }

    fn read_csv(&mut self, path: &Path, delimiter: &str) -> Result<usize, Failure> {
        let before = self.places.len();
        let mut csv = Csv::open(path, delimiter)?;
        let header: Vec<String> = csv.header().to_vec();
        let places: Vec<usize> = header.iter().map(|name| self.column(name, before)).collect();
        let mut rows = before;
        csv.rows(|_, record| {
            for (field, place) in places.iter().enumerate() {
                let text = record.get(field).map(String::from_utf8_lossy).unwrap_or_default();
                self.columns[*place].push(text.trim());
            }
            rows += 1;
            Ok(())
        })?;
        self.fill(rows);
        Ok(rows)
    }

    fn read_parquet(&mut self, path: &Path) -> Result<usize, Failure> {
        let name = path.display().to_string();
        let unreadable = |e: &dyn std::fmt::Display| {
            Failure::finding(Diagnostic::error("TL057", format!("not readable as Parquet: {e}")).at(&name, None, None))
        };
        let file = File::open(path).map_err(|source| Failure::Io { doing: "read", path: name.clone(), source })?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(ParquetRecordBatchReaderBuilder::build);
        let before = self.places.len();
        let mut rows = before;
        for batch in reader.map_err(|e| unreadable(&e))? {
            let batch = batch.map_err(|e| unreadable(&e))?;
            for (field, values) in batch.schema().fields().iter().zip(batch.columns()) {
                let place = self.column(field.name(), rows);
                let texts = arrow::compute::cast(values, &DataType::Utf8).map_err(|e| unreadable(&e))?;
                let texts = texts.as_string::<i32>();
                for row in 0..texts.len() {
                    self.columns[place].push(if texts.is_null(row) { "" } else { texts.value(row) });
                }
            }
            rows += batch.num_rows();
        }
        self.fill(rows);
        Ok(rows)
    }

    /// Gives columns that a file does not have no value for its records.
    fn fill(&mut self, rows: usize) {
        for column in &mut self.columns {
            (column.len()..rows).for_each(|_| column.push(""));
        }
    }

    /// Takes a column out.
    fn take(&mut self, name: &str) -> Result<RawColumn, Failure> {
        if let Some(place) = self.columns.iter().position(|c| c.name == name) {
            return Ok(self.columns.remove(place));
        }
        let known: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
        let message = format!("no column `{name}` (there are: {})", known.join(", "));
        Err(Failure::finding(Diagnostic::error("TL033", message)))
    }
}

/// One number for each distinct text; records without one are of nobody else.
fn labels(truth: &RawColumn) -> Vec<u32> {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut next = 0;
    truth
        .texts()
        .map(|text| {
            let number = if text.is_empty() { next } else { *numbers.entry(text).or_insert(next) };
            next += u32::from(number == next);
            number
        })
        .collect()
}

/// Writes the person of every record.
fn write(out: &PathBuf, args: &LinkArgs, records: &Records, linked: &Linked) -> Result<(), Failure> {
    let fail = |source| Failure::Io { doing: "write", path: out.display().to_string(), source };
    let mut file = std::io::BufWriter::new(File::create(out).map_err(fail)?);
    writeln!(file, "file,row,person").map_err(fail)?;
    for ((source, row), person) in records.places.iter().zip(&linked.persons) {
        let name = args.files.get(*source as usize).map(|f| f.display().to_string()).unwrap_or_default();
        let name = if name.contains([',', '"']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name };
        writeln!(file, "{name},{},{person}", row + 1).map_err(fail)?;
    }
    file.flush().map_err(fail)
}

fn told(records: &Records, linked: &Linked, quality: Option<PairQuality>, seconds: f64) -> Value {
    let mut persons = linked.persons.clone();
    persons.sort_unstable();
    persons.dedup();
    let mut told = json!({
        "records": records.places.len(), "persons": persons.len(), "pairs": linked.compared,
        "seconds": seconds, "peak_mb": peak_mb(), "blocking_recall": linked.blocking_recall, "prior": linked.prior,
        "columns": linked.kinds.iter().map(|(name, kind)| json!({ "column": name, "kind": kind })).collect::<Vec<_>>(),
        "left_out": linked.left_out.iter().map(|(name, why)| json!({ "column": name, "why": why })).collect::<Vec<_>>(),
        "keys": linked.keys, "probabilities": linked.probabilities,
    });
    if let Some(q) = quality {
        for (name, value) in [("precision", q.precision), ("recall", q.recall), ("f1", q.f1)] {
            told[name] = value.into();
        }
        for (name, value) in
            [("true_pairs", q.true_pairs), ("found_pairs", q.found_pairs), ("right_pairs", q.right_pairs)]
        {
            told[name] = value.into();
        }
    }
    told
}

/// The largest resident memory of this process so far in MB, where the system tells.
fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

fn summary(told: &Value, linked: &Linked) -> String {
    let rows: Vec<Vec<String>> = linked
        .probabilities
        .iter()
        .zip(&linked.kinds)
        .map(|(p, (_, kind))| {
            let kind = serde_json::to_value(kind).ok().and_then(|k| k.as_str().map(ToOwned::to_owned));
            vec![p.column.clone(), kind.unwrap_or_default(), format!("{:.3}", p.m[5]), format!("{:.2e}", p.u[5])]
        })
        .collect();
    let number = |name: &str| told[name].as_f64().unwrap_or_default();
    let quality = told.get("f1").map_or_else(
        || "without a truth column nothing says how many of the links are right".to_owned(),
        |_| {
            format!(
                "precision {:.4}, recall {:.4}, F1 {:.4} of pairs",
                number("precision"),
                number("recall"),
                number("f1")
            )
        },
    );
    format!(
        "{}\n{} records are of {} people; {} pairs compared in {:.2} s; {:.2} % of true pairs agree on a key, by estimate\n{quality}",
        table(&["column", "taken for", "equal in true pairs", "in others"], &[2, 3], &rows),
        told["records"],
        told["persons"],
        told["pairs"],
        number("seconds"),
        100.0 * number("blocking_recall"),
    )
}
