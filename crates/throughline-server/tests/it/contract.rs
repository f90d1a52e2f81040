//! Every answer that these tests see is held against the API's document: its status, its media type, each of its
//! fields, and none that the document does not know.

use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::house::Answered;

static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::new);

/// What was answered well so far, by operation and status.
static SEEN: Mutex<BTreeSet<(String, u16)>> = Mutex::new(BTreeSet::new());

struct Contract {
    /// Path templates with their operations by method.
    paths: Vec<(Vec<String>, Map<String, Value>)>,
    /// The shapes, closed: a field they do not know is a fault.
    components: Value,
    validators: Mutex<HashMap<String, &'static Validator>>,
}

/// Panics where an answer is not what the document says.
#[track_caller]
pub(crate) fn check(method: &str, path: &str, answer: &Answered) {
    if let Some(fault) = CONTRACT.fault(method, path, answer) {
        panic!("{method} {path} answered {}: {fault}\n{:.600}", answer.status, answer.body);
    }
}

/// Operations that were answered with this status, in this process.
pub(crate) fn seen() -> BTreeSet<(String, u16)> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Contract {
    fn new() -> Self {
        let document = throughline_server::openapi();
        let paths = document["paths"].as_object().cloned().unwrap_or_default();
        let paths = paths.into_iter().filter_map(|(p, ms)| Some((segments(&p), ms.as_object()?.clone()))).collect();
        let mut components = document["components"].clone();
        let joined = joined_shapes(&components);
        for (name, schema) in components["schemas"].as_object_mut().into_iter().flatten() {
            close(schema, !joined.contains(name));
        }
        Self { paths, components, validators: Mutex::default() }
    }

    fn fault(&self, method: &str, path: &str, answer: &Answered) -> Option<String> {
        let operation = self.operation(method, path)?;
        let name = operation["operationId"].as_str().unwrap_or_default();
        let status = answer.status.to_string();
        let Some(response) = operation["responses"].get(&status).or_else(|| {
            // Anything but a problem must be named.
            (answer.status >= 400).then(|| &operation["responses"]["default"])
        }) else {
            return Some(format!("{name} does not say that it may answer {status}"));
        };
        let media = answer.header("content-type").split(';').next().unwrap_or_default().to_owned();
        let Some(content) = response["content"].as_object() else {
            let silent = answer.body.is_empty();
            SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert((name.to_owned(), answer.status));
            return (!silent).then(|| format!("{name} says nothing of a body"));
        };
        let Some(said) = content.get(&media) else {
            return Some(format!("{name} does not say {media:?}: {:?}", content.keys().collect::<Vec<_>>()));
        };
        SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert((name.to_owned(), answer.status));
        if !media.ends_with("json") {
            return None;
        }
        let body: Value = match serde_json::from_str(&answer.body) {
            Ok(body) => body,
            Err(error) => return Some(format!("no JSON: {error}")),
        };
        let faults: Vec<String> = self
            .validator(&said["schema"])
            .iter_errors(&body)
            .take(5)
            .map(|e| format!("{} at {}", e, e.instance_path()))
            .collect();
        (!faults.is_empty()).then(|| format!("{name}: {}", faults.join("; ")))
    }

    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let plain = path.split(['?', '#']).next().unwrap_or_default();
        let asked = segments(plain);
        let fits = |template: &[String]| {
            template.len() == asked.len() && template.iter().zip(&asked).all(|(t, a)| t.starts_with('{') || t == a)
        };
        // A literal path outranks one with a place for an id.
        let mut found: Vec<_> = self.paths.iter().filter(|(t, _)| fits(t)).collect();
        found.sort_by_key(|(t, _)| t.iter().filter(|s| s.starts_with('{')).count());
        found.first()?.1.get(&method.to_lowercase())
    }

    fn validator(&self, schema: &Value) -> &'static Validator {
        let mut known = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(schema.to_string()).or_insert_with(|| {
            let mut whole = schema.clone();
            close(&mut whole, true);
            whole["components"] = self.components.clone();
            let built = jsonschema::options().should_validate_formats(true).build(&whole).expect("a schema");
            Box::leak(Box::new(built))
        })
    }
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').map(str::to_owned).collect()
}

/// Shapes that others take in as a part of themselves, by name.
fn joined_shapes(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(fields) => {
            let parts = fields.get("allOf").and_then(Value::as_array).into_iter().flatten();
            let own = parts.filter_map(|p| p["$ref"].as_str()?.rsplit('/').next().map(str::to_owned));
            own.chain(fields.values().flat_map(joined_shapes)).collect()
        }
        Value::Array(items) => items.iter().flat_map(joined_shapes).collect(),
        _ => BTreeSet::new(),
    }
}

/// Refuses fields that a shape does not know. `closed` is false for the parts of a larger shape, which closes them all.
fn close(schema: &mut Value, closed: bool) {
    let Some(fields) = schema.as_object_mut() else { return };
    let joins = fields.contains_key("allOf");
    if closed && (joins || fields.contains_key("properties")) {
        fields.insert("unevaluatedProperties".into(), json!(false));
    }
    for (name, inner) in fields {
        match inner {
            Value::Array(parts) if name == "allOf" => parts.iter_mut().for_each(|p| close(p, false)),
            Value::Array(parts) => parts.iter_mut().for_each(|p| close(p, true)),
            Value::Object(named) if name == "properties" => named.values_mut().for_each(|p| close(p, true)),
            Value::Object(_) => close(inner, true),
            _ => {}
        }
    }
}

/// An answer with this body.
fn answered(status: u16, media: &str, body: &Value) -> Answered {
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("content-type", media.parse().expect("a media type"));
    Answered { status, headers, body: body.to_string() }
}

#[test]
fn an_answer_that_strays_from_the_document_is_noticed() {
    let problem = |more: Value| {
        let mut body =
            json!({ "type": "t", "title": "t", "status": 404, "detail": "d", "code": "TL924", "request_id": "r" });
        body.as_object_mut().expect("fields").extend(more.as_object().cloned().expect("fields"));
        body
    };
    let fault =
        |status, media: &str, body: &Value| CONTRACT.fault("GET", "/api/v1/runs/7", &answered(status, media, body));
    let typed = "application/problem+json";
    assert_eq!(fault(404, typed, &problem(json!({}))), None);
    assert!(fault(404, "application/json", &problem(json!({}))).is_some(), "another media type");
    assert!(fault(404, typed, &problem(json!({ "more": 1 }))).is_some(), "an unknown field");
    assert!(fault(404, typed, &problem(json!({ "status": "404" }))).is_some(), "another type");
    assert!(fault(404, typed, &json!({ "title": "t" })).is_some(), "fields left out");
    assert!(fault(206, typed, &json!({})).is_some(), "a status it does not name");
    let run = json!({ "run_seq": 7, "status": "succeeded", "as_of": "2026-01-01T00:00:00Z", "started_at": "2026-01-01T00:00:00Z",
        "finished_at": null, "resumed": 0, "error": null });
    let page = |run: Value| json!({ "items": [run], "next_cursor": null, "total": null });
    let listed = |run: Value| CONTRACT.fault("GET", "/api/v1/runs", &answered(200, "application/json", &page(run)));
    assert_eq!(listed(run.clone()), None);
    for (field, value) in
        [("status", json!("odd")), ("as_of", json!("yesterday")), ("run_seq", json!(1.5)), ("x", json!(1))]
    {
        let mut odd = run.clone();
        odd[field] = value;
        assert!(listed(odd).is_some(), "{field}");
    }
}
