//! The tables of the line, in its order.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

use crate::spec::{PartitionColumn, TableSpec};

/// Microseconds since the epoch, UTC.
pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn required(name: &str, kind: DataType) -> Field {
    Field::new(name, kind, false)
}

fn optional(name: &str, kind: DataType) -> Field {
    Field::new(name, kind, true)
}

fn text(name: &str) -> Field {
    optional(name, DataType::Utf8)
}

fn list_of(name: &str, item: DataType) -> Field {
    optional(name, DataType::List(Arc::new(Field::new("element", item, true))))
}

/// A pair (action, number) as used in lists of the canonical table.
pub fn action_number(number: &'static str) -> Fields {
    Fields::from(vec![text("action"), optional(number, DataType::Float64)])
}

/// The columns that events and the timeline share, after their keys.
fn signal_columns() -> Vec<Field> {
    vec![
        required("source", DataType::Utf8),
        required("source_event_id", DataType::Utf8),
        required("revision", DataType::Int64),
        required("kind", DataType::Utf8),
        text("name"),
        required("occurred_at", timestamp()),
        required("available_at", timestamp()),
        required("ingested_at", timestamp()),
        text("channel"),
        text("campaign"),
        text("ad"),
        text("geo"),
        text("device"),
        optional("cost_micros", DataType::Int64),
        optional("value_micros", DataType::Int64),
        text("currency"),
        text("properties"),
        required("consent", DataType::Utf8),
    ]
}

/// Standardised signals, by UTC date of occurrence. Subjects are random tokens only.
pub fn events() -> TableSpec {
    let mut fields = signal_columns();
    fields.push(list_of("tokens", DataType::Binary));
    TableSpec::new("events", 1, fields, Some(PartitionColumn::Text("date")), "one standardised signal")
}

/// What a source says about somebody: names, addresses, dates. The texts are sealed in the vault under `profile_token`.
pub fn profiles() -> TableSpec {
    let fields = vec![
        required("source", DataType::Utf8),
        required("token", DataType::Binary),
        required("profile_token", DataType::Binary),
        required("occurred_at", timestamp()),
        required("available_at", timestamp()),
        required("consent", DataType::Utf8),
    ];
    TableSpec::new("profiles", 1, fields, None, "what a source said about the holder of an identifier")
}

/// What was spent where, by business date of the account, and since version 2 what the platform claims for it, in millionths.
pub fn spend() -> TableSpec {
    let fields = vec![
        required("source", DataType::Utf8),
        required("source_row_id", DataType::Utf8),
        required("revision", DataType::Int64),
        text("channel"),
        text("campaign"),
        text("geo"),
        required("cost_micros", DataType::Int64),
        required("currency", DataType::Utf8),
        optional("impressions", DataType::Int64),
        optional("clicks", DataType::Int64),
        required("ingested_at", timestamp()),
        optional("reported_conversions_micros", DataType::Int64),
        optional("reported_value_micros", DataType::Int64),
    ];
    TableSpec::new("spend", 2, fields, Some(PartitionColumn::Text("date")), "cost of one campaign on one business date")
}

/// Rows that could not be used, with the reason; the raw row is sealed in the vault under `raw_token`.
pub fn quarantine() -> TableSpec {
    let fields = vec![
        required("source", DataType::Utf8),
        required("file", DataType::Utf8),
        required("line", DataType::Int64),
        required("code", DataType::Utf8),
        required("reason", DataType::Utf8),
        optional("raw_token", DataType::Binary),
        required("ingested_at", timestamp()),
    ];
    TableSpec::new("quarantine", 1, fields, None, "one refused row and why")
}

/// Evidence that two tokens belong to one person.
pub fn links() -> TableSpec {
    let fields = vec![
        required("token", DataType::Binary),
        required("other_token", DataType::Binary),
        required("method", DataType::Utf8),
        required("source", DataType::Utf8),
        required("observations", DataType::Int64),
        required("first_seen_at", timestamp()),
    ];
    TableSpec::new("links", 1, fields, None, "one observed link between two identifiers")
}

/// Pairs of profiles that may be of one person, and what became of them.
pub fn matches() -> TableSpec {
    let fields = vec![
        required("token", DataType::Binary),
        required("other_token", DataType::Binary),
        required("source", DataType::Utf8),
        required("other_source", DataType::Utf8),
        required("probability", DataType::Float64),
        required("weight_bits", DataType::Float64),
        optional("margin_bits", DataType::Float64),
        required("levels", DataType::Utf8),
        required("outcome", DataType::Utf8),
        required("reason", DataType::Utf8),
        text("weights"),
    ];
    TableSpec::new("matches", 2, fields, None, "one pair of profiles that may be of one person")
}

