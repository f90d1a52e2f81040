//! The API's document: what the routes say of themselves, and what holds for all of them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

/// How the document names a shape.
const SCHEMA: &str = "#/components/schemas/";
/// The media type of problem documents.
const PROBLEM_TYPE: &str = "application/problem+json";

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let drawn = super::routes().split_for_parts().1;
    // A document that cannot be written is empty, and the test that compares it fails.
    complete(serde_json::to_value(drawn).unwrap_or_default())
});

/// The document, made once.
pub(crate) fn document() -> &'static Value {
    &DOCUMENT
}

/// Adds to a document what the macros cannot know.
///
/// - Problems have a media type of their own (RFC 9457), and every operation may answer with one it does not name.
/// - What can be read can be asked for on condition, and then may be answered by "not changed".
/// - An answer carries each of its fields: a value that may be null is never left out, unless its shape says so. What
///   is asked may leave them out.
fn complete(mut document: Value) -> Value {
    let asked = shapes_asked(&document);
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        for (name, schema) in schemas {
            if !asked.contains(name) {
                require_nullable(schema);
            }
        }
    }
    for (get, operation) in operations(&mut document) {
        let Some(responses) = operation["responses"].as_object_mut() else { continue };
        let problem = json!({ "schema": { "$ref": format!("{SCHEMA}Problem") } });
        for (status, response) in responses.iter_mut() {
            if !status.starts_with(['4', '5']) {
                continue;
            }
            if let Some(content) = response["content"].as_object_mut() {
                let shape = content.remove("application/json").unwrap_or_else(|| problem.clone());
                content.insert(PROBLEM_TYPE.to_owned(), shape);
            }
        }
        if get && responses.get("200").is_some_and(|ok| ok["content"]["application/json"].is_object()) {
            responses
                .entry("304")
                .or_insert(json!({ "description": "Not changed since the entity tag that was sent" }));
        }
        let other = json!({ "description": "Any other problem", "content": { PROBLEM_TYPE: problem } });
        responses.entry("default").or_insert(other);
    }
    document
}

/// All operations, and whether each only reads.
fn operations(document: &mut Value) -> Vec<(bool, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    let methods = paths.filter_map(Value::as_object_mut).flatten();
    methods
        .filter(|(_, operation)| operation.is_object())
        .map(|(method, operation)| (method == "get", operation))
        .collect()
}

/// Names of the shapes that bodies of requests are made of.
fn shapes_asked(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().into_iter().flat_map(Map::values);
    let bodies = paths.filter_map(Value::as_object).flat_map(Map::values).map(|operation| &operation["requestBody"]);
    let mut open: Vec<String> = bodies.flat_map(names_in).collect();
    let mut asked = BTreeSet::new();
    while let Some(name) = open.pop() {
        if asked.insert(name.clone()) {
            open.extend(names_in(&document["components"]["schemas"][&name]));
        }
    }
    asked
}

/// Names of the shapes a value refers to.
fn names_in(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix(SCHEMA));
            own.map(str::to_owned).into_iter().chain(fields.values().flat_map(names_in)).collect()
        }
        Value::Array(items) => items.iter().flat_map(names_in).collect(),
        _ => Vec::new(),
    }
}

/// Makes fields that may be null required, in a shape and in what it is made of.
fn require_nullable(schema: &mut Value) {
    let nullable: Vec<Value> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, field)| may_be_null(field))
        .map(|(name, _)| Value::from(name.as_str()))
        .collect();
    if let (false, Some(fields)) = (nullable.is_empty(), schema.as_object_mut()) {
        let required = fields.entry("required").or_insert_with(|| json!([]));
        if let Some(required) = required.as_array_mut() {
            let missing: Vec<Value> = nullable.into_iter().filter(|name| !required.contains(name)).collect();
            required.extend(missing);
        }
    }
    for part in ["allOf", "oneOf", "anyOf"] {
        schema.get_mut(part).and_then(Value::as_array_mut).into_iter().flatten().for_each(require_nullable);
    }
    for inner in ["items", "additionalProperties"] {
        schema.get_mut(inner).into_iter().for_each(require_nullable);
    }
    schema
        .get_mut("properties")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(Map::values_mut)
        .for_each(require_nullable);
}

fn may_be_null(field: &Value) -> bool {
    let null = |v: &Value| v == "null" || v["type"] == "null";
    let listed = |v: &Value| v.as_array().is_some_and(|all| all.iter().any(null));
    listed(&field["type"]) || listed(&field["oneOf"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_answered_is_whole_and_what_is_asked_may_leave_out() {
        let shape = || {
            json!({ "type": "object", "required": ["a"], "properties": {
            "a": { "type": "string" }, "b": { "type": ["string", "null"] }, "c": { "type": "string" },
            "d": { "oneOf": [{ "$ref": "#/components/schemas/Part" }, { "type": "null" }] } } })
        };
        let refer = |name: &str| json!({ "content": { "application/json": { "schema": { "$ref": format!("{SCHEMA}{name}") } } } });
        let document = complete(json!({
            "paths": { "/x": { "post": { "requestBody": refer("Asked"), "responses": { "200": refer("Answered"), "404": refer("Problem") } } } },
            "components": { "schemas": { "Asked": shape(), "Answered": shape(), "Part": shape(), "Alone": shape() } }
        }));
        let required = |name: &str| document["components"]["schemas"][name]["required"].clone();
        assert_eq!(required("Answered"), json!(["a", "b", "d"]));
        assert_eq!(required("Alone"), json!(["a", "b", "d"]));
        assert_eq!((required("Asked"), required("Part")), (json!(["a"]), json!(["a"])), "parts of what is asked too");
        let responses = &document["paths"]["/x"]["post"]["responses"];
        assert!(responses["200"]["content"]["application/json"].is_object());
        assert!(
            responses["404"]["content"][PROBLEM_TYPE].is_object()
                && responses["404"]["content"]["application/json"].is_null()
        );
        assert!(responses["default"]["content"][PROBLEM_TYPE]["schema"]["$ref"].is_string());
    }
}
