//! `throughline link`: records of files to people, without a project.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Instant;

use arrow::array::AsArray as _;
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use throughline_core::Diagnostic;
use throughline_core::diagnostic::Severity;
use throughline_linkage::{
    Calibration, LinkOptions, Linked, PairQuality, RawColumn, Records, calibration, link as link_records, pair_quality,
};

use crate::cli::LinkArgs;
use crate::failure::Failure;
use crate::output::{print, print_json, table};
use throughline_oneshot::files::Csv;

/// Records that are read before they are handed on.
const BATCH: usize = 65_536;

/// The records of all files, one below the other.
struct Read {
    records: Records,
    truth: Option<RawColumn>,
    /// The file and the row of each record.
    places: Vec<(u32, u32)>,
    threads: NonZeroUsize,
    /// Rows that cannot be read.
    found: Vec<Diagnostic>,
}

/// Links the records of files, across and within them.
pub(super) fn link(args: &LinkArgs) -> Result<ExitCode, Failure> {
    let begun = Instant::now();
    let threads = args.threads.and_then(NonZeroUsize::new);
    let threads = threads.unwrap_or_else(|| available_parallelism().unwrap_or(NonZeroUsize::MIN));
    let truth = args.truth.as_deref().map(RawColumn::new);
    let mut read = Read { records: Records::default(), truth, places: Vec::new(), threads, found: Vec::new() };
    for (file, path) in (0..).zip(&args.files) {
        read.file(file, path, args)?;
    }
    if read.found.iter().any(|d| d.severity == Severity::Error) {
        return Err(Failure::Findings(read.found));
    }
    let mut options = LinkOptions::new(threads);
    options.most_pairs = args.most_pairs;
    let linked = link_records(read.records, &options)?;
    let seconds = begun.elapsed().as_secs_f64();
    if let Some(out) = &args.out {
        write(out, args, &read.places, &linked)?;
    }
    let quality = read.truth.map(|truth| {
        let truth = labels(&truth);
        (pair_quality(&truth, &linked.persons, None), calibration(&truth, &linked.pairs))
    });
    let mut told = told(read.places.len(), &linked, quality, seconds);
    told["rows_left_out"] = read.found.iter().map(ToString::to_string).collect::<Vec<_>>().into();
    if args.json {
        print_json(&told)?;
    } else {
        print(&summary(&told, &linked))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Read {
    fn file(&mut self, file: u32, path: &Path, args: &LinkArgs) -> Result<(), Failure> {
        let before = self.records.len();
        if path.extension().is_some_and(|e| e == "parquet") {
            self.parquet(path)?;
        } else {
            self.csv(path, &args.delimiter)?;
        }
        let count = u32::try_from(self.records.len() - before).unwrap_or(u32::MAX);
        self.places.extend((0..count).map(|row| (file, row)));
        Ok(())
    }

    fn csv(&mut self, path: &Path, delimiter: &str) -> Result<(), Failure> {
        let mut csv = Csv::open(path, delimiter)?;
        let mut batch: Vec<RawColumn> = csv.header().iter().map(RawColumn::new).collect();
        self.has_truth(&batch)?;
        let mut failed = None;
        let found = csv.rows(|_, record| {
            for (field, column) in batch.iter_mut().enumerate() {
                let text = record.get(field).map(String::from_utf8_lossy).unwrap_or_default();
                column.push(text.trim());
            }
            if failed.is_none() && batch.first().is_some_and(|c| c.len() == BATCH) {
                failed = self.hand_on(&mut batch).err();
            }
            Ok(())
        })?;
        if let Some(failed) = failed {
            return Err(failed);
        }
        self.found.extend(found);
        self.hand_on(&mut batch)
    }

    fn parquet(&mut self, path: &Path) -> Result<(), Failure> {
        let name = path.display().to_string();
        let unreadable = |e: &dyn std::fmt::Display| {
            Failure::finding(Diagnostic::error("TL057", format!("not readable as Parquet: {e}")).at(&name, None, None))
        };
        let file = File::open(path).map_err(|source| Failure::Io { doing: "read", path: name.clone(), source })?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| unreadable(&e))?;
        let mut batch: Vec<RawColumn> = builder.schema().fields().iter().map(|f| RawColumn::new(f.name())).collect();
        self.has_truth(&batch)?;
        for rows in builder.with_batch_size(BATCH).build().map_err(|e| unreadable(&e))? {
            let rows = rows.map_err(|e| unreadable(&e))?;
            for (column, values) in batch.iter_mut().zip(rows.columns()) {
                let texts = arrow::compute::cast(values, &DataType::Utf8).map_err(|e| unreadable(&e))?;
                texts.as_string::<i32>().iter().for_each(|text| column.push(text.unwrap_or_default()));
            }
            self.hand_on(&mut batch)?;
        }
        Ok(())
    }

    /// Refuses a file without the column of the truth.
    fn has_truth(&self, batch: &[RawColumn]) -> Result<(), Failure> {
        let Some(truth) = &self.truth else { return Ok(()) };
        if batch.iter().any(|c| c.name == truth.name) {
            return Ok(());
        }
        let known: Vec<&str> = batch.iter().map(|c| c.name.as_str()).collect();
        let message = format!("no column `{}` (there are: {})", truth.name, known.join(", "));
        Err(Failure::finding(Diagnostic::error("TL033", message)))
    }

    /// Adds what was read to the records; the truth stays beside them.
    fn hand_on(&mut self, batch: &mut Vec<RawColumn>) -> Result<(), Failure> {
        let mut taken = None;
        if let Some(truth) = &mut self.truth
            && let Some(place) = batch.iter().position(|c| c.name == truth.name)
        {
            let column = batch.remove(place);
            column.texts().for_each(|text| truth.push(text));
            taken = Some((place, column));
        }
        self.records.extend(batch, self.threads)?;
        if let Some((place, column)) = taken {
            batch.insert(place, column);
        }
        batch.iter_mut().for_each(RawColumn::clear);
        Ok(())
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
fn write(out: &PathBuf, args: &LinkArgs, places: &[(u32, u32)], linked: &Linked) -> Result<(), Failure> {
    let fail = |source| Failure::Io { doing: "write", path: out.display().to_string(), source };
    let mut file = std::io::BufWriter::new(File::create(out).map_err(fail)?);
    writeln!(file, "file,row,person").map_err(fail)?;
    for ((source, row), person) in places.iter().zip(&linked.persons) {
        let name = args.files.get(*source as usize).map(|f| f.display().to_string()).unwrap_or_default();
        // A spreadsheet runs what begins so; a name of a file is not ours to trust.
        let name = if name.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{name}") } else { name };
        let name =
            if name.contains([',', '"', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name };
        writeln!(file, "{name},{},{person}", row + 1).map_err(fail)?;
    }
    file.flush().map_err(fail)
}

fn told(records: usize, linked: &Linked, quality: Option<(PairQuality, Calibration)>, seconds: f64) -> Value {
    let mut persons = linked.persons.clone();
    persons.sort_unstable();
    persons.dedup();
    let mut told = json!({
        "records": records, "persons": persons.len(), "pairs": linked.compared,
        "seconds": seconds, "peak_mb": peak_mb(), "blocking_recall": linked.blocking_recall, "prior": linked.prior,
        "columns": linked.kinds.iter().map(|(name, kind)| json!({ "column": name, "kind": kind })).collect::<Vec<_>>(),
        "left_out": linked.left_out.iter().map(|(name, why)| json!({ "column": name, "why": why })).collect::<Vec<_>>(),
        "keys": linked.keys, "probabilities": linked.probabilities,
    });
    if let Some((q, calibration)) = quality {
        told["calibration"] = json!(calibration);
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

/// Probabilities beside what became of them.
fn calibrated(told: &Value) -> String {
    let of = |bin: &Value, name: &str| bin[name].as_f64().unwrap_or_default();
    let bins = told["bins"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<Vec<String>> = bins
        .iter()
        .map(|bin| {
            let (low, high) = (bin["interval"][0].as_f64(), bin["interval"][1].as_f64());
            vec![
                format!("{} to {}", of(bin, "from"), of(bin, "to")),
                bin["pairs"].to_string(),
                format!("{:.4}", of(bin, "expected")),
                format!("{:.4}", of(bin, "share")),
                format!("[{:.4}, {:.4}]", low.unwrap_or_default(), high.unwrap_or_default()),
            ]
        })
        .collect();
    let header = ["probability", "pairs", "expected true", "true", "95 % interval"];
    format!("{}\nexpected calibration error {:.4}", table(&header, &[1, 2, 3], &rows), of(told, "error"))
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
    let left_out = told["rows_left_out"].as_array().map(Vec::as_slice).unwrap_or_default();
    let left_out = left_out.first().and_then(Value::as_str).map_or_else(String::new, |first| {
        format!("\n{} rows were left out, the first: {first}", told["rows_left_out"].as_array().map_or(0, Vec::len))
    });
    let quality = told.get("f1").map_or_else(
        || "without a truth column nothing says how many of the links are right".to_owned(),
        |_| {
            let (precision, recall, f1) = (number("precision"), number("recall"), number("f1"));
            format!(
                "precision {precision:.4}, recall {recall:.4}, F1 {f1:.4} of pairs\n{}",
                calibrated(&told["calibration"])
            )
        },
    );
    format!(
        "{}\n{} records are of {} people; {} pairs compared in {:.2} s; {:.2} % of true pairs agree on a key, by estimate\n{quality}{left_out}",
        table(&["column", "taken for", "equal in true pairs", "in others"], &[2, 3], &rows),
        told["records"],
        told["persons"],
        told["pairs"],
        number("seconds"),
        100.0 * number("blocking_recall"),
    )
}
