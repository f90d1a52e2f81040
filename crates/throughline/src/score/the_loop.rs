//! What a closed loop has earned.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use throughline_market::{LoopWorth, Standing};

use super::{Found, Row, Score, View};
use crate::failure::Failure;

pub(super) const SCORE: Score = Score {
    part: "loop",
    about: "What everything delivered while the market went on (`market step`) is worth so far, against the same market in \
            which none of it was: the same people, touches and random numbers, and the mean over purchases. `profit` is \
            margin less discounts and the cost of sending. These are expectations, not draws: they have no sampling error.",
    take: |view| Box::pin(std::future::ready(found(view))),
};

fn found(view: &View<'_>) -> Result<Found, Failure> {
    if !view.project.root.join("truth").join("market.json").exists() {
        return Ok(Found::nothing("the folder holds no market that could go on"));
    }
    let standing = Standing::read(&view.project.root)?;
    let threads = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    if standing.days_gone() == 0 {
        return Ok(Found::nothing("the market has not gone on (`throughline market step`)"));
    }
    Ok(Found::rows(measures(&standing.worth(threads)?, view.currency())))
}

fn measures(worth: &LoopWorth, currency: &str) -> Vec<Row> {
    let row = |measure, value: f64| Row::new("everything delivered", measure, value, worth.sent);
    vec![
        row("days", f64::from(worth.days)).in_unit("days"),
        row("mails", worth.sent as f64).in_unit("mails"),
        row("cost", worth.cost).in_unit(currency),
        row("purchases", worth.purchases),
        row("value", worth.value).in_unit(currency),
        row("profit", worth.profit).in_unit(currency),
    ]
}
