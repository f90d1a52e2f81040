//! Whether everything is as it was.

use serde_json::Value;

use crate::page::format::{count, counted, fixed, in_words, number, percent};
use crate::page::html::{Cell, Html, Table, code, el, figure, prose, text, words};
use crate::page::read::{Read, metrics};

use super::Section;

/// The section.
pub(super) fn section(report: &Value) -> Option<Section> {
    let (_, watch) = metrics(report, "observe").into_iter().next()?;
    let rows = watch.list("rows");
    if rows.is_empty() {
        return None;
    }
    let of = |wanted: &[&str]| -> Vec<&Value> {
        rows.iter().filter(|r| wanted.contains(&r.word("status").unwrap_or("ok"))).collect()
    };
    let (alarms, changed, first) = (of(&["alarm"]).len(), of(&["changed"]).len(), of(&["first"]).len());
    let all = counted(rows.len() as u64, "figure", "figures");
    let lede = match (alarms, changed) {
        (0, 0) if first == rows.len() => text(format!(
            "{all} were measured for the first time: from the next run on they are compared with this one."
        )),
        (0, 0) => {
            text("").strong("Everything is as usual").text(format!(": {all} were compared with the runs before."))
        }
        (0, n) => {
            text(format!("No alarm among {all}; {} from the runs before.", counted(n as u64, "differs", "differ")))
        }
        (n, changed) => text("")
            .strong(counted(n as u64, "figure is", "figures are"))
            .text(format!(" far worse than usual, of {all} compared"))
            .text(if changed > 0 { format!("; {} more changed.", count(changed as u64)) } else { ".".to_owned() }),
    };
    let (unusual, usual) = (of(&["alarm", "changed"]), of(&["first", "ok"]));
    let mut body = Html::default();
    if !unusual.is_empty() {
        body = body.with(table("Not as usual", &unusual).html());
    }
    if !usual.is_empty() {
        body =
            body.with(table("As usual, or seen for the first time", &usual).folded("Figures as usual, and new ones"));
    }
    let rule = watch.word("detector").map(|d| text("Judged by ").code(d).text(". ")).unwrap_or_default();
    let exact = "The figures are counted, so they are exact; whether one is unusual is judged against the spread of \
    the runs \
                 before.";
    Some(Section { lede, body: body.with(el("p", &[("class", "note")], rule.text(exact))) })
}

fn table(caption: &str, rows: &[&Value]) -> Table {
    let head = ["Figure", "Of", "Status", "Now", "Before", "Usual", "In words"];
    let mut table = Table::new(caption, &head);
    for row in rows {
        let metric = row.word("metric").unwrap_or("figure");
        let cell = |key| figure(row.num(key).map_or_else(|| "–".to_owned(), |x| value(metric, x)));
        table.row(vec![
            words(in_words(metric)),
            code(row.word("scope").unwrap_or_default()),
            status(row.word("status").unwrap_or_default()),
            cell("value"),
            cell("previous"),
            cell("usual"),
            Cell::Words(prose(row.word("note").unwrap_or_default())),
        ]);
    }
    table
}

fn status(status: &str) -> Cell {
    let (tone, word) = match status {
        "alarm" => ("status error", "alarm"),
        "changed" => ("status warning", "changed"),
        "ok" => ("status good", "as usual"),
        "first" => ("status info", "first time"),
        other => ("status info", other),
    };
    Cell::Words(el("span", &[("class", tone)], text(word)))
}

fn value(metric: &str, x: f64) -> String {
    match metric {
        "rows" | "rows_last_day" => fixed(x, 0),
        "age_hours" => format!("{} h", fixed(x, 1)),
        _ if metric.ends_with("_share") => percent(x),
        _ => number(x),
    }
}
