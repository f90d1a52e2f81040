//! Walking the thread: why this decision, where did this conversion's credit come from, who is this person.

use std::collections::BTreeMap;

use arrow::array::{Array, BinaryArray, RecordBatch, StringArray};
use serde_json::{Map, Value, json};
use throughline_attribution::read_spec;
use throughline_core::money::units_from_micros;
use throughline_core::{PersonId, SubjectToken, Timestamp};
use throughline_lake::{Snapshot, TableSpec, columns, tables};

use crate::engine::Stores;
use crate::error::RunError;
use crate::matches::person_links;
use crate::project::Project;
use crate::stage::{StageContext, StageError};
use crate::stages::path_tables;

/// What to explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The latest decision about an entity; the first one of the table for `None`.
    Decision(Option<String>),
    /// A conversion by its source event id; the first one of the table for `None`.
    Conversion(Option<String>),
    /// A conversion by the id of its journey.
    Journey(String),
    /// A person by id.
    Person(String),
}

/// The thread behind a subject, as a JSON object whose keys read in order.
pub async fn explain(project: &Project, stores: &Stores, subject: &Subject) -> Result<Value, RunError> {
    let thread = Thread { context: StageContext::looking(project, stores).await? };
    let answer = match subject {
        Subject::Decision(entity) => thread.decision(entity.as_deref()).await,
        Subject::Conversion(event) => thread.conversion(event.as_deref()).await,
        Subject::Journey(id) => thread.journey(id).await,
        Subject::Person(id) => thread.person(id).await,
    };
    let mut answer = answer.map_err(|source| match source.downcast::<RunError>() {
        Ok(error) => *error,
        Err(source) => RunError::Stage { stage: "explain".into(), unit: "*".into(), source },
    })?;
    if let Some(person) = answer["journey"]["person_id"].as_str().and_then(|id| id.parse().ok()) {
        answer["identity"] = person_links(stores, person).await?;
    }
    Ok(answer)
}

/// The rows of a published table as JSON objects, in the order of its files: for tests and small tables.
pub async fn table_rows(stores: &Stores, spec: &TableSpec) -> Result<Vec<Value>, RunError> {
    let version = stores.ledger.manifest().await?.get(&spec.name).copied();
    let snapshot = stores.lake.snapshot(spec, version).await?;
    rows(&snapshot, None, |_| true, usize::MAX).await.map_err(|source| RunError::Stage {
        stage: "read".into(),
        unit: spec.name.clone(),
        source,
    })
}

/// Calls `each` with the rows of a published table as JSON objects of the named columns, in the order of its files: for
/// tables that are too large to hold. Values read as in [`row_objects`].
pub async fn each_row(
    stores: &Stores,
    spec: &TableSpec,
    columns: &[&str],
    mut each: impl FnMut(&Map<String, Value>),
) -> Result<(), RunError> {
    let version = stores.ledger.manifest().await?.get(&spec.name).copied();
    let snapshot = stores.lake.snapshot(spec, version).await?;
    for file in snapshot.files() {
        for batch in snapshot.read_file(file, Some(columns)).await? {
            (0..batch.num_rows()).for_each(|row| each(&object(&batch, row)));
        }
    }
    Ok(())
}

/// The rows of a batch as JSON objects. Ids are hexadecimal, money is in units, times are RFC 3339, absent values are left
/// out.
pub fn row_objects(batch: &RecordBatch) -> Vec<Map<String, Value>> {
    (0..batch.num_rows()).map(|row| object(batch, row)).collect()
}

/// The tokens of a person's identifiers, as they stand now.
pub async fn person_tokens(stores: &Stores, person: PersonId) -> Result<Vec<SubjectToken>, RunError> {
    let wanted = person.to_string();
    let spec = tables::persons();
    let version = stores.ledger.manifest().await?.get(&spec.name).copied();
    let snapshot = stores.lake.snapshot(&spec, version).await?;
    let found = rows(&snapshot, None, |r| text(r, "person_id") == wanted, usize::MAX).await;
    let found = found.map_err(|source| RunError::Stage { stage: "read".into(), unit: "persons".into(), source })?;
    Ok(found.iter().filter_map(|r| r["token"].as_str()?.parse().ok()).collect())
}

