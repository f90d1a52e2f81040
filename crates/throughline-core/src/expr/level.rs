//! How tightly operators bind: the parser demands parentheses by these numbers and the printer puts them.

use sqlparser::ast::{BinaryOperator, Expr as Sql, UnaryOperator};

use super::ast::{Expr, Op, Typed};
use super::value::Value;

pub(super) const OR: u8 = 1;
pub(super) const AND: u8 = 2;
pub(super) const NOT: u8 = 3;
/// Comparisons, IN, BETWEEN, LIKE and IS: these do not chain, so that `a = b = c` cannot be misread.
pub(super) const COMPARE: u8 = 4;
pub(super) const ADD: u8 = 5;
/// Also `||`, as in the SQL parser.
pub(super) const MUL: u8 = 6;
pub(super) const NEG: u8 = 7;
pub(super) const CAST: u8 = 8;
pub(super) const ATOM: u8 = 9;

/// Of a node of the SQL tree, in which parentheses still stand.
pub(super) fn of_sql(sql: &Sql) -> u8 {
    match sql {
        Sql::BinaryOp { op, .. } => match op {
            BinaryOperator::Or => OR,
            BinaryOperator::And => AND,
            BinaryOperator::Plus | BinaryOperator::Minus => ADD,
            BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
            | BinaryOperator::StringConcat => MUL,
            _ => COMPARE,
        },
        Sql::UnaryOp { op: UnaryOperator::Not, .. } => NOT,
        Sql::UnaryOp { .. } => NEG,
        Sql::Between { .. }
        | Sql::InList { .. }
        | Sql::Like { .. }
        | Sql::ILike { .. }
        | Sql::IsNull(_)
        | Sql::IsNotNull(_)
        | Sql::IsTrue(_)
        | Sql::IsNotTrue(_)
        | Sql::IsFalse(_)
        | Sql::IsNotFalse(_) => COMPARE,
        _ => ATOM,
    }
}

/// Of a node of the typed tree.
pub(super) fn of_typed(node: &Typed) -> u8 {
    match &node.expr {
        Expr::Literal(Value::Int(i)) if *i < 0 => NEG,
        Expr::Literal(Value::Float(x)) if *x < 0.0 => NEG,
        Expr::Literal(_) | Expr::Column { .. } | Expr::Property(_) => ATOM,
        Expr::Apply { op, args } => match op {
            Op::Or => OR,
            Op::And => AND,
            Op::Not => NOT,
            Op::Eq
            | Op::NotEq
            | Op::Lt
            | Op::LtEq
            | Op::Gt
            | Op::GtEq
            | Op::IsNull { .. }
            | Op::In { .. }
            | Op::Between { .. }
            | Op::Like { .. } => COMPARE,
            Op::Add | Op::Sub | Op::Shift { .. } => ADD,
            Op::Mul | Op::Div | Op::Mod | Op::Concat => MUL,
            Op::Neg => NEG,
            Op::Cast(_) => CAST,
            // Not shown: as tight as what it holds.
            Op::ToFloat => args.first().map_or(ATOM, of_typed),
            Op::Case { .. } | Op::Call(_) => ATOM,
        },
    }
}
