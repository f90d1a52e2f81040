//! Functions that choose among values of one type.

use std::cmp::Ordering;

use super::{Param, Returns, Spec};
use crate::expr::value::Value;

const fn choice(
    name: &'static str,
    params: &'static [Param],
    usage: &'static str,
    doc: &'static str,
    kernel: fn(&[Value]) -> Value,
) -> Spec {
    Spec { name, params, optional: 0, variadic: params.len() == 1, returns: Returns::First, usage, doc, kernel }
}

pub(super) const TABLE: &[Spec] = &[
    choice("coalesce", &[Param::Same], "coalesce(a, …)", "The first argument that is not NULL.", |args| {
        args.iter().find(|v| !v.is_null()).cloned().unwrap_or_default()
    }),
    choice("nullif", &[Param::Same, Param::Same], "nullif(a, b)", "NULL when a = b, else a.", |args| match args {
        [a, b] if a.compare(b) != Some(Ordering::Equal) => a.clone(),
        _ => Value::Null,
    }),
    choice("least", &[Param::Same], "least(a, …)", "The smallest argument; NULL ones are passed over.", |args| {
        extreme(args, Ordering::Less)
    }),
    choice("greatest", &[Param::Same], "greatest(a, …)", "The largest argument; NULL ones are passed over.", |args| {
        extreme(args, Ordering::Greater)
    }),
];

fn extreme(args: &[Value], wanted: Ordering) -> Value {
    let mut best = &Value::Null;
    for value in args {
        if !value.is_null() && (best.is_null() || value.compare(best) == Some(wanted)) {
            best = value;
        }
    }
    best.clone()
}
