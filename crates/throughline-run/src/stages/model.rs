//! Stage 7: whom does an action change? One unit a policy: fit on one part of the experiment's people, evaluate on the
//! other, score everybody.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Float64Array, Int32Array, RecordBatch, StringArray};
use async_trait::async_trait;
use serde_json::{Value, json};
use throughline_core::{Diagnostic, Level, PersonId};
use throughline_lake::{TableWriter, Unit, columns, tables};
use throughline_ledger::NewArtefact;
use throughline_uplift::{Artefact, Effects, Encoder, Scored, Training, content_hash, evaluate, uplift_model};

use super::training::{FeatureSet, Label, feature_set, labels_of};
use crate::error::RunError;
use crate::project::CompiledPolicy;
use crate::stage::{Stage, StageContext, StageError, StageOutput, UnitPlan};

#[derive(Debug)]
pub(super) struct Model;

/// Whether a person is in the part a policy's model learns from.
pub(super) fn is_training(policy: &CompiledPolicy, person: PersonId) -> bool {
    person.unit_interval(&format!("{}/fold", policy.name())) < policy.config.model.train_share.get()
}

/// The policy of a unit.
pub(super) fn policy_of<'a>(context: &'a StageContext<'_>, name: &str) -> Result<&'a CompiledPolicy, StageError> {
    let policies = &context.project.policies;
    policies.iter().map(|p| &p.value).find(|p| p.name() == name).ok_or_else(|| {
        let known = policies.iter().map(|p| p.value.name()).collect::<Vec<_>>().join(", ");
        RunError::NotFound { what: "policy", name: name.to_owned(), help: format!("known: {known}") }.into()
    })
}

#[async_trait]
impl Stage for Model {
    fn name(&self) -> &'static str {
        "model"
    }

    fn version(&self) -> u32 {
        1
    }

    fn reads(&self) -> &'static [&'static str] {
        &["features", "labels"]
    }

    fn writes(&self) -> &'static [&'static str] {
        &["scores"]
    }

    fn depends_on_as_of(&self) -> bool {
        true
    }

    async fn units(&self, context: &StageContext<'_>) -> Result<Vec<UnitPlan>, StageError> {
        let unit = |p: &crate::project::Hashed<CompiledPolicy>| UnitPlan {
            name: p.value.name().to_owned(),
            inputs: vec![p.hash.clone()],
        };
        Ok(context.project.policies.iter().map(unit).collect())
    }

    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError> {
        let policy = policy_of(context, &unit.name)?;
        context.run.progress.start("model", None);
        let experiment = &context.project.experiments[policy.experiment].value;
        let name = &experiment.config.name.value;
        let labels = labels_of(context, name, policy.outcome).await?;
        let all = feature_set(context, &format!("train:{name}"), None).await?;
        let labelled: Vec<bool> = all.people.iter().map(|p| labels.contains_key(p)).collect();
        let all = all.filter(&labelled);
        let fold: Vec<bool> = all.people.iter().map(|p| is_training(policy, *p)).collect();
        let (training, evaluation) = (all.filter(&fold), all.filter(&fold.iter().map(|f| !f).collect::<Vec<_>>()));
        let arms = arm_names(experiment);
        let label_of = |p: &PersonId| &labels[p];
        let (artefact, mut diagnostics) = fit(policy, &arms, &training, &label_of)?;
        let version = store(context, policy, &artefact).await?;

        let spec = tables::scores();
        let mut writer = context.lake.writer(&spec, unit)?;
        let scorer = Scorer { context, policy, artefact: &artefact, version };
        let features = throughline_features::features_table(&context.project.features.value);
        for bucket in context.read(&features).await?.partitions() {
            let people = feature_set(context, "score", Some(&bucket)).await?;
            scorer.write(&mut writer, &bucket, "score", &people).await?;
            let held_out = in_bucket(&evaluation, &bucket, context.project.config.value.buckets);
            scorer.write(&mut writer, &bucket, "evaluate", &held_out).await?;
        }
        let evaluations = if evaluation.people.is_empty() {
            Vec::new()
        } else {
            let (effects, found) = artefact.score(&evaluation.raw())?;
            diagnostics.extend(found);
            evaluate_arms(&arms[0], &effects, &evaluation, &label_of)?
        };
        let summary = format!("{} people learned from, {} evaluated", training.people.len(), evaluation.people.len());
        context.run.progress.finish("model", &summary);
        let metrics = json!({
            "policy": policy.name(),
            "model": policy.config.model.name,
            "version": version,
            "content_hash": content_hash(&artefact.to_bytes()?),
            "experiment": name,
            "outcome": policy.config.model.outcome.value,
            "training_rows": training.people.len(),
            "evaluation_rows": evaluation.people.len(),
            "evaluations": evaluations,
            "diagnostics": diagnostics,
        });
        Ok(StageOutput { staged: vec![writer.finish().await?], metrics })
    }
}

/// The arms of an experiment, the control first.
fn arm_names(experiment: &throughline_features::CompiledExperiment) -> Vec<String> {
    let control = &experiment.config.control.value;
    let others = experiment.config.arms.keys().filter(|a| *a != control);
    std::iter::once(control).chain(others).cloned().collect()
}

