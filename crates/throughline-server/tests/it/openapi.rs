//! The document of the API is what clients are built from: a change of it is a decision.

use crate::Outcome;

#[test]
fn the_document_is_the_one_on_record() -> Outcome {
    let text = serde_json::to_string_pretty(throughline_server::openapi())? + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    if std::env::var_os("THROUGHLINE_UPDATE").is_some() {
        std::fs::write(path, &text)?;
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == text, "openapi.json differs: look at the change, then run this test with THROUGHLINE_UPDATE=1");
    Ok(())
}

#[test]
fn every_operation_is_named_grouped_and_says_what_can_go_wrong() -> Outcome {
    let document = throughline_server::openapi();
    let mut names = std::collections::BTreeSet::new();
    for (path, methods) in document["paths"].as_object().ok_or("no paths")? {
        for (method, operation) in methods.as_object().ok_or("no methods")? {
            let name = operation["operationId"].as_str().unwrap_or_default();
            assert!(!name.is_empty() && names.insert(name.to_owned()), "{method} {path}: `{name}`");
            assert!(operation["tags"][0].is_string(), "{name} has no tag");
            assert!(operation["summary"].is_string() || operation["description"].is_string(), "{name} says nothing");
            assert!(operation["responses"].as_object().is_some_and(|r| !r.is_empty()), "{name} answers nothing");
        }
    }
    assert!(names.len() > 40, "{}", names.len());
    Ok(())
}
