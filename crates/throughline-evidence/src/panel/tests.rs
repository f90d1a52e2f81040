use super::*;
use crate::{Column, Table};

const SPEC: PanelSpec<'_> = PanelSpec {
    unit: "u",
    time: "t",
    outcome: "y",
    treatment: "d",
    treated_from: None,
    covariates: &[],
    cluster: None,
};

fn table(rows: &[(f64, f64, f64, f64)]) -> Table {
    let column = |f: fn(&(f64, f64, f64, f64)) -> f64| rows.iter().map(f).collect();
    let table = Table::new().with("u", column(|r| r.0)).and_then(|t| t.with("t", column(|r| r.1)));
    table.and_then(|t| t.with("y", column(|r| r.2))).and_then(|t| t.with("d", column(|r| r.3))).expect("columns")
}

#[track_caller]
fn refused(table: &Table, code: &str, says: &str) {
    match Panel::of(table, &SPEC) {
        Err(EvidenceError::Data { code: got, message, help }) => {
            assert_eq!(got, code, "{message}");
            assert!(message.contains(says) && !help.is_empty(), "{message} / {help}");
        }
        other => panic!("{other:?}"),
    }
}

const ROWS: [(f64, f64, f64, f64); 6] = [
    (9.0, 2.0, 6.0, 1.0),
    (7.0, 1.0, 1.0, 0.0),
    (9.0, 1.0, 4.0, 0.0),
    (7.0, 3.0, 3.0, 0.0),
    (7.0, 2.0, 2.0, 0.0),
    (9.0, 3.0, 8.0, 1.0),
];

#[test]
fn rows_in_any_order_make_one_matrix() {
    let panel = Panel::of(&table(&ROWS), &SPEC).expect("a panel");
    assert_eq!(panel.outcomes(), [1.0, 2.0, 3.0, 4.0, 6.0, 8.0]);
    assert_eq!((panel.start(0), panel.start(1), panel.is_balanced()), (None, Some(1), true));
    let mut sorted = ROWS;
    sorted.sort_by(|a, b| b.partial_cmp(a).expect("numbers"));
    assert_eq!(Panel::of(&table(&sorted), &SPEC).expect("a panel"), panel);
}

#[test]
fn the_first_treated_period_may_stand_in_every_row() {
    let rows = ROWS.map(|(u, t, y, _)| (u, t, y, if u == 9.0 { 2.0 } else { 0.0 }));
    assert_eq!(Panel::of(&table(&rows), &SPEC).expect("a panel"), Panel::of(&table(&ROWS), &SPEC).expect("a panel"));
    // Between two periods it means the later one; after the last it means never.
    let rows = ROWS.map(|(u, t, y, _)| (u, t, y, if u == 9.0 { 1.5 } else { 99.0 }));
    assert_eq!(Panel::of(&table(&rows), &SPEC).expect("a panel").groups(), [(1, 1)]);
    let mut rows = rows;
    rows[2].3 = 3.0;
    refused(&table(&rows), "TL353", "unit `9`");
}

#[test]
fn a_date_marks_when_marked_units_start() {
    let rows = ROWS.map(|(u, t, y, _)| (u, t, y, f64::from(u8::from(u == 9.0))));
    let spec = PanelSpec { treated_from: Some("3"), ..SPEC };
    assert_eq!(Panel::of(&table(&rows), &spec).expect("a panel").groups(), [(2, 1)]);
    assert!(Panel::of(&table(&rows), &PanelSpec { treated_from: Some("4"), ..SPEC }).is_err());
    assert!(Panel::of(&table(&rows), &PanelSpec { treated_from: Some("june"), ..SPEC }).is_err());
}

#[test]
fn missing_cells_are_counted_and_named() {
    let mut rows = ROWS.to_vec();
    rows.remove(3);
    rows[0].2 = f64::NAN;
    let panel = Panel::of(&table(&rows), &SPEC).expect("a panel");
    assert_eq!((panel.missing_cells(), panel.complete_units()), (2, vec![]));
    let error = panel.require_balanced().expect_err("unbalanced").to_string();
    assert!(error.contains("`7` in 3") && error.contains("`9` in 2"), "{error}");
}

#[test]
fn faults_say_which_row() {
    let mut rows = ROWS.to_vec();
    rows.push((7.0, 2.0, 5.0, 0.0));
    refused(&table(&rows), "TL350", "unit `7` in period 2");
    let mut rows = ROWS.to_vec();
    rows[5].3 = 0.0;
    refused(&table(&rows), "TL352", "unit `9` is treated from 2 and no longer in 3");
    let mut rows = ROWS.to_vec();
    rows[5].3 = f64::NAN;
    refused(&table(&rows), "TL353", "row 6");
    let mut rows = ROWS.to_vec();
    rows[5].1 = f64::NAN;
    refused(&table(&rows), "TL353", "`t`");
    let rows: Vec<_> = (0..3_000).map(|i| (f64::from(i), f64::from(i), 0.0, 0.0)).collect();
    refused(&table(&rows), "TL351", "3000 rows");
}

#[test]
fn periods_of_texts_must_sort() {
    let with = |names: [&str; 3]| {
        let codes = ROWS.iter().map(|r| u32::from(r.1 > 1.0) + u32::from(r.1 > 2.0)).collect();
        let times = Column::Texts { codes, names: names.map(str::to_owned).to_vec() };
        let mut table = table(&ROWS);
        table.push("date", times).expect("a column");
        Panel::of(&table, &PanelSpec { time: "date", ..SPEC })
    };
    let panel = with(["2024-02-01", "2024-02-09", "2024-03-01"]).expect("dates");
    assert_eq!((panel.time_name(1), panel.time(1), panel.start(1)), ("2024-02-09".into(), 1.0, Some(1)));
    assert_eq!(panel.period_from("2024-02-05").expect("a date"), 1);
    for bad in
        [["week 1", "week 2", "week 10"], ["01.02.2024", "09.02.2024", "01.03.2024"], ["2024-1", "2024-2", "2024-10"]]
    {
        assert!(matches!(with(bad), Err(EvidenceError::Data { code: "TL353", .. })), "{bad:?}");
    }
}

#[test]
fn clusters_are_constant_within_units() {
    let mut with = table(&ROWS);
    let codes = |of: [u32; 6]| Column::Texts { codes: of.to_vec(), names: vec!["north".into(), "south".into()] };
    with.push("region", codes([1, 0, 1, 0, 0, 1])).expect("a column");
    with.push("mixed", codes([1, 0, 1, 0, 1, 1])).expect("a column");
    let panel = Panel::of(&with, &PanelSpec { cluster: Some("region"), ..SPEC }).expect("a panel");
    assert_eq!(panel.clusters(), Some(&[0, 1][..]));
    assert!(Panel::of(&with, &PanelSpec { cluster: Some("mixed"), ..SPEC }).is_err());
}

#[test]
fn a_window_moves_the_starts() {
    let panel = Panel::of(&table(&ROWS), &SPEC).expect("a panel");
    let late = panel.between(Some("2"), None).expect("two periods");
    assert_eq!((late.outcomes(), late.start(1), late.start(0)), (&[2.0, 3.0, 6.0, 8.0][..], Some(0), None));
    let early = panel.between(None, Some("2.5")).expect("two periods");
    assert_eq!((early.outcomes(), early.start(1)), (&[1.0, 2.0, 4.0, 6.0][..], Some(1)));
    assert!(panel.between(Some("3"), None).is_err() && panel.between(None, Some("0")).is_err());
    assert_eq!(panel.of_units(&[1]).outcomes(), [4.0, 6.0, 8.0]);
}
