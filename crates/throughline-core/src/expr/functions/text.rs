//! Functions on text. Positions and lengths count Unicode scalar values.

use super::{Param, Returns, Spec};
use crate::expr::cast;
use crate::expr::limits::MAX_TEXT_BYTES;
use crate::expr::ty::Type::{Bool, Float, Int, Text};
use crate::expr::value::Value;

const T: Param = Param::Is(Text);
const I: Param = Param::Is(Int);

const fn spec(
    name: &'static str,
    params: &'static [Param],
    returns: Returns,
    usage: &'static str,
    doc: &'static str,
    kernel: fn(&[Value]) -> Value,
) -> Spec {
    Spec { name, params, optional: 0, variadic: false, returns, usage, doc, kernel }
}

pub(super) const TABLE: &[Spec] = &[
    spec("lower", &[T], Returns::Is(Text), "lower(text)", "Lower case (Unicode).", |args| match args {
        [Value::Text(t)] => Value::made_text(t.to_lowercase()),
        _ => Value::Null,
    }),
    spec("upper", &[T], Returns::Is(Text), "upper(text)", "Upper case (Unicode).", |args| match args {
        [Value::Text(t)] => Value::made_text(t.to_uppercase()),
        _ => Value::Null,
    }),
    spec(
        "trim",
        &[T],
        Returns::Is(Text),
        "trim(text)",
        "Without white space (Unicode) at both ends.",
        |args| match args {
            [Value::Text(t)] => Value::made_text(t.trim()),
            _ => Value::Null,
        },
    ),
    spec("length", &[T], Returns::Is(Int), "length(text)", "Number of characters.", |args| match args {
        [Value::Text(t)] => i64::try_from(t.chars().count()).map_or(Value::Null, Value::Int),
        _ => Value::Null,
    }),
    Spec {
        variadic: true,
        ..spec("concat", &[T], Returns::Is(Text), "concat(text, …)", "All texts joined; NULL counts as empty.", concat)
    },
    Spec {
        optional: 1,
        ..spec(
            "substr",
            &[T, I, I],
            Returns::Is(Text),
            "substr(text, start [, length])",
            "The characters from position start (the first is 1); positions before 1 are empty but count in length; \
             NULL when length is negative.",
            substr,
        )
    },
    spec(
        "replace",
        &[T, T, T],
        Returns::Is(Text),
        "replace(text, from, to)",
        "Every occurrence of from replaced; unchanged when from is empty.",
        replace,
    ),
    spec(
        "starts_with",
        &[T, T],
        Returns::Is(Bool),
        "starts_with(text, prefix)",
        "Whether text begins with prefix.",
        |args| match args {
            [Value::Text(t), Value::Text(prefix)] => Value::Bool(t.starts_with(&**prefix)),
            _ => Value::Null,
        },
    ),
    spec(
        "split_part",
        &[T, T, I],
        Returns::Is(Text),
        "split_part(text, delimiter, n)",
        "The n-th part (the first is 1, the last is -1); empty when there is none; NULL when n is 0. An empty delimiter \
         does not split.",
        split_part,
    ),
    spec("to_int", &[T], Returns::Is(Int), "to_int(text)", "Same as text::INT: NULL when not a number.", |args| {
        args.first().map_or(Value::Null, |v| cast::cast(v, Int))
    }),
    spec(
        "to_float",
        &[T],
        Returns::Is(Float),
        "to_float(text)",
        "Same as text::FLOAT: NULL when not a number.",
        |args| args.first().map_or(Value::Null, |v| cast::cast(v, Float)),
    ),
];

fn concat(args: &[Value]) -> Value {
    let total: usize = args.iter().filter_map(Value::as_str).map(str::len).sum();
    if total > MAX_TEXT_BYTES {
        return Value::Null;
    }
    Value::made_text(args.iter().filter_map(Value::as_str).collect::<String>())
}

fn substr(args: &[Value]) -> Value {
    let (text, start, length) = match args {
        [Value::Text(t), Value::Int(start)] => (t, *start, i64::MAX),
        [Value::Text(t), Value::Int(start), Value::Int(length)] if *length >= 0 => (t, *start, *length),
        _ => return Value::Null,
    };
    // Positions start … end - 1, in which those before 1 hold nothing.
    let end = start.saturating_add(length);
    let skip = usize::try_from(start.saturating_sub(1)).unwrap_or(0);
    let take = usize::try_from(end.saturating_sub(start.max(1))).unwrap_or(0);
    Value::made_text(text.chars().skip(skip).take(take).collect::<String>())
}

fn replace(args: &[Value]) -> Value {
    let [Value::Text(text), Value::Text(from), Value::Text(to)] = args else { return Value::Null };
    if from.is_empty() {
        return Value::made_text(&**text);
    }
    // Measured before it is built: nested replacements grow exponentially.
    let hits = text.matches(&**from).count();
    let length = (text.len() - hits * from.len()).saturating_add(hits.saturating_mul(to.len()));
    if length > MAX_TEXT_BYTES { Value::Null } else { Value::made_text(text.replace(&**from, to)) }
}

fn split_part(args: &[Value]) -> Value {
    let [Value::Text(text), Value::Text(delimiter), Value::Int(n)] = args else { return Value::Null };
    let Some(skip) = usize::try_from(n.unsigned_abs()).ok().and_then(|n| n.checked_sub(1)) else { return Value::Null };
    let part = if delimiter.is_empty() {
        Some(&**text).filter(|_| skip == 0)
    } else if *n > 0 {
        text.split(&**delimiter).nth(skip)
    } else {
        text.rsplit(&**delimiter).nth(skip)
    };
    Value::made_text(part.unwrap_or_default())
}
