//! Credits as rows of their table and as part of the run's report.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use serde_json::{Value, json};
use throughline_attribution::causal::{Calibrated, Distribution};
use throughline_attribution::{CreditsWithIntervals, Marginal, Quantity, Ratio};
use throughline_core::money::units_from_micros;
use throughline_core::{Diagnostic, EvidenceTier, Level};
use throughline_lake::tables;

use super::INNER;
use super::identity::Graphs;
use super::incremental::Scaled;
use super::marginal::Marginals;
use super::read::Paths;
use super::spend::Spend;
use crate::stage::{StageContext, StageError};

/// What nobody's credit is: conversions that no channel caused.
const BASELINE: &str = "(baseline)";

pub(super) struct About<'a> {
    pub(super) context: &'a StageContext<'a>,
    pub(super) conversion: &'a str,
    pub(super) spend: &'a Spend,
    pub(super) graphs: &'a Graphs,
}

/// One row of `credits`.
#[derive(Debug, Default)]
struct Row {
    channel: String,
    /// Value, ends of the outer interval, ends of the inner one: of conversions, then of value.
    numbers: [Option<f64>; 10],
    removal_effect: Option<f64>,
    share: [Option<f64>; 3],
    tier: i32,
    support: Option<String>,
    /// Share of the variance of conversions that comes from not knowing who is whom, with its interval.
    identity: [Option<f64>; 3],
    /// Conversions, then value, for one more unit of spend: number and ends.
    marginal: [Option<f64>; 6],
    marginal_absent: Option<String>,
}

/// Why credit has no marginal figures.
const NO_DAYS: &str = "this model credits totals, not the touches of a day; `path:MODEL` does";
const NO_SPEND: &str = "nothing is known of what was spent on it";
const WHOLE: &str = "evidence is of whole periods, not of one more unit of spend";

/// Numbers of marginal figures, or why there are none.
fn marginal(found: Option<&Marginal>) -> ([Option<f64>; 6], Option<String>) {
    let Some(found) = found else { return ([None; 6], Some(NO_SPEND.to_owned())) };
    match (&found.conversions, &found.return_on_spend) {
        (Ratio::Number(c), Ratio::Number(v)) => {
            let ends = [c.interval(), v.interval()];
            ([c.value, ends[0].0, ends[0].1, v.value, ends[1].0, ends[1].1].map(Some), None)
        }
        (Ratio::Undefined { because }, _) | (_, Ratio::Undefined { because }) => ([None; 6], Some(because.clone())),
    }
}

fn tier(tier: EvidenceTier) -> i32 {
    i32::from(tier.number())
}

