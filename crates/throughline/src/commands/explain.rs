//! `throughline explain`.

use std::process::ExitCode;

use serde_json::Value;
use throughline_core::Diagnostic;
use throughline_core::diagnostic::closest;
use throughline_run::{Project, Stores, Subject};

use super::{block_on, variables};
use crate::cli::ExplainArgs;
use crate::failure::Failure;
use crate::output::{print, print_json};

const SUBJECTS: [&str; 3] = ["decision", "conversion", "person"];

fn subject(args: &ExplainArgs) -> Result<Subject, Failure> {
    match args.what.as_str() {
        "decision" => Ok(Subject::Decision(args.id.clone())),
        "conversion" => Ok(Subject::Conversion(args.id.clone())),
        "person" => match &args.id {
            Some(id) => Ok(Subject::Person(id.clone())),
            None => Err(Failure::finding(
                Diagnostic::error("TL043", "a person needs an id").help("take an entity_id of a decision"),
            )),
        },
        other => {
            let mut finding =
                Diagnostic::error("TL044", format!("cannot explain a `{other}` (known: {})", SUBJECTS.join(", ")));
            if let Some(close) = closest(other, SUBJECTS) {
                finding = finding.help(format!("did you mean `{close}`?"));
            }
            Err(Failure::finding(finding))
        }
    }
}

/// Walks the thread behind a subject.
pub(super) fn explain(args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let subject = subject(args)?;
    let project = Project::load(&args.project, variables(&[]))?;
    let answer = block_on(async {
        let stores = Stores::open(&project).await?;
        let mut answer = throughline_run::explain(&project, &stores, &subject).await?;
        if let Subject::Person(id) = &subject
            && let Ok(person) = id.parse()
        {
            answer["evidence"] = throughline_run::person_links(&stores, person).await?;
        }
        Ok::<_, throughline_run::RunError>(answer)
    })??;
    if args.json {
        print_json(&answer)?;
    } else {
        let mut text = String::new();
        outline(&answer, 0, &mut text);
        print(text.trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// An indented outline of a JSON value.
fn outline(value: &Value, depth: usize, out: &mut String) {
    let pad = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                match inner {
                    Value::Object(m) if m.is_empty() => {}
                    Value::Array(a) if a.is_empty() => out.push_str(&format!("{pad}{key}: none\n")),
                    Value::Object(_) => {
                        out.push_str(&format!("{pad}{key}\n"));
                        outline(inner, depth + 1, out);
                    }
                    Value::Array(items) if items.iter().any(|i| i.is_object() || i.is_array()) => {
                        out.push_str(&format!("{pad}{key}\n"));
                        for item in items {
                            out.push_str(&format!("{pad}  - {}\n", one_line(item)));
                        }
                    }
                    other => out.push_str(&format!("{pad}{key}: {}\n", one_line(other))),
                }
            }
        }
        other => out.push_str(&format!("{pad}{}\n", one_line(other))),
    }
}

fn one_line(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Array(items) => items.iter().map(one_line).collect::<Vec<_>>().join(", "),
        Value::Object(map) => {
            let shown = map.iter().filter(|(_, v)| !v.is_null());
            shown.map(|(k, v)| format!("{k} {}", one_line(v))).collect::<Vec<_>>().join(" · ")
        }
        other => other.to_string(),
    }
}
