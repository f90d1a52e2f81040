//! What a score looks at: the project, its last report, its lake, and the truth beside them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use throughline_market::Truth;
use throughline_run::{Project, Stores, each_row, tables};

use crate::failure::Failure;

/// The file of the truth that names the true person of every record.
const IDENTITY: &str = "truth/identity.csv";

/// A run of a simulated project beside the truth.
pub(crate) struct View<'v> {
    /// The project; its folder is `project.root`.
    pub(crate) project: &'v Project,
    /// Its lake and ledger.
    pub(crate) stores: &'v Stores,
    /// The report of its last run, as JSON.
    pub(crate) report: &'v Value,
    /// The truth.
    pub(crate) truth: &'v Truth,
    /// The records whose true person is known; `None` when the truth does not say.
    pub(super) records: Option<Records>,
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RecordKind {
    /// A customer record.
    Profile,
    /// An on-line order.
    Order,
    /// A store receipt.
    Receipt,
}

/// One record: whose it is, and whom the line gave it to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) kind: RecordKind,
    /// Position in the truth's persons.
    pub(super) truth: usize,
    /// Position in [`Records::entities`]; `None` where the line gave it to nobody.
    pub(super) entity: Option<u32>,
}

/// Records and the people of the line that they belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) all: Vec<Record>,
    /// The person ids of the line, in the order of their first record.
    pub(super) entities: Vec<String>,
}

/// Whom a person of the line really is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Match {
    /// Position in the truth's persons.
    pub(super) truth: usize,
    /// Whether only purchases tell, and no customer record.
    pub(super) by_purchases: bool,
}

impl<'v> View<'v> {
    /// Looks at a project after a run.
    pub(crate) async fn open(
        project: &'v Project,
        stores: &'v Stores,
        report: &'v Value,
        truth: &'v Truth,
    ) -> Result<Self, Failure> {
        let mut view = Self { project, stores, report, truth, records: None };
        let path = project.root.join(IDENTITY);
        if path.exists() {
            view.records = Some(view.read_records(&path).await?);
        }
        Ok(view)
    }

    /// The metrics of the units of a stage, in the last report.
    pub(super) fn metrics(&self, stage: &str) -> Vec<&'v Value> {
        let stages = self.report["stages"].as_array().into_iter().flatten();
        let units = stages.filter(|s| s["name"] == stage).flat_map(|s| s["units"].as_array().into_iter().flatten());
        units.map(|u| &u["metrics"]).filter(|m| m.is_object()).collect()
    }

    /// The currency of the project.
    pub(super) fn currency(&self) -> &'v str {
        self.project.config.value.currency.as_str()
    }

    /// Whom the people of the line really are, by person id.
    pub(super) fn matches(&self) -> Option<BTreeMap<&str, Match>> {
        let records = self.records.as_ref()?;
        let found = records.matches().into_iter();
        Some(found.map(|(entity, m)| (records.entities[entity as usize].as_str(), m)).collect())
    }

    /// The records of the truth, with the people that the timeline gives them to.
    async fn read_records(&self, path: &Path) -> Result<Records, Failure> {
        let known = read_identity(path, self.truth)?;
        let mut found: BTreeMap<(bool, String), String> = BTreeMap::new();
        let columns = ["person_id", "source_event_id", "kind"];
        each_row(self.stores, &tables::timeline(), &columns, |row| {
            let is_profile = match row.get("kind").and_then(Value::as_str) {
                Some("profile") => true,
                Some("purchase") => false,
                _ => return,
            };
            let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let key = (is_profile, text("source_event_id"));
            if known.contains_key(&key) {
                found.insert(key, text("person_id"));
            }
        })
        .await?;
        Ok(Records::join(&known, &found))
    }
}

impl Records {
    /// Gives each record the person that the line found for it.
    fn join(known: &Known, found: &BTreeMap<(bool, String), String>) -> Self {
        let mut records = Self::default();
        let mut places: BTreeMap<&str, u32> = BTreeMap::new();
        for (key, (kind, truth)) in known {
            let entity = found.get(key).map(|person| {
                *places.entry(person).or_insert_with(|| {
                    records.entities.push(person.clone());
                    u32::try_from(records.entities.len() - 1).unwrap_or(u32::MAX)
                })
            });
            records.all.push(Record { kind: *kind, truth: *truth, entity });
        }
        records
    }

