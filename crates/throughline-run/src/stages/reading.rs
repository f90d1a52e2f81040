//! Reading an experiment of a project: labels as a table of people, the file's settings as a plan.

use std::collections::HashMap;

use arrow::array::{Array, ListArray, StringArray};
use throughline_core::Timestamp;
use throughline_core::time::DAY_US;
use throughline_evidence::experiment::{Alternative, Cap, Kind, Looks, Margin, Metric, Plan, Prior, read};
use throughline_evidence::{Column, Correction, EvidenceError, Reading, Table};
use throughline_features::{
    AlternativeConfig, CompiledExperiment, CorrectionConfig, LabelReport, MarginConfig, MetricConfig, MetricKind,
    SequentialConfig, WinsoriseConfig, labels_table,
};
use throughline_lake::{LakeError, Staged, columns};

use crate::stage::{StageContext, StageError};

const ARM: &str = "arm of the experiment";
const DAY: &str = "day of the assignment";

fn denominator(metric: &str) -> String {
    format!("{metric}: below the line")
}

fn baseline(metric: &str) -> String {
    format!("{metric}: before")
}

fn baseline_denominator(metric: &str) -> String {
    format!("{metric}: below the line, before")
}

/// What is measured of one metric.
fn metric_of(config: &MetricConfig) -> Metric {
    let name = config.name.value.clone();
    let kind = match config.kind {
        MetricKind::Proportion => {
            Kind::Column { column: name.clone(), kind: Some(throughline_evidence::MetricKind::Proportion) }
        }
        MetricKind::Mean => Kind::Column { column: name.clone(), kind: Some(throughline_evidence::MetricKind::Mean) },
        MetricKind::Ratio => Kind::Ratio { numerator: name.clone(), denominator: denominator(&name) },
        // The compiler of the file requires the quantile.
        MetricKind::Quantile => Kind::Quantile { column: name.clone(), at: config.quantile.unwrap_or(0.5) },
    };
    let cuped = config.baseline_days.map(|_| match config.kind {
        MetricKind::Ratio => format!("{}/{}", baseline(&name), baseline_denominator(&name)),
        _ => baseline(&name),
    });
    Metric {
        cap: config.winsorise.map(|w| match w {
            WinsoriseConfig::Value(v) => Cap::Value(v),
            WinsoriseConfig::Quantile(q) => Cap::Quantile(q),
        }),
        margin: config.margin.map(|m| match m {
            MarginConfig::Absolute(m) => Margin::Absolute(m),
            MarginConfig::Relative(m) => Margin::Relative(m),
        }),
        cuped,
        lower_is_better: config.lower_is_better,
        ..Metric::new(name, kind)
    }
}

/// The plan a file says, but for which of its planned looks is due. Errors: settings that contradict each other.
pub(crate) fn plan_of(experiment: &CompiledExperiment) -> Result<Plan, EvidenceError> {
    let config = &experiment.config;
    let name = |f: &throughline_features::FeatureConfig| f.name.value.clone();
    let plan = Plan {
        weights: config.arms.iter().map(|(arm, w)| (arm.clone(), *w)).collect(),
        metrics: config.metrics.iter().map(metric_of).collect(),
        covariates: config.covariates.iter().map(name).collect(),
        strata: config.strata.as_ref().map(name),
        cluster: config.cluster.as_ref().map(name),
        segments: config.segments.iter().map(name).collect(),
        time: Some(DAY.to_owned()),
        alternative: match config.alternative {
            AlternativeConfig::TwoSided => Alternative::TwoSided,
            AlternativeConfig::Greater => Alternative::Greater,
            AlternativeConfig::Less => Alternative::Less,
        },
        correction: match config.correction {
            CorrectionConfig::None => Correction::None,
            CorrectionConfig::Holm => Correction::Holm,
            CorrectionConfig::BenjaminiHochberg => Correction::BenjaminiHochberg,
            CorrectionConfig::Bands => Correction::Bands,
        },
        sequential: config.sequential.as_ref().map(|s| looks(s, 1)).transpose()?,
        prior: config.prior.map(|p| Prior { mean: p.mean, std_dev: p.std_dev }),
        level: config.level,
        ..Plan::new(ARM, &config.control.value)
    };
    plan.validate()?;
    Ok(plan)
}

