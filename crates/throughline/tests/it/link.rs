//! Linking records of plain files.

use serde_json::Value;

use crate::support::{json, refused, shown, succeed};

const ONE: &str = "id,name,born,mail,who
1,Ann Marie Lee,1971-06-24,ann.lee@a.example,a
2,Bob Ray,1980-01-02,bob@b.example,b
3,Cy Dow,1990-03-04,cy.dow@c.example,c
";
const TWO: &str = "id,name,born,phone,who
1,Anne Marie Lee,24/06/1971,0791234567,a
2,Bob Ray,1980-01-02,0797654321,b
3,Di Fox,1965-05-06,,d
";

#[test]
fn files_with_other_columns_are_linked_and_held_against_a_truth() {
    let dir = tempfile::tempdir().expect("a folder");
    let place = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    let (one, two, out) = (place("one.csv", ONE), place("two.csv", TWO), dir.path().join("persons.csv"));
    let files = ["link", shown(&one), shown(&two), "--out", shown(&out)];
    let told = json(&[&files[..], &["--truth", "who"]].concat());
    assert_eq!((told["records"].as_u64(), told["true_pairs"].as_u64()), (Some(6), Some(2)));
    for measure in ["persons", "pairs", "precision", "recall", "f1", "seconds", "peak_mb"] {
        assert!(told[measure].as_f64().is_some_and(f64::is_finite), "{measure}: {told}");
    }
    let columns: Vec<&str> =
        told["columns"].as_array().into_iter().flatten().filter_map(|c: &Value| c["column"].as_str()).collect();
    assert!(columns.contains(&"name") && !columns.contains(&"who"), "{columns:?}");
    let persons = std::fs::read_to_string(&out).expect("a file");
    assert_eq!(persons.lines().count(), 7, "{persons}");
    assert!(succeed(&files).contains("without a truth column"));
    refused(&["link", shown(&one), "--truth", "whom"], &["TL033", "no column `whom`", "id, name, born, mail, who"]);
    let ragged = place("ragged.csv", "id,name,born\n1,Ann Lee,1971-06-24\n2,Bob\n3,Cy Dow,1980-01-02\n");
    let told = json(&["link", shown(&ragged)]);
    let left_out = told["rows_left_out"][0].as_str().expect("a row");
    assert!(told["records"] == 2 && left_out.contains("ragged.csv:3") && left_out.contains("TL034"), "{told}");
    assert!(succeed(&["link", shown(&ragged)]).contains("1 rows were left out"));
    let twice = place("twice.csv", "name,name\nAnn,Lee\nBob,Ray\n");
    refused(&["link", shown(&twice)], &["column `name` comes twice"]);
    let broken = place("broken.parquet", "PAR1 nothing");
    refused(&["link", shown(&broken)], &["TL057", "not readable as Parquet"]);
}
