//! The allow-list of functions: one entry per function, which states its name, arguments, result, documentation and
//! kernel. To add a function, add an entry to the table of its family.

mod choice;
mod consent;
mod number;
mod text;
mod time;

use std::fmt;

use super::ty::Type;
use super::value::Value;

/// What one argument must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Param {
    /// An expression of this type.
    Is(Type),
    /// An expression of type Int or Float.
    Number,
    /// An expression of any type; all such arguments of a call have one type.
    Same,
    /// A text literal out of these.
    Choice(&'static [&'static str]),
    /// An integer literal between −15 and 15.
    Digits,
    /// A text literal that is a date format.
    Format,
}

/// The type of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// Always this type.
    Is(Type),
    /// The type of the first argument.
    First,
}

/// One entry of the allow-list.
pub(super) struct Spec {
    name: &'static str,
    params: &'static [Param],
    /// How many of the last parameters may be left out.
    optional: usize,
    /// Whether the last parameter may be repeated.
    variadic: bool,
    returns: Returns,
    usage: &'static str,
    doc: &'static str,
    /// Gets legal values of the stated types, any of them NULL. A pattern that does not match gives NULL, so
    /// a kernel that does not mention NULL propagates it.
    kernel: fn(&[Value]) -> Value,
}

/// A function of the allow-list.
#[derive(Clone, Copy)]
pub struct Function(&'static Spec);

impl Function {
    /// Its name, in lower case.
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// How it is called, for example `substr(text, start [, length])`.
    pub const fn usage(self) -> &'static str {
        self.0.usage
    }

    /// What it gives, in one sentence.
    pub const fn doc(self) -> &'static str {
        self.0.doc
    }

    /// What the argument at this position must be.
    pub fn param(self, index: usize) -> Option<Param> {
        let last = self.0.params.len().checked_sub(1)?;
        self.0.params.get(if self.0.variadic { index.min(last) } else { index }).copied()
    }

    /// The type of the result.
    pub const fn returns(self) -> Returns {
        self.0.returns
    }

    /// Whether it can be called with this many arguments.
    pub fn takes(self, arguments: usize) -> bool {
        let most = self.0.params.len();
        arguments >= most - self.0.optional && (arguments <= most || self.0.variadic)
    }

    /// The function of this name, in any case.
    pub fn find(name: &str) -> Option<Self> {
        all().find(|f| f.name().eq_ignore_ascii_case(name))
    }

    pub(super) fn call(self, args: &[Value]) -> Value {
        if self.takes(args.len()) { (self.0.kernel)(args) } else { Value::Null }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({})", self.name())
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Function {}

/// Every function, family by family.
pub fn all() -> impl Iterator<Item = Function> {
    [text::TABLE, number::TABLE, time::TABLE, choice::TABLE, consent::TABLE].into_iter().flatten().map(Function)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_complete_and_unique() {
        let mut seen = std::collections::BTreeSet::new();
        for f in all() {
            assert!(seen.insert(f.name()), "{} occurs twice", f.name());
            assert_eq!(f.name(), f.name().to_ascii_lowercase());
            assert!(f.usage().starts_with(&format!("{}(", f.name())), "{}", f.usage());
            assert!(f.doc().ends_with('.'), "{}", f.name());
            assert!(f.0.optional <= f.0.params.len() && !f.0.params.is_empty());
            assert_eq!(Function::find(&f.name().to_uppercase()), Some(f));
        }
    }

    #[test]
    fn kernels_give_null_for_values_they_do_not_know() {
        for f in all() {
            for n in 0..4 {
                let _total = f.call(&vec![Value::Null; n]);
                let _total = f.call(&vec![Value::Bool(true); n]);
            }
        }
    }
}