impl About<'_> {
    pub(super) fn credit_rows(
        &self,
        model: &CreditsWithIntervals,
        marginals: Option<&Marginals>,
    ) -> Result<RecordBatch, StageError> {
        let mut rows = Vec::new();
        for (i, channel) in model.credits.channels().iter().enumerate() {
            let interval = &model.intervals[i];
            let inner = |what| model.at_level(i, what, INNER).map(|e| e.interval());
            let widened = |what| self.graphs.widen(self.conversion, model, i, what);
            let (wide, wide_value) = (widened(Quantity::Conversions)?, widened(Quantity::Value)?);
            let conversions = wide.as_ref().map_or(&interval.conversions, |w| &w.estimate).interval();
            let value = wide_value.as_ref().map_or(&interval.value, |w| &w.estimate).interval();
            let identity = wide.and_then(|w| w.share);
            let (inner_conversions, inner_value) = (inner(Quantity::Conversions)?, inner(Quantity::Value)?);
            let share = interval.share.interval();
            let (margin, marginal_absent) = match marginals {
                Some(found) => marginal(found.get(&channel.channel)),
                None => ([None; 6], Some(NO_DAYS.to_owned())),
            };
            rows.push(Row {
                channel: channel.channel.clone(),
                numbers: [
                    channel.conversions,
                    conversions.0,
                    conversions.1,
                    inner_conversions.0,
                    inner_conversions.1,
                    channel.value,
                    value.0,
                    value.1,
                    inner_value.0,
                    inner_value.1,
                ]
                .map(Some),
                removal_effect: channel.removal_effect,
                share: [interval.share.value, share.0, share.1].map(Some),
                tier: tier(EvidenceTier::Associational),
                support: None,
                identity: identity.map_or([None; 3], |s| [s.share, s.interval.0, s.interval.1].map(Some)),
                marginal: margin,
                marginal_absent,
            });
        }
        let method = match self.graphs.drawn {
            0 => model.method.clone(),
            graphs => format!("{}, {graphs} identity graphs", model.method),
        };
        self.batch(model.credits.model(), &method, model.level, &rows)
    }

    /// What each channel caused, and what none did. Channels without a number have none.
    pub(super) fn incremental_rows(&self, scaled: &Scaled) -> Result<RecordBatch, StageError> {
        let found = &scaled.calibration;
        let row = |cell: &Calibrated| Row {
            channel: cell.channel.clone(),
            numbers: numbers(cell.conversions.as_ref(), cell.value.as_ref()),
            tier: tier(cell.tier),
            support: serde_json::to_value(cell.support).ok().and_then(|s| s.as_str().map(str::to_owned)),
            marginal_absent: Some(WHOLE.to_owned()),
            ..Row::default()
        };
        let mut rows: Vec<Row> = found.cells.iter().map(row).collect();
        rows.extend(found.totals.first().map(|total| Row {
            channel: BASELINE.to_owned(),
            numbers: numbers(Some(&total.baseline_conversions), Some(&total.baseline_value)),
            tier: tier(EvidenceTier::Modelled),
            marginal_absent: Some(NO_SPEND.to_owned()),
            ..Row::default()
        }));
        let method = format!("posterior over {} pieces of evidence", found.used.len());
        self.batch(&format!("incremental:{}", scaled.model), &method, Level::P90, &rows)
    }

    fn batch(&self, model: &str, method: &str, level: Level, rows: &[Row]) -> Result<RecordBatch, StageError> {
        let n = rows.len();
        let repeat = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; n])) };
        let number = |k: usize| -> ArrayRef { Arc::new(rows.iter().map(|r| r.numbers[k]).collect::<Float64Array>()) };
        let share = |k: usize| -> ArrayRef { Arc::new(rows.iter().map(|r| r.share[k]).collect::<Float64Array>()) };
        let identity =
            |k: usize| -> ArrayRef { Arc::new(rows.iter().map(|r| r.identity[k]).collect::<Float64Array>()) };
        let margin = |k: usize| -> ArrayRef { Arc::new(rows.iter().map(|r| r.marginal[k]).collect::<Float64Array>()) };
        let spend = rows.iter().map(|r| self.spend.by_channel.get(&r.channel).copied());
        let arrays: Vec<ArrayRef> = vec![
            repeat(model),
            repeat(self.conversion),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|r| &r.channel))),
            number(0),
            number(1),
            number(2),
            number(5),
            number(6),
            number(7),
            Arc::new(rows.iter().map(|r| r.removal_effect).collect::<Float64Array>()),
            Arc::new(Float64Array::from(vec![level.get(); n])),
            repeat(self.context.project.config.value.currency.as_str()),
            Arc::new(spend.collect::<Int64Array>()),
            repeat(method),
            Arc::new(rows.iter().map(|r| r.tier).collect::<Int32Array>()),
            number(3),
            number(4),
            number(8),
            number(9),
            share(0),
            share(1),
            share(2),
            Arc::new(rows.iter().map(|r| r.support.as_deref()).collect::<StringArray>()),
            identity(0),
            identity(1),
            identity(2),
            margin(0),
            margin(1),
            margin(2),
            margin(3),
            margin(4),
            margin(5),
            Arc::new(rows.iter().map(|r| r.marginal_absent.as_deref()).collect::<StringArray>()),
        ];
        Ok(RecordBatch::try_new(tables::credits().file_schema, arrays)?)
    }

    pub(super) fn report(
        &self,
        paths: &Paths,
        credits: &[CreditsWithIntervals],
        scaled: Option<&Scaled>,
        diagnostics: &[Diagnostic],
    ) -> Value {
        let totals = paths.journeys.totals();
        let models: Vec<Value> = credits.iter().map(|m| self.model(m)).collect();
        json!({
            "conversion": self.conversion,
            "totals": { "conversions": totals.conversions, "value": totals.value, "nulls": totals.nulls },
            "conversions_without_touch": paths.without_touch,
            "identity": { "graphs": self.graphs.drawn, "uncertain_pairs": self.graphs.pairs },
            "models": models,
            "incremental": scaled.map(|s| json!({ "model": s.model, "calibration": s.calibration })),
            "diagnostics": diagnostics,
        })
    }

    fn model(&self, m: &CreditsWithIntervals) -> Value {
        let pairs = m.credits.channels().iter().zip(&m.intervals);
        let channels: Vec<Value> = pairs
            .map(|(c, i)| {
                json!({
                    "channel": c.channel,
                    "conversions": c.conversions,
                    "conversions_interval": i.conversions.interval(),
                    "value": c.value,
                    "value_interval": i.value.interval(),
                    "removal_effect": c.removal_effect,
                    "share": i.share.value,
                    "share_interval": i.share.interval(),
                    "spend": self.spend.by_channel.get(&c.channel).map(|m| units_from_micros(*m)),
                })
            })
            .collect();
        json!({
            "model": m.credits.model(),
            "interval_method": m.method,
            "level": m.level.get(),
            "draws": m.draws,
            "channels": channels,
        })
    }
}

/// A mean, ends at 90 % and at 50 %, of conversions and of value.
fn numbers(conversions: Option<&Distribution>, value: Option<&Distribution>) -> [Option<f64>; 10] {
    let of = |d: Option<&Distribution>| -> [Option<f64>; 5] {
        let Some(d) = d else { return [None; 5] };
        let end = |level: Level| d.interval(level.get());
        let (outer, inner) = (end(Level::P90), end(INNER));
        [Some(d.mean), outer.map(|i| i.0), outer.map(|i| i.1), inner.map(|i| i.0), inner.map(|i| i.1)]
    };
    let (c, v) = (of(conversions), of(value));
    [c[0], c[1], c[2], c[3], c[4], v[0], v[1], v[2], v[3], v[4]]
}
