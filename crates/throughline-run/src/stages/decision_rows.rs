//! Decisions as rows of the canonical table.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Float64Builder, Int32Array, Int64Array, ListBuilder, RecordBatch, StringArray,
    StringBuilder, StructBuilder,
};
use arrow::datatypes::{DataType, Field, Fields};
use throughline_core::money::units_from_micros;
use throughline_decide::Decision;
use throughline_lake::{LakeError, columns, tables};

/// A decision and what the caller knows besides.
#[derive(Debug)]
pub(super) struct DecisionRow {
    pub(super) decision: Decision,
    pub(super) features: String,
    pub(super) consent: String,
    pub(super) scored_at: Option<i64>,
    pub(super) model_version: Option<i32>,
}

/// Facts shared by every row of a cycle.
#[derive(Debug)]
pub(super) struct CycleFacts<'a> {
    pub(super) policy: &'a str,
    pub(super) policy_version: i32,
    pub(super) feature_snapshot: Option<u64>,
    pub(super) decided_at: i64,
    pub(super) expires_at: i64,
    pub(super) currency: &'a str,
}

fn pairs_builder(fields: Fields) -> ListBuilder<StructBuilder> {
    let element = Arc::new(Field::new("element", DataType::Struct(fields.clone()), true));
    let columns: Vec<Box<dyn arrow::array::ArrayBuilder>> =
        vec![Box::new(StringBuilder::new()), Box::new(Float64Builder::new())];
    ListBuilder::new(StructBuilder::new(fields, columns)).with_field(element)
}

fn push_pairs<'p>(list: &mut ListBuilder<StructBuilder>, pairs: impl Iterator<Item = (&'p str, f64)>) {
    for (action, number) in pairs {
        let entry = list.values();
        if let Some(texts) = entry.field_builder::<StringBuilder>(0) {
            texts.append_value(action);
        }
        if let Some(numbers) = entry.field_builder::<Float64Builder>(1) {
            numbers.append_value(number);
        }
        entry.append(true);
    }
    list.append(true);
}

/// The rows of one bucket of a cycle.
pub(super) fn decision_rows(rows: &[DecisionRow], facts: &CycleFacts<'_>) -> Result<RecordBatch, LakeError> {
    let mut top_n = pairs_builder(tables::action_number("expected_net_value"));
    let mut probabilities = pairs_builder(tables::action_number("probability"));
    let element = Arc::new(Field::new("element", DataType::Utf8, true));
    let mut rationale = ListBuilder::new(StringBuilder::new()).with_field(element);
    for row in rows {
        let best = row.decision.top_n.iter();
        push_pairs(&mut top_n, best.map(|r| (r.action.as_str(), units_from_micros(r.expected_net_value_micros))));
        let final_rule = row.decision.action_probabilities.iter();
        push_pairs(&mut probabilities, final_rule.map(|(a, p)| (a.as_str(), *p)));
        for reason in &row.decision.rationale {
            rationale.values().append_value(reason.to_string());
        }
        rationale.append(true);
    }
    let n = rows.len();
    let text = |f: &dyn Fn(&DecisionRow) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(f).collect::<StringArray>())
    };
    let repeat = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value; n])) };
    let float = |f: &dyn Fn(&Decision) -> Option<f64>| -> ArrayRef {
        Arc::new(rows.iter().map(|r| f(&r.decision)).collect::<Float64Array>())
    };
    let int = |f: &dyn Fn(&Decision) -> Option<i64>| -> ArrayRef {
        Arc::new(rows.iter().map(|r| f(&r.decision)).collect::<Int64Array>())
    };
    let snapshot = facts.feature_snapshot.and_then(|v| i64::try_from(v).ok());
    let arrays: Vec<ArrayRef> = vec![
        text(&|r| Some(r.decision.entity.to_string())),
        text(&|r| Some(r.decision.cycle_id.clone())),
        columns::times(vec![Some(facts.decided_at); n]),
        text(&|r| Some(r.decision.action.clone())),
        Arc::new(top_n.finish()),
        float(&|d| d.score),
        text(&|_| None),
        text(&|r| serde_json::to_string(&r.decision.eligibility).ok()),
        Arc::new(rationale.finish()),
        int(&|d| Some(d.expected_net_value_micros)),
        int(&|d| d.interval_micros.map(|i| i.0)),
        int(&|d| d.interval_micros.map(|i| i.1)),
        text(&|r| r.decision.interval_absent.map(str::to_owned)),
        Arc::new(probabilities.finish()),
        text(&|r| Some(r.decision.arm.name().to_owned())),
        repeat(facts.policy),
        Arc::new(rows.iter().map(|r| r.model_version).collect::<Int32Array>()),
        Arc::new(Int64Array::from(vec![snapshot; n])),
        text(&|r| Some(r.features.clone())),
        repeat(facts.policy),
        Arc::new(Int32Array::from(vec![facts.policy_version; n])),
        Arc::new(rows.iter().map(|r| Some(i32::from(r.decision.evidence_tier.number()))).collect::<Int32Array>()),
        text(&|r| Some(r.consent.clone())),
        columns::times(rows.iter().map(|r| r.scored_at)),
        columns::times(vec![Some(facts.expires_at); n]),
        float(&|d| d.confidence),
        repeat("decisions/1"),
        repeat(facts.currency),
    ];
    Ok(RecordBatch::try_new(tables::decisions().file_schema, arrays)?)
}
