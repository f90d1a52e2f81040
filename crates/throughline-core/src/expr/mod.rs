//! Expressions: the SQL that stands in YAML files.
//!
//! Mappings, filters, eligibility rules and metrics are SQL expressions over the columns of one row. [`Expr::parse`]
//! checks one against a [`Schema`] and gives a [`TypedExpr`]; [`TypedExpr::eval`] computes it on a [`Row`], and an
//! engine computes it on batches by translating the tree, with [`call`] as the definition of every operation.
//! An expression sees one row and nothing else: no clock, no chance, no other rows.
//!
//! ```
//! use throughline_core::expr::{Expr, MemoryRow, Schema, Type, Value};
//! let schema = Schema::new([("value", Type::Float), ("channel", Type::Text)]);
//! let rule = Expr::parse_as("value > 10 AND channel IN ('email', 'sms')", &schema, Type::Bool)?;
//! let row = MemoryRow { columns: vec![Value::Float(12.5), "email".into()], ..MemoryRow::default() };
//! assert!(rule.permits(&row));
//! assert_eq!(rule.to_string(), "value > 10.0 AND channel IN ('email', 'sms')");
//! # Ok::<(), throughline_core::expr::ExprError>(())
//! ```
//!
//! # Language
//!
//! | Form | Types |
//! |---|---|
//! | `NULL`, `TRUE`, `12`, `1.5e3`, `'it''s'`, `DATE '2026-03-01'`, `TIMESTAMP '2026-03-01T12:00:00Z'` | NULL takes the type of its context, Text where there is none |
//! | `name`, `"any name"` | a column, case-sensitive |
//! | `properties['name']` | Text: a string as it is, other JSON as its text, null and absent as NULL |
//! | `-a`, `a + b`, `a - b`, `a * b` | Int, or Float when one is a Float |
//! | `a / b` | always Float |
//! | `a % b` | Int only |
//! | `t + INTERVAL '7 days'`, `t - INTERVAL '1 hour 30 minutes'` | Time; weeks, days, hours, minutes, seconds |
//! | <code>a \|\| b</code> | Text |
//! | `= <> != < <= > >=`, `[NOT] BETWEEN`, `[NOT] IN (literals)`, `CASE a WHEN …` | operands of one type, Int promoted beside Float |
//! | `[NOT] LIKE` | Text; `%` and `_`, no escape |
//! | `NOT`, `AND`, `OR`, `CASE WHEN …` | conditions are Bool |
//! | `IS [NOT] NULL` | any |
//! | `a::type`, `CAST(a AS type)`, `TRY_CAST(a AS type)` | `BOOL`, `INT`, `FLOAT`, `TEXT`, `TIMESTAMP` and their common aliases |
//! | `f(…)`, `extract(year FROM t)` | the functions of [`functions::all`] |
//!
//! Operators bind as in SQL: `::`, sign, `* / % ||`, `+ -`, comparisons, NOT, AND, OR. Comparisons do not chain: where
//! the reading of SQL would surprise (`a = b = c`, `a = NOT b`) parentheses are demanded.
//!
//! # Semantics
//!
//! Every operation has an answer; there are no run-time errors.
//!
//! | Case | Answer |
//! |---|---|
//! | an argument is NULL | NULL, except in AND, OR, IS NULL, CASE, coalesce, nullif, least, greatest, concat |
//! | `NULL AND FALSE`, `NULL OR TRUE` | FALSE, TRUE (three-valued logic) |
//! | `x IN (1, NULL)` | TRUE when x = 1, else NULL |
//! | `a BETWEEN b AND c` | same as `a >= b AND a <= c` |
//! | condition of CASE is NULL | not met; no ELSE gives NULL |
//! | integer overflow | NULL |
//! | division or remainder by zero | NULL |
//! | remainder | sign of the dividend |
//! | result not finite (`ln(0)`, `1e308 * 10`) | NULL |
//! | negative zero | zero |
//! | Int compared or calculated with Float | as Float, the Int rounded to the nearest |
//! | comparison of texts | by bytes of UTF-8, case-sensitive, also LIKE |
//! | comparison of Bool | FALSE before TRUE |
//! | Time outside the years 1 to 9999 | NULL |
//! | text made by an operation longer than 1 MiB | NULL |
//! | a row gives a value of another type than the schema | NULL |
//!
//! Casts are TRY_CAST, NULL where impossible; pairs not listed are type errors:
//!
//! | From | To | |
//! |---|---|---|
//! | Bool | Int, Float, Text | 1 and 0; `true` and `false` |
//! | Int | Bool | 0 and 1 only |
//! | Int | Float | nearest |
//! | Float | Int | fraction cut off |
//! | Int, Float | Text | shortest that reads back equal; floats always with a point or exponent (`1.0`, `1e300`) |
//! | Text | Bool | `true`, `false` in any case, `1`, `0` |
//! | Text | Int | `[+-]` and digits, nothing around them |
//! | Text | Float | `[+-]`, digits, optional point and exponent; no `inf`, no `nan` |
//! | Text | Time | `YYYY-MM-DD`, optionally `T` or space and `HH:MM[:SS[.f]]`, optionally `Z` or `±HH:MM`; UTC without |
//! | Time | Text | RFC 3339 in UTC with as many decimals as needed |
//!
//! # Limits
//!
//! [`limits`] bounds length, nesting and size. Refusals are [`ExprError`]s with place and help.

mod ast;
mod call;
mod cast;
mod check;
mod display;
mod error;
mod eval;
pub mod functions;
mod instant;
mod kernel;
mod level;
mod like;
pub mod limits;
mod literal;
mod lower;
mod parse;
mod schema;
mod tokens;
mod ty;
mod value;

#[cfg(test)]
mod tests;

pub use ast::{Expr, Op, Typed, TypedExpr};
pub use error::{ExprError, Place};
pub use functions::Function;
pub use kernel::call;
pub use schema::{MemoryRow, Row, Schema, property_of, property_value};
pub use ty::Type;
pub use value::Value;
