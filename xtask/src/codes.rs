//! Diagnostic codes: `TL` + three digits, registered once, with a summary.
//!
//! A code is registered by an entry `("TL101", "summary")` or `(codes::NAME, "summary")` in a file named
//! `diagnostics.rs`, the latter beside `const NAME: &str = "TL101";`, or by such a constant with a doc comment, anywhere.

use std::collections::BTreeMap;

use crate::source::{code_only, shipped_lines};
use crate::workspace::{Finding, SourceFile, Workspace};

/// A registered code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) summary: String,
    pub(crate) file: String,
    pub(crate) line: usize,
}

/// Every registered code, and findings for codes that are registered twice or used without registration.
pub(crate) fn registered(workspace: &Workspace) -> (BTreeMap<String, Registration>, Vec<Finding>) {
    let mut codes: BTreeMap<String, Registration> = BTreeMap::new();
    let (mut findings, mut used) = (Vec::new(), Vec::new());
    for file in workspace.crate_sources().filter(|f| !f.is_test()) {
        for (line, code, rest) in literals(file) {
            let Some(summary) = summary_of(file, line, rest) else {
                used.push((file, line, code));
                continue;
            };
            let entry = Registration { summary, file: file.path.clone(), line };
            if let Some(first) = codes.get(code) {
                let message = format!("`{code}` is already registered in {}:{}", first.file, first.line);
                findings.push(Finding::new(&file.path, line, message));
            } else {
                codes.insert(code.to_owned(), entry);
            }
        }
    }
    for (file, line, code) in used.into_iter().filter(|(_, _, code)| !codes.contains_key(*code)) {
        findings.push(Finding::new(&file.path, line, format!("`{code}` is not registered in a diagnostics.rs")));
    }
    (codes, findings)
}

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    registered(workspace).1
}

/// (line, code, text after the literal) of every code literal in shipped code.
fn literals(file: &SourceFile) -> Vec<(usize, &str, &str)> {
    let shipped = shipped_lines(&code_only(&file.text));
    let mut found = Vec::new();
    for (at, _) in file.text.match_indices("\"TL") {
        let (Some(code), Some(rest)) = (file.text.get(at + 1..at + 6), file.text.get(at + 6..)) else { continue };
        let line = file.text[..at].matches('\n').count() + 1;
        if line <= shipped && rest.starts_with('"') && code[2..].bytes().all(|b| b.is_ascii_digit()) {
            found.push((line, code, &rest[1..]));
        }
    }
    found
}

fn summary_of(file: &SourceFile, line: usize, rest: &str) -> Option<String> {
    let table = file.path.ends_with("/diagnostics.rs");
    if table && let Some(summary) = second_of_pair(rest) {
        return Some(summary);
    }
    let above: Vec<&str> = file.text.lines().take(line).map(str::trim).collect();
    let (this, before) = above.split_last()?;
    let (name, _) = this.split_once("const ")?.1.split_once(": &")?;
    let docs: Vec<&str> = before.iter().rev().map_while(|l| l.strip_prefix("///")).map(str::trim).collect();
    if !docs.is_empty() {
        return Some(docs.into_iter().rev().collect::<Vec<_>>().join(" "));
    }
    let uses = file.text.match_indices(name).filter(|(at, _)| table && file.text[..*at].ends_with([':', '(']));
    uses.map(|(at, _)| &file.text[at + name.len()..]).find_map(second_of_pair)
}

/// The string literal after a comma.
fn second_of_pair(rest: &str) -> Option<String> {
    let literal = rest.trim_start().strip_prefix(',')?.trim_start().strip_prefix('"')?;
    literal.split_once('"').map(|(summary, _)| summary.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_register() {
        let table = "/// Codes.\npub const ALL: &[(&str, &str)] = &[\n    (\"TL101\", \"unknown column\"),\n    (\n        \"TL102\",\n        \"bad row\",\n    ),\n];\n";
        let constant = "/// The file\n/// is empty.\npub const EMPTY: &str = \"TL103\";\nfn f() { g(\"TL101\") }\n";
        let named =
            "(\n    codes::YAML,\n    \"not YAML\",\n)\nmod codes {\n    pub(crate) const YAML: &str = \"TL104\";\n}\n";
        let files = [
            ("crates/a/src/diagnostics.rs", table),
            ("crates/b/src/x.rs", constant),
            ("crates/c/src/diagnostics.rs", named),
        ];
        let (codes, findings) = registered(&Workspace::of(&files));
        let summaries: Vec<_> = codes.iter().map(|(code, r)| (code.as_str(), r.summary.as_str())).collect();
        assert_eq!(
            summaries,
            [("TL101", "unknown column"), ("TL102", "bad row"), ("TL103", "The file is empty."), ("TL104", "not YAML")]
        );
        assert!(findings.is_empty(), "{findings:?}");
    }

    #[test]
    fn strays_and_doubles_are_found() {
        let table = "(\"TL101\", \"a\"), (\"TL101\", \"b\")";
        let use_site = "f(\"TL900\");\n#[cfg(test)]\nmod tests {\n    \"TL999\"\n}\n";
        let files = [("crates/a/src/diagnostics.rs", table), ("crates/b/src/x.rs", use_site)];
        let found: Vec<String> = check(&Workspace::of(&files)).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "crates/a/src/diagnostics.rs:1: `TL101` is already registered in crates/a/src/diagnostics.rs:1",
                "crates/b/src/x.rs:1: `TL900` is not registered in a diagnostics.rs",
            ]
        );
    }
}
