//! People whom two sources know under different identifiers: matched by what is said about them, reviewed, decided, undone.

use std::path::Path;

use serde_json::Value;

use crate::kills;
use crate::support::{json, refused, shown, succeed, write};

const PROJECT: &str = "apiVersion: throughline/v1\nkind: Project\nname: two-tills\ncurrency: EUR\nas_of: 2026-03-10\n\
                       conversions:\n  - { name: purchase, kind: purchase }\n";

/// A source of customers with one identifier of its own; `consent` and `linkable` as given.
pub(crate) fn source(name: &str, identifier: &str, kind: &str, consent: &str, more: &str) -> String {
    format!(
        "apiVersion: throughline/v1
kind: Source
name: {name}
connector: csv
location: data/{name}.csv
consent: \"{consent}\"
{more}emits:
  - id: \"number\"
    kind: \"'{kind}'\"
    occurred_at: \"'2026-03-01T10:00:00Z'\"
    subjects: {{ {identifier}: \"number\" }}
    value: \"to_float(value)\"
    currency: \"'EUR'\"
    profile: {{ first: first, last: last, born: born, street: street, city: city }}
"
    )
}

const FIRST: [&str; 12] =
    ["ann", "bob", "clara", "david", "emma", "felix", "greta", "henry", "ida", "jonas", "karla", "leo"];
const LAST: [&str; 10] =
    ["abbot", "brenner", "carlsen", "dorfman", "ekberg", "fischer", "grunwald", "holmgren", "ivanov", "jansen"];
const STREET: [&str; 7] =
    ["high street", "mill lane", "church road", "station road", "park avenue", "king street", "elm drive"];
const CITY: [&str; 6] = ["leeds", "york", "bath", "derby", "truro", "ely"];

/// Person `i` as one source writes it; the other mistypes some letters, has half of the people, and some of its own.
pub(crate) fn person(i: usize, mistyped: bool) -> String {
    let typo = |text: &str, place: usize| {
        let mut letters: Vec<char> = text.chars().collect();
        if mistyped && i % 3 == place && letters.len() > 4 {
            letters.swap(2, 3);
        }
        letters.into_iter().collect::<String>()
    };
    // Columns are independent of each other: of a number of its own for each person and column.
    let of = |column: u64, n: usize| {
        let mixed = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ column.wrapping_mul(0x2545_f491_4f6c_dd1d));
        usize::try_from((mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33).expect("small") % n
    };
    let first = format!("{}{}", FIRST[of(1, 12)], ["a", "ine", "us", "ian", "ette", "ard", "o"][of(2, 7)]);
    let last = format!("{}{}", LAST[of(3, 10)], ["son", "berg", "ley", "man", "ton", "well", "by"][of(4, 7)]);
    let street = format!("{} {}", 1 + of(5, 90), STREET[of(6, 7)]);
    let born = format!("19{:02}-{:02}-{:02}", 40 + of(7, 60), 1 + of(8, 12), 1 + of(9, 28));
    format!("{},{},{born},{},{}", typo(&first, 0), typo(&last, 1), typo(&street, 2), CITY[of(10, 6)])
}

/// `crm` has people 0 to 239, `till` those of them with an even number, under other numbers, and 60 that `crm` does not know.
pub(crate) fn project(consent: &str, more: &str, identity: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    project_at(dir.path(), consent, more, identity);
    dir
}

fn project_at(root: &Path, consent: &str, more: &str, identity: &str) {
    let head = "number,value,first,last,born,street,city\n";
    let row = |number: String, i: usize, mistyped: bool| format!("{number},{},{}\n", 10 + i, person(i, mistyped));
    let crm: String = (0..240).map(|i| row(format!("c{i}"), i, false)).collect();
    let till: String = (0..300).filter(|i| i % 2 == 0 || *i >= 240).map(|i| row(format!("l{i}"), i, true)).collect();
    write(root, "throughline.yaml", PROJECT);
    write(root, "sources/crm.yaml", source("crm", "crm", "signup", "'granted'", ""));
    write(root, "sources/till.yaml", source("till", "loyalty", "purchase", consent, more));
    write(root, "data/crm.csv", format!("{head}{crm}"));
    write(root, "data/till.csv", format!("{head}{till}"));
    if !identity.is_empty() {
        write(root, "identity.yaml", format!("apiVersion: throughline/v1\nkind: Identity\n{identity}"));
    }
}

/// Runs a project and gives what its stage `link` counted.
#[track_caller]
pub(crate) fn run(root: &Path) -> Value {
    let report = json(&["run", shown(root)]);
    let stage = report["stages"].as_array().into_iter().flatten().find(|s| s["stage"] == "link" || s["name"] == "link");
    stage.unwrap_or_else(|| panic!("no stage link in {report}"))["units"][0]["metrics"].clone()
}

#[test]
fn people_of_two_sources_are_matched_decided_about_and_undone() {
    let dir = project("'granted'", "", "matching: { one_record_per_person: [crm, till] }\n");
    let root = dir.path();
    let counted = run(root);
    // 120 of the 420 identifiers are second ones of the same people.
    assert_eq!((counted["profiles"].as_u64(), counted["identifiers"].as_u64()), (Some(420), Some(420)));
    let persons = counted["persons"].as_u64().expect("a number");
    assert!((300..=304).contains(&persons), "{counted}");
    assert_eq!(counted["matches_linked"].as_u64(), Some(420 - persons));

    let linked = json(&["identity", "review", shown(root), "--outcome", "linked", "--limit", "500", "--open"]);
    let pairs = linked["pairs"].as_array().expect("pairs");
    assert_eq!(pairs.len() as u64, 420 - persons);
    for pair in pairs {
        let probability = pair["probability"].as_f64().expect("a number");
        assert!(
            (0.95..=1.0).contains(&probability) && pair["weight_bits"].as_f64().is_some_and(f64::is_finite),
            "{pair}"
        );
        assert_eq!(pair["said"][0]["born"], pair["said"][1]["born"], "{pair}");
        assert_ne!(pair["sources"][0], pair["sources"][1]);
    }
    let text = succeed(&["identity", "review", shown(root), "--outcome", "linked", "--limit", "1"]);
    assert!(
        text.contains("probability") && text.contains("born") && !text.contains(" lane") && !text.contains(" road"),
        "{text}"
    );

    // Somebody knows better: the next run keeps the two apart, with an id of its own for one of them.
    let pair = [0, 1].map(|i| pairs[0][["token", "other_token"][i]].as_str().expect("a token").to_owned());
    let said = succeed(&["identity", "part", &pair[0], &pair[1], shown(root), "--reason", "twins"]);
    assert!(said.contains("keeps them apart"), "{said}");
    let apart = run(root);
    assert_eq!((apart["persons"].as_u64(), apart["split"].as_u64()), (Some(persons + 1), Some(1)), "{apart}");
    assert!(succeed(&["identity", "review", shown(root), "--outcome", "apart"]).contains("kept apart by decision"));
    // Undone, they are one again, under the id they had.
    succeed(&["identity", "undo", &pair[0], &pair[1], shown(root)]);
    let again = run(root);
    assert_eq!((again["persons"].as_u64(), again["merged"].as_u64()), (Some(persons), Some(1)), "{again}");
    // What was decided, and that the vault was opened, is on record; the reason is not in the clear.
    let log = succeed(&["audit", "export", shown(root)]);
    let records: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |kind: &str| records.iter().filter(|r| r["kind"] == kind).count();
    assert_eq!(of("identity_decision"), 2);
    assert!(of("vault_opened") > 1 && !log.contains("twins"));
    assert!(succeed(&["audit", "verify", shown(root)]).contains("records"));
}

#[test]
fn nothing_is_compared_without_consent_or_where_the_project_forbids_it() {
    for (consent, more, identity, field, count) in [
        ("'denied'", "", "", "profiles_without_consent", 180),
        ("coalesce(null, '')", "", "", "profiles_without_consent", 180),
        ("'granted'", "linkable: false\n", "", "profiles_by_source", 180),
        (
            "'granted'",
            "",
            "matching: { never_compare: [[crm, till]], one_record_per_person: [crm, till] }\n",
            "matches_linked",
            0,
        ),
    ] {
        let dir = project(consent, more, identity);
        let counted = run(dir.path());
        assert_eq!(counted[field].as_u64(), Some(count), "{counted}");
        assert_eq!(counted["persons"].as_u64(), Some(420), "{counted}");
    }
}

#[test]
fn wrong_decisions_and_names_are_refused() {
    // A misspelt source would forbid nothing.
    let dir = project("'granted'", "", "matching: { never_compare: [[crm, til]] }\n");
    refused(&["check", shown(dir.path())], &["TL017", "identity.yaml", "`til`", "known sources: crm, till"]);
    let dir = project("'granted'", "", "");
    let root = shown(dir.path());
    refused(&["identity", "join", "nobody", "nobody", root], &["TL059", "32 hexadecimal digits"]);
    let (a, b) = ("0".repeat(32), "1".repeat(32));
    refused(&["identity", "join", &a, &b, root], &["identifier `000", "is not known", "identity review"]);
    refused(&["identity", "review", root, "--outcome", "maybe"], &["TL058", "queue, decided, review, linked, apart"]);
    assert!(succeed(&["identity", "review", root, "--outcome", "review"]).contains("no pair is `review`"));
    assert!(succeed(&["identity", "review", root]).contains("no drawn pair is left"));
}

#[test]
fn drawn_pairs_tell_the_accuracy_and_later_logins_do_too() {
    let dir =
        project("'granted'", "", "matching: { one_record_per_person: [crm, till], link_at: 0.999, review_at: 0.01 }\n");
    let root = dir.path();
    run(root);
    let before = json(&["identity", "accuracy", shown(root)]);
    assert!(
        before["precision"].is_null() && before["note"].as_str().is_some_and(|n| n.contains("no pairs were drawn")),
        "{before}"
    );
    assert!(before["logins"]["note"].as_str().is_some_and(|n| n.contains("nothing was seen")), "{before}");

    let drawn = json(&["identity", "draw", shown(root), "--size", "60"]);
    let pairs = drawn["pairs"].as_array().expect("pairs");
    let population: u64 = drawn["population"].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum();
    assert!(pairs.len() > 30 && population > 100, "{} of {population}", pairs.len());
    let number = |value: &Value, name: &str| value[name].as_f64().expect("a number");
    assert!(pairs.iter().all(|p| number(p, "inclusion") >= number(&drawn, "floor") && number(p, "inclusion") <= 1.0));
    // What the queue shows are the drawn pairs, and nothing else.
    let queue = json(&["identity", "review", shown(root), "--limit", "500", "--open"]);
    let queue = queue["pairs"].as_array().expect("pairs").clone();
    assert_eq!(queue.len(), pairs.len());
    // Whether two are one person is known by the day of birth, which nobody mistypes.
    let same = |pair: &Value| pair["said"][0]["born"] == pair["said"][1]["born"];
    let (mut linked, mut right, mut all_right) = (0.0, 0.0, 0.0);
    for pair in &queue {
        let decision = if same(pair) { "join" } else { "part" };
        let token = |name: &str| pair[name].as_str().expect("a token").to_owned();
        succeed(&["identity", decision, &token("token"), &token("other_token"), shown(root)]);
        let weight = 1.0 / number(pair, "inclusion");
        let is_linked = pair["outcome"] == "linked";
        linked += if is_linked { weight } else { 0.0 };
        right += if is_linked && same(pair) { weight } else { 0.0 };
        all_right += if same(pair) { weight } else { 0.0 };
    }
    assert!(succeed(&["identity", "review", shown(root)]).contains("no drawn pair is left"));
    let found = json(&["identity", "accuracy", shown(root)]);
    assert_eq!(
        (found["labelled"].as_u64(), found["drawn"].as_u64()),
        (Some(queue.len() as u64), Some(queue.len() as u64))
    );
    for (name, expect) in [("precision", right / linked), ("recall", right / all_right)] {
        let share = &found[name];
        assert!((number(share, "value") - expect).abs() < 1e-9, "{name}: {share} for {expect}");
        assert!(
            number(share, "low") <= expect + 1e-9
                && expect <= number(share, "high") + 1e-9
                && number(share, "low") < number(share, "high"),
            "{name}: {share} for {expect}"
        );
    }
    let text = succeed(&["identity", "accuracy", shown(root)]);
    assert!(text.contains("precision") && text.contains("labels") && text.contains("recalibrated"), "{text}");
    // A decision that is taken back is a label no more.
    let token = |name: &str| queue[0][name].as_str().expect("a token").to_owned();
    succeed(&["identity", "undo", &token("token"), &token("other_token"), shown(root)]);
    assert_eq!(json(&["identity", "accuracy", shown(root)])["labelled"].as_u64(), Some(queue.len() as u64 - 1));
    let log = succeed(&["audit", "export", shown(root)]);
    assert!(log.lines().any(|line| line.contains("match_draw")));
}

/// A source whose events carry both identifiers.
fn logins(root: &Path, rows: &[(usize, usize)]) {
    let text = "apiVersion: throughline/v1\nkind: Source\nname: web\nconnector: csv\nlocation: data/web.csv\n\
                consent: \"'granted'\"\nemits:\n  - id: \"id\"\n    kind: \"'visit'\"\n    \
                occurred_at: \"'2026-03-05T10:00:00Z'\"\n    subjects: { crm: crm, loyalty: loyalty }\n";
    write(root, "sources/web.yaml", text);
    let row = |(i, (c, l)): (usize, &(usize, usize))| format!("w{i},c{c},l{l}\n");
    let rows: String = rows.iter().enumerate().map(row).collect();
    write(root, "data/web.csv", format!("id,crm,loyalty\n{rows}"));
}

#[test]
fn later_logins_confirm_and_contradict() {
    let dir = project("'granted'", "", "matching: { one_record_per_person: [crm, till] }\n");
    let root = dir.path();
    let matched = run(root)["matches_linked"].as_u64().expect("a number");
    let mut rows: Vec<(usize, usize)> = (0..40).step_by(2).map(|i| (i, i)).collect();
    rows.push((50, 60));
    logins(root, &rows);
    run(root);
    let found = json(&["identity", "accuracy", shown(root)]);
    let logins = &found["logins"];
    assert_eq!(logins["linked"].as_u64(), Some(matched), "{logins}");
    // Both of the two pairs that the odd login crosses are contradicted by it.
    let (confirmed, contradicted) = (logins["confirmed"].as_u64().expect("a number"), logins["contradicted"].as_u64());
    assert!((18..=20).contains(&confirmed) && contradicted == Some(2), "{logins}");
    let precision = logins["precision"].as_f64().expect("a share");
    assert!((precision - confirmed as f64 / (confirmed + 2) as f64).abs() < 1e-12);
    assert!(logins["interval"][0].as_f64() < Some(precision) && Some(precision) < logins["interval"][1].as_f64());
}

#[test]
fn what_a_purpose_forbids_is_never_compared_nor_linked_and_is_reported() {
    let dir = project("'granted'", "", "");
    let root = dir.path();
    let permit = |rules: &str| write(root, "throughline.yaml", format!("{PROJECT}linking:\n{rules}"));
    let report = || json(&["consent", "report", shown(root)])["linking"].clone();
    permit("  measurement: { never: [[till, crm]] }\n");
    let counted = run(root);
    assert_eq!((counted["persons"].as_u64(), counted["matches_linked"].as_u64()), (Some(420), Some(0)), "{counted}");
    for outcome in ["linked", "review", "apart"] {
        let pairs = json(&["identity", "review", shown(root), "--outcome", outcome, "--limit", "9999"]);
        let crossing = |p: &&Value| p["sources"][0] != p["sources"][1];
        assert_eq!(pairs["pairs"].as_array().into_iter().flatten().filter(crossing).count(), 0, "{outcome}");
    }
    assert_eq!(report()[0]["sources"], serde_json::json!(["crm", "till"]));
    assert_eq!(report()[0]["forbidden_by"], serde_json::json!(["measurement"]));
    assert!(succeed(&["consent", "report", shown(root)]).contains("crm with till"));
    // Nobody may decide otherwise: what nobody may link is not linked by hand either, once links of both are there.
    permit("  measurement: { sources: [crm, till] }\n  advertising: { sources: [crm] }\n");
    let counted = run(root);
    assert_eq!(
        (counted["profiles_by_source"].as_u64(), counted["persons"].as_u64()),
        (Some(180), Some(420)),
        "{counted}"
    );
    assert_eq!(report()[0]["sources"], serde_json::json!(["till"]));
    assert_eq!(report()[0]["forbidden_by"], serde_json::json!(["advertising"]));
    permit("  measurement: { never: [[till, cmr]] }\n");
    refused(&["check", shown(root)], &["TL018", "`cmr`", "known sources: crm, till"]);
}

/// Two sources that know the same e-mail addresses, each under a number of its own.
#[test]
fn no_person_rests_on_links_of_two_sources_that_may_not_be_linked() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path();
    for (name, kind) in [("crm", "crm"), ("till", "loyalty")] {
        let text = format!(
            "apiVersion: throughline/v1\nkind: Source\nname: {name}\nconnector: csv\nlocation: data/{name}.csv\n\
             consent: \"'granted'\"\nemits:\n  - id: \"number\"\n    kind: \"'visit'\"\n    \
             occurred_at: \"'2026-03-01T10:00:00Z'\"\n    subjects: {{ email: mail, {kind}: number }}\n"
        );
        write(root, &format!("sources/{name}.yaml"), text);
        let row = |i: usize| format!("{name}{i},person{i}@example.org\n");
        let rows: String = (0..10).map(row).collect();
        write(root, &format!("data/{name}.csv"), format!("number,mail\n{rows}"));
    }
    write(root, "throughline.yaml", PROJECT);
    assert_eq!(run(root)["persons"].as_u64(), Some(10));
    write(root, "throughline.yaml", format!("{PROJECT}linking: {{ messaging: {{ never: [[crm, till]] }} }}\n"));
    let counted = run(root);
    assert_eq!((counted["persons"].as_u64(), counted["links_forbidden"].as_u64()), (Some(20), Some(10)), "{counted}");
}

#[test]
fn kills_while_profiles_are_linked_lose_and_double_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let fresh = |name: &str| {
        let root = dir.path().join(name);
        project_at(&root, "'granted'", "", "matching: { one_record_per_person: [crm, till] }\n");
        kills::same_key(&root);
        root
    };
    let alone = kills::Alone::of(&fresh("alone"));
    assert!(alone.outcome["matches"].len() > 100 && alone.outcome["profiles"].len() == 420);
    let mut moments = kills::moments();
    let mut done = 0;
    for round in 0..3 {
        done += alone.compare_killed(&fresh(&format!("killed-{round}")), &mut moments);
    }
    assert!(done > 0, "nothing was killed");
}
