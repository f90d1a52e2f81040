//! No file tells where somebody's machine keeps things.

use crate::workspace::{Finding, Workspace};

/// Roots of machine paths; written in two parts so that this file passes its own check.
const ROOTS: &[&str] = &[concat!("/", "work/"), concat!("/", "root/"), concat!("/", "home/"), concat!("/", "tmp/")];

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &workspace.files {
        for (index, line) in file.text.lines().enumerate() {
            for root in ROOTS.iter().filter(|root| starts_path(line, root)) {
                findings.push(Finding::new(&file.path, index + 1, format!("machine path `{root}…`")));
            }
        }
    }
    findings
}

/// Whether the root stands at the start of a path, not inside one (`https://host/home/`, `crates/x/tmp/`).
fn starts_path(line: &str, root: &str) -> bool {
    line.match_indices(root).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | '_' | '-' | '}' | ')' | '~' | '*'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_one_machine_are_found() {
        let [work, root, home, tmp] = ROOTS else { unreachable!("four roots") };
        let text = format!("see {work}x\nhttps://host{home}\n\"{tmp}a\"\nout{tmp}\n`{root}.cargo`\n");
        let found = check(&Workspace::of(&[("docs/a.md", &text)]));
        assert_eq!(found.iter().map(|f| f.line).collect::<Vec<_>>(), [1, 3, 5]);
    }
}