struct Thread<'a> {
    context: StageContext<'a>,
}

fn missing(what: &'static str, name: &str, help: &str) -> StageError {
    RunError::NotFound { what, name: name.to_owned(), help: help.to_owned() }.into()
}

/// Rows of a table as JSON objects, those that a test keeps, at most `limit`.
async fn rows(
    snapshot: &Snapshot,
    partition: Option<&str>,
    keep: impl Fn(&Map<String, Value>) -> bool,
    limit: usize,
) -> Result<Vec<Value>, StageError> {
    let mut out = Vec::new();
    for file in snapshot.files().iter().filter(|f| partition.is_none() || f.partition.as_deref() == partition) {
        for batch in snapshot.read_file(file, None).await? {
            for row in 0..batch.num_rows() {
                let object = object(&batch, row);
                if keep(&object) {
                    out.push(Value::Object(object));
                }
                if out.len() >= limit {
                    return Ok(out);
                }
            }
        }
    }
    Ok(out)
}

/// One row as a JSON object. Ids are hexadecimal, money is in units, times are RFC 3339, absent values are left out.
fn object(batch: &RecordBatch, row: usize) -> Map<String, Value> {
    let mut out = Map::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if column.is_null(row) {
            continue;
        }
        let any = column.as_any();
        let name = field.name();
        let value = if let Some(a) = any.downcast_ref::<StringArray>() {
            Value::from(a.value(row))
        } else if let Ok(a) = columns::binary(batch, name) {
            Value::from(hex::encode(a.value(row)))
        } else if let Ok(a) = columns::time(batch, name) {
            Value::from(Timestamp::from_micros(a.value(row)).to_string())
        } else if let Ok(a) = columns::int(batch, name) {
            match name.strip_suffix("_micros") {
                Some(unit) => {
                    out.insert(unit.to_owned(), Value::from(units_from_micros(a.value(row))));
                    continue;
                }
                None => Value::from(a.value(row)),
            }
        } else if let Ok(a) = columns::int32(batch, name) {
            Value::from(a.value(row))
        } else if let Ok(a) = columns::float(batch, name) {
            Value::from(a.value(row))
        } else if let Ok(a) = columns::boolean(batch, name) {
            Value::from(a.value(row))
        } else if let Ok(a) = columns::list(batch, name) {
            list_value(a, row)
        } else {
            continue;
        };
        out.insert(name.clone(), value);
    }
    out
}

fn list_value(lists: &arrow::array::ListArray, row: usize) -> Value {
    let pairs = crate::stages::probability_pairs(lists, row);
    if !pairs.is_empty() {
        return Value::Object(pairs.into_iter().map(|(k, v)| (k, Value::from(v))).collect());
    }
    let values = lists.value(row);
    if let Some(texts) = values.as_any().downcast_ref::<StringArray>() {
        return Value::from(texts.iter().flatten().collect::<Vec<_>>());
    }
    let tokens = values.as_any().downcast_ref::<BinaryArray>();
    tokens.map_or(Value::Null, |tokens| tokens.iter().flatten().map(hex::encode).collect())
}

fn text<'m>(row: &'m Map<String, Value>, name: &str) -> &'m str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

