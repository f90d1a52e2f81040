//! A project in a temporary folder: lake, vault, people, decisions.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, new_null_array};
use throughline_activate::{
    ActivateError, ActivateReport, DeliveryPlan, DestinationConfig, Envelope, Job, Persons, Prior, Route, Site, plan,
    send,
};
use throughline_core::{Consent, IdentifierKind, PersonId, RunContext, Timestamp};
use throughline_lake::{Lake, Snapshot, Staged, TableSpec, Unit, columns, tables};
use throughline_vault::{KeySource, MasterKey, Vault};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub(crate) const CYCLE: &str = "2026-03-10";

pub(crate) fn now() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("an instant")
}

/// A decision, with the columns that matter here.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub(crate) entity: PersonId,
    pub(crate) action: &'static str,
    pub(crate) value_micros: Option<i64>,
    pub(crate) arm: &'static str,
    pub(crate) consent: &'static str,
    pub(crate) expires_in_days: i64,
    pub(crate) cycle: &'static str,
}

impl Decision {
    pub(crate) fn about(entity: PersonId) -> Self {
        Self {
            entity,
            action: "mail",
            value_micros: Some(1_500_000),
            arm: "policy",
            consent: "messaging=granted",
            expires_in_days: 7,
            cycle: CYCLE,
        }
    }
}

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) lake: Lake,
    pub(crate) vault: Vault,
    pub(crate) people: Persons,
    pub(crate) now: Timestamp,
    versions: BTreeMap<String, u64>,
}

/// A row of `deliveries`: (status, reason, batch).
pub(crate) type Fate = (String, Option<String>, String);