fn looks(config: &SequentialConfig, look: usize) -> Result<Looks, EvidenceError> {
    Ok(match config {
        SequentialConfig::ConfidenceSequence { tuned_at } => Looks::ConfidenceSequence { tuned_at: *tuned_at },
        SequentialConfig::Msprt { expected_effect } => Looks::Msprt { expected_effect: *expected_effect },
        SequentialConfig::GroupSequential { fractions, spending, .. } => {
            Looks::GroupSequential { fractions: fractions.clone(), look, spending: spending.parse()? }
        }
    })
}

/// People whose window is over, in the order of their assignment.
struct People {
    table: Table,
    first_assigned: Timestamp,
}

/// Reads the labels that were just staged (the same files that will be committed), and when the first person was assigned.
pub(super) async fn read_experiment(
    context: &StageContext<'_>,
    staged: &[Staged],
    experiment: &CompiledExperiment,
    report: &LabelReport,
) -> Result<(Reading, Timestamp), StageError> {
    let mut plan = plan_of(experiment)?;
    let mut rows = collect(context, staged, experiment).await?;
    let mut early = None;
    if let Some(config @ SequentialConfig::GroupSequential { planned_units, fractions, .. }) =
        &experiment.config.sequential
    {
        let due = |fraction: &f64| (fraction * *planned_units as f64).ceil();
        let reached = fractions.iter().filter(|f| due(f) <= rows.len() as f64).count();
        if let Some(fraction) = reached.checked_sub(1).and_then(|i| fractions.get(i)) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the number of rows")]
            rows.truncate(due(fraction) as usize);
        } else {
            let first = fractions.first().map_or(0.0, due);
            let through = rows.len();
            early = Some(format!("the first look is due at {first} people, and {through} are through their window"));
        }
        plan.sequential = Some(looks(config, reached.max(1))?);
    }
    let people = table(context, experiment, &rows)?;
    let mut reading = read(&people.table, &plan)?;
    if let Some(why) = early {
        reading.withheld(&why, plan.level);
    }
    let name = &experiment.config.name.value;
    let assigned = report.assigned.get(name).map_or(0, |arms| arms.values().sum());
    let crossed = report.crossed.get(name).copied().unwrap_or(0);
    reading.crossed(assigned, crossed, plan.level);
    Ok((reading, people.first_assigned))
}

/// One person of the labels table.
struct Row {
    assigned_at: i64,
    person: Vec<u8>,
    arm: u32,
    /// Outcomes, denominators, baselines and their denominators of every metric, then covariates.
    numbers: Vec<Option<f64>>,
    groups: Vec<Option<String>>,
}