/// Token → person, with validity.
pub fn persons() -> TableSpec {
    let fields = vec![
        required("token", DataType::Binary),
        required("person_id", DataType::Binary),
        required("valid_from", timestamp()),
    ];
    TableSpec::new("persons", 1, fields, None, "one identifier of a person")
}

/// Who became whom: merges and splits, and ids of which nothing is left, run by run.
pub fn person_changes() -> TableSpec {
    let fields = vec![
        required("old_person_id", DataType::Binary),
        required("new_person_id", DataType::Binary),
        required("change", DataType::Utf8),
        required("changed_at", timestamp()),
    ];
    TableSpec::new("person_changes", 1, fields, None, "one change of a person's id")
}

/// Events by person bucket, sorted by person and time, each event once.
pub fn timeline() -> TableSpec {
    let mut fields = vec![required("person_id", DataType::Binary)];
    fields.extend(signal_columns());
    TableSpec::new("timeline", 1, fields, Some(PartitionColumn::Int("bucket")), "one signal of one person")
}

/// Ordered touches of a person that end in a conversion or in none. Since version 2 with what credit is broken down by: the
/// month of the person's first signal (`cohort`), place and device of the conversion (of the last kept touch where it has
/// none), and the configuration that built it. Since version 3 with the person's `segments` at its end, as `name=value`.
pub fn journeys() -> TableSpec {
    let fields = vec![
        required("journey_id", DataType::Utf8),
        required("person_id", DataType::Binary),
        text("conversion"),
        text("conversion_event_id"),
        required("converted", DataType::Boolean),
        required("ended_at", timestamp()),
        optional("value_micros", DataType::Int64),
        text("currency"),
        required("touches", DataType::Int32),
        list_of("path", DataType::Utf8),
        optional("started_at", timestamp()),
        text("cohort"),
        text("geo"),
        text("device"),
        text("config_id"),
        list_of("segments", DataType::Utf8),
    ];
    TableSpec::new("journeys", 3, fields, Some(PartitionColumn::Int("bucket")), "one journey")
}

/// Every touch considered for a journey, kept or dropped, and by which rule.
pub fn touches() -> TableSpec {
    let fields = vec![
        required("journey_id", DataType::Utf8),
        required("person_id", DataType::Binary),
        required("position", DataType::Int32),
        required("source", DataType::Utf8),
        required("source_event_id", DataType::Utf8),
        required("kind", DataType::Utf8),
        required("channel", DataType::Utf8),
        text("campaign"),
        required("occurred_at", timestamp()),
        required("session", DataType::Int32),
        required("kept", DataType::Boolean),
        required("rule", DataType::Utf8),
        text("interaction"),
        text("ad"),
        text("geo"),
        text("device"),
    ];
    TableSpec::new("touches", 2, fields, Some(PartitionColumn::Int("bucket")), "one touch considered for a journey")
}

/// Credit by model, conversion and channel, with intervals at `level` and, since version 2, inner ones at one half. Since version 3
/// with the share of all credit, with what supports a credit that is scaled to evidence, and with the share of the variance of
/// conversions that comes from not knowing who is whom. Since version 4 with conversions and value for one more unit of spend
/// (`marginal_*`), or why there are none.
pub fn credits() -> TableSpec {
    let mut fields = vec![
        required("model", DataType::Utf8),
        required("conversion", DataType::Utf8),
        required("channel", DataType::Utf8),
    ];
    for name in [
        "conversions",
        "conversions_low",
        "conversions_high",
        "value",
        "value_low",
        "value_high",
        "removal_effect",
        "level",
    ] {
        fields.push(optional(name, DataType::Float64));
    }
    fields.push(text("currency"));
    fields.push(optional("spend_micros", DataType::Int64));
    fields.push(required("interval_method", DataType::Utf8));
    fields.push(required("evidence_tier", DataType::Int32));
    for name in ["conversions_inner_low", "conversions_inner_high", "value_inner_low", "value_inner_high"] {
        fields.push(optional(name, DataType::Float64));
    }
    for name in ["share", "share_low", "share_high"] {
        fields.push(optional(name, DataType::Float64));
    }
    fields.push(text("support"));
    for name in ["identity_share", "identity_share_low", "identity_share_high"] {
        fields.push(optional(name, DataType::Float64));
    }
    for what in ["marginal_conversions", "marginal_value"] {
        fields.push(optional(what, DataType::Float64));
        for end in ["low", "high"] {
            fields.push(optional(&format!("{what}_{end}"), DataType::Float64));
        }
    }
    fields.push(text("marginal_absent"));
    TableSpec::new("credits", 4, fields, None, "credit of one channel under one model")
}

