//! The published figures of attribution.

use std::path::Path;

use throughline_oneshot::verify::GROUPS;

#[track_caller]
#[expect(clippy::print_stderr, reason = "absent data must be said")]
fn check(name: &str, at_least: usize) {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").to_owned();
    let folder = std::env::var("THROUGHLINE_REFERENCE").unwrap_or(default);
    if !Path::new(&folder).join("channel-paths").exists() {
        eprintln!("reference data not found below {folder}: check skipped");
        return;
    }
    let group = GROUPS.iter().find(|g| g.name == name).expect("the group");
    let checks = (group.run)(Path::new(&folder)).expect("checks");
    assert!(checks.len() >= at_least, "{name}: {} checks", checks.len());
    let failed: Vec<_> = checks.iter().filter(|c| !c.passed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn small_vectors() {
    check("attribution", 50);
}

#[test]
fn channel_paths() {
    check("channel-paths", 190);
}

#[test]
fn zhao() {
    check("shapley-zhao", 80);
}