fn fit<'l>(
    policy: &CompiledPolicy,
    arms: &[String],
    training: &FeatureSet,
    label_of: &impl Fn(&PersonId) -> &'l Label,
) -> Result<(Artefact, Vec<Diagnostic>), StageError> {
    let raw = training.raw();
    let (encoder, mut diagnostics) = Encoder::fit(&raw)?;
    let (matrix, found) = encoder.transform(&raw)?;
    diagnostics.extend(found);
    let outcome: Vec<f64> = training.people.iter().map(|p| label_of(p).outcome).collect();
    let arm: Vec<u32> = training
        .people
        .iter()
        .map(|p| arms.iter().position(|a| *a == label_of(p).arm).and_then(|i| u32::try_from(i).ok()).unwrap_or(0))
        .collect();
    let (data, found) = Training::new(&matrix, &outcome, &arm, arms, None)?;
    diagnostics.extend(found);
    let model = (uplift_model(&policy.config.model.name)?.build)(&policy.config.model.params)?;
    let (fitted, found) = model.fit(&data)?;
    diagnostics.extend(found);
    Ok((Artefact { encoder, model: fitted }, diagnostics))
}

/// Keeps the model under its content hash and registers it. The file is written whole or not at all.
async fn store(context: &StageContext<'_>, policy: &CompiledPolicy, artefact: &Artefact) -> Result<u32, StageError> {
    let bytes = artefact.to_bytes()?;
    let hash = content_hash(&bytes);
    let folder = context.project.state_dir().join("models");
    std::fs::create_dir_all(&folder).map_err(RunError::io("create", &folder))?;
    let path = folder.join(format!("{hash}.json"));
    let part = folder.join(format!("{hash}.part"));
    std::fs::write(&part, &bytes).map_err(RunError::io("write", &part))?;
    std::fs::rename(&part, &path).map_err(RunError::io("write", &path))?;
    let metadata = json!({
        "policy": policy.name(),
        "owner": policy.config.owner,
        "model": policy.config.model.name,
        "outcome": policy.config.model.outcome.value,
        "bytes": bytes.len(),
    });
    let new = NewArtefact {
        kind: "model",
        name: policy.name(),
        content_hash: &hash,
        metadata: &metadata,
        now: context.wall(),
    };
    Ok(context.ledger.register(new).await?.version)
}

fn in_bucket(set: &FeatureSet, bucket: &str, buckets: u32) -> FeatureSet {
    let keep: Vec<bool> = set.people.iter().map(|p| p.bucket(buckets).to_string() == bucket).collect();
    set.filter(&keep)
}

struct Scorer<'a> {
    context: &'a StageContext<'a>,
    policy: &'a CompiledPolicy,
    artefact: &'a Artefact,
    version: u32,
}

impl Scorer<'_> {
    async fn write(
        &self,
        writer: &mut TableWriter,
        bucket: &str,
        fold: &str,
        people: &FeatureSet,
    ) -> Result<(), StageError> {
        if people.people.is_empty() {
            return Ok(());
        }
        let (effects, _) = self.artefact.score(&people.raw())?;
        let n = people.people.len();
        let run = &self.context.run;
        #[expect(clippy::cast_possible_truncation, reason = "hours of a model's life")]
        let life = (self.policy.config.model.expires_after_hours * 3.6e9) as i64;
        for arm in &effects.arms {
            let repeat = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; n])) };
            let arrays: Vec<ArrayRef> = vec![
                Arc::new(BinaryArray::from_iter_values(people.people.iter().map(|p| p.0))),
                repeat(self.policy.name()),
                Arc::new(Int32Array::from(vec![i32::try_from(self.version).unwrap_or(i32::MAX); n])),
                repeat(&arm.arm),
                Arc::new(Float64Array::from(arm.effect.clone())),
                Arc::new(Float64Array::from(effects.mu_control.clone())),
                repeat(fold),
                columns::times(vec![Some(run.as_of.micros()); n]),
                columns::times(vec![Some(run.as_of.plus_micros(life).micros()); n]),
            ];
            let rows = RecordBatch::try_new(tables::scores().file_schema, arrays)?;
            writer.write(Some(bucket), &rows).await?;
            run.progress.advance("model", n as u64);
        }
        Ok(())
    }
}

/// Each arm against the control, on people the model has not seen.
fn evaluate_arms<'l>(
    control: &str,
    effects: &Effects,
    people: &FeatureSet,
    label_of: &impl Fn(&PersonId) -> &'l Label,
) -> Result<Vec<Value>, StageError> {
    let mut out = Vec::new();
    for arm in &effects.arms {
        let (mut score, mut treated, mut outcome) = (Vec::new(), Vec::new(), Vec::new());
        for (person, effect) in people.people.iter().zip(&arm.effect) {
            let label = label_of(person);
            if label.arm == arm.arm || label.arm == control {
                score.push(*effect);
                treated.push(label.arm == arm.arm);
                outcome.push(label.outcome);
            }
        }
        if !treated.iter().any(|t| *t) || treated.iter().all(|t| *t) {
            continue;
        }
        let evaluation = evaluate(&Scored::new(&score, &treated, &outcome)?, Level::P95)?;
        let tenths: Vec<Value> = evaluation
            .tenths
            .iter()
            .map(|t| {
                json!({ "tenth": t.tenth, "promised": t.mean_score, "treated": t.treated, "control": t.control,
                        "effect": t.effect })
            })
            .collect();
        out.push(json!({
            "arm": arm.arm,
            "n": evaluation.n,
            "overall": evaluation.overall,
            "tenths": tenths,
            "top_less_bottom": evaluation.top_less_bottom,
            "verdict": format!("{:?}", evaluation.verdict),
        }));
    }
    Ok(out)
}
