//! `throughline experiment assign`: who gets what, from nothing but salts and identifiers.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use throughline_core::Diagnostic;
use throughline_evidence::design::{Arm, Assigner, Holdout, Layer, Placed, stratified};
use throughline_stats::goodness::chi_squared_fit;

use crate::answer::table;
use crate::files::{Csv, read_table, text};
use crate::power::refuse;
use crate::{Answer, OneShotError};

/// Whom to assign and how.
#[derive(Debug, Args)]
pub struct AssignArgs {
    /// CSV or Parquet file with one row a unit.
    pub file: PathBuf,
    /// Column delimiter.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// Column of the unit's identifier.
    #[arg(long)]
    pub unit: String,
    /// Salt of the experiment: its name, never used for another.
    #[arg(long)]
    pub salt: String,
    /// An arm and its weight, as NAME=WEIGHT; several times.
    #[arg(long = "arm", required = true)]
    pub arms: Vec<String>,
    /// Column of the stratum: arms are then balanced within strata, and a place depends on the whole file.
    #[arg(long)]
    pub strata: Option<String>,
    /// Column of the cluster: all units of a cluster get the same arm.
    #[arg(long)]
    pub cluster: Option<String>,
    /// The experiment's part of a layer, as NAME=FROM-TO with both from 0 to 1.
    #[arg(long)]
    pub layer: Option<String>,
    /// Parts of layers that other experiments have, as NAME=FROM-TO: an overlap is refused.
    #[arg(long = "taken")]
    pub taken: Vec<String>,
    /// Share of all units in the global holdout.
    #[arg(long)]
    pub holdout: Option<f64>,
    /// Salt of the global holdout, the same for all experiments.
    #[arg(long, default_value = "global")]
    pub holdout_salt: String,
    /// CSV file to write, with columns unit, cluster and stratum if given, status (assigned, holdout or outside), arm and probability.
    #[arg(long)]
    pub out: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// A column as codes and their texts.
type Codes = (Vec<u32>, Vec<String>);

/// Units of each arm by stratum.
type Strata = BTreeMap<String, Vec<u64>>;

/// Texts in one allocation.
#[derive(Default)]
struct Texts {
    bytes: String,
    ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
    }

    fn get(&self, i: usize) -> &str {
        &self.bytes[if i == 0 { 0 } else { self.ends[i - 1] }..self.ends[i]]
    }

    const fn len(&self) -> usize {
        self.ends.len()
    }
}

/// The columns of the file that matter; clusters and strata are empty without theirs.
#[derive(Default)]
struct Units {
    ids: Texts,
    clusters: Texts,
    strata: Texts,
}

impl Units {
    /// What is hashed: the cluster where there is one.
    fn key(&self, i: usize) -> &str {
        if self.clusters.len() > 0 { self.clusters.get(i) } else { self.ids.get(i) }
    }
}

