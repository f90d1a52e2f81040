//! E-mail: the log of the sending service and the assignment of the test.

use super::ads::seen;
use super::{Columns, DataFile, Row, Table, amount};
use crate::{Arm, Channel, World};

/// Name of the test in `assignments.csv`.
const TEST: &str = "spring_mail";

/// E-mails sent, opened, clicked.
pub(super) fn log(world: &World) -> Table {
    let stream = world.row_stream(DataFile::EmailLog);
    let mut touches = seen(world, |t| t.channel == Channel::Email);
    touches.sort_by_key(|(life, t)| (t.day, t.second, world.lives()[*life].person.number));
    let rows = touches.iter().enumerate().map(|(row, (life, touch))| {
        let occurred = world.instant(touch.day, touch.second);
        let at = world.received(stream, row, occurred.micros());
        let fields = vec![
            format!("m{:08}", row + 1),
            occurred.to_string(),
            occurred.plus_micros(at - occurred.micros()).to_string(),
            world.lives()[*life].person.email(),
            touch.kind.to_string(),
            world.campaign_name(touch).to_owned(),
            amount(touch.cost_micros),
            world.scenario().currency.clone(),
        ];
        Row { at, fields }
    });
    let table = Table {
        header: &["message_id", "timestamp", "received_at", "email", "kind", "campaign", "cost", "currency"],
        rows: rows.collect(),
    };
    table.spoil(&world.scenario().faults, stream, &Columns { id: 0, time: 1, amount: None })
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
        Some(Row { at: occurred.micros(), fields })
    });
    Table { header: &["experiment", "email", "arm", "probability", "timestamp"], rows: rows.collect() }
}
