//! `approvals/*.yaml`: when agreement is asked for, and whose.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;
use serde_saphyr::Spanned;
use throughline_core::Diagnostic;
use throughline_core::diagnostic::closest;
use throughline_core::expr::{Expr, Type, TypedExpr};

use crate::GovernError;
use crate::diagnostics::codes;
use crate::facts::{ApprovalKind, Facts};
use crate::role::{Role, SignOff};
use crate::text;

/// The version of the format.
const API_VERSION: &str = "throughline/v1";
/// The kind of document.
const KIND: &str = "Approval";
/// Longest name.
const MAX_NAME: usize = 64;
/// Most people that one rule may ask for.
const MAX_QUORUM: u32 = 100;
/// Longest life of a request: a year.
const MAX_HOURS: u32 = 8_760;
/// Life of a request where the rule says nothing: three days.
pub(crate) const DEFAULT_HOURS: u32 = 72;

/// A rule, checked. A person who may vote on a request has one of its roles or one of its sign-offs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub what: ApprovalKind,
    /// When it applies; always without one. A condition that is NULL counts as TRUE: what cannot be compared, such as the
    /// cost of a policy that is new, is for a person to judge.
    pub when: Option<TypedExpr>,
    /// How many people must approve.
    pub quorum: u32,
    /// Roles whose holders may vote. It may be empty where sign-offs are named.
    pub roles: BTreeSet<Role>,
    /// Sign-offs that must each be given, by one person each.
    pub sign_offs: BTreeSet<SignOff>,
    /// Whether the requester's own vote counts.
    pub self_approve: bool,
    /// Hours until a request lapses, and an approval that was not applied with it.
    pub expires_after_hours: u32,
    /// Why the rule exists.
    pub reason: Option<String>,
    /// The file as the user named it, for messages.
    pub file: String,
}

/// The file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "apiVersion")]
    api_version: Spanned<String>,
    kind: Spanned<String>,
    name: Spanned<String>,
    what: Spanned<String>,
    #[serde(default)]
    when: Option<Spanned<String>>,
    #[serde(default)]
    quorum: Option<Spanned<i64>>,
    #[serde(default)]
    roles: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    sign_offs: Vec<Spanned<String>>,
    #[serde(default)]
    self_approve: bool,
    #[serde(default)]
    expires_after_hours: Option<Spanned<i64>>,
    #[serde(default)]
    reason: Option<Spanned<String>>,
}

impl Rule {
    /// Reads one `approvals/*.yaml`; `file` is its name for messages. All findings of a file come at once.
    pub fn parse(text: &str, file: &str) -> Result<Self, Vec<Diagnostic>> {
        let written: Written = serde_saphyr::from_str(text).map_err(|error| vec![yaml_error(&error, file)])?;
        let mut findings = Findings { file, found: Vec::new() };
        findings.header(&written);
        let what = findings.name::<ApprovalKind>(codes::WHAT, &written.what);
        let rule = Self {
            name: written.name.value.clone(),
            what: what.unwrap_or(ApprovalKind::Other),
            when: what.zip(written.when.as_ref()).and_then(|(what, when)| findings.condition(what, when)),
            quorum: findings.bounded("quorum", written.quorum.as_ref(), 1, MAX_QUORUM),
            roles: match &written.roles {
                Some(names) => findings.names(names),
                None => BTreeSet::from([Role::Approver]),
            },
            sign_offs: findings.names(&written.sign_offs),
            self_approve: written.self_approve,
            expires_after_hours: findings.bounded(
                "expires_after_hours",
                written.expires_after_hours.as_ref(),
                DEFAULT_HOURS,
                MAX_HOURS,
            ),
            reason: written.reason.as_ref().and_then(|reason| findings.reason(reason)),
            file: file.to_owned(),
        };
        if written.sign_offs.is_empty() && written.roles.is_some_and(|roles| roles.is_empty()) {
            let finding = Diagnostic::error(codes::VOTER, "neither `roles` nor `sign_offs` names anybody who may vote");
            findings.found.push(finding.help("leave `roles` out for approvers").at(file, None, None));
        }
        if findings.found.is_empty() { Ok(rule) } else { Err(findings.found) }
    }

