//! The policy's profit beside that of an oracle, in a simulated market.

use serde_json::Value;

use crate::page::charts::{Bar, Look, bar_chart, figure_of};
use crate::page::format::{Unit, count, counted, percent};
use crate::page::html::{Html, Table, figure, p, text, words};
use crate::page::read::Read;

use super::Section;

/// What the policy truly earns; `None` when the truth is not known.
pub(super) fn block(report: &Value, unit: &Unit) -> Option<Section> {
    let truth = report.at("truth").at("policy");
    let profit = truth.num("profit")?;
    let oracle = truth.num("oracle_profit");
    let mut bars = vec![("the policy".to_owned(), profit, Look::Main)];
    bars.extend(oracle.map(|o| ("an oracle that knows everybody".to_owned(), o, Look::Truth)));
    let mut constants: Vec<(&str, f64)> =
        truth.entries("constant").into_iter().filter_map(|(a, v)| Some((a, v.as_f64()?))).collect();
    constants.sort_by(|a, b| b.1.total_cmp(&a.1));
    bars.extend(constants.iter().map(|(a, v)| (format!("{a} for everybody"), *v, Look::Nth(7))));

    let mut table = Table::new("True expected profit", &["Policy", "Profit", "Less the policy"]);
    for (label, value, _) in &bars {
        table.row(vec![words(label), figure(unit.show(*value)), figure(unit.show(value - profit))]);
    }
    let bars: Vec<Bar> =
        bars.into_iter().map(|(label, value, look)| Bar { label, readout: unit.show(value), value, look }).collect();
    let chart =
        bar_chart("Bars: true expected profit of the policy, of an oracle and of each action for everybody", &bars);
    let body =
        Html::default().with_some(figure_of("True expected profit", chart, &table)).with(p("note", text(notes(truth))));
    Some(Section { lede: lede(profit, oracle, truth.num("regret"), constants.first().copied(), unit), body })
}

fn lede(profit: f64, oracle: Option<f64>, regret: Option<f64>, best: Option<(&str, f64)>, unit: &Unit) -> Html {
    let mut out = text("In truth, known from the simulation, its decisions earn ").strong(unit.show(profit));
    if let Some(oracle) = oracle {
        out = match (oracle > 0.0, regret) {
            (true, _) => {
                out.text(format!(", {} of what an oracle would ({})", percent(profit / oracle), unit.show(oracle)))
            }
            (false, Some(regret)) => out.text(format!(", {} less than an oracle", unit.show(regret))),
            (false, None) => out.text(format!("; an oracle would earn {}", unit.show(oracle))),
        };
    }
    match best {
        Some((action, value)) if profit >= value => {
            out.text(format!(" and {} more than {action} for everybody.", unit.show(profit - value)))
        }
        Some((action, value)) => {
            out.text(format!(" but {} less than {action} for everybody.", unit.show(value - profit)))
        }
        None => out.text("."),
    }
}

fn notes(truth: &Value) -> String {
    let mut out = vec![
        "These profits are computed from the simulated market itself, so they have no interval. \
         Everybody means everybody who may be contacted."
            .to_owned(),
    ];
    if let (Some(decided), Some(people)) = (truth.whole("decided"), truth.whole("people")) {
        out.push(format!("{} of {} have a decision.", count(decided), counted(people, "person", "people")));
    }
    if let Some(n) = truth.whole("not_permitted").filter(|n| *n > 0) {
        let some = counted(n, "decision goes", "decisions go");
        out.push(format!("{some} to people who may not be contacted, and count as sending nothing."));
    }
    out.join(" ")
}
