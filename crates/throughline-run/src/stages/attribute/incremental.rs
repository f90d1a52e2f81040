//! Credits scaled to the effects that the evidence ledger supports.

use throughline_attribution::causal::{
    Calibration, Credit, Effect, Evidence, Period, Settings, Span, calibrate as scale,
};
use throughline_attribution::{Dimension, Draws, Model, Quantity, bootstrap_clusters, break_down, read_spec};
use throughline_core::time::DAY_US;
use throughline_core::{Diagnostic, Timestamp};
use throughline_evidence::{Health, Kept, Standing};
use throughline_ledger::NewEvidenceNote;

use super::read::{Paths, Read};
use crate::evidence::kept_evidence;
use crate::project::{AttributionConfig, IncrementalConfig, SpokenConfig};
use crate::stage::{StageContext, StageError};

/// Credits scaled to evidence, and the model whose they are.
pub(super) struct Scaled {
    pub(super) model: String,
    pub(super) calibration: Calibration,
}

/// What decides whether credits are scaled anew: the records that may speak, and how they stand.
pub(super) async fn inputs(context: &StageContext<'_>, config: &AttributionConfig) -> Result<Vec<String>, StageError> {
    let Some(config) = &config.incremental else { return Ok(Vec::new()) };
    let all = kept_evidence(context.ledger).await?;
    let spoken = config.evidence.iter().flat_map(|s| of(&all, s).map(move |k| (k, s)));
    Ok(spoken.map(|(k, s)| format!("{}={:?}={s:?}", k.record.id, k.standing(&all, context.run.as_of))).collect())
}

fn of<'a>(all: &'a [Kept], spoken: &'a SpokenConfig) -> impl Iterator<Item = &'a Kept> {
    all.iter().filter(|k| k.record.source_name() == spoken.source && k.record.estimand.metric == spoken.metric)
}

/// Scales the credits of a conversion; nothing where the project names no evidence for it.
pub(super) async fn calibrate(
    context: &StageContext<'_>,
    config: &AttributionConfig,
    conversion: &str,
    read: &Read,
    paths: &Paths,
) -> Result<Option<Scaled>, StageError> {
    let Some(settings) = &config.incremental else { return Ok(None) };
    let spoken: Vec<&SpokenConfig> = settings.evidence.iter().filter(|s| s.speaks_of(conversion)).collect();
    let (Some(first), Some(last)) = (paths.about.iter().map(|a| a.day).min(), paths.about.iter().map(|a| a.day).max())
    else {
        return Ok(None);
    };
    if spoken.is_empty() {
        return Ok(None);
    }
    let model = read_spec(&settings.model.value)?;
    let span = Span::new(instant(first), instant(last + 1))?;
    let all = kept_evidence(context.ledger).await?;
    let weighing = Weighing { context, config, settings, read, paths, model: model.as_ref() };
    let mut evidence = Vec::new();
    for spoken in spoken {
        for kept in of(&all, spoken) {
            if kept.standing(&all, context.run.as_of) == Standing::Standing {
                evidence.push(weighing.evidence(kept, spoken)?);
            }
        }
    }
    let credits = weighing.credits()?;
    let totals = paths.journeys.totals();
    let period = Period { span, conversions: totals.conversions + paths.without_touch as f64, value: totals.value };
    let mut calibration = scale(&[period], &credits, &evidence, &Settings::default())?;
    if evidence.is_empty() {
        let message = "no record of the ledger that may decide speaks of any channel, so no credit is scaled";
        calibration.diagnostics.push(Diagnostic::warning("TL009", message));
    }
    for id in &calibration.used {
        let (key, text) =
            (format!("used/attribution/{conversion}"), format!("credits of {conversion} are scaled to it"));
        let note = NewEvidenceNote { id, key: &key, kind: "used", by: "attribute", text: &text, now: context.wall() };
        context.ledger.note_evidence(note).await?;
    }
    Ok(Some(Scaled { model: model.spec(), calibration }))
}

fn instant(day: i64) -> Timestamp {
    Timestamp::from_micros(day.saturating_mul(DAY_US))
}

struct Weighing<'a> {
    context: &'a StageContext<'a>,
    config: &'a AttributionConfig,
    settings: &'a IncrementalConfig,
    read: &'a Read,
    paths: &'a Paths,
    model: &'a dyn Model,
}

impl Weighing<'_> {
    fn draws(&self) -> Draws {
        let bootstrap = self.config.bootstrap;
        Draws { draws: bootstrap.draws, seed: self.context.run.seed, level: bootstrap.level }
    }

    /// The credits that are scaled, with their draws.
    fn credits(&self) -> Result<Vec<Credit>, StageError> {
        let Draws { draws, seed, level } = self.draws();
        let model = read_spec(&self.settings.model.value)?;
        let found = bootstrap_clusters(&self.paths.journeys, &[model], draws, seed, level)?;
        let Some(found) = found.first() else { return Ok(Vec::new()) };
        let mut out = Vec::new();
        for (i, channel) in found.credits.channels().iter().enumerate() {
            let mut credit = Credit::new(channel.channel.clone(), 0, channel.conversions.max(0.0), channel.value);
            credit.conversions_draws = found.draws_of(i, Quantity::Conversions)?;
            credit.value_draws = found.draws_of(i, Quantity::Value)?;
            credit.exchangeable = !self.settings.not_exchangeable.contains(&channel.channel);
            out.push(credit);
        }
        Ok(out)
    }

    /// A record as evidence about a channel, with the channel's own credit where and when it was observed.
    fn evidence(&self, kept: &Kept, spoken: &SpokenConfig) -> Result<Evidence, StageError> {
        let record = &kept.record;
        let scope = &record.scope;
        let (start, end) = (scope.period_start, scope.period_end.max(scope.period_start.plus_micros(1)));
        let (from, until) = (start.micros().div_euclid(DAY_US), (end.micros() - 1).div_euclid(DAY_US));
        let about = &self.paths.about;
        let inside = |push: usize, touch: usize| {
            let journey = &about[push];
            let here = (from..=until).contains(&journey.day)
                && scope.geo.as_ref().is_none_or(|geo| self.read.items.name(journey.geo) == geo);
            let kept = self.paths.touches.get(journey.touches + touch);
            usize::from(here && kept.is_some_and(|t| self.read.items.name(t.channel) == spoken.channel))
        };
        let dimension = Dimension { name: "evidence", cells: 2, cell: &inside };
        let credit = break_down(&self.paths.journeys, self.model, &dimension, None, self.draws())?
            .credit(1, Quantity::Conversions)?;
        let error = record.estimate.std_error.unwrap_or(0.0);
        let by = spoken.conversions_per_unit;
        Ok(Evidence {
            id: record.id.clone(),
            source: record.source_name().to_owned(),
            channel: spoken.channel.clone(),
            span: Span::new(start, end)?,
            scope: scope.geo.clone().or_else(|| scope.segment.clone()),
            credit: Some(credit.value),
            credit_variance: credit.std_error.unwrap_or(0.0).powi(2),
            effect: Effect::Conversions { estimate: record.estimate.value * by, variance: (error * by).powi(2) },
            tier: record.tier,
            healthy: record.health == Health::Healthy,
            current: record.is_current(self.context.run.as_of),
        })
    }
}
