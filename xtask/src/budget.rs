//! File and function budgets, with a ratchet for what is larger and says why.

use crate::source::code_only;
use crate::workspace::{Finding, SourceFile, Workspace};

const RATCHET: &str = "xtask/ratchet.txt";
/// Lines above which a file must explain itself.
const FILE_BUDGET: usize = 500;
/// Lines no explanation lifts.
const FILE_LIMIT: usize = 800;
const FUNCTION_BUDGET: usize = 70;

/// An accepted excess: `path` or `path::function`, its size when accepted, the reason.
#[derive(Debug)]
struct Entry<'a> {
    line: usize,
    item: &'a str,
    size: usize,
}

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let ratchet = workspace.file(RATCHET).map_or("", |f| f.text.as_str());
    let (entries, mut findings) = read_ratchet(ratchet);
    let mut used = vec![false; entries.len()];
    for file in workspace.files.iter().filter(|f| f.is_rust()) {
        for (item, line, size, budget) in excesses(file) {
            let entry = entries.iter().position(|e| e.item == item);
            if let Some(index) = entry {
                used[index] = true;
            }
            let accepted = entry.map_or(budget, |index| entries[index].size);
            if size > FILE_LIMIT && budget == FILE_BUDGET {
                findings.push(Finding::new(&file.path, 1, format!("{size} lines exceed the limit of {FILE_LIMIT}")));
            } else if size > accepted {
                let message =
                    format!("`{item}` has {size} lines, more than {accepted}: split it, or explain in {RATCHET}");
                findings.push(Finding::new(&file.path, line, message));
            }
        }
    }
    for (entry, _) in entries.iter().zip(&used).filter(|(_, used)| !**used) {
        findings.push(Finding::new(
            RATCHET,
            entry.line,
            format!("`{}` is within its budget: remove the entry", entry.item),
        ));
    }
    findings
}

fn read_ratchet(text: &str) -> (Vec<Entry<'_>>, Vec<Finding>) {
    let (mut entries, mut findings) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty() && !l.starts_with('#')) {
        let mut words = line.split_whitespace();
        let item = words.next().unwrap_or_default();
        let size = words.next().and_then(|w| w.parse().ok());
        match (size, words.next()) {
            (Some(size), Some(_)) => entries.push(Entry { line: index + 1, item, size }),
            _ => findings.push(Finding::new(RATCHET, index + 1, "expected `path[::function] lines reason`")),
        }
    }
    (entries, findings)
}

/// (item, line, size, budget) of the file and the functions that exceed their budgets.
fn excesses(file: &SourceFile) -> Vec<(String, usize, usize, usize)> {
    let mut over = Vec::new();
    let lines = file.text.lines().count();
    if lines > FILE_BUDGET {
        over.push((file.path.clone(), 1, lines, FILE_BUDGET));
    }
    for (name, line, size) in functions(&code_only(&file.text)) {
        if size > FUNCTION_BUDGET {
            over.push((format!("{}::{name}", file.path), line, size, FUNCTION_BUDGET));
        }
    }
    over
}

/// (name, first line, lines) of every function with a body, in code without comments and literals.
fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    // Open functions: name, first line, depth outside the body once it has opened.
    let mut open: Vec<(String, usize, Option<usize>)> = Vec::new();
    let mut depth = 0_usize;
    for (index, line) in code.lines().enumerate() {
        if let Some(name) = function_name(line) {
            open.push((name.to_owned(), index, None));
        }
        for c in line.chars() {
            match c {
                '{' => {
                    if let Some((_, _, outside @ None)) = open.last_mut() {
                        *outside = Some(depth);
                    }
                    depth += 1;
                }
                '}' => {
                    depth = depth.saturating_sub(1);
                    if let Some((name, first, _)) = open.pop_if(|(_, _, outside)| *outside == Some(depth)) {
                        found.push((name, first + 1, index - first + 1));
                    }
                }
                // A trait method without a body.
                ';' if line.trim_end().ends_with(';') => {
                    open.pop_if(|(_, _, outside)| outside.is_none());
                }
                _ => {}
            }
        }
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let qualifiers = ["pub", "const", "async", "unsafe", "extern", "default"];
    words.find(|w| !qualifiers.contains(w) && !w.starts_with("pub(") && *w != "super)").filter(|w| *w == "fn")?;
    words.next()?.split(['(', '<']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(files: &[(&str, &str)]) -> Vec<String> {
        check(&Workspace::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn functions_are_measured_over_braces() {
        let code =
            "trait T {\n    fn none(&self);\n}\npub(crate) fn a<T>(\n    x: T,\n) {\n    if x { }\n    fn b() {}\n}\n";
        assert_eq!(functions(code), [("b".to_owned(), 8, 1), ("a".to_owned(), 4, 6)]);
    }

    #[test]
    fn long_things_need_a_reason() {
        let long = format!("fn long() {{\n{}}}\n", "    let x = 1;\n".repeat(80));
        let file = ("crates/a/src/x.rs", long.as_str());
        let expect = "crates/a/src/x.rs:1: `crates/a/src/x.rs::long` has 82 lines, more than 70: split it, or explain in \
                      xtask/ratchet.txt";
        assert_eq!(messages(&[file]), [expect]);
        assert!(messages(&[file, (RATCHET, "crates/a/src/x.rs::long 82 a table of cases\n")]).is_empty());
        assert_eq!(messages(&[file, (RATCHET, "crates/a/src/x.rs::long 81 a table\n")]).len(), 1);
    }

    #[test]
    fn the_limit_is_not_lifted_and_stale_entries_go() {
        let huge = "//\n".repeat(801);
        let entry = (RATCHET, "crates/a/src/x.rs 801 because\ncrates/a/src/y.rs 600 gone\nbad\n");
        let found = messages(&[("crates/a/src/x.rs", &huge), entry]);
        assert_eq!(
            found,
            [
                "xtask/ratchet.txt:3: expected `path[::function] lines reason`",
                "crates/a/src/x.rs:1: 801 lines exceed the limit of 800",
                "xtask/ratchet.txt:2: `crates/a/src/y.rs` is within its budget: remove the entry",
            ]
        );
    }
}
