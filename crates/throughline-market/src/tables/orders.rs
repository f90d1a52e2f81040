//! Purchases: on-line orders with e-mail and cookie, store receipts with the loyalty card.

use super::{Columns, DataFile, Row, Table, amount};
use crate::{Life, Person, Purchase, World};

/// Where a purchase was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Web,
    Store,
}

/// Purchases of one place in order of time, each with its life; numbered from 1 they have the ids of the files.
pub(crate) fn orders(world: &World, place: Place) -> Vec<(&Life, &Purchase)> {
    let lives = world.lives().iter();
    let all = lives.flat_map(|life| life.purchases.iter().map(move |p| (life, p)));
    let mut orders: Vec<_> = all.filter(|(_, p)| p.in_store == (place == Place::Store)).collect();
    orders.sort_by_key(|(life, p)| (p.day, p.second, life.person.number));
    orders
}

/// The id of an order by its place and position.
pub(crate) fn order_id(place: Place, position: usize) -> String {
    match place {
        Place::Web => format!("o{:07}", position + 1),
        Place::Store => format!("r{:07}", position + 1),
    }
}

/// On-line orders. A few guests leave no address, and some write theirs in capitals.
pub(super) fn web(world: &World) -> Table {
    let stream = world.row_stream(DataFile::WebOrders);
    let rows = orders(world, Place::Web).into_iter().enumerate().map(|(row, (life, purchase))| {
        let occurred = world.instant(purchase.day, purchase.second);
        let at = world.received(stream, row, occurred.micros());
        let style = stream.uniform_at((row as u64) * 8 + 2);
        let email = match style {
            s if s < 0.04 => String::new(),
            s if s < 0.07 => life.person.email().to_uppercase(),
            _ => life.person.email(),
        };
        let fields = vec![
            order_id(Place::Web, row),
            occurred.to_string(),
            occurred.plus_micros(at - occurred.micros()).to_string(),
            email,
            life.person.cookie(purchase.device),
            amount(purchase.value_micros),
            world.scenario().currency.clone(),
        ];
        Row { at, day: purchase.day, renamed: false, fields }
    });
    let table = Table {
        header: &["order_id", "timestamp", "received_at", "email", "cookie", "value", "currency"],
        rows: rows.collect(),
    };
    let columns = Columns { id: 0, time: 1, amount: Some(5) };
    table.disturb(world, DataFile::WebOrders, stream).spoil(world, stream, &columns)
}

/// Store receipts, in the local form `YYYY-MM-DD HH:MM:SS`; the stores keep UTC. The card is empty where there is none.
pub(super) fn pos(world: &World) -> Table {
    let rows = orders(world, Place::Store).into_iter().enumerate().map(|(row, (life, purchase))| {
        let occurred = world.instant(purchase.day, purchase.second);
        let fields = vec![
            order_id(Place::Store, row),
            occurred.to_string().replace('T', " ").trim_end_matches('Z').to_owned(),
            life.person.loyalty_id().unwrap_or_default(),
            format!("store_{}", Person::REGIONS[life.person.region_on(purchase.day) as usize % 4]),
            amount(purchase.value_micros),
            world.scenario().currency.clone(),
        ];
        Row { at: occurred.micros(), day: purchase.day, renamed: false, fields }
    });
    let table = Table {
        header: &["receipt_id", "timestamp", "loyalty_id", "store", "value", "currency"],
        rows: rows.collect(),
    };
    let stream = world.row_stream(DataFile::Pos);
    table.spoil(world, stream, &Columns { id: 0, time: 1, amount: Some(4) })
}
