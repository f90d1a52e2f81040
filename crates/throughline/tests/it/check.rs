//! `check`: what sources hold is looked at without running, and what to mend is said in plain words, most important first.

use serde_json::Value;

use crate::sources::project;
use crate::support::{json, shown, succeed};

const SOURCE: &str = "apiVersion: throughline/v1
kind: Source
name: NAME
connector: csv
location: data/NAME*.csv
consent: \"'granted'\"
failure_limit: 0.9
emits:
  - id: \"id\"
    kind: \"kind\"
    occurred_at: \"at\"
    available_at: \"known\"
    subjects: { email: \"email\" }
    channel: \"channel\"
    campaign: \"campaign\"
    value: \"value\"
    currency: \"'EUR'\"
";

const HEAD: &str = "id,kind,at,known,email,channel,campaign,value\n";

fn source(name: &str) -> String {
    SOURCE.replace("NAME", name)
}

/// Twenty-five days of orders, one a day, those on `without` left out.
fn orders(without: &[u32]) -> String {
    let row = |n: u32| format!("o{n},purchase,2026-02-{:02}T10:00:00Z,,p{n}@a.example,,,10\n", n + 1);
    HEAD.to_owned() + &(0..25).filter(|n| !without.contains(n)).map(row).collect::<String>()
}

#[test]
fn what_to_mend_is_said_most_important_first_and_nothing_is_written() {
    let web = orders(&[3, 4])
        + "v1,visit,2026-02-02T10:00:00Z,2026-02-01T10:00:00Z,v@a.example,,,\n\
           v2,visit,1999-02-02T10:00:00Z,,v@a.example,unassigned,,\n\
           v3,visit,2027-02-02T10:00:00Z,,v@a.example,search,,\n\
           v4,visit,2026-02-05T10:00:00Z,,v@a.example,search,,\n\
           v4,visit,2026-02-05T11:00:00Z,,v@a.example,search,,\n";
    let dir = project(&[
        ("sources/web.yaml", &source("web")),
        ("sources/till.yaml", &source("till")),
        ("data/web.csv", &web),
        ("data/till.csv", &orders(&[])),
        (
            "experiments/mail.yaml",
            "apiVersion: throughline/v1\nkind: Experiment\nname: mail\n\
            assignment: { event_name: mail, arm: \"properties['arm']\" }\narms: { none: 1, mail: 1 }\ncontrol: none\n\
            window_days: 14\nmetrics:\n  - { name: bought, type: proportion, agg: any, where: \"kind = 'purchase'\" }\n",
        ),
    ]);
    let root = shown(dir.path());
    let said = succeed(&["check", root]);
    let place = |text: &str| said.find(text).unwrap_or_else(|| panic!("`{text}` is missing in:\n{said}"));
    let expected = [
        "warning[TL029]: experiment `mail` has no data: no assignment named `mail`",
        "warning[TL024]: 1 of 27 events of `web` lie in the future",
        "warning[TL024]: 1 of 27 events of `web` lie before the year 2000",
        "warning[TL024]: 1 of 27 events of `web` were received before they happened",
        "warning[TL028]: 2 of 25 orders of `till` (8.0 %) are missing in `web`, which has the others",
        "warning[TL022]: 1 of 28 rows of `web` (3.6 %) cannot be used (1 TL211)",
        "warning[TL025]: 2 of 3 visits and clicks of `web` (66.7 %) have no channel",
        "warning[TL026]: `campaign` of `web` is empty in 26 of 26 rows",
        "warning[TL023]: 1 rows of `web` have an id that was there before",
    ];
    let places: Vec<usize> = expected.iter().map(|text| place(text)).collect();
    assert!(places.is_sorted(), "{said}");
    place("metric `bought` of experiment `mail`");
    place("no errors");
    assert!(!dir.path().join(".throughline").exists(), "a check wrote something");

    let answer = json(&["check", root]);
    let web = answer["sources"].as_array().expect("sources").iter().find(|s| s["source"] == "web").expect("web");
    let profile = &web["profile"];
    assert_eq!((&profile["rows_read"], &profile["sampled"]), (&Value::from(28), &Value::from(false)));
    assert_eq!(profile["last_event_at"], "2026-02-25T10:00:00Z");
    let bought = answer["labels"].as_array().expect("labels").iter().find(|l| l["counts"] == "event of kind purchase");
    assert_eq!(bought.expect("a label")["events"], 48, "{answer}");
}

#[test]
fn days_that_are_missing_and_large_sources_are_said() {
    let mut files = vec![
        ("sources/web.yaml".to_owned(), source("web")),
        ("sources/till.yaml".to_owned(), source("till")),
        ("data/web.csv".to_owned(), orders(&[10, 11])),
    ];
    for n in 0..40 {
        let row = |k: u32| format!("x{n}-{k},purchase,2026-02-{:02}T10:00:00Z,,p{k}@a.example,,,10\n", k % 28 + 1);
        files.push((format!("data/till-{n}.csv"), HEAD.to_owned() + &(0..30).map(row).collect::<String>()));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let dir = project(&files);
    let root = shown(dir.path());
    let said = succeed(&["check", root]);
    assert!(
        said.contains("warning[TL027]: `web` has no rows on 2026-02-11, 2026-02-12, on which other sources have some"),
        "{said}"
    );
    let few = succeed(&["check", root, "--rows", "100"]);
    assert!(few.contains("of 40 files were looked at; figures are theirs"), "{few}");
    let profile = json(&["check", root, "--rows", "100"])["sources"][0]["profile"].clone();
    assert!(profile["sampled"] == true && profile["rows_read"].as_u64().is_some_and(|n| n <= 1000), "{profile}");
}
