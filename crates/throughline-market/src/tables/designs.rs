//! What a team has to read its designs with: panels by area, hours of sending, scores, calls.

use std::collections::BTreeMap;

use super::{Row, Table, amount};
use crate::designs::opened;
use crate::interventions::{has_voucher, is_called, voucher_score};
use crate::{Channel, Life, Person, World, exposure, person};

fn row(at: i64, day: u32, fields: Vec<String>) -> Row {
    Row { at, day, renamed: false, fields }
}

fn flag(yes: bool) -> String {
    u8::from(yes).to_string()
}

/// People, orders, value and the tested channel's cost by day and area, where people lived on the day.
pub(super) fn geo_panel(world: &World) -> Table {
    let channel = world.scenario().interventions.geo_test.as_ref().map(|t| t.channel.clone());
    let mut cells: BTreeMap<(u32, u32), (u32, u32, i64, i64)> = BTreeMap::new();
    for life in world.lives() {
        for day in world.written() {
            cells.entry((day, life.person.area_on(day))).or_default().0 += 1;
        }
        for bought in &life.purchases {
            let cell = cells.entry((bought.day, life.person.area_on(bought.day))).or_default();
            (cell.1, cell.2) = (cell.1 + 1, cell.2 + bought.value_micros);
        }
        let paid = life.touches.iter().filter(|t| channel.as_deref() == Some(t.channel.name()));
        for touch in paid.filter(|t| t.day < world.scenario().days) {
            cells.entry((touch.day, life.person.area_on(touch.day))).or_default().3 += touch.cost_micros;
        }
    }
    let rows = cells.into_iter().map(|((day, area), (people, orders, value, cost))| {
        let date = world.instant(day, 0);
        let fields = vec![
            date.date(),
            Person::area_name(area),
            people.to_string(),
            orders.to_string(),
            amount(value),
            channel.clone().unwrap_or_default(),
            amount(cost),
        ];
        row(date.micros(), day, fields)
    });
    let header = &["date", "area", "people", "orders", "value", "channel", "cost"];
    Table { header, rows: rows.collect() }
}

/// Which areas are treated, and when the roll-out reaches each.
pub(super) fn areas(world: &World) -> Table {
    let rows = (0_u32..).zip(&world.plan().areas).map(|(area, plan)| {
        let launch = plan.launch.map_or_else(String::new, |day| world.instant(day, 0).date());
        row(world.instant(0, 0).micros(), 0, vec![Person::area_name(area), flag(plan.treated), launch])
    });
    Table { header: &["area", "treated", "launch_date"], rows: rows.collect() }
}

/// The hour of the lottery's newsletter for each reader, and whether it was opened.
pub(super) fn send_times(world: &World) -> Table {
    let header = &["email", "date", "slot", "opened"];
    let spec = world.scenario().interventions.lottery.as_ref();
    let Some((spec, mail)) = spec.zip(world.plan().channel(Channel::Email)) else {
        return Table { header, rows: Vec::new() };
    };
    let day = exposure::newsletter_from(mail, spec.day);
    let date = world.instant(day, 0);
    let got = world.lives().iter().filter(|l| l.touches.iter().any(|t| t.day == day && t.channel == Channel::Email));
    let rows = got.map(|life| {
        let slot = if world.won(life) { "early" } else { "late" };
        row(date.micros(), day, vec![life.person.email(), date.date(), slot.to_owned(), flag(opened(life, day))])
    });
    Table { header, rows: rows.collect() }
}

/// Scores, and who got a voucher.
pub(super) fn vouchers(world: &World) -> Table {
    let header = &["email", "date", "score", "voucher"];
    let Some(spec) = &world.scenario().interventions.voucher else { return Table { header, rows: Vec::new() } };
    let date = world.instant(spec.day, 0);
    let asked = world.lives().iter().filter(|l| l.person.contactable_on(spec.day));
    let rows = asked.map(|life| {
        let (score, has) = (voucher_score(world.plan(), &life.person), has_voucher(world.plan(), spec, &life.person));
        row(date.micros(), spec.day, vec![life.person.email(), date.date(), format!("{score:.2}"), flag(has)])
    });
    Table { header, rows: rows.collect() }
}

/// Whom staff called, with what they saw of everybody.
pub(super) fn outreach(world: &World) -> Table {
    let header = &["email", "date", "called", "coupons_used", "segment"];
    let Some(spec) = &world.scenario().interventions.outreach else { return Table { header, rows: Vec::new() } };
    let date = world.instant(spec.day, 0);
    let called = |life: &Life| {
        let intent = person::intent(&world.scenario().intent, &world.noise(life), world.plan().horizon());
        is_called(spec, &life.person, &intent)
    };
    let asked = world.lives().iter().filter(|l| l.person.contactable_on(spec.day));
    let rows = asked.map(|life| {
        let person = &life.person;
        let told = [flag(called(life)), person.coupons.to_string(), person.segment.name().to_owned()];
        row(date.micros(), spec.day, [person.email(), date.date()].into_iter().chain(told).collect())
    });
    Table { header, rows: rows.collect() }
}
