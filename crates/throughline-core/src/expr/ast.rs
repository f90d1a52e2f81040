//! The typed expression.

use std::collections::BTreeSet;

use super::functions::Function;
use super::ty::Type;
use super::value::Value;

/// A node with its type. Children have exactly the types their operation needs: where the text mixes integers and
/// floats the checker has put [`Op::ToFloat`], and a NULL literal has the type of its context.
#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    /// The node.
    pub expr: Expr,
    /// Its type.
    pub ty: Type,
}

/// A node of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A constant.
    Literal(Value),
    /// A column.
    Column {
        /// Position in the schema.
        index: usize,
        /// Name in the schema.
        name: String,
    },
    /// `properties['name']`, of type text.
    Property(String),
    /// An operation on arguments.
    Apply {
        /// Which.
        op: Op,
        /// Its arguments, in the order stated at [`Op`].
        args: Vec<Typed>,
    },
}

/// An operation. [`call`](super::call) computes it on values; the guide of [`expr`](super) states its semantics.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// `-a`, a number.
    Neg,
    /// `NOT a`.
    Not,
    /// `a + b`, both Int or both Float.
    Add,
    /// `a - b`.
    Sub,
    /// `a * b`.
    Mul,
    /// `a / b`, both Float.
    Div,
    /// `a % b`, both Int.
    Mod,
    /// `a = b`, both of one type, as for the other comparisons.
    Eq,
    /// `a <> b`.
    NotEq,
    /// `a < b`.
    Lt,
    /// `a <= b`.
    LtEq,
    /// `a > b`.
    Gt,
    /// `a >= b`.
    GtEq,
    /// `a AND b AND …`, two or more.
    And,
    /// `a OR b OR …`, two or more.
    Or,
    /// `a || b || …`, two or more texts.
    Concat,
    /// `a IS [NOT] NULL`.
    IsNull {
        /// IS NOT NULL.
        negated: bool,
    },
    /// `a [NOT] IN (…)`.
    In {
        /// The values, of the type of `a` or NULL.
        list: Vec<Value>,
        /// NOT IN.
        negated: bool,
    },
    /// `a [NOT] BETWEEN low AND high`: arguments a, low, high of one type.
    Between {
        /// NOT BETWEEN.
        negated: bool,
    },
    /// `a [NOT] LIKE pattern`: two texts.
    Like {
        /// NOT LIKE.
        negated: bool,
    },
    /// CASE. Arguments: the operand if there is one, then condition (or value to compare with) and result of each
    /// WHEN, then the result of ELSE if there is one.
    Case {
        /// Whether the first argument is the operand of `CASE x WHEN …`.
        operand: bool,
    },
    /// `a::type`, NULL where impossible.
    Cast(Type),
    /// An integer as float, put in by the checker and not shown in text.
    ToFloat,
    /// `t ± INTERVAL '…'`.
    Shift {
        /// Signed length in microseconds.
        micros: i64,
    },
    /// A function of the registry.
    Call(Function),
}

/// A whole, checked expression: what the rest of the program holds. Its text form ([`std::fmt::Display`]) is
/// canonical: parsing it against the same schema gives an equal expression, as long as it is within the limits.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedExpr {
    root: Typed,
}

impl TypedExpr {
    pub(super) const fn new(root: Typed) -> Self {
        Self { root }
    }

    pub(super) fn into_root(self) -> Typed {
        self.root
    }

    /// The topmost node.
    pub const fn root(&self) -> &Typed {
        &self.root
    }

    /// The type of the answer.
    pub const fn ty(&self) -> Type {
        self.root.ty
    }

    /// Names of the columns read, sorted. Properties are listed by [`TypedExpr::properties`]: one may be called like a
    /// column.
    pub fn columns(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.root.visit(&mut |node| {
            if let Expr::Column { name, .. } = node {
                names.insert(name.as_str());
            }
        });
        names
    }

    /// Names of the properties read, sorted.
    pub fn properties(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.root.visit(&mut |node| {
            if let Expr::Property(name) = node {
                names.insert(name.as_str());
            }
        });
        names
    }
}

impl Typed {
    pub(super) const fn literal(value: Value, ty: Type) -> Self {
        Self { expr: Expr::Literal(value), ty }
    }

    pub(super) const fn apply(op: Op, args: Vec<Self>, ty: Type) -> Self {
        Self { expr: Expr::Apply { op, args }, ty }
    }

    /// Whether this is the literal NULL, which takes the type of its context.
    pub(super) const fn is_null_literal(&self) -> bool {
        matches!(self.expr, Expr::Literal(Value::Null))
    }

    /// Calls `f` on this node and all below it, parents first, arguments in order.
    pub fn visit<'a>(&'a self, f: &mut impl FnMut(&'a Expr)) {
        f(&self.expr);
        if let Expr::Apply { args, .. } = &self.expr {
            for arg in args {
                arg.visit(f);
            }
        }
    }
}
