//! The row evaluator.

use super::ast::{Expr, Typed, TypedExpr};
use super::kernel::call;
use super::schema::Row;
use super::value::Value;

impl TypedExpr {
    /// The value on one row. Never fails, never NaN or infinite; the answer is NULL or of type [`TypedExpr::ty`].
    ///
    /// All arguments are computed before an operation: with total operations that gives the same answer as SQL's
    /// order, which leaves branches of CASE and COALESCE uncomputed.
    pub fn eval(&self, row: &dyn Row) -> Value {
        eval(self.root(), row)
    }

    /// Whether a condition holds; NULL does not. This is how eligibility, filters and routes read their expression.
    pub fn permits(&self, row: &dyn Row) -> bool {
        self.eval(row) == Value::Bool(true)
    }
}

fn eval(node: &Typed, row: &dyn Row) -> Value {
    match &node.expr {
        Expr::Literal(value) => value.clone(),
        Expr::Column { index, .. } => row.column(*index).conform(node.ty),
        Expr::Property(name) => row.property(name).conform(node.ty),
        // The usual numbers of arguments stay off the heap.
        Expr::Apply { op, args } => match args.as_slice() {
            [a] => call(op, &[eval(a, row)]),
            [a, b] => call(op, &[eval(a, row), eval(b, row)]),
            [a, b, c] => call(op, &[eval(a, row), eval(b, row), eval(c, row)]),
            many => call(op, &many.iter().map(|arg| eval(arg, row)).collect::<Vec<_>>()),
        },
    }
}
