//! Are records of one person together, and only those?

use super::contingency::{Agreement, Contingency};
use super::view::{Record, RecordKind};
use super::{Found, Row, Score, View};

pub(super) const SCORE: Score = Score {
    part: "identity",
    about: "Orders and store receipts, grouped by the person that the line gives them to, against the person who truly \
            made them. Precision: of the pairs of records that are together, the share that belongs together. Recall: of \
            the pairs that belong together, the share that is. F1 is their harmonic mean; `b_cubed_f1` is that of the same \
            shares taken record by record (Bagga and Baldwin, 1998), in which people with many records weigh less. A \
            record that the line gives to nobody, such as a receipt without a card, stands alone among `all records` and \
            is left out of `linked records`.",
    take: |view| Box::pin(std::future::ready(Ok(found(view)))),
};

fn found(view: &View<'_>) -> Found {
    match &view.records {
        Some(records) => {
            let purchases = records.all.iter().filter(|r| r.kind != RecordKind::Profile);
            rows(&purchases.collect::<Vec<_>>())
        }
        None => Found::nothing("the truth of this project does not say whose the records are (truth/identity.csv)"),
    }
}

fn rows(records: &[&Record]) -> Found {
    if records.is_empty() {
        return Found::nothing("no order and no receipt");
    }
    let table = |keep: &dyn Fn(&Record) -> bool| {
        let mut table = Contingency::default();
        let chosen = records.iter().filter(|r| keep(r));
        chosen.for_each(|r| table.add(r.entity, u32::try_from(r.truth).unwrap_or(u32::MAX)));
        table
    };
    let (all, linked) = (table(&|_| true), table(&|r| r.entity.is_some()));
    let mut rows = measures("all records", &all);
    let alone = all.records() - linked.records();
    rows.push(
        Row::new("all records", "not_linked", alone as f64 / all.records() as f64, all.records()).in_unit("share"),
    );
    rows.extend(measures("linked records", &linked));
    Found::rows(rows)
}

fn measures(name: &str, table: &Contingency) -> Vec<Row> {
    let Agreement { precision, recall, f1 } = table.pairwise();
    let n = table.records();
    let none = "no two records are together or belong together";
    vec![
        Row::of(name, "precision", precision, n, none),
        Row::of(name, "recall", recall, n, none),
        Row::of(name, "f1", f1, n, none),
        Row::of(name, "b_cubed_f1", table.b_cubed().f1, n, "no record"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_without_a_person_stand_alone_and_are_counted() {
        let record = |truth, entity| Record { kind: RecordKind::Order, truth, entity };
        let records = [record(1, Some(0)), record(1, Some(0)), record(1, None), record(2, Some(1))];
        let Found::Rows { rows, .. } = rows(&records.iter().collect::<Vec<_>>()) else { panic!("there are records") };
        let value = |name: &str, measure: &str| {
            rows.iter().find(|r| r.name == name && r.measure == measure).and_then(|r| r.value)
        };
        assert_eq!(value("all records", "precision"), Some(1.0));
        assert_eq!(value("all records", "recall"), Some(1.0 / 3.0));
        assert_eq!(value("all records", "f1"), Some(0.5));
        assert_eq!(value("all records", "not_linked"), Some(0.25));
        assert_eq!(value("linked records", "f1"), Some(1.0));
        assert!(matches!(super::rows(&[]), Found::Nothing(_)));
    }
}
