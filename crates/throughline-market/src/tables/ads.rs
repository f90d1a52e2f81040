//! Advertising: the event stream and the spend report.

use std::collections::BTreeMap;

use throughline_core::Purpose as ConsentPurpose;

use super::{Columns, DataFile, Row, Table, amount};
use crate::{Channel, Life, Touch, World};

/// Impressions, clicks and visits of all channels except e-mail.
pub(super) fn events(world: &World) -> Table {
    let stream = world.row_stream(DataFile::AdEvents);
    let rows = advertised(world).into_iter().enumerate().map(|(row, Seen { life, touch, .. })| {
        let person = &life.person;
        let occurred = world.instant(touch.day, touch.second);
        let at = world.received(stream, row, occurred.micros());
        let purposes = [ConsentPurpose::Measurement, ConsentPurpose::Linking, ConsentPurpose::Advertising];
        let consent: Vec<String> = purposes
            .into_iter()
            .map(|p| format!("{p}={}", if person.allows_on(p, touch.day) { "granted" } else { "denied" }))
            .collect();
        let fields = vec![
            event_id(row),
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
        Row { at, day: touch.day, renamed: false, fields }
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
    let columns = Columns { id: 0, time: 1, amount: Some(7) };
    table.disturb(world, DataFile::AdEvents, stream).spoil(world, stream, &columns)
}

/// Cost by day, channel and campaign (for broadcasts: region): the sums of what the touches and broadcasts cost.
pub(super) fn spend(world: &World) -> Table {
    let mut sums: BTreeMap<(u32, Channel, &str), i64> = BTreeMap::new();
    for Seen { touch, .. } in seen(world, |t| t.cost_micros > 0) {
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
        Row { at: date.micros(), day, renamed: false, fields }
    });
    Table { header: &["date", "channel", "campaign", "cost", "currency"], rows: rows.collect() }
}

/// A touch on a written day, and whose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) life: &'a Life,
    /// Position in the life's touches.
    pub(crate) position: usize,
    pub(crate) touch: &'a Touch,
}

/// Touches on written days, those of programs after those of people.
pub(super) fn seen<'a>(world: &'a World, wanted: impl Fn(&Touch) -> bool) -> Vec<Seen<'a>> {
    let lives = world.lives().iter().chain(world.bots());
    let touches =
        |life: &'a Life| life.touches.iter().enumerate().map(move |(position, touch)| Seen { life, position, touch });
    lives.flat_map(touches).filter(|s| s.touch.day < world.scenario().days && wanted(s.touch)).collect()
}

/// Touches of all channels except e-mail, in the order of their ids.
pub(crate) fn advertised(world: &World) -> Vec<Seen<'_>> {
    in_order(seen(world, |t| t.channel != Channel::Email))
}

/// In order of time, then of people.
pub(super) fn in_order(mut touches: Vec<Seen<'_>>) -> Vec<Seen<'_>> {
    touches.sort_by_key(|s| (s.touch.day, s.touch.second, s.life.person.number));
    touches
}

/// The id of an event by its position.
pub(crate) fn event_id(position: usize) -> String {
    format!("e{:08}", position + 1)
}
