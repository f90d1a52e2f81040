//! Who stands before a decision: scores, eligibility, consent and recent contacts, bucket by bucket.

use std::collections::BTreeMap;

use arrow::array::{Array, RecordBatch};
use arrow::compute::concat_batches;
use serde_json::{Map, Value};
use throughline_core::consent;
use throughline_core::time::DAY_US;
use throughline_core::{EventKind, PersonId};
use throughline_decide::{ActionView, Candidate};
use throughline_features::features_table;
use throughline_lake::{RowsView, Snapshot, columns, tables};

use super::consent::standings;
use crate::project::CompiledPolicy;
use crate::stage::{StageContext, StageError};

/// A candidate and what is kept with the decision.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) candidate: Candidate,
    pub(super) features: String,
    pub(super) scored_at: Option<i64>,
    pub(super) model_version: Option<i32>,
}

/// The tables candidates are made of.
#[derive(Debug)]
pub(super) struct Sources {
    scores: Snapshot,
    features: Snapshot,
    timeline: Snapshot,
    decisions: Snapshot,
}

impl Sources {
    pub(super) async fn open(context: &StageContext<'_>) -> Result<Self, StageError> {
        Ok(Self {
            scores: context.read(&tables::scores()).await?,
            features: context.read(&features_table(&context.project.features.value)).await?,
            timeline: context.read(&tables::timeline()).await?,
            decisions: context.read(&tables::decisions()).await?,
        })
    }

    pub(super) fn buckets(&self) -> Vec<String> {
        self.features.partitions().into_iter().collect()
    }

    pub(super) fn feature_version(&self) -> Option<u64> {
        self.features.version()
    }
}

#[derive(Debug, Default)]
struct Scores {
    effects: BTreeMap<String, Option<f64>>,
    scored_at: i64,
    expires_at: i64,
    version: i32,
}

#[derive(Debug, Default)]
struct Contacts {
    standing: consent::Standing,
    in_window: u32,
    last: BTreeMap<String, i64>,
}

/// The candidates of one bucket: people with features of the purpose (`score`, or an experiment's `train:…` for the
/// people the model has not seen, whose scores have fold `evaluate`).
pub(super) async fn candidates(
    context: &StageContext<'_>,
    policy: &CompiledPolicy,
    sources: &Sources,
    bucket: &str,
    purpose: &str,
) -> Result<Vec<Standing>, StageError> {
    let fold = if purpose == "score" { "score" } else { "evaluate" };
    let scores = read_scores(&sources.scores, bucket, policy.name(), fold).await?;
    let contacts = read_contacts(context, policy, sources, bucket).await?;
    let batches = sources.features.read_partition(bucket, None).await?;
    let batch = concat_batches(&sources.features.spec().file_schema, &batches)?;
    let view = RowsView::new(&batch, &policy.schema)?;
    let found = columns::text(&batch, "purpose")?;
    let person = columns::binary(&batch, "person_id")?;
    let nobody = Contacts::default();
    let unscored = Scores::default();
    let mut out = Vec::new();
    for row in (0..batch.num_rows()).filter(|r| found.value(*r) == purpose) {
        let id = PersonId(columns::id16(person.value(row))?);
        let score = scores.get(&id);
        if fold == "evaluate" && score.is_none() {
            continue;
        }
        let contact = contacts.get(&id).unwrap_or(&nobody);
        let of_score = score.unwrap_or(&unscored);
        let expression_row = view.row(row);
        let actions = policy
            .policy
            .actions
            .iter()
            .zip(&policy.eligibility)
            .map(|(action, rule)| ActionView {
                effect: action.arm.as_ref().and_then(|arm| of_score.effects.get(arm).copied().flatten()),
                std_error: None,
                eligible: rule.as_ref().map(|r| r.permits(&expression_row)),
                days_since_last: contact
                    .last
                    .get(&action.name)
                    .map(|at| (context.run.as_of.micros() - at) as f64 / DAY_US as f64),
            })
            .collect();
        out.push(Standing {
            candidate: Candidate {
                person: id,
                actions,
                consent: contact.standing.consent(),
                contacts_in_window: contact.in_window,
                score_expired: score.is_some_and(|s| s.expires_at < context.run.as_of.micros()),
            },
            features: feature_values(&batch, row),
            scored_at: score.map(|s| s.scored_at),
            model_version: score.map(|s| s.version),
        });
    }
    Ok(out)
}

