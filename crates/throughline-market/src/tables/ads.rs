//! Advertising: the event stream and the spend report.

use std::collections::BTreeMap;

use throughline_core::Purpose as ConsentPurpose;

use super::{Columns, DataFile, Row, Table, amount};
use crate::{Channel, Touch, World};

/// Impressions, clicks and visits of all channels except e-mail.
pub(super) fn events(world: &World) -> Table {
    let stream = world.row_stream(DataFile::AdEvents);
    let mut touches = seen(world, |t| t.channel != Channel::Email);
    touches.sort_by_key(|(life, t)| (t.day, t.second, world.lives()[*life].person.number));
    let rows = touches.iter().enumerate().map(|(row, (life, touch))| {
        let person = &world.lives()[*life].person;
        let occurred = world.instant(touch.day, touch.second);
        let at = world.received(stream, row, occurred.micros());
        let purposes = [ConsentPurpose::Measurement, ConsentPurpose::Linking, ConsentPurpose::Advertising];
        let consent: Vec<String> = purposes
            .into_iter()
            .map(|p| format!("{p}={}", if person.consent.allows(p) { "granted" } else { "denied" }))
            .collect();
        let fields = vec![
            format!("e{:08}", row + 1),
            occurred.to_string(),
            occurred.plus_micros(at - occurred.micros()).to_string(),
            person.cookie(touch.device),
            touch.kind.to_string(),
            touch.channel.to_string(),
            world.campaign_name(touch).to_owned(),
            amount(touch.cost_micros),
            world.scenario().currency.clone(),
            consent.join(";"),
        ];
        Row { at, fields }
    });
    let table = Table {
        header: &[
            "event_id",
            "timestamp",
            "received_at",
            "cookie",
            "kind",
            "channel",
            "campaign",
            "cost",
            "currency",
            "consent",
        ],
        rows: rows.collect(),
    };
    table.spoil(&world.scenario().faults, stream, &Columns { id: 0, time: 1, amount: Some(7) })
}

/// Cost by day, channel and campaign (for broadcasts: region): the sums of what the touches and broadcasts cost.
pub(super) fn spend(world: &World) -> Table {
    let mut sums: BTreeMap<(u32, Channel, &str), i64> = BTreeMap::new();
    let paid = seen(world, |t| t.cost_micros > 0);
    for (_, touch) in &paid {
        *sums.entry((touch.day, touch.channel, world.campaign_name(touch))).or_default() += touch.cost_micros;
    }
    for (channel, region, day, micros) in world.broadcast_costs() {
        *sums.entry((day, channel, region)).or_default() += micros;
    }
    let rows = sums.into_iter().map(|((day, channel, campaign), micros)| {
        let date = world.instant(day, 0);
        let fields = vec![
            date.date(),
            channel.to_string(),
            campaign.to_owned(),
            amount(micros),
            world.scenario().currency.clone(),
        ];
        Row { at: date.micros(), fields }
    });
    Table { header: &["date", "channel", "campaign", "cost", "currency"], rows: rows.collect() }
}

/// Touches on written days, with the position of the life they belong to.
pub(super) fn seen(world: &World, wanted: impl Fn(&Touch) -> bool) -> Vec<(usize, &Touch)> {
    let lives = world.lives().iter().enumerate();
    let all = lives.flat_map(|(index, life)| life.touches.iter().map(move |t| (index, t)));
    all.filter(|(_, t)| t.day < world.scenario().days && wanted(t)).collect()
}
