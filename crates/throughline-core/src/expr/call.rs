//! Function calls: found in the allow-list, arguments checked.

use sqlparser::ast::{Expr as Sql, Function as SqlFunction, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::ast::{Op, Typed};
use super::check::{coerce, one_type, types_of};
use super::error::{ExprError, Place};
use super::functions::{self, Function, Param, Returns};
use super::instant;
use super::literal::{literal, place_of};
use super::lower::Lowering;
use super::ty::Type;
use super::value::Value;
use crate::diagnostic::closest;

const CLOCK: &[&str] = &[
    "now",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtime",
    "localtimestamp",
    "today",
    "sysdate",
    "getdate",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
];
const RANDOM: &[&str] = &["random", "rand", "uuid", "gen_random_uuid", "newid", "uuidv4", "uuidv7"];
const AGGREGATES: &[&str] = &[
    "count",
    "sum",
    "avg",
    "mean",
    "min",
    "max",
    "median",
    "stddev",
    "variance",
    "array_agg",
    "string_agg",
    "bool_and",
    "bool_or",
    "first_value",
    "last_value",
];
const WINDOWS: &[&str] = &["row_number", "rank", "dense_rank", "percent_rank", "ntile", "lag", "lead"];

/// The refusal of a name that promises what a row does not know: clocks (also without parentheses), chance, other rows.
pub(super) fn refused_name(name: &str, place: Place, without_parentheses: bool) -> Option<ExprError> {
    let name = name.to_ascii_lowercase();
    let is_in = |list: &[&str]| list.contains(&name.as_str());
    let (what, help) = if is_in(CLOCK) {
        (
            format!("clock functions such as `{name}`"),
            "expressions know no clock; use the as-of time the run provides as a column",
        )
    } else if without_parentheses {
        return None;
    } else if is_in(RANDOM) {
        (
            format!("random functions such as `{name}`"),
            "the same row must give the same answer; holdouts are drawn by the policy",
        )
    } else if matches!(name.as_str(), "min" | "max") {
        (format!("aggregates such as `{name}`"), "least(a, b) and greatest(a, b) compare values of one row")
    } else if is_in(AGGREGATES) {
        (format!("aggregates such as `{name}`"), "compute the value as a feature and name it here")
    } else if is_in(WINDOWS) {
        (format!("window functions such as `{name}`"), "compute the value as a feature and name it here")
    } else {
        return None;
    };
    Some(ExprError::Refused { what, help: help.to_owned(), place })
}

impl Lowering<'_> {
    pub(super) fn function(&mut self, call: &SqlFunction, depth: usize) -> Result<Typed, ExprError> {
        let place = place_of(&call.name);
        let name = call.name.to_string();
        let Some(function) = Function::find(&name) else {
            if let Some(refused) = refused_name(&name, place, false) {
                return Err(refused);
            }
            let closest = closest(&name.to_ascii_lowercase(), functions::all().map(Function::name)).map(str::to_owned);
            return Err(ExprError::UnknownFunction { name, closest, place });
        };
        let args = plain_arguments(call).ok_or_else(|| {
            let message = "takes plain expressions only".to_owned();
            ExprError::Arguments { usage: function.usage(), message, place }
        })?;
        if !function.takes(args.len()) {
            let message = format!("got {} arguments", args.len());
            return Err(ExprError::Arguments { usage: function.usage(), message, place });
        }
        let mut lowered = Vec::with_capacity(args.len());
        for (index, sql) in args.iter().enumerate() {
            let arg = match function.param(index) {
                Some(Param::Choice(_) | Param::Digits | Param::Format) => {
                    self.count()?;
                    literal_argument(function, index, literal(sql)?, place)?
                }
                _ => self.lower(sql, depth + 1)?,
            };
            lowered.push(arg);
        }
        finish(function, lowered, place)
    }

    /// `EXTRACT(field FROM expr)`.
    pub(super) fn extract(&mut self, field: &str, expr: &Sql, depth: usize) -> Result<Typed, ExprError> {
        let place = place_of(expr);
        let Some(function) = Function::find("extract") else {
            return Err(ExprError::UnknownFunction { name: "extract".to_owned(), closest: None, place });
        };
        self.count()?;
        let field = literal_argument(function, 0, Some(Typed::literal(Value::text(field), Type::Text)), place)?;
        let time = self.lower(expr, depth + 1)?;
        finish(function, vec![field, time], place)
    }
}