/// Credit by model, conversion, channel and what a touch or journey is: campaign, place, device, cohort, day, month.
pub fn credit_cells() -> TableSpec {
    let mut fields = vec![
        required("model", DataType::Utf8),
        required("conversion", DataType::Utf8),
        required("dimension", DataType::Utf8),
        required("item", DataType::Utf8),
        required("channel", DataType::Utf8),
    ];
    for what in ["conversions", "value"] {
        fields.push(optional(what, DataType::Float64));
        for end in ["low", "high", "inner_low", "inner_high"] {
            fields.push(optional(&format!("{what}_{end}"), DataType::Float64));
        }
    }
    fields.push(optional("level", DataType::Float64));
    fields.push(text("currency"));
    fields.push(optional("spend_micros", DataType::Int64));
    TableSpec::new("credit_cells", 1, fields, None, "credit of one channel and item under one model")
}

/// Effects of actions on people, by model version.
pub fn scores() -> TableSpec {
    let fields = vec![
        required("person_id", DataType::Binary),
        required("model_id", DataType::Utf8),
        required("model_version", DataType::Int32),
        required("arm", DataType::Utf8),
        optional("effect", DataType::Float64),
        optional("base", DataType::Float64),
        required("fold", DataType::Utf8),
        required("scored_at", timestamp()),
        required("expires_at", timestamp()),
    ];
    TableSpec::new("scores", 1, fields, Some(PartitionColumn::Int("bucket")), "one person's effect of one arm")
}

/// The canonical output: one row per entity per scoring cycle.
pub fn decisions() -> TableSpec {
    let structs = |number| DataType::Struct(action_number(number));
    let fields = vec![
        required("entity_id", DataType::Utf8),
        required("cycle_id", DataType::Utf8),
        required("decided_at", timestamp()),
        required("action", DataType::Utf8),
        list_of("top_n", structs("expected_net_value")),
        optional("score", DataType::Float64),
        text("segment"),
        text("eligibility"),
        list_of("rationale", DataType::Utf8),
        optional("expected_net_value_micros", DataType::Int64),
        optional("expected_net_value_low_micros", DataType::Int64),
        optional("expected_net_value_high_micros", DataType::Int64),
        text("interval_note"),
        list_of("action_probabilities", structs("probability")),
        required("arm", DataType::Utf8),
        text("model_id"),
        optional("model_version", DataType::Int32),
        optional("feature_snapshot", DataType::Int64),
        text("feature_values"),
        required("policy_id", DataType::Utf8),
        required("policy_version", DataType::Int32),
        required("evidence_tier", DataType::Int32),
        required("consent", DataType::Utf8),
        optional("scored_at", timestamp()),
        required("expires_at", timestamp()),
        optional("confidence", DataType::Float64),
        required("contract_version", DataType::Utf8),
        required("currency", DataType::Utf8),
    ];
    TableSpec::new("decisions", 1, fields, Some(PartitionColumn::Int("bucket")), "one decision about one person")
}

/// What was sent where.
pub fn deliveries() -> TableSpec {
    let fields = vec![
        required("batch_id", DataType::Utf8),
        required("idempotency_key", DataType::Utf8),
        required("destination", DataType::Utf8),
        required("entity_id", DataType::Utf8),
        required("cycle_id", DataType::Utf8),
        required("action", DataType::Utf8),
        required("status", DataType::Utf8),
        text("reason"),
        required("planned_at", timestamp()),
    ];
    TableSpec::new("deliveries", 1, fields, None, "the fate of one decision at one destination")
}

/// Answers along the chain: exported, accepted, processed, matched, delivered, outcome.
pub fn receipts() -> TableSpec {
    let fields = vec![
        required("batch_id", DataType::Utf8),
        required("destination", DataType::Utf8),
        required("step", DataType::Utf8),
        required("rows", DataType::Int64),
        required("digest", DataType::Utf8),
        text("detail"),
        required("received_at", timestamp()),
    ];
    TableSpec::new("receipts", 1, fields, None, "one answer of a destination about one batch")
}

/// Volumes, freshness and null rates per table and run.
pub fn health() -> TableSpec {
    let fields = vec![
        required("run_seq", DataType::Int64),
        required("metric", DataType::Utf8),
        required("scope", DataType::Utf8),
        optional("value", DataType::Float64),
        optional("previous", DataType::Float64),
        required("status", DataType::Utf8),
        text("note"),
        required("observed_at", timestamp()),
    ];
    TableSpec::new("health", 1, fields, None, "one observation of one metric")
}

/// Every table with fixed columns, in the order of the line.
pub fn all() -> Vec<TableSpec> {
    vec![
        events(),
        profiles(),
        spend(),
        quarantine(),
        links(),
        matches(),
        persons(),
        person_changes(),
        timeline(),
        journeys(),
        touches(),
        credits(),
        credit_cells(),
        scores(),
        decisions(),
        deliveries(),
        receipts(),
        health(),
    ]
}
