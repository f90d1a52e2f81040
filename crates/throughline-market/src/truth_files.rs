//! The files of the truth folder.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

use crate::tables::{Place, order_id, orders};
use crate::{Arm, ChannelTruth, MarketError, Moment, Outlook, PersonTruth, Truth, World, score_policy_at};

/// A file of the truth folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TruthFile {
    ChannelEffects,
    Persons,
    Policy,
    Identity,
    Designs,
    Incidents,
    Curves,
    Touches,
}

impl TruthFile {
    pub(crate) const ALL: [Self; 8] = [
        Self::ChannelEffects,
        Self::Persons,
        Self::Policy,
        Self::Identity,
        Self::Designs,
        Self::Incidents,
        Self::Curves,
        Self::Touches,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ChannelEffects => "channel_effects.csv",
            Self::Persons => "persons.csv",
            Self::Policy => "policy.json",
            Self::Identity => "identity.csv",
            Self::Designs => "designs.csv",
            Self::Incidents => "incidents.csv",
            Self::Curves => "response_curves.csv",
            Self::Touches => "touches.csv",
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A row of `persons.csv`: outlooks for a decision at the end, then (`test_…`) on the day of the test.
#[derive(Serialize, Deserialize)]
struct PersonRow {
    crm_id: String,
    email: String,
    contactable: bool,
    tested: bool,
    churn_day: Option<u32>,
    value_next_year: f64,
    best_action: Arm,
    profit_none: f64,
    profit_email_offer: f64,
    profit_email_news: f64,
    probability_none: f64,
    probability_email_offer: f64,
    probability_email_news: f64,
    value_none: f64,
    value_email_offer: f64,
    value_email_news: f64,
    test_profit_none: f64,
    test_profit_email_offer: f64,
    test_profit_email_news: f64,
    test_probability_none: f64,
    test_probability_email_offer: f64,
    test_probability_email_news: f64,
    test_value_none: f64,
    test_value_email_offer: f64,
    test_value_email_news: f64,
}

/// What `policy.json` says about one time.
#[derive(Serialize)]
struct PolicyTruth {
    oracle_profit: f64,
    constant: BTreeMap<Arm, f64>,
    oracle_actions: BTreeMap<Arm, usize>,
}

pub(crate) fn write(world: &World, truth: &Truth, file: TruthFile, out: &mut dyn Write) -> Result<(), MarketError> {
    let written = match file {
        TruthFile::ChannelEffects => rows(out, &truth.channels),
        TruthFile::Persons => rows(out, truth.persons.iter().map(PersonRow::from)),
        TruthFile::Policy => policy(truth)
            .and_then(|p| Ok(serde_json::to_writer_pretty(&mut *out, &p).map_err(std::io::Error::from)?))
            .and_then(|()| Ok(out.write_all(b"\n")?)),
        TruthFile::Identity => rows(out, identity(world)),
        TruthFile::Designs => rows(out, world.designs()),
        TruthFile::Incidents => rows(out, world.incidents()),
        TruthFile::Curves => rows(out, world.curves()),
        TruthFile::Touches => rows(out, world.touch_truths()),
    };
    let fail = |source| MarketError::Write { file: file.name().to_owned(), source: std::io::Error::other(source) };
    written.map_err(fail)
}

fn rows<T: Serialize>(out: &mut dyn Write, rows: impl IntoIterator<Item = T>) -> Result<(), BoxError> {
    let mut writer = csv::Writer::from_writer(out);
    for row in rows {
        writer.serialize(row)?;
    }
    Ok(writer.flush()?)
}

pub(crate) fn read_channels(from: impl Read) -> Result<Vec<ChannelTruth>, BoxError> {
    Ok(csv::Reader::from_reader(from).deserialize().collect::<Result<_, _>>()?)
}

pub(crate) fn read_persons(from: impl Read) -> Result<Vec<PersonTruth>, BoxError> {
    let rows = csv::Reader::from_reader(from).into_deserialize::<PersonRow>();
    Ok(rows.map(|row| row.map(PersonTruth::from)).collect::<Result<_, _>>()?)
}

fn policy(truth: &Truth) -> Result<BTreeMap<&'static str, PolicyTruth>, BoxError> {
    let at = |moment| -> Result<PolicyTruth, BoxError> {
        let score = score_policy_at::<&str, &str>(truth, moment, &[])?;
        let mut oracle_actions = BTreeMap::new();
        for person in &truth.persons {
            *oracle_actions.entry(person.best(moment)).or_default() += 1;
        }
        Ok(PolicyTruth { oracle_profit: score.oracle_profit, constant: score.constant, oracle_actions })
    };
    Ok([("decision", at(Moment::Decision)?), ("test", at(Moment::Test)?)].into_iter().collect())
}

/// (kind, identifier or record, customer number of the true person) for everything that names a person.
fn identity(world: &World) -> Vec<(&'static str, String, String)> {
    let mut rows = vec![];
    for life in world.lives() {
        let person = &life.person;
        let mut add = |kind, value: String| rows.push((kind, value, person.crm_id()));
        add("crm", person.crm_id());
        add("email", person.email());
        person.loyalty_id().into_iter().for_each(|id| add("loyalty", id));
        (0..person.devices).for_each(|device| add("cookie", person.cookie(device)));
    }
    for bot in world.bots() {
        rows.push(("cookie", bot.person.cookie(0), "bot".to_owned()));
    }
    for (kind, place) in [("order", Place::Web), ("receipt", Place::Store)] {
        let of_place = orders(world, place).into_iter().enumerate();
        rows.extend(of_place.map(|(row, (life, _))| (kind, order_id(place, row), life.person.crm_id())));
    }
    rows.extend(crate::vendor::identity(world));
    rows
}

impl From<&PersonTruth> for PersonRow {
    fn from(person: &PersonTruth) -> Self {
        let (then, test) = (person.decision, person.test);
        Self {
            crm_id: person.crm_id.clone(),
            email: person.email.clone(),
            contactable: person.contactable,
            tested: person.tested,
            churn_day: person.churn_day,
            value_next_year: person.value_next_year,
            best_action: person.best(Moment::Decision),
            profit_none: then.profit[0],
            profit_email_offer: then.profit[1],
            profit_email_news: then.profit[2],
            probability_none: then.probability[0],
            probability_email_offer: then.probability[1],
            probability_email_news: then.probability[2],
            value_none: then.value[0],
            value_email_offer: then.value[1],
            value_email_news: then.value[2],
            test_profit_none: test.profit[0],
            test_profit_email_offer: test.profit[1],
            test_profit_email_news: test.profit[2],
            test_probability_none: test.probability[0],
            test_probability_email_offer: test.probability[1],
            test_probability_email_news: test.probability[2],
            test_value_none: test.value[0],
            test_value_email_offer: test.value[1],
            test_value_email_news: test.value[2],
        }
    }
}

impl From<PersonRow> for PersonTruth {
    fn from(row: PersonRow) -> Self {
        Self {
            test: Outlook {
                probability: [
                    row.test_probability_none,
                    row.test_probability_email_offer,
                    row.test_probability_email_news,
                ],
                value: [row.test_value_none, row.test_value_email_offer, row.test_value_email_news],
                profit: [row.test_profit_none, row.test_profit_email_offer, row.test_profit_email_news],
            },
            decision: Outlook {
                probability: [row.probability_none, row.probability_email_offer, row.probability_email_news],
                value: [row.value_none, row.value_email_offer, row.value_email_news],
                profit: [row.profit_none, row.profit_email_offer, row.profit_email_news],
            },
            crm_id: row.crm_id,
            email: row.email,
            contactable: row.contactable,
            tested: row.tested,
            churn_day: row.churn_day,
            value_next_year: row.value_next_year,
        }
    }
}