impl Thread<'_> {
    async fn table(&self, spec: &TableSpec) -> Result<Snapshot, StageError> {
        Ok(self.context.read(spec).await?)
    }

    fn bucket(&self, person: PersonId) -> String {
        person.bucket(self.context.project.config.value.buckets).to_string()
    }

    async fn decision(&self, entity: Option<&str>) -> Result<Value, StageError> {
        let decisions = self.table(&tables::decisions()).await?;
        let help = "run the project with a policy first, or name an entity_id of the decisions table";
        let found = match entity {
            Some(entity) => {
                let person: PersonId = entity.parse().map_err(|_| missing("entity", entity, help))?;
                let bucket = self.bucket(person);
                let mut all = rows(&decisions, Some(&bucket), |r| text(r, "entity_id") == entity, usize::MAX).await?;
                all.sort_by(|a, b| a["decided_at"].as_str().cmp(&b["decided_at"].as_str()));
                all.pop()
            }
            None => rows(&decisions, None, |r| text(r, "action") != "none", 1).await?.pop(),
        };
        let decision = found.ok_or_else(|| missing("decision about", entity.unwrap_or("anybody"), help))?;
        let entity = decision["entity_id"].as_str().unwrap_or_default().to_owned();
        let person: PersonId = entity.parse().map_err(|_| missing("entity", &entity, help))?;
        let bucket = self.bucket(person);
        let scores = self.table(&tables::scores()).await?;
        let scores =
            rows(&scores, Some(&bucket), |r| text(r, "person_id") == entity && text(r, "fold") == "score", 20).await?;
        let deliveries = self.table(&tables::deliveries()).await?;
        let cycle = decision["cycle_id"].as_str().unwrap_or_default().to_owned();
        let deliveries =
            rows(&deliveries, None, |r| text(r, "entity_id") == entity && text(r, "cycle_id") == cycle, 20).await?;
        let policy = decision["policy_id"].as_str().unwrap_or_default();
        Ok(json!({
            "decision": decision,
            "scores": scores,
            "evidence": self.evidence(policy).await?,
            "policy": self.artefacts("policy", policy).await?,
            "model": self.artefacts("model", policy).await?,
            "person": self.person(&entity).await?,
            "deliveries": deliveries,
        }))
    }

    /// The evidence records of the experiment behind a policy.
    async fn evidence(&self, policy: &str) -> Result<Vec<Value>, StageError> {
        let project = self.context.project;
        let Some(policy) = project.policies.iter().find(|p| p.value.name() == policy) else { return Ok(Vec::new()) };
        let experiment = &project.experiments[policy.value.experiment].value.config.name.value;
        let prefix = format!("{experiment}/");
        let all = self.context.ledger.evidence().await?;
        Ok(all.into_iter().filter(|e| e.id.starts_with(&prefix)).map(|e| e.record).collect())
    }

    async fn artefacts(&self, kind: &str, name: &str) -> Result<Value, StageError> {
        let all = self.context.ledger.artefacts(kind).await?;
        let latest = all.into_iter().filter(|a| a.name == name).max_by_key(|a| a.version);
        Ok(serde_json::to_value(latest)?)
    }

    async fn person(&self, id: &str) -> Result<Value, StageError> {
        let help = "a person id has 32 hexadecimal digits, as in decisions.entity_id";
        let person: PersonId = id.parse().map_err(|_| missing("person", id, help))?;
        let timeline = self.table(&tables::timeline()).await?;
        let mine = rows(&timeline, Some(&self.bucket(person)), |r| text(r, "person_id") == id, usize::MAX).await?;
        if mine.is_empty() {
            return Err(missing("person", id, help));
        }
        let persons = self.table(&tables::persons()).await?;
        let tokens = rows(&persons, None, |r| text(r, "person_id") == id, 100).await?;
        let kinds: Vec<throughline_core::SubjectToken> =
            tokens.iter().filter_map(|t| t["token"].as_str().and_then(|t| t.parse().ok())).collect();
        let kinds: Vec<String> = self
            .context
            .vault
            .kinds(&kinds)
            .await?
            .into_iter()
            .map(|k| k.map_or_else(|| "erased".to_owned(), |k| k.to_string()))
            .collect();
        let shown: Vec<Value> = mine
            .iter()
            .rev()
            .take(20)
            .rev()
            .map(|e| {
                json!({ "at": e["occurred_at"], "kind": e["kind"], "channel": e["channel"], "source": e["source"],
                             "event": e["source_event_id"], "value": e["value"] })
            })
            .collect();
        Ok(json!({ "person_id": id, "identifiers": kinds, "events": mine.len(), "last_events": shown }))
    }

    async fn conversion(&self, event: Option<&str>) -> Result<Value, StageError> {
        let journeys = self.table(&tables::journeys()).await?;
        let is_wanted = |r: &Map<String, Value>| {
            let id = text(r, "conversion_event_id");
            event.map_or(!id.is_empty() && r["touches"].as_i64() > Some(1), |e| id == e)
        };
        let help = "name the id of a converting event, as in journeys.conversion_event_id";
        let journey = rows(&journeys, None, is_wanted, 1).await?.pop();
        let journey = journey.ok_or_else(|| missing("conversion", event.unwrap_or("any"), help))?;
        self.told(journey).await
    }

    async fn journey(&self, id: &str) -> Result<Value, StageError> {
        let journeys = self.table(&tables::journeys()).await?;
        let found = rows(&journeys, None, |r| text(r, "journey_id") == id, 1).await?.pop();
        let journey = found.ok_or_else(|| missing("journey", id, "name the id of a journey of the journeys table"))?;
        self.told(journey).await
    }

    /// The thread behind a journey.
    async fn told(&self, journey: Value) -> Result<Value, StageError> {
        let id = journey["journey_id"].as_str().unwrap_or_default().to_owned();
        let person = journey["person_id"].as_str().unwrap_or_default().to_owned();
        let touches = self.table(&tables::touches()).await?;
        let touches = rows(&touches, None, |r| text(r, "journey_id") == id, 10_000).await?;
        let (kept, dropped): (Vec<Value>, Vec<Value>) = touches.into_iter().partition(|t| t["kept"] == true);
        Ok(json!({
            "credit": self.path_credit(&journey, &kept).await?,
            "journey": journey,
            "touches_kept": kept,
            "touches_dropped": dropped,
            "person": self.person(&person).await?,
        }))
    }

    /// How each model splits this one conversion over its path.
    async fn path_credit(&self, journey: &Value, kept: &[Value]) -> Result<Value, StageError> {
        let Some(config) = &self.context.project.attribution else { return Ok(Value::Null) };
        let conversion = journey["conversion"].as_str().unwrap_or_default();
        let path: Vec<&str> = journey["path"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let tables = path_tables(&self.context).await?;
        let Some(table) = tables.get(conversion) else { return Ok(Value::Null) };
        let names = table.channels();
        // Models that look at times need the very times of this journey.
        let micros = |at: &Value| at.as_str().and_then(|t| t.parse::<Timestamp>().ok()).map(Timestamp::micros);
        let end = micros(&journey["ended_at"]);
        let ages: Option<Vec<i64>> = kept.iter().map(|t| Some(end? - micros(&t["occurred_at"])?)).collect();
        let same = |i: &usize| {
            let view = table.path(*i);
            let channels = || view.steps.iter().zip(&path).all(|(s, p)| names[*s as usize] == *p);
            view.steps.len() == path.len() && channels() && (view.ages.is_none() || view.ages == ages.as_deref())
        };
        let Some(index) = (0..table.len()).find(same) else { return Ok(Value::Null) };
        let mut out = Map::new();
        for spec in &config.value.models {
            let weights = read_spec(&spec.value)?.path_weights(table)?;
            let split: BTreeMap<String, f64> =
                weights.by_channel(table, index).into_iter().map(|(c, w)| (names[c as usize].clone(), w)).collect();
            out.insert(spec.value.clone(), serde_json::to_value(split)?);
        }
        Ok(Value::Object(out))
    }
}
