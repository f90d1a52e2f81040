//! E-mail: the log of the sending service and the assignment of the test.

use super::ads::{Seen, in_order, seen};
use super::{Columns, DataFile, Row, Table, amount};
use crate::{Arm, Channel, World};

/// Name of the test in `assignments.csv`.
const TEST: &str = "spring_mail";

/// What happened to e-mails, in the order of their ids.
pub(crate) fn mailed(world: &World) -> Vec<Seen<'_>> {
    in_order(seen(world, |t| t.channel == Channel::Email))
}

/// The id of a row of the log by its position.
pub(crate) fn message_id(position: usize) -> String {
    format!("m{:08}", position + 1)
}

/// E-mails sent, opened, clicked.
pub(super) fn log(world: &World) -> Table {
    let stream = world.row_stream(DataFile::EmailLog);
    let rows = mailed(world).into_iter().enumerate().map(|(row, Seen { life, touch, .. })| {
        let occurred = world.instant(touch.day, touch.second);
        let at = world.received(stream, row, occurred.micros());
        let fields = vec![
            message_id(row),
            occurred.to_string(),
            occurred.plus_micros(at - occurred.micros()).to_string(),
            life.person.email(),
            touch.kind.to_string(),
            world.campaign_name(touch).to_owned(),
            amount(touch.cost_micros),
            world.scenario().currency.clone(),
        ];
        Row { at, day: touch.day, renamed: false, fields }
    });
    let table = Table {
        header: &["message_id", "timestamp", "received_at", "email", "kind", "campaign", "cost", "currency"],
        rows: rows.collect(),
    };
    table.spoil(world, stream, &Columns { id: 0, time: 1, amount: None })
}

/// Who was assigned to what, with which probability. Assignments are logged without faults.
pub(super) fn assignments(world: &World) -> Table {
    let test = &world.scenario().experiment;
    let occurred = world.instant(test.day, 0);
    let rows = world.lives().iter().filter_map(|life| {
        let arm = life.arm?;
        let probability = match arm {
            Arm::None => (1.0 - test.offer.probability - test.news.probability).max(0.0),
            Arm::EmailOffer => test.offer.probability,
            Arm::EmailNews => test.news.probability,
        };
        let fields =
            vec![TEST.to_owned(), life.person.email(), arm.to_string(), probability.to_string(), occurred.to_string()];
        Some(Row { at: occurred.micros(), day: test.day, renamed: false, fields })
    });
    Table { header: &["experiment", "email", "arm", "probability", "timestamp"], rows: rows.collect() }
}