fn finish(function: Function, args: Vec<Typed>, place: Place) -> Result<Typed, ExprError> {
    let args = if function.param(0) == Some(Param::Same) {
        one_type(function.name(), args, place)?
    } else {
        let check = |(index, arg)| typed_argument(function, index, arg, place);
        args.into_iter().enumerate().map(check).collect::<Result<Vec<_>, _>>()?
    };
    let ty = match function.returns() {
        Returns::Is(ty) => ty,
        Returns::First => args.first().map_or(Type::Text, |a| a.ty),
    };
    Ok(Typed::apply(Op::Call(function), args, ty))
}

/// The arguments of a call that has nothing else to it: no DISTINCT, ORDER BY, FILTER, OVER, names or `*`.
fn plain_arguments(call: &SqlFunction) -> Option<Vec<&Sql>> {
    let bare = !call.uses_odbc_syntax
        && call.parameters == FunctionArguments::None
        && call.filter.is_none()
        && call.null_treatment.is_none()
        && call.over.is_none()
        && call.within_group.is_empty();
    let FunctionArguments::List(list) = &call.args else { return None };
    if !bare || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return None;
    }
    list.args
        .iter()
        .map(|arg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect()
}

fn typed_argument(function: Function, index: usize, arg: Typed, place: Place) -> Result<Typed, ExprError> {
    let got = types_of([&arg]);
    let (needed, checked) = match function.param(index) {
        Some(Param::Is(ty)) => (ty.to_string(), coerce(arg, ty)),
        Some(Param::Number) if arg.is_null_literal() => ("Int or Float".to_owned(), coerce(arg, Type::Float)),
        Some(Param::Number) if !arg.ty.is_number() => ("Int or Float".to_owned(), Err(arg)),
        _ => return Ok(arg),
    };
    checked.map_err(|_| ExprError::Type {
        message: format!("argument {} of {} needs {needed}, got {got}", index + 1, function.name()),
        help: Some(format!("usage: {}", function.usage())),
        place,
    })
}

/// An argument that must be a literal of a certain form.
fn literal_argument(function: Function, index: usize, arg: Option<Typed>, place: Place) -> Result<Typed, ExprError> {
    use super::ast::Expr::Literal;
    let fault = |message: String| Err(ExprError::Arguments { usage: function.usage(), message, place });
    let argument = index + 1;
    match (function.param(index), arg.map(|a| a.expr)) {
        (Some(Param::Choice(known)), Some(Literal(Value::Text(text)))) => {
            if let Some(word) = known.iter().find(|k| k.eq_ignore_ascii_case(&text)) {
                return Ok(Typed::literal(Value::text(*word), Type::Text));
            }
            let hint = closest(&text, known.iter().copied()).map(|c| format!("; did you mean '{c}'?"));
            fault(format!("'{text}' is not one of {}{}", known.join(", "), hint.unwrap_or_default()))
        }
        (Some(Param::Digits), Some(Literal(Value::Int(digits @ -15..=15)))) => {
            Ok(Typed::literal(Value::Int(digits), Type::Int))
        }
        (Some(Param::Digits), _) => fault(format!("argument {argument} must be an integer literal from -15 to 15")),
        (Some(Param::Format), Some(Literal(Value::Text(text)))) => match instant::check_format(&text) {
            Ok(()) => Ok(Typed::literal(Value::Text(text), Type::Text)),
            Err(directive) => fault(format!("format directive {directive} is not supported")),
        },
        _ => fault(format!("argument {argument} must be a text literal")),
    }
}
