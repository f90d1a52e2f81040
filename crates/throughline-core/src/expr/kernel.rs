//! The operations on values: one function, used by the row evaluator and by whoever compiles expressions to an engine.

use std::cmp::Ordering;

use super::ast::Op;
use super::cast;
use super::like::like;
use super::limits::MAX_TEXT_BYTES;
use super::value::Value;

/// Applies an operation to the values of its arguments, in the order stated at [`Op`].
///
/// Total: every operation has an answer for every list of values. Values of types that the operation does not take
/// (the checker lets none through) and a wrong number of them give NULL. No answer is NaN, infinite or negative zero,
/// provided that no argument is.
pub fn call(op: &Op, args: &[Value]) -> Value {
    match op {
        Op::Neg => match args {
            [Value::Int(a)] => a.checked_neg().map_or(Value::Null, Value::Int),
            [Value::Float(a)] => Value::float(-a),
            _ => Value::Null,
        },
        Op::Not => truth(args.first().and_then(Value::as_bool).map(|a| !a)),
        Op::Add => arithmetic(args, i64::checked_add, |a, b| a + b),
        Op::Sub => arithmetic(args, i64::checked_sub, |a, b| a - b),
        Op::Mul => arithmetic(args, i64::checked_mul, |a, b| a * b),
        Op::Div => arithmetic(args, |_, _| None, |a, b| a / b),
        // The remainder of i64::MIN by -1 is 0, although the quotient overflows.
        Op::Mod => arithmetic(args, |a, b| (b != 0).then(|| a.wrapping_rem(b)), |_, _| f64::NAN),
        Op::Eq => comparison(args, Ordering::is_eq),
        Op::NotEq => comparison(args, Ordering::is_ne),
        Op::Lt => comparison(args, Ordering::is_lt),
        Op::LtEq => comparison(args, Ordering::is_le),
        Op::Gt => comparison(args, Ordering::is_gt),
        Op::GtEq => comparison(args, Ordering::is_ge),
        Op::And => chain(args, false),
        Op::Or => chain(args, true),
        Op::Concat => concat(args),
        Op::IsNull { negated } => Value::Bool(args.first().is_none_or(Value::is_null) != *negated),
        Op::In { list, negated } => one_of(args, list, *negated),
        Op::Between { negated } => between(args, *negated),
        Op::Like { negated } => match args {
            [Value::Text(text), Value::Text(pattern)] => Value::Bool(like(text, pattern) != *negated),
            _ => Value::Null,
        },
        Op::Case { operand } => case(args, *operand),
        Op::Cast(to) => args.first().map_or(Value::Null, |v| cast::cast(v, *to)),
        Op::ToFloat => match args {
            [Value::Int(a)] => Value::Float(*a as f64),
            [Value::Float(a)] => Value::float(*a),
            _ => Value::Null,
        },
        Op::Shift { micros } => match args {
            [Value::Time(t)] => t.micros().checked_add(*micros).map_or(Value::Null, Value::time_micros),
            _ => Value::Null,
        },
        Op::Call(function) => function.call(args),
    }
}

fn truth(value: Option<bool>) -> Value {
    value.map_or(Value::Null, Value::Bool)
}

fn arithmetic(args: &[Value], int: fn(i64, i64) -> Option<i64>, float: fn(f64, f64) -> f64) -> Value {
    match args {
        [Value::Int(a), Value::Int(b)] => int(*a, *b).map_or(Value::Null, Value::Int),
        [Value::Float(a), Value::Float(b)] => Value::float(float(*a, *b)),
        _ => Value::Null,
    }
}

fn comparison(args: &[Value], holds: fn(Ordering) -> bool) -> Value {
    match args {
        [a, b] => truth(a.compare(b).map(holds)),
        _ => Value::Null,
    }
}

/// AND (`decisive` false) and OR (`decisive` true): decided by one decisive value, else unknown when one is NULL.
fn chain(args: &[Value], decisive: bool) -> Value {
    let mut unknown = false;
    for value in args {
        match value.as_bool() {
            Some(b) if b == decisive => return Value::Bool(decisive),
            Some(_) => {}
            None => unknown = true,
        }
    }
    truth((!unknown).then_some(!decisive))
}

fn concat(args: &[Value]) -> Value {
    let Some(parts) = args.iter().map(Value::as_str).collect::<Option<Vec<&str>>>() else { return Value::Null };
    let length: usize = parts.iter().map(|part| part.len()).sum();
    if length > MAX_TEXT_BYTES { Value::Null } else { Value::made_text(parts.concat()) }
}

fn one_of(args: &[Value], list: &[Value], negated: bool) -> Value {
    let [value] = args else { return Value::Null };
    let mut unknown = value.is_null();
    for item in list {
        match value.compare(item) {
            Some(Ordering::Equal) => return Value::Bool(!negated),
            Some(_) => {}
            None => unknown = true,
        }
    }
    truth((!unknown).then_some(negated))
}

fn between(args: &[Value], negated: bool) -> Value {
    let [value, low, high] = args else { return Value::Null };
    let inside = chain(
        &[truth(value.compare(low).map(Ordering::is_ge)), truth(value.compare(high).map(Ordering::is_le))],
        false,
    );
    truth(inside.as_bool().map(|b| b != negated))
}

fn case(args: &[Value], operand: bool) -> Value {
    let (subject, rest) = match args.split_first() {
        Some((first, rest)) if operand => (Some(first), rest),
        _ => (None, args),
    };
    let branches = rest.chunks_exact(2);
    let otherwise = branches.remainder().first();
    for branch in branches {
        let hit = match subject {
            Some(subject) => subject.compare(&branch[0]) == Some(Ordering::Equal),
            None => branch[0].as_bool() == Some(true),
        };
        if hit {
            return branch[1].clone();
        }
    }
    otherwise.cloned().unwrap_or_default()
}