impl World {
    pub(crate) async fn new() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let lake = Lake::open_local(&dir.path().join("lake"))?;
        std::fs::create_dir_all(dir.path().join("vault"))?;
        // One key for all worlds: the same people get the same tokens, so equal inputs can be compared.
        let key = MasterKey::from_hex(&"5a".repeat(32), "of the tests")?;
        let vault = Vault::open(&dir.path().join("vault"), KeySource::Given(key)).await?;
        Ok(Self { dir, lake, vault, people: Persons::default(), now: now(), versions: BTreeMap::new() })
    }

    /// A person with an identifier of a kind and a cookie.
    pub(crate) async fn person(&mut self, kind: IdentifierKind, raw: &str) -> Result<PersonId> {
        let batch = [(IdentifierKind::Cookie, format!("c-{raw}")), (kind, raw.to_owned())];
        let batch: Vec<(IdentifierKind, &str)> = batch.iter().map(|(kind, raw)| (*kind, raw.as_str())).collect();
        let tokens: Vec<_> = self.vault.tokenise("crm", &batch).await?.into_iter().flatten().collect();
        let person = PersonId::founded_by(tokens[1]);
        for token in tokens {
            self.people.insert(person, token);
        }
        Ok(person)
    }

    /// People with addresses p0@example.com, p1@example.com, ….
    pub(crate) async fn people(&mut self, count: usize) -> Result<Vec<PersonId>> {
        let mut people = Vec::new();
        for i in 0..count {
            people.push(self.person(IdentifierKind::Email, &format!("p{i}@example.com")).await?);
        }
        Ok(people)
    }

    pub(crate) fn withdraw(&mut self, person: PersonId) {
        self.people.set_consent(person, "messaging=denied".parse::<Consent>().expect("a consent"));
    }

    /// Writes the table `decisions`, in three buckets.
    pub(crate) async fn decide(&self, decisions: &[Decision]) -> Result<Snapshot> {
        let spec = tables::decisions();
        let mut writer = self.lake.writer(&spec, &unit("decide", "all"))?;
        for bucket in 0..3 {
            let here: Vec<&Decision> = decisions.iter().filter(|d| d.entity.bucket(3) == bucket).collect();
            writer.write(Some(&bucket.to_string()), &decision_rows(&spec, &here)).await?;
        }
        let version = self.lake.commit(None, writer.finish().await?).await?;
        Ok(self.lake.snapshot(&spec, Some(version)).await?)
    }

    pub(crate) fn route(&self, yaml: &str) -> Route {
        let site = Site { project: self.dir.path().to_owned() };
        let config = DestinationConfig::parse(yaml, "destinations/crm.yaml").expect("a destination");
        Route::compile(&config, &site).expect("a route")
    }

    fn context(&self) -> RunContext {
        RunContext::new(1, self.now, self.now, 1)
    }

    fn job<'a>(&'a self, route: &'a Route, decisions: &'a Snapshot, prior: &'a Prior, unit: &'a Unit) -> Job<'a> {
        let (people, vault, lake) = (&self.people, &self.vault, &self.lake);
        Job { route, decisions, cycle_id: CYCLE, people, vault, prior, lake, unit }
    }

    /// Commits what a step staged.
    pub(crate) async fn commit(&mut self, staged: Vec<Staged>) -> Result<()> {
        for staged in staged {
            let name = staged.spec.name.clone();
            let base = self.versions.get(&name).copied();
            let version = self.lake.commit(base, staged).await?;
            self.versions.insert(name, version);
        }
        Ok(())
    }

    async fn table(&self, spec: TableSpec) -> Result<Snapshot> {
        Ok(self.lake.snapshot(&spec, self.versions.get(&spec.name).copied()).await?)
    }

    /// What an earlier, published attempt planned or sent.
    pub(crate) async fn prior(&self, route: &Route) -> Result<Prior> {
        Ok(Prior::read(&self.table(tables::deliveries()).await?, route.name(), CYCLE).await?)
    }

    pub(crate) async fn plan(&self, route: &Route, decisions: &Snapshot, prior: &Prior) -> Result<DeliveryPlan> {
        Ok(self.plan_staged(route, decisions, prior).await?.1)
    }

    pub(crate) async fn plan_staged(
        &self,
        route: &Route,
        decisions: &Snapshot,
        prior: &Prior,
    ) -> Result<(Vec<Staged>, DeliveryPlan)> {
        let unit = delivery_unit(route);
        let outcome = plan(&self.job(route, decisions, prior, &unit), &self.context()).await?;
        Ok((outcome.staged, outcome.plan))
    }

    pub(crate) async fn send(
        &self,
        route: &Route,
        decisions: &Snapshot,
        prior: &Prior,
        plan: &DeliveryPlan,
    ) -> std::result::Result<(Vec<Staged>, ActivateReport), ActivateError> {
        let unit = delivery_unit(route);
        let outcome = send(&self.job(route, decisions, prior, &unit), plan, &self.context()).await?;
        Ok((outcome.staged, outcome.report))
    }

    /// Plans, sends, commits.
    pub(crate) async fn deliver(&mut self, route: &Route, decisions: &Snapshot) -> Result<ActivateReport> {
        let prior = Prior::none();
        let plan = self.plan(route, decisions, &prior).await?;
        let (staged, report) = self.send(route, decisions, &prior, &plan).await?;
        self.commit(staged).await?;
        Ok(report)
    }

    /// The rows of `deliveries`, by entity; more than one row for an entity is an error.
    pub(crate) async fn fates(&self) -> Result<BTreeMap<String, Vec<Fate>>> {
        let mut fates: BTreeMap<String, Vec<Fate>> = BTreeMap::new();
        for batch in self.table(tables::deliveries()).await?.read_all(None).await? {
            let text = |name| columns::text(&batch, name);
            let (entities, statuses) = (text("entity_id")?, text("status")?);
            let (reasons, batches) = (text("reason")?, text("batch_id")?);
            for row in 0..batch.num_rows() {
                let reason = columns::text_at(reasons, row).map(str::to_owned);
                let fate = (statuses.value(row).to_owned(), reason, batches.value(row).to_owned());
                fates.entry(entities.value(row).to_owned()).or_default().push(fate);
            }
        }
        Ok(fates)
    }

    /// The rows of `receipts` as text: step, rows, digest, detail, time.
    pub(crate) async fn receipts(&self) -> Result<Vec<String>> {
        let batches = self.table(tables::receipts()).await?.read_all(None).await?;
        let mut lines = Vec::new();
        for batch in &batches {
            for row in 0..batch.num_rows() {
                let text = |name| columns::text(batch, name).map(|c| columns::text_at(c, row).unwrap_or("").to_owned());
                let (rows, at) =
                    (columns::int(batch, "rows")?.value(row), columns::time(batch, "received_at")?.value(row));
                let (step, id) = (text("step")?, text("batch_id")?);
                lines.push(format!("{id} {step} {rows} {} {} {at}", text("digest")?, text("detail")?));
            }
        }
        Ok(lines)
    }

    /// The drop of a destination: batch → (envelope, payload).
    pub(crate) fn drop_folder(&self) -> Result<BTreeMap<String, (Envelope, Vec<u8>)>> {
        let mut found = BTreeMap::new();
        let root = self.drop_path();
        if !root.exists() {
            return Ok(found);
        }
        for entry in std::fs::read_dir(root)? {
            let folder = entry?.path();
            if let Some(envelope) = Envelope::read(&folder.join("envelope.json"))? {
                let payload = std::fs::read(folder.join(&envelope.file))?;
                found.insert(envelope.batch_id.clone(), (envelope, payload));
            }
        }
        Ok(found)
    }

    pub(crate) fn drop_path(&self) -> PathBuf {
        self.dir.path().join("out/crm")
    }
}

