//! Texts that may not stand in our code.

use crate::source::{code_only, shipped_lines};
use crate::workspace::{Finding, SourceFile, Workspace};

/// Refused everywhere below `crates/`, tests included.
const EVERYWHERE: &[(&str, &str)] = &[
    ("todo!", "finish it or open an issue"),
    ("unimplemented!", "finish it or open an issue"),
    ("dbg!", "remove the debugging output"),
    ("#[ignore", "a test that does not run proves nothing"),
    ("#[should_panic", "assert on the returned error instead"),
    ("#[allow(", "use #[expect(…, reason = \"…\")]"),
    ("#![allow(", "use #![expect(…, reason = \"…\")]"),
];

/// Refused in shipped code below `run`.
const AMBIENT: &[&str] =
    &["SystemTime::now", "Instant::now", "std::env::var", "env::var(", "Timestamp::now", "Zoned::now", "thread_rng"];

/// The crates at and above `run`, which may read clock and environment, and the one that starts servers for tests.
const ABOVE: &[&str] =
    &["throughline-run", "throughline", "throughline-server", "throughline-python", "throughline-testbed"];

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    workspace.crate_sources().flat_map(in_file).collect()
}

fn in_file(file: &SourceFile) -> Vec<Finding> {
    let code = code_only(&file.text);
    // Examples measure: they are programs of their own.
    let example = file.path.contains("/examples/");
    let shipped = if file.is_test() || example { 0 } else { shipped_lines(&code) };
    let below = file.crate_name().is_some_and(|name| !ABOVE.contains(&name));
    let mut findings = Vec::new();
    for (index, line) in code.lines().enumerate() {
        for (text, advice) in EVERYWHERE.iter().filter(|(text, _)| line.contains(text)) {
            findings.push(Finding::new(&file.path, index + 1, format!("`{text}` is not accepted: {advice}")));
        }
        if below && index < shipped {
            for text in AMBIENT.iter().filter(|text| line.contains(**text)).take(1) {
                let message = format!("`{text}` below run: take time, seed and settings from RunContext");
                findings.push(Finding::new(&file.path, index + 1, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expect: &[usize]) {
        let found = super::check(&Workspace::of(&[(path, text)]));
        assert_eq!(found.iter().map(|f| f.line).collect::<Vec<_>>(), expect, "{found:?}");
    }

    #[test]
    fn unfinished_code_is_refused() {
        let path = "crates/throughline-core/src/x.rs";
        check(path, "fn a() { todo!() }\n#[ignore = \"slow\"]\n#[allow(dead_code)]\n", &[1, 2, 3]);
        check(path, "// todo! in words\nlet a = \"dbg!\";\n#[expect(dead_code, reason = \"x\")]\n", &[]);
        check("xtask/src/x.rs", "todo!()", &[]);
    }

    #[test]
    fn ambient_facts_stay_above_run() {
        let text = "let t = Instant::now();\n#[cfg(test)]\nmod tests {\n    let r = std::env::var(\"X\");\n}\n";
        check("crates/throughline-lake/src/x.rs", text, &[1]);
        check("crates/throughline-lake/tests/it.rs", text, &[]);
        check("crates/throughline-run/src/x.rs", text, &[]);
    }
}
