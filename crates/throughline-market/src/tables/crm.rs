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
            begin.plus_days(-i64::from(person.tenure_days)).date(),
            person.coupons.to_string(),
            begin.to_string(),
            person.consent.text(&Purpose::ALL),
        ];
        Row { at: begin.micros(), fields }
    });
    let table = Table {
        header: &[
            "crm_id",
            "email",
            "loyalty_id",
            "segment",
            "region",
            "customer_since",
            "coupons_used",
            "updated_at",
            "consent",
        ],
        rows: rows.collect(),
    };
    table.spoil(&world.scenario().faults, world.row_stream(DataFile::Crm), &Columns { id: 0, time: 7, amount: None })
}
