//! Studies of a project: each command carried out, its answer kept as evidence.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use throughline_core::Diagnostic;
use throughline_evidence::EvidenceRecord;
use throughline_oneshot::{OneShotError, record};

use crate::project::{Hashed, Study};
use crate::stage::{StageContext, StageError};

/// What decides the content of every study: its file of configuration and its data, or that they are not there.
pub(super) fn inputs(context: &StageContext<'_>) -> Vec<String> {
    context.project.studies.iter().map(fingerprint).collect()
}

fn fingerprint(study: &Hashed<Study>) -> String {
    let mut hash = Sha256::new();
    hash.update(study.hash.as_bytes());
    match digest(&study.value.path, &mut hash) {
        Ok(()) => hex::encode(hash.finalize()),
        Err(error) => format!("{} unreadable: {}", study.hash, error.kind()),
    }
}

fn digest(path: &Path, hash: &mut Sha256) -> io::Result<()> {
    let (mut file, mut buffer) = (File::open(path)?, vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            n => hash.update(&buffer[..n]),
        }
    }
}

/// Carries every study out and records what it says. One that cannot be answered is told with its reason, and stops nothing.
pub(super) async fn study(context: &StageContext<'_>) -> Result<Vec<Value>, StageError> {
    let mut told = Vec::new();
    for study in &context.project.studies {
        let (name, file) = (study.value.name(), &study.file);
        match answered(study) {
            Ok(record) => {
                let value = serde_json::to_value(&record)?;
                context.ledger.record_evidence(&record.id, &value, context.wall()).await?;
                let estimate = json!({ "value": record.estimate.value, "std_error": record.estimate.std_error,
                    "set": record.estimate.set, "p_value": record.estimate.p_value, "level": record.estimate.level,
                    "n": record.estimate.n });
                told.push(json!({ "study": name, "file": file, "evidence": record.id, "design": record.design,
                    "tier": record.tier.number(), "health": record.health, "estimand": record.estimand,
                    "scope": record.scope, "estimate": estimate, "assumptions": record.assumptions,
                    "diagnostics": record.diagnostics }));
            }
            Err(found) => told.push(json!({ "study": name, "file": file, "diagnostics": found })),
        }
    }
    Ok(told)
}

fn answered(study: &Hashed<Study>) -> Result<EvidenceRecord, Vec<Diagnostic>> {
    let findings = |error: OneShotError| match error {
        OneShotError::Findings(found) => found,
        other => vec![Diagnostic::error("TL039", other.to_string()).at(&study.file, None, None)],
    };
    let answer = study.value.command().and_then(|command| command.run()).map_err(findings)?;
    let report = record::report_of(&answer.json).map_err(findings)?;
    let refused = |message: String| vec![Diagnostic::error("TL039", message).at(&study.file, None, None)];
    let design = record::design_of(&study.value.config.command.value, &report.method)
        .ok_or_else(|| refused("the command estimates no effect".into()))?;
    EvidenceRecord::from_report(study.value.about(design, &fingerprint(study)), report)
        .map_err(|error| refused(error.to_string()))
}
