//! Every crate has a README that is its documentation, a license and the workspace lints.

use std::collections::BTreeSet;

use crate::workspace::{Finding, Workspace};

const DOC: &str = "#![doc = include_str!(\"../README.md\")]";

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let crates: BTreeSet<&str> = workspace.files.iter().filter_map(|f| f.crate_name()).collect();
    crates.into_iter().flat_map(|name| one_crate(workspace, name)).collect()
}

fn one_crate(workspace: &Workspace, name: &str) -> Vec<Finding> {
    let path = |file: &str| format!("crates/{name}/{file}");
    let mut findings = Vec::new();
    let manifest = path("Cargo.toml");
    let Some(text) = workspace.file(&manifest).map(|f| f.text.as_str()) else {
        return vec![Finding::new(&manifest, 1, "the crate has no Cargo.toml")];
    };
    let has = |wanted: &str| text.lines().any(|l| l.trim() == wanted);
    if !has("license.workspace = true") {
        findings.push(Finding::new(&manifest, 1, "missing `license.workspace = true`"));
    }
    if !text.lines().zip(text.lines().skip(1)).any(|(a, b)| a.trim() == "[lints]" && b.trim() == "workspace = true") {
        findings.push(Finding::new(&manifest, 1, "missing `[lints]` with `workspace = true`"));
    }
    if workspace.file(&path("README.md")).is_none() {
        findings.push(Finding::new(&path("README.md"), 1, "the crate has no README.md"));
    }
    if let Some(root) = workspace.file(&path("src/lib.rs"))
        && !root.text.lines().any(|l| l.trim() == DOC)
    {
        findings.push(Finding::new(&root.path, 1, format!("missing `{DOC}`")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nlicense.workspace = true\n[lints]\nworkspace = true\n";

    #[test]
    fn complete_crates_pass() {
        let lib = format!("{DOC}\n");
        let files = [("crates/a/Cargo.toml", GOOD), ("crates/a/README.md", "# a"), ("crates/a/src/lib.rs", &lib)];
        assert_eq!(check(&Workspace::of(&files)), Vec::new());
    }

    #[test]
    fn each_omission_is_named() {
        let files = [("crates/a/Cargo.toml", "[package]\n"), ("crates/a/src/lib.rs", "")];
        let found = check(&Workspace::of(&files));
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(check(&Workspace::of(&files[1..])).len(), 1);
    }
}
