//! Return on what a channel cost, as credited and as it truly is.

use serde_json::{Value, json};

use super::attribution::{Credited, credited};
use super::shares::{Given, mean_absolute_error};
use super::{Found, Row, Score, View};

pub(super) const SCORE: Score = Score {
    part: "roi",
    about: "Credited value over cost against caused value over cost, for every channel that cost something. Both sides \
            use the cost that was truly paid, so that the error is that of the credit alone. `mean_absolute_error` is over \
            the channels; `largest_error` is that of the channel named beside it, positive where it is credited too much.",
    take: |view| Box::pin(std::future::ready(Ok(found(view)))),
};

fn found(view: &View<'_>) -> Found {
    let models = match credited(view) {
        Ok(models) => models,
        Err(why) => return Found::Nothing(why),
    };
    if view.truth.channels.iter().all(|c| c.cost <= 0.0) {
        return Found::nothing("no channel cost anything");
    }
    let returns: Vec<(&str, Vec<(&str, Given)>)> = models.iter().map(|m| (m.model, returns(m))).collect();
    let unit = format!("{0} per {0}", view.currency());
    Found::Rows {
        rows: returns.iter().flat_map(|(model, all)| rows(model, all, &unit)).collect(),
        details: returns.iter().flat_map(|(model, all)| all.iter().map(|(c, g)| detail(model, c, *g))).collect(),
    }
}

/// Value per cost of the channels that cost something.
fn returns<'v>(of: &Credited<'v>) -> Vec<(&'v str, Given)> {
    let with_cost = of.lines.iter().filter_map(|l| Some((l, l.truth.filter(|t| t.cost > 0.0)?)));
    with_cost.map(|(l, t)| (l.channel, Given { credited: l.value / t.cost, truth: t.true_value / t.cost })).collect()
}

fn rows(model: &str, all: &[(&str, Given)], unit: &str) -> Vec<Row> {
    let given: Vec<Given> = all.iter().map(|(_, g)| *g).collect();
    let miss = |g: &Given| g.credited - g.truth;
    let worst = all.iter().max_by(|a, b| miss(&a.1).abs().total_cmp(&miss(&b.1).abs()).then(b.0.cmp(a.0)));
    let none = "no channel with a cost";
    let largest = Row::of(model, "largest_error", worst.map(|(_, g)| miss(g)), given.len(), none);
    vec![
        Row::of(model, "mean_absolute_error", mean_absolute_error(&given), given.len(), none).in_unit(unit),
        match worst {
            Some((channel, _)) => largest.say(*channel),
            None => largest,
        }
        .in_unit(unit),
    ]
}

fn detail(model: &str, channel: &str, given: Given) -> Value {
    json!({ "model": model, "channel": channel, "credited": given.credited, "caused": given.truth })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_error_names_its_channel() {
        let given = |credited, truth| Given { credited, truth };
        let rows =
            rows("last", &[("a", given(3.0, 2.0)), ("b", given(1.0, 6.0)), ("c", given(2.0, 2.0))], "EUR per EUR");
        assert_eq!((rows[0].value, rows[0].n), (Some(2.0), 3));
        assert_eq!((rows[1].value, rows[1].note.as_str()), (Some(-5.0), "b"));
        assert_eq!(super::rows("last", &[], "")[1].note, "no channel with a cost");
    }
}
