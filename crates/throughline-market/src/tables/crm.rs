//! Customer records.

use throughline_core::Purpose;

use super::{Columns, DataFile, Row, Table};
use crate::World;

/// One record per person, as of day 0.
pub(super) fn records(world: &World) -> Table {
    let begin = world.instant(0, 0);
    let rows = world.lives().iter().map(|life| {
        let person = &life.person;
        let fields = vec![
            person.crm_id(),
            person.email(),
            person.loyalty_id().unwrap_or_default(),
            person.segment.name().to_owned(),
            person.region_name().to_owned(),
            person.address_on(0),
            begin.plus_days(-i64::from(person.tenure_days)).date(),
            person.coupons.to_string(),
            begin.to_string(),
            person.consent.text(&Purpose::ALL),
        ];
        Row { at: begin.micros(), day: 0, renamed: false, fields }
    });
    let table = Table {
        header: &[
            "crm_id",
            "email",
            "loyalty_id",
            "segment",
            "region",
            "address",
            "customer_since",
            "coupons_used",
            "updated_at",
            "consent",
        ],
        rows: rows.collect(),
    };
    table.spoil(world, world.row_stream(DataFile::Crm), &Columns { id: 0, time: 8, amount: None })
}

/// Permissions withdrawn after day 0, at 09:00, as a preference centre logs them.
pub(super) fn preferences(world: &World) -> Table {
    let days = world.scenario().days;
    let lives = world.lives().iter();
    let changes = lives.flat_map(|l| l.person.withdrawals(days).map(move |(purpose, day)| (l, purpose, day)));
    let withdrawn = changes.filter(|(life, purpose, _)| life.person.consent.allows(*purpose));
    let mut rows: Vec<Row> = withdrawn
        .map(|(life, purpose, day)| {
            let occurred = world.instant(day, 9 * 3_600);
            let person = &life.person;
            let id = format!("{}-{purpose}", person.crm_id());
            let fields = vec![id, person.email(), format!("{purpose}=denied"), occurred.to_string()];
            Row { at: occurred.micros(), day, renamed: false, fields }
        })
        .collect();
    rows.sort_by(|a, b| (a.at, &a.fields[0]).cmp(&(b.at, &b.fields[0])));
    Table { header: &["change_id", "email", "consent", "timestamp"], rows }
}