fn unit(stage: &str, name: &str) -> Unit {
    Unit { stage: stage.into(), name: name.into(), fingerprint: "f".into(), run_seq: 1 }
}

fn delivery_unit(route: &Route) -> Unit {
    unit("activate", &Job::unit_name(route.name(), CYCLE))
}

/// A destination file with these options and fields.
pub(crate) fn destination(options: &str, fields: &str) -> String {
    format!(
        "apiVersion: throughline/v1\nkind: Destination\nname: crm_export\nadapter: file\n\
         options: {{ path: out/crm, {options} }}\npurpose: messaging\nidentifier: email\n\
         filter: \"action <> 'none'\"\nfields: {{ {fields} }}\non_stale: skip\n"
    )
}

/// The destination of the guide, as CSV.
pub(crate) fn crm() -> String {
    destination("format: csv", "email: identifier, action: action, value: expected_net_value")
}

fn decision_rows(spec: &TableSpec, rows: &[&Decision]) -> RecordBatch {
    let n = rows.len();
    let text = |f: &dyn Fn(&Decision) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|d| f(d))))
    };
    let fields = spec.file_schema.fields();
    let arrays = fields.iter().map(|field| match field.name().as_str() {
        "entity_id" => text(&|d| d.entity.to_string()),
        "cycle_id" => text(&|d| d.cycle.to_owned()),
        "action" => text(&|d| d.action.to_owned()),
        "arm" => text(&|d| d.arm.to_owned()),
        "consent" => text(&|d| d.consent.to_owned()),
        "policy_id" => text(&|_| "p".to_owned()),
        "contract_version" => text(&|_| "1.0.0".to_owned()),
        "currency" => text(&|_| "EUR".to_owned()),
        "decided_at" => columns::times(vec![Some(now().micros()); n]),
        "expires_at" => columns::times(rows.iter().map(|d| Some(now().plus_days(d.expires_in_days).micros()))),
        "expected_net_value_micros" => Arc::new(rows.iter().map(|d| d.value_micros).collect::<Int64Array>()),
        "confidence" => Arc::new(Float64Array::from(vec![0.75; n])),
        "policy_version" | "evidence_tier" => Arc::new(Int32Array::from(vec![1; n])),
        _ => new_null_array(field.data_type(), n),
    });
    RecordBatch::try_new(Arc::clone(&spec.file_schema), arrays.collect()).expect("decisions fit")
}