impl AssignArgs {
    /// Carries the command out.
    ///
    /// JSON: `{"units","assigned","holdout","outside","arms":[{"arm","weight","units","share"}],"sample_ratio":{"p_value","df"},`
    /// `"strata":{…},"out","diagnostics"}`.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        let assigner = self.assigner()?;
        let (units, mut found) = self.read()?;
        if units.ids.len() == 0 {
            let message = format!("no usable row in {}", self.file.display());
            return Err(refuse("TL032", message, "give a file with one row a unit"));
        }
        let repeated = repeats(&units.ids);
        if repeated > 0 {
            let message = format!("{repeated} rows repeat a unit that stands above them");
            let help = "they get the arm of its first row, and count only once in the reading of the experiment";
            found.push(Diagnostic::warning("TL345", message).help(help));
        }
        let (places, strata) = self.places(&assigner, &units)?;
        self.write(&assigner, &units, &places)?;
        Ok(self.answer(&assigner, &places, &strata, &found))
    }

    /// Whether JSON is asked for.
    pub const fn json(&self) -> bool {
        self.json
    }

    fn assigner(&self) -> Result<Assigner, OneShotError> {
        let arm = |text: &String| {
            let parsed = text.rsplit_once('=').and_then(|(name, w)| Some((name, w.parse::<f64>().ok()?)));
            let (name, weight) = parsed.ok_or_else(|| {
                refuse("TL342", format!("`{text}` is not an arm"), "write NAME=WEIGHT, for example treatment=1")
            })?;
            Ok::<_, OneShotError>(Arm { name: name.to_owned(), weight })
        };
        let arms = self.arms.iter().map(arm).collect::<Result<Vec<_>, _>>()?;
        let layer = self.layer.as_deref().map(Layer::parse).transpose()?;
        let taken = self.taken.iter().map(|t| Layer::parse(t)).collect::<Result<Vec<_>, _>>()?;
        if let Some(layer) = &layer {
            for other in &taken {
                Layer::exclusive(&[other.clone(), layer.clone()])?;
            }
        }
        let holdout = self.holdout.map(|share| Holdout { share, salt: self.holdout_salt.clone() });
        Ok(Assigner::new(&self.salt, arms, layer, holdout)?)
    }

    fn read(&self) -> Result<(Units, Vec<Diagnostic>), OneShotError> {
        if self.file.extension().is_some_and(|e| e == "parquet") {
            return self.read_parquet();
        }
        let mut csv = Csv::open(&self.file, &self.delimiter)?;
        let position = csv.column(&self.unit)?;
        let cluster = self.cluster.as_ref().map(|c| csv.column(c)).transpose()?;
        let strata = self.strata.as_ref().map(|c| csv.column(c)).transpose()?;
        let (mut units, mut blank) = (Units::default(), 0_u64);
        let mut found = csv.rows(|_, record| {
            let unit = text(record, position)?;
            let cluster = cluster.map(|c| text(record, c)).transpose()?;
            let stratum = strata.map(|c| text(record, c)).transpose()?;
            if unit.is_empty() || cluster == Some("") || stratum == Some("") {
                blank += 1;
                return Ok(());
            }
            units.ids.push(unit);
            if let Some(cluster) = cluster {
                units.clusters.push(cluster);
            }
            if let Some(stratum) = stratum {
                units.strata.push(stratum);
            }
            Ok(())
        })?;
        let shown = found.len().min(20);
        if found.len() > shown {
            let message = format!("{} rows more could not be read", found.len() - shown);
            found.truncate(shown);
            found.push(Diagnostic::warning("TL034", message));
        }
        report_blank(blank, &mut found);
        Ok((units, found))
    }

    fn read_parquet(&self) -> Result<(Units, Vec<Diagnostic>), OneShotError> {
        let named = [Some(&self.unit), self.cluster.as_ref(), self.strata.as_ref()];
        let columns: Vec<&str> = named.into_iter().flatten().map(String::as_str).collect();
        let (table, mut found) = read_table(&self.file, &self.delimiter, &columns)?;
        let read = |name: Option<&String>| name.map(|n| table.codes(n)).transpose();
        let (unit, cluster, strata) =
            (table.codes(&self.unit)?, read(self.cluster.as_ref())?, read(self.strata.as_ref())?);
        let (mut units, mut blank) = (Units::default(), 0_u64);
        let all: Vec<(&Codes, usize)> = [Some(&unit), cluster.as_ref(), strata.as_ref()]
            .into_iter()
            .enumerate()
            .filter_map(|(i, c)| Some((c?, i)))
            .collect();
        for row in 0..table.rows() {
            if all.iter().any(|((codes, _), _)| codes[row] == u32::MAX) {
                blank += 1;
                continue;
            }
            for ((codes, names), which) in &all {
                let text = &names[codes[row] as usize];
                match which {
                    0 => units.ids.push(text),
                    1 => units.clusters.push(text),
                    _ => units.strata.push(text),
                }
            }
        }
        report_blank(blank, &mut found);
        Ok((units, found))
    }

    fn places(&self, assigner: &Assigner, units: &Units) -> Result<(Vec<Placed>, Strata), OneShotError> {
        let rows = units.ids.len();
        if self.strata.is_none() {
            return Ok((placed(assigner, units), BTreeMap::new()));
        }
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for i in 0..rows {
            let (key, stratum) = (units.key(i), units.strata.get(i));
            let before = *seen.entry(key).or_insert(stratum);
            if before != stratum {
                let message = format!("`{key}` is in the strata `{before}` and `{stratum}`");
                return Err(refuse(
                    "TL346",
                    message,
                    "give every unit or cluster one stratum, for example that of its largest part",
                ));
            }
        }
        let list: Vec<(&[u8], &str)> = (0..rows).map(|i| (units.key(i).as_bytes(), units.strata.get(i))).collect();
        let done = stratified(assigner, &list);
        Ok((done.places, done.strata))
    }

    fn write(&self, assigner: &Assigner, units: &Units, places: &[Placed]) -> Result<(), OneShotError> {
        let path = self.out.display().to_string();
        let failed = |source: std::io::Error| OneShotError::Io { doing: "write", path: path.clone(), source };
        let broken = |e: csv::Error| failed(std::io::Error::other(e));
        let file = File::create(&self.out).map_err(failed)?;
        let mut out = csv::Writer::from_writer(BufWriter::with_capacity(1 << 20, file));
        let (clusters, strata) = (units.clusters.len() > 0, units.strata.len() > 0);
        let names = [Some(self.unit.as_str()), clusters.then_some("cluster"), strata.then_some("stratum")];
        let header = names.into_iter().flatten().chain(["status", "arm", "probability"]);
        out.write_record(header).map_err(broken)?;
        let chance: Vec<String> = (0..assigner.arms().len()).map(|a| assigner.probability(a).to_string()).collect();
        for (i, place) in places.iter().enumerate() {
            let (status, arm, probability) = match place {
                Placed::Arm(a) => ("assigned", assigner.arms()[*a].name.as_str(), chance[*a].as_str()),
                Placed::HeldOut => ("holdout", "", ""),
                Placed::Outside => ("outside", "", ""),
            };
            out.write_field(units.ids.get(i)).map_err(broken)?;
            if clusters {
                out.write_field(units.clusters.get(i)).map_err(broken)?;
            }
            if strata {
                out.write_field(units.strata.get(i)).map_err(broken)?;
            }
            out.write_record([status, arm, probability]).map_err(broken)?;
        }
        out.flush().map_err(failed)
    }

    fn answer(&self, assigner: &Assigner, places: &[Placed], strata: &Strata, found: &[Diagnostic]) -> Answer {
        let mut counts = vec![0_u64; assigner.arms().len()];
        let (mut held, mut outside) = (0_u64, 0_u64);
        for place in places {
            match place {
                Placed::Arm(a) => counts[*a] += 1,
                Placed::HeldOut => held += 1,
                Placed::Outside => outside += 1,
            }
        }
        let assigned: u64 = counts.iter().sum();
        let weights: Vec<f64> = assigner.arms().iter().map(|a| a.weight).collect();
        let fit = chi_squared_fit(&counts, &weights).ok();
        // Clusters count once in the check that they fit the weights, so it is left to whoever knows their number.
        let fit = fit.filter(|_| self.cluster.is_none() && self.strata.is_none());
        let share = |n: u64| if assigned > 0 { n as f64 / assigned as f64 } else { 0.0 };
        let arms: Vec<_> = assigner
            .arms()
            .iter()
            .zip(&counts)
            .map(|(a, n)| json!({ "arm": a.name, "weight": a.weight, "units": n, "share": share(*n) }))
            .collect();
        let rows: Vec<Vec<String>> = assigner
            .arms()
            .iter()
            .zip(&counts)
            .enumerate()
            .map(|(i, (a, n))| {
                vec![
                    a.name.clone(),
                    format!("{:.2} %", 100.0 * assigner.probability(i)),
                    n.to_string(),
                    format!("{:.2} %", 100.0 * share(*n)),
                ]
            })
            .collect();
        let mut text = table(&["arm", "planned", "units", "share"], &[1, 2, 3], &rows);
        text.push_str(&format!(
            "\n\n{} units: {assigned} assigned, {held} held out, {outside} outside the layer's part; written to {}",
            places.len(),
            shown(&self.out)
        ));
        for finding in found {
            text.push_str(&format!("\n{finding}"));
        }
        let json = json!({
            "units": places.len(), "assigned": assigned, "holdout": held, "outside": outside, "arms": arms,
            "sample_ratio": fit.map(|f| json!({ "p_value": f.p_value, "df": f.df })),
            "strata": strata, "out": shown(&self.out), "diagnostics": found,
        });
        Answer { json, text }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn report_blank(blank: u64, found: &mut Vec<Diagnostic>) {
    if blank > 0 {
        let message = format!("{blank} rows have no unit, cluster or stratum and are left out");
        found.push(Diagnostic::warning("TL344", message).help("give every row its identifiers"));
    }
}

/// Rows whose unit stands in an earlier row, by a hash of 64 bits: wrong for one file of a million units in thirty million.
fn repeats(units: &Texts) -> usize {
    let hash = |i: usize| {
        let mut hasher = DefaultHasher::new();
        units.get(i).hash(&mut hasher);
        hasher.finish()
    };
    let mut hashes: Vec<u64> = (0..units.len()).map(hash).collect();
    hashes.sort_unstable();
    hashes.windows(2).filter(|pair| pair[0] == pair[1]).count()
}

/// The place of every unit, on as many threads as there are; each place depends on its own unit only.
fn placed(assigner: &Assigner, units: &Units) -> Vec<Placed> {
    let rows = units.ids.len();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut places = vec![Placed::Outside; rows];
    let share = rows.div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        for (part, places) in places.chunks_mut(share).enumerate() {
            scope.spawn(move || {
                for (i, place) in places.iter_mut().enumerate() {
                    *place = assigner.place(units.key(part * share + i).as_bytes());
                }
            });
        }
    });
    places
}