async fn collect(
    context: &StageContext<'_>,
    staged: &[Staged],
    experiment: &CompiledExperiment,
) -> Result<Vec<Row>, StageError> {
    let snapshot = context.lake.staged_snapshot(&labels_table(), staged)?;
    let arms: Vec<&String> = experiment.config.arms.keys().collect();
    let mut rows = Vec::new();
    for file in snapshot.files() {
        for batch in snapshot.read_file(file, None).await? {
            let name = columns::text(&batch, "experiment")?;
            let (arm, complete) = (columns::text(&batch, "arm")?, columns::boolean(&batch, "complete")?);
            let (person, at) = (columns::binary(&batch, "person_id")?, columns::time(&batch, "assigned_at")?);
            let of = |name| columns::list(&batch, name);
            let lists = [
                of("outcomes")?,
                of("denominators")?,
                of("baselines")?,
                of("baseline_denominators")?,
                of("covariates")?,
            ];
            let groups = of("groups")?;
            for row in 0..batch.num_rows() {
                if name.value(row) != experiment.config.name.value || !complete.value(row) {
                    continue;
                }
                let Some(arm) = arms.iter().position(|a| *a == arm.value(row)) else { continue };
                let mut numbers = Vec::new();
                for list in lists {
                    numbers.extend(columns::floats_at(list, row)?);
                }
                rows.push(Row {
                    assigned_at: at.value(row),
                    person: person.value(row).to_vec(),
                    arm: u32::try_from(arm).unwrap_or(u32::MAX),
                    numbers,
                    groups: texts_at(groups, row)?,
                });
            }
        }
    }
    rows.sort_unstable_by(|a, b| (a.assigned_at, &a.person).cmp(&(b.assigned_at, &b.person)));
    Ok(rows)
}

fn texts_at(lists: &ListArray, row: usize) -> Result<Vec<Option<String>>, LakeError> {
    if lists.is_null(row) {
        return Ok(Vec::new());
    }
    let values = lists.value(row);
    let texts = values.as_any().downcast_ref::<StringArray>().ok_or_else(|| LakeError::Schema {
        table: "labels".into(),
        reason: format!("a list of {}, expected texts", values.data_type()),
    })?;
    Ok(texts.iter().map(|t| t.map(str::to_owned)).collect())
}

/// The people as columns under the names that [`plan_of`] reads.
fn table(context: &StageContext<'_>, experiment: &CompiledExperiment, rows: &[Row]) -> Result<People, StageError> {
    let config = &experiment.config;
    let mut table = Table::new();
    let arms =
        Column::Texts { codes: rows.iter().map(|r| r.arm).collect(), names: config.arms.keys().cloned().collect() };
    table.push(ARM, arms)?;
    #[expect(clippy::cast_precision_loss, reason = "days fit a float")]
    let day = |r: &Row| r.assigned_at.div_euclid(DAY_US) as f64;
    table.push(DAY, Column::Numbers(rows.iter().map(day).collect()))?;
    let metrics = || config.metrics.iter().map(|m| m.name.value.as_str());
    let mut names: Vec<String> = metrics().map(str::to_owned).collect();
    names.extend(metrics().map(denominator));
    names.extend(metrics().map(baseline));
    names.extend(metrics().map(baseline_denominator));
    names.extend(config.covariates.iter().map(|c| c.name.value.clone()));
    for (i, name) in names.into_iter().enumerate() {
        let number = |r: &Row| r.numbers.get(i).copied().flatten().unwrap_or(f64::NAN);
        let values: Vec<f64> = rows.iter().map(number).collect();
        // A column that nobody fills belongs to a metric without denominator or baseline.
        if i < config.metrics.len() || values.iter().any(|v| !v.is_nan()) || i >= 4 * config.metrics.len() {
            table.push(name, Column::Numbers(values))?;
        }
    }
    let groups = config.strata.iter().chain(&config.cluster).chain(&config.segments);
    for (i, group) in groups.enumerate() {
        table.push(group.name.value.clone(), texts(rows.iter().map(|r| r.groups.get(i).and_then(Option::as_deref))))?;
    }
    let first = rows.first().map_or(context.run.as_of, |r| Timestamp::from_micros(r.assigned_at));
    Ok(People { table, first_assigned: first })
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Column {
    let (mut known, mut names): (HashMap<&str, u32>, Vec<String>) = (HashMap::new(), Vec::new());
    let codes = values
        .map(|value| {
            value.map_or(u32::MAX, |text| {
                *known.entry(text).or_insert_with(|| {
                    names.push(text.to_owned());
                    u32::try_from(names.len() - 1).unwrap_or(u32::MAX)
                })
            })
        })
        .collect();
    Column::Texts { codes, names }
}