    /// Names used twice: it could not be told which of the rules asked.
    pub fn check_names(rules: &[Self]) -> Vec<Diagnostic> {
        let mut seen = BTreeSet::new();
        let twice = rules.iter().filter(|rule| !seen.insert(rule.name.as_str()));
        let finding = |rule: &Self| {
            let message = format!("approval rule `{}` is declared twice", rule.name);
            Diagnostic::error(codes::NAME, message).at(&rule.file, None, None)
        };
        twice.map(finding).collect()
    }

    /// Whether it asks for agreement: it is about this kind, and its condition is not FALSE.
    pub fn applies(&self, facts: &Facts) -> bool {
        self.what == facts.kind()
            && self.when.as_ref().is_none_or(|when| when.eval(&facts.row()).as_bool() != Some(false))
    }
}

/// What is wrong with one file.
struct Findings<'a> {
    file: &'a str,
    found: Vec<Diagnostic>,
}

impl Findings<'_> {
    fn push<T>(&mut self, finding: Diagnostic, place: &Spanned<T>) {
        let known = |n: u64| (n > 0).then_some(n);
        let (line, column) = (known(place.referenced.line()), known(place.referenced.column()));
        self.found.push(finding.at(self.file, line, column));
    }

    fn header(&mut self, written: &Written) {
        for (key, value, expected) in [("apiVersion", &written.api_version, API_VERSION), ("kind", &written.kind, KIND)]
        {
            if value.value != expected {
                let message = format!("{key} is `{}`, expected `{expected}`", value.value);
                self.push(Diagnostic::error(codes::VERSION, message), value);
            }
        }
        let name = &written.name.value;
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if !plain || !(1..=MAX_NAME).contains(&name.len()) {
            let finding = Diagnostic::error(codes::NAME, format!("approval rule name `{name}` is not a plain word"));
            let help = format!("use letters, digits, `_` and `-`, at most {MAX_NAME}");
            self.push(finding.help(help), &written.name);
        }
    }

    fn name<T: FromStr<Err = GovernError>>(&mut self, code: &str, written: &Spanned<String>) -> Option<T> {
        written
            .value
            .parse()
            .map_err(|error: GovernError| self.push(Diagnostic::error(code, error.to_string()), written))
            .ok()
    }

    fn names<T: FromStr<Err = GovernError> + Ord>(&mut self, written: &[Spanned<String>]) -> BTreeSet<T> {
        written.iter().filter_map(|name| self.name(codes::VOTER, name)).collect()
    }

    fn condition(&mut self, what: ApprovalKind, written: &Spanned<String>) -> Option<TypedExpr> {
        let parsed = Expr::parse_as(&written.value, &what.schema(), Type::Bool);
        parsed.map_err(|error| self.push(error.diagnostic(codes::CONDITION), written)).ok()
    }

    fn bounded(&mut self, key: &str, written: Option<&Spanned<i64>>, default: u32, most: u32) -> u32 {
        let Some(written) = written else { return default };
        let number = u32::try_from(written.value).ok().filter(|n| (1..=most).contains(n));
        number.unwrap_or_else(|| {
            let message = format!("{key} of {} is outside 1 to {most}", written.value);
            self.push(Diagnostic::error(codes::BOUND, message), written);
            default
        })
    }

    fn reason(&mut self, written: &Spanned<String>) -> Option<String> {
        let checked = text::prose("reason", &written.value);
        let refuse = |error: &dyn Display| Diagnostic::error(codes::BOUND, error.to_string());
        checked.map_err(|error| self.push(refuse(&error), written)).ok().filter(|reason| !reason.is_empty())
    }
}

fn yaml_error(error: &serde_saphyr::Error, file: &str) -> Diagnostic {
    let place = error.location();
    let text = error.without_snippet().to_string();
    let line = text.lines().next().unwrap_or("not YAML");
    // The parser repeats the place in its message; ours stands in front.
    let message = line.split(" at line ").next().unwrap_or(line).to_owned();
    let help = misspelt(&message);
    let finding = Diagnostic::error(codes::YAML, message).at(file, place.map(|p| p.line()), place.map(|p| p.column()));
    match help {
        Some(name) => finding.help(format!("did you mean `{name}`?")),
        None => finding,
    }
}

/// For "unknown field `x`, expected one of a, b": the name that was probably meant.
fn misspelt(message: &str) -> Option<String> {
    let (given, known) = message.split_once("unknown field `")?.1.split_once("`, expected ")?;
    let known = known.trim_start_matches("one of ").split(", ").map(|name| name.trim_matches('`'));
    closest(given, known).map(str::to_owned)
}

#[cfg(test)]
mod tests;
