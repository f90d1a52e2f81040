//! Canonical text: one spelling per expression, parentheses only where the parser needs them.

use std::fmt;

use super::ast::{Expr, Op, Typed, TypedExpr};
use super::level;
use super::tokens::is_reserved;
use super::value::Value;

impl fmt::Display for TypedExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.root(), f)
    }
}

impl fmt::Display for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expr {
            Expr::Literal(value) => write!(f, "{value}"),
            Expr::Column { name, .. } => f.write_str(&identifier(name)),
            Expr::Property(name) => write!(f, "properties['{}']", name.replace('\'', "''")),
            Expr::Apply { op, args } => apply(op, args, f),
        }
    }
}

/// A node, in parentheses when it binds less tightly than `.1`.
struct At<'a>(&'a Typed, u8);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if level::of_typed(self.0) < self.1 { write!(f, "({})", self.0) } else { write!(f, "{}", self.0) }
    }
}

fn apply(op: &Op, args: &[Typed], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let not = |negated: &bool| if *negated { "NOT " } else { "" };
    match (op, args) {
        (Op::Neg, [a]) => {
            // Two minus signs in a row would start a comment.
            let gap = if level::of_typed(a) == level::NEG { " " } else { "" };
            write!(f, "-{gap}{}", At(a, level::NEG))
        }
        (Op::Not, [a]) => write!(f, "NOT {}", At(a, level::NOT)),
        (Op::And, _) => list(args, " AND ", level::NOT, f),
        (Op::Or, _) => list(args, " OR ", level::AND, f),
        (Op::Concat, _) => list(args, " || ", level::NEG, f),
        (Op::IsNull { negated }, [a]) => write!(f, "{} IS {}NULL", At(a, level::ADD), not(negated)),
        (Op::In { list, negated }, [a]) => {
            let items: Vec<String> = list.iter().map(Value::to_string).collect();
            write!(f, "{} {}IN ({})", At(a, level::ADD), not(negated), items.join(", "))
        }
        (Op::Between { negated }, [a, low, high]) => {
            let [a, low, high] = [a, low, high].map(|x| At(x, level::ADD));
            write!(f, "{a} {}BETWEEN {low} AND {high}", not(negated))
        }
        (Op::Like { negated }, [a, pattern]) => {
            write!(f, "{} {}LIKE {}", At(a, level::ADD), not(negated), At(pattern, level::ADD))
        }
        (Op::Case { operand }, _) => case(*operand, args, f),
        (Op::Cast(to), [a]) => write!(f, "{}::{}", At(a, level::CAST), to.sql()),
        (Op::ToFloat, [a]) => write!(f, "{a}"),
        (Op::Shift { micros }, [t]) => {
            let sign = if *micros < 0 { '-' } else { '+' };
            write!(f, "{} {sign} INTERVAL '{}'", At(t, level::ADD), interval(*micros))
        }
        (Op::Call(function), [Typed { expr: Expr::Literal(Value::Text(field)), .. }, time])
            if function.name() == "extract" =>
        {
            write!(f, "extract({field} FROM {time})")
        }
        (Op::Call(function), _) => {
            write!(f, "{}(", function.name())?;
            list(args, ", ", level::OR, f)?;
            f.write_str(")")
        }
        (op, [a, b]) => match sign(op) {
            Some((sign, left, right)) => write!(f, "{} {sign} {}", At(a, left), At(b, right)),
            None => malformed(op, args, f),
        },
        _ => malformed(op, args, f),
    }
}

/// The sign of a binary operator, and how tightly its left and right operands must bind.
const fn sign(op: &Op) -> Option<(&'static str, u8, u8)> {
    Some(match op {
        Op::Add => ("+", level::ADD, level::MUL),
        Op::Sub => ("-", level::ADD, level::MUL),
        Op::Mul => ("*", level::MUL, level::NEG),
        Op::Div => ("/", level::MUL, level::NEG),
        Op::Mod => ("%", level::MUL, level::NEG),
        Op::Eq => ("=", level::ADD, level::ADD),
        Op::NotEq => ("<>", level::ADD, level::ADD),
        Op::Lt => ("<", level::ADD, level::ADD),
        Op::LtEq => ("<=", level::ADD, level::ADD),
        Op::Gt => (">", level::ADD, level::ADD),
        Op::GtEq => (">=", level::ADD, level::ADD),
        _ => return None,
    })
}

/// A node put together by hand with a wrong number of arguments; the parser makes none.
fn malformed(op: &Op, args: &[Typed], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{op:?}(")?;
    list(args, ", ", level::OR, f)?;
    f.write_str(")")
}

fn list(args: &[Typed], separator: &str, min: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, arg) in args.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{}", At(arg, min))?;
    }
    Ok(())
}

fn case(operand: bool, args: &[Typed], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (subject, rest) = args.split_at(usize::from(operand && !args.is_empty()));
    f.write_str("CASE")?;
    for subject in subject {
        write!(f, " {subject}")?;
    }
    let branches = rest.chunks_exact(2);
    let otherwise = branches.remainder();
    for branch in branches {
        write!(f, " WHEN {} THEN {}", branch[0], branch[1])?;
    }
    for otherwise in otherwise {
        write!(f, " ELSE {otherwise}")?;
    }
    f.write_str(" END")
}

/// `1 day 2 hours`, without sign.
fn interval(micros: i64) -> String {
    const UNITS: [(&str, u64); 5] = [
        ("day", 86_400_000_000),
        ("hour", 3_600_000_000),
        ("minute", 60_000_000),
        ("second", 1_000_000),
        ("microsecond", 1),
    ];
    let mut rest = micros.unsigned_abs();
    let mut parts = Vec::new();
    for (unit, length) in UNITS {
        let n = rest / length;
        rest %= length;
        if n > 0 {
            parts.push(format!("{n} {unit}{}", if n == 1 { "" } else { "s" }));
        }
    }
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") }
}

/// A name as it must be written: bare when it is a plain word, else in double quotes.
fn identifier(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !is_reserved(name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
