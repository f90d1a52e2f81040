//! What is said about a wrong destination.

use throughline_activate::{ADAPTERS, DestinationConfig, Route, Site, diagnostics};

use crate::world::crm;

fn findings(yaml: &str) -> Vec<String> {
    let site = Site { project: "project".into() };
    let compiled = DestinationConfig::parse(yaml, "crm.yaml").and_then(|config| Route::compile(&config, &site));
    compiled.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check(from: &str, to: &str, expect: &[&str]) {
    assert!(crm().contains(from), "{from} is not in the file");
    let found = findings(&crm().replace(from, to));
    assert_eq!(found.len(), expect.len(), "{found:#?}");
    for (finding, start) in found.iter().zip(expect) {
        assert!(finding.starts_with(start), "{finding}");
    }
}

#[test]
fn findings_have_place_code_and_suggestion() {
    assert_eq!(findings(&crm()), Vec::<String>::new());
    check(
        "kind: Destination",
        "kind: Source",
        &["crm.yaml:2:7: error[TL802]: kind is `Source`, expected `Destination`"],
    );
    check(
        "name: crm_export",
        "name: ../up",
        &["crm.yaml:3:7: error[TL803]: destination name `../up` is not a plain word"],
    );
    check(
        "adapter: file",
        "adapter: fil",
        &["crm.yaml:4:10: error[TL804]: unknown adapter `fil`\n  help: did you mean `file`? known adapters: file"],
    );
    check(
        "format: csv",
        "format: xls",
        &["crm.yaml:5:10: error[TL805]: options of adapter `file`: unknown variant `xls`"],
    );
    check(
        "path: out/crm",
        "path: ../out",
        &["crm.yaml:5:10: error[TL805]: options of adapter `file`: path `../out` is not"],
    );
    check("path: out/crm", "path: /tmp", &["crm.yaml:5:10: error[TL805]"]);
    check("format: csv", "format: csv, batch_rows: 0", &["crm.yaml:5:10: error[TL805]"]);
    check(
        "purpose: messaging",
        "purpose: mesaging",
        &["crm.yaml:6:10: error[TL806]: unknown consent purpose `mesaging`"],
    );
    check(
        "identifier: email\n",
        "identifier: mail\n",
        &["crm.yaml:7:13: error[TL807]: unknown identifier kind `mail`"],
    );
    check(
        "action <> 'none'",
        "acton <> 'none'",
        &["crm.yaml:8:9: error[TL808]: unknown column `acton` at line 1, column 1\n  help: did you mean `action`?"],
    );
    check(
        "action <> 'none'",
        "action",
        &["crm.yaml:8:9: error[TL808]: type error: expected an expression of type Bool"],
    );
    check("action <> 'none'", "identifier = 'x'", &["crm.yaml:8:9: error[TL808]: unknown column `identifier`"]);
    check("value: expected_net_value", "value: \"(SELECT 1)\"", &["crm.yaml:9:"]);
    check("email: identifier, action: action, value: expected_net_value", "", &["crm.yaml:3:7: error[TL810]"]);
    check(
        "value: expected",
        "\"a b\": expected",
        &["crm.yaml:9:46: error[TL810]: output column `a b` is not a plain word"],
    );
    check("on_stale: skip", "on_stale: send", &["crm.yaml:10:"]);
    check("on_stale: skip", "on_stal: skip", &["crm.yaml:10:1: error[TL801]"]);
    check("adapter: file\n", "", &["crm.yaml:"]);
    let two = "error[TL808]";
    let found = findings(&crm().replace("messaging", "mail").replace("action <> 'none'", "1 +"));
    assert!(found.len() == 2 && found[0].contains("TL806") && found[1].contains(two), "{found:#?}");
}

#[test]
fn an_identifier_must_be_declared_to_be_used() {
    let found = findings(&crm().replace("identifier: email\n", ""));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("help: say which one: `identifier: email`"), "{}", found[0]);
}

#[test]
fn names_are_used_once() {
    let config = DestinationConfig::parse(&crm(), "crm.yaml").expect("a destination");
    assert!(DestinationConfig::check_names(std::slice::from_ref(&config)).is_empty());
    let found = DestinationConfig::check_names(&[config.clone(), config]);
    assert_eq!(found[0].to_string(), "crm.yaml:3:7: error[TL803]: destination `crm_export` is declared twice");
}

#[test]
fn the_mapping_hash_covers_what_a_row_becomes_and_nothing_else() {
    let site = Site { project: "project".into() };
    let hash = |yaml: &str| {
        let config = DestinationConfig::parse(yaml, "crm.yaml").expect("a destination");
        Route::compile(&config, &site).expect("a route").mapping_hash().to_owned()
    };
    let base = hash(&crm());
    for same in [("action <> 'none'", "action = 'mail'"), ("value: expected_net_value", "value: (expected_net_value)")]
    {
        assert_eq!(hash(&crm().replace(same.0, same.1)), base, "{same:?}");
    }
    for other in [
        ("format: csv", "format: jsonl"),
        ("out/crm", "out/x"),
        ("value:", "worth:"),
        ("action: action", "action: arm"),
    ] {
        assert_ne!(hash(&crm().replace(other.0, other.1)), base, "{other:?}");
    }
}

#[test]
fn registries_and_codes_are_unique() {
    let mut names: Vec<&str> = ADAPTERS.iter().map(|entry| entry.name).collect();
    names.extend(diagnostics::CODES.iter().map(|(code, _)| *code));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
