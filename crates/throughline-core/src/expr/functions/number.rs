//! Functions on numbers. All but `abs` give Float; results that are not finite are NULL.

use super::{Param, Returns, Spec};
use crate::expr::ty::Type::Float;
use crate::expr::value::Value;

const fn float(name: &'static str, usage: &'static str, doc: &'static str, kernel: fn(&[Value]) -> Value) -> Spec {
    const PARAMS: &[Param] = &[Param::Is(Float)];
    Spec { name, params: PARAMS, optional: 0, variadic: false, returns: Returns::Is(Float), usage, doc, kernel }
}

pub(super) const TABLE: &[Spec] = &[
    Spec {
        params: &[Param::Number],
        returns: Returns::First,
        ..float("abs", "abs(x)", "Size without sign; NULL for the smallest integer.", |args| match args {
            [Value::Int(i)] => i.checked_abs().map_or(Value::Null, Value::Int),
            [Value::Float(x)] => Value::float(x.abs()),
            _ => Value::Null,
        })
    },
    Spec {
        params: &[Param::Is(Float), Param::Digits],
        optional: 1,
        ..float(
            "round",
            "round(x [, digits])",
            "Nearest number with that many decimals (0), halves away from zero.",
            round,
        )
    },
    float("floor", "floor(x)", "Largest whole number not above x.", |args| unary(args, f64::floor)),
    float("ceil", "ceil(x)", "Smallest whole number not below x.", |args| unary(args, f64::ceil)),
    float("ln", "ln(x)", "Natural logarithm; NULL unless x > 0.", |args| unary(args, f64::ln)),
    float("exp", "exp(x)", "e to the power x; NULL when too large.", |args| unary(args, f64::exp)),
    float("sqrt", "sqrt(x)", "Square root; NULL when x is negative.", |args| unary(args, f64::sqrt)),
];

fn unary(args: &[Value], f: fn(f64) -> f64) -> Value {
    if let [Value::Float(x)] = args { Value::float(f(*x)) } else { Value::Null }
}

fn round(args: &[Value]) -> Value {
    let (x, digits) = match args {
        [Value::Float(x)] => (*x, 0),
        [Value::Float(x), Value::Int(digits)] => (*x, i32::try_from(*digits).unwrap_or(0).clamp(-15, 15)),
        _ => return Value::Null,
    };
    // Powers of ten up to 15 are exact, so one rounding happens in each step.
    let scale = 10_f64.powi(digits.abs());
    let rounded = if digits >= 0 { (x * scale).round() / scale } else { (x / scale).round() * scale };
    // A number too large to be scaled has no decimals left to round.
    Value::float(if rounded.is_finite() { rounded } else { x })
}
