//! Every component file of a family is named in the family's registry.

use crate::source::code_only;
use crate::workspace::{Finding, Workspace};

/// Registry file and the folder of its components. A pair is skipped while the registry does not exist.
const FAMILIES: &[(&str, &str)] = &[
    ("crates/throughline-attribution/src/registry.rs", "crates/throughline-attribution/src/models/"),
    ("crates/throughline-activate/src/registry.rs", "crates/throughline-activate/src/destinations/"),
    ("crates/throughline-watch/src/registry.rs", "crates/throughline-watch/src/detectors/"),
    ("crates/throughline-ingest/src/connector/mod.rs", "crates/throughline-ingest/src/connector/"),
];

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (registry, folder) in FAMILIES {
        let Some(file) = workspace.file(registry) else { continue };
        let code = code_only(&file.text);
        let named: Vec<&str> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        for component in workspace.files.iter().filter_map(|f| f.path.strip_prefix(folder)) {
            // A component with parts of its own is a folder; its name is the first step.
            let stem = component.split('/').next().unwrap_or(component).trim_end_matches(".rs");
            if stem != "mod" && !named.contains(&stem) {
                let path = format!("{folder}{component}");
                findings.push(Finding::new(&path, 1, format!("component `{stem}` is not named in {registry}")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unlisted_components_are_found() {
        let (registry, folder) = FAMILIES[0];
        let path = |name: &str| format!("{folder}{name}.rs");
        let (listed, unlisted, module) = (path("linear"), path("markov"), path("mod"));
        let files = [
            (registry, "// markov comes later\nconst ALL: &[Entry] = &[entry::<linear::Linear>()];"),
            (&listed, ""),
            (&unlisted, ""),
            (&module, ""),
        ];
        let found = check(&Workspace::of(&files));
        assert_eq!(found.len(), 1);
        assert!(found[0].file.ends_with("markov.rs"));
        assert!(check(&Workspace::of(&files[1..])).is_empty());
    }
}
