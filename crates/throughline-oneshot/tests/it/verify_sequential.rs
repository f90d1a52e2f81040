//! The published figures of sequential testing.

use std::path::Path;

use throughline_oneshot::verify::GROUPS;

#[test]
fn every_published_figure_is_met() {
    let group = GROUPS.iter().find(|g| g.name == "sequential").expect("the group");
    // The group brings its own figures: no reference data are needed.
    let checks = (group.run)(Path::new("nowhere")).expect("checks");
    assert!(checks.len() > 30, "{}", checks.len());
    for check in checks {
        assert!(check.passed, "{check:?}");
    }
}