async fn read_scores(
    snapshot: &Snapshot,
    bucket: &str,
    model: &str,
    fold: &str,
) -> Result<BTreeMap<PersonId, Scores>, StageError> {
    let mut out: BTreeMap<PersonId, Scores> = BTreeMap::new();
    for batch in snapshot.read_partition(bucket, None).await? {
        let person = columns::binary(&batch, "person_id")?;
        let (id, found) = (columns::text(&batch, "model_id")?, columns::text(&batch, "fold")?);
        let (arm, effect) = (columns::text(&batch, "arm")?, columns::float(&batch, "effect")?);
        let version = columns::int32(&batch, "model_version")?;
        let (at, expires) = (columns::time(&batch, "scored_at")?, columns::time(&batch, "expires_at")?);
        for row in (0..batch.num_rows()).filter(|r| id.value(*r) == model && found.value(*r) == fold) {
            let entry = out.entry(PersonId(columns::id16(person.value(row))?)).or_default();
            entry.effects.insert(arm.value(row).to_owned(), columns::float_at(effect, row));
            entry.scored_at = at.value(row);
            entry.expires_at = expires.value(row);
            entry.version = version.value(row);
        }
    }
    Ok(out)
}

/// Consent as it stands (of one source the latest counts, across sources a denial outranks) and contacts in the window of the cap, decisions of earlier
/// cycles included.
async fn read_contacts(
    context: &StageContext<'_>,
    policy: &CompiledPolicy,
    sources: &Sources,
    bucket: &str,
) -> Result<BTreeMap<PersonId, Contacts>, StageError> {
    let now = context.run.as_of.micros();
    let window = policy.policy.constraints.frequency_cap.map_or(0.0, |c| c.window_days);
    #[expect(clippy::cast_possible_truncation, reason = "a window of days")]
    let from = now - (window * DAY_US as f64) as i64;
    let mut out: BTreeMap<PersonId, Contacts> = BTreeMap::new();
    for (person, standing) in standings(&sources.timeline, bucket).await? {
        out.entry(person).or_default().standing = standing;
    }
    let wanted = ["person_id", "kind", "occurred_at"];
    for batch in sources.timeline.read_partition(bucket, Some(&wanted)).await? {
        let person = columns::binary(&batch, "person_id")?;
        let kind = columns::text(&batch, "kind")?;
        let at = columns::time(&batch, "occurred_at")?;
        for row in 0..batch.num_rows() {
            let entry = out.entry(PersonId(columns::id16(person.value(row))?)).or_default();
            let is_contact = kind.value(row) == EventKind::EmailSent.name();
            entry.in_window += u32::from(is_contact && at.value(row) > from && at.value(row) <= now);
        }
    }
    add_earlier_decisions(policy, sources, bucket, (from, now), &mut out).await?;
    Ok(out)
}

async fn add_earlier_decisions(
    policy: &CompiledPolicy,
    sources: &Sources,
    bucket: &str,
    (from, now): (i64, i64),
    out: &mut BTreeMap<PersonId, Contacts>,
) -> Result<(), StageError> {
    for batch in sources.decisions.read_partition(bucket, Some(&["entity_id", "action", "decided_at"])).await? {
        let (entity, action) = (columns::text(&batch, "entity_id")?, columns::text(&batch, "action")?);
        let at = columns::time(&batch, "decided_at")?;
        // Decisions of the same instant belong to this cycle, which is being computed again.
        for row in (0..batch.num_rows()).filter(|r| at.value(*r) < now) {
            let Ok(person) = entity.value(row).parse::<PersonId>() else { continue };
            let Ok(index) = policy.policy.action(action.value(row)) else { continue };
            let entry = out.entry(person).or_default();
            let last = entry.last.entry(action.value(row).to_owned()).or_insert(at.value(row));
            *last = (*last).max(at.value(row));
            let contact = policy.policy.actions[index].kind.is_contact() && at.value(row) > from;
            entry.in_window += u32::from(contact);
        }
    }
    Ok(())
}

/// The features of a row as a JSON object, as they are stored with the decision.
fn feature_values(batch: &RecordBatch, row: usize) -> String {
    let mut map = Map::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()).skip(3) {
        let any = column.as_any();
        let value = if column.is_null(row) {
            Value::Null
        } else if let Some(numbers) = any.downcast_ref::<arrow::array::Float64Array>() {
            Value::from(numbers.value(row))
        } else if let Some(texts) = any.downcast_ref::<arrow::array::StringArray>() {
            Value::from(texts.value(row))
        } else {
            Value::Null
        };
        map.insert(field.name().clone(), value);
    }
    Value::Object(map).to_string()
}
