//! Typing rules shared by operators and functions.

use super::ast::{Expr, Op, Typed};
use super::error::{ExprError, Place};
use super::ty::Type;
use super::value::Value;

/// Gives `node` the type `to` without changing its meaning: NULL literals take any type, integers become floats.
/// Otherwise the node comes back.
pub(super) fn coerce(node: Typed, to: Type) -> Result<Typed, Typed> {
    match (&node.expr, node.ty) {
        (_, ty) if ty == to => Ok(node),
        (Expr::Literal(Value::Null), _) => Ok(Typed::literal(Value::Null, to)),
        (Expr::Literal(Value::Int(i)), Type::Int) if to == Type::Float => {
            Ok(Typed::literal(Value::Float(*i as f64), Type::Float))
        }
        (_, Type::Int) if to == Type::Float => Ok(Typed::apply(Op::ToFloat, vec![node], Type::Float)),
        _ => Err(node),
    }
}

/// The one type that all nodes can take, NULL literals left aside; `None` when there is none. Only NULLs: Text.
pub(super) fn common<'a>(nodes: impl IntoIterator<Item = &'a Typed>) -> Option<Type> {
    let mut common = None;
    for node in nodes.into_iter().filter(|n| !n.is_null_literal()) {
        common = Some(match common {
            None => node.ty,
            Some(ty) if ty == node.ty => ty,
            Some(ty) if ty.is_number() && node.ty.is_number() => Type::Float,
            Some(_) => return None,
        });
    }
    Some(common.unwrap_or(Type::Text))
}

/// Coerces every node to a type that [`common`] found.
pub(super) fn coerce_all(nodes: Vec<Typed>, to: Type) -> Vec<Typed> {
    nodes.into_iter().map(|node| coerce(node, to).unwrap_or_else(|same| same)).collect()
}

/// `Int and Text`, for messages.
pub(super) fn types_of<'a>(nodes: impl IntoIterator<Item = &'a Typed>) -> String {
    let mut names = Vec::new();
    for node in nodes {
        let name = if node.is_null_literal() { "NULL".to_owned() } else { node.ty.to_string() };
        names.push(name);
    }
    match names.as_slice() {
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
        [] => "nothing".to_owned(),
    }
}

/// Coerces to the one type all have in common.
pub(super) fn one_type(what: &str, args: Vec<Typed>, place: Place) -> Result<Vec<Typed>, ExprError> {
    match common(&args) {
        Some(ty) => Ok(coerce_all(args, ty)),
        None => Err(mismatch(what, &args, place)),
    }
}

pub(super) fn mismatch(what: &str, args: &[Typed], place: Place) -> ExprError {
    let has = |ty: Type| args.iter().any(|a| a.ty == ty);
    let help = if has(Type::Time) && has(Type::Text) {
        Some("write a time as TIMESTAMP '2026-03-01 12:00:00', or read it with parse_time(text)".to_owned())
    } else if has(Type::Text) && (has(Type::Int) || has(Type::Float)) {
        Some("read a number from text with to_int(text) or to_float(text)".to_owned())
    } else {
        None
    };
    ExprError::Type { message: format!("{what} needs operands of one type, got {}", types_of(args)), help, place }
}

/// Coerces each to `ty`.
pub(super) fn all_of(ty: Type, needs: &str, args: Vec<Typed>, place: Place) -> Result<Vec<Typed>, ExprError> {
    let got = types_of(&args);
    args.into_iter().map(|arg| coerce(arg, ty)).collect::<Result<_, _>>().map_err(|_| {
        let help = (ty == Type::Text).then(|| "cast with ::TEXT".to_owned());
        ExprError::Type { message: format!("{needs}, got {got}"), help, place }
    })
}

/// Coerces to Int, or to Float when one is a Float.
pub(super) fn numbers(sign: &str, args: Vec<Typed>, place: Place) -> Result<Vec<Typed>, ExprError> {
    match common(&args) {
        Some(ty) if ty.is_number() => Ok(coerce_all(args, ty)),
        Some(_) if args.iter().all(Typed::is_null_literal) => Ok(coerce_all(args, Type::Int)),
        _ => {
            let help = if args.iter().any(|a| a.ty == Type::Time) {
                Some("add INTERVAL '7 days'; the seconds between are epoch_seconds(b) - epoch_seconds(a)".to_owned())
            } else if args.iter().any(|a| a.ty == Type::Text) {
                Some("join texts with ||; read a number from text with to_int(text) or to_float(text)".to_owned())
            } else {
                None
            };
            Err(ExprError::Type { message: format!("{sign} needs numbers, got {}", types_of(&args)), help, place })
        }
    }
}