    /// Whom each person of the line really is: whose customer record it has, by majority; where it has none, who made
    /// most of its purchases. Equal votes go to the first in the order of the truth.
    fn matches(&self) -> BTreeMap<u32, Match> {
        let mut votes: BTreeMap<u32, BTreeMap<(bool, usize), u32>> = BTreeMap::new();
        for record in &self.all {
            let Some(entity) = record.entity else { continue };
            let by_purchases = record.kind != RecordKind::Profile;
            *votes.entry(entity).or_default().entry((by_purchases, record.truth)).or_default() += 1;
        }
        let winner = |votes: BTreeMap<(bool, usize), u32>| {
            // A customer record outranks any number of purchases; of equal counts the first key wins.
            let best = votes
                .into_iter()
                .min_by_key(|((by_purchases, truth), n)| (*by_purchases, std::cmp::Reverse(*n), *truth));
            best.map(|((by_purchases, truth), _)| Match { truth, by_purchases })
        };
        votes.into_iter().filter_map(|(entity, votes)| Some((entity, winner(votes)?))).collect()
    }
}

/// Records by whether they are profiles and by id: what they are, and the position of the true person.
type Known = BTreeMap<(bool, String), (RecordKind, usize)>;

/// Reads the records that the line can know: `kind, id, customer number` in each row, other kinds left out.
fn read_identity(path: &Path, truth: &Truth) -> Result<Known, Failure> {
    let places: BTreeMap<&str, usize> = truth.persons.iter().enumerate().map(|(i, p)| (p.crm_id.as_str(), i)).collect();
    let fail =
        |source: csv::Error| Failure::Io { doing: "read", path: path.display().to_string(), source: source.into() };
    // The first row may be names of columns: it is no record of a known person then.
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).map_err(fail)?;
    let mut known = Known::new();
    for row in reader.records() {
        let row = row.map_err(fail)?;
        let kind = match row.get(0) {
            Some("crm") => RecordKind::Profile,
            Some("order") => RecordKind::Order,
            Some("receipt") => RecordKind::Receipt,
            _ => continue,
        };
        if let (Some(id), Some(place)) = (row.get(1), row.get(2).and_then(|crm| places.get(crm))) {
            known.insert((kind == RecordKind::Profile, id.to_owned()), (kind, *place));
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(of: &[(RecordKind, usize, Option<u32>)]) -> Records {
        let all = of.iter().map(|&(kind, truth, entity)| Record { kind, truth, entity }).collect();
        Records { all, entities: Vec::new() }
    }

    #[test]
    fn a_customer_record_outranks_purchases_and_most_purchases_win() {
        use RecordKind::{Order, Profile, Receipt};
        let matches = records(&[
            (Profile, 5, Some(0)),
            (Order, 2, Some(0)),
            (Order, 2, Some(0)),
            (Receipt, 7, Some(1)),
            (Order, 3, Some(1)),
            (Order, 7, Some(1)),
            (Order, 9, Some(2)),
            (Order, 4, Some(2)),
            (Order, 1, None),
        ])
        .matches();
        let of = |truth, by_purchases| Match { truth, by_purchases };
        let expect = [(0, of(5, false)), (1, of(7, true)), (2, of(4, true))];
        assert_eq!(matches, expect.into_iter().collect());
    }

    #[test]
    fn records_are_joined_by_kind_and_id() {
        let known: Known = [
            ((false, "o1".to_owned()), (RecordKind::Order, 0)),
            ((false, "r1".to_owned()), (RecordKind::Receipt, 1)),
            ((true, "o1".to_owned()), (RecordKind::Profile, 2)),
        ]
        .into_iter()
        .collect();
        let found = [((false, "o1".to_owned()), "aa".to_owned()), ((true, "o1".to_owned()), "bb".to_owned())];
        let records = Records::join(&known, &found.into_iter().collect());
        let entities: Vec<Option<u32>> = records.all.iter().map(|r| r.entity).collect();
        assert_eq!(entities, [Some(0), None, Some(1)]);
        assert_eq!(records.entities, ["aa", "bb"]);
    }
}
