//! Whether the model's ranking of people holds on people it has not seen.

use serde_json::Value;

use crate::page::charts::{DotChart, Look, Mark, Row, Series, dot_chart, figure_of};
use crate::page::format::{Unit, count, counted, level, number, short};
use crate::page::html::{Html, Table, el, figure, figure_with, p, text, words};
use crate::page::read::{Read, Uncertain, metrics};

use super::Section;

const PLAIN: Unit = Unit::Plain;

/// The section.
pub(super) fn section(report: &Value) -> Option<Section> {
    let models = metrics(report, "model");
    let evaluations: Vec<&Value> = models.iter().flat_map(|(_, m)| m.list("evaluations")).collect();
    if models.is_empty() {
        return None;
    }
    let body = models.iter().map(|(unit, m)| block(unit, m)).collect();
    Some(Section { lede: lede(&evaluations), body })
}

fn lede(evaluations: &[&Value]) -> Html {
    if evaluations.is_empty() {
        return text("The model was not tested on people it has not seen, so its ranking is a promise and no more.");
    }
    let with = |verdict: &str| evaluations.iter().filter(|e| e.word("verdict") == Some(verdict)).count();
    let (good, bad) = (with("BetterThanRandom"), with("WorseThanRandom"));
    let all = count(evaluations.len() as u64);
    let sentence = match (evaluations, good, bad) {
        ([one], ..) => return text(outcome(one)),
        (_, 0, 0) => format!(
            "For none of the {all} actions does the ranking tell people apart: choose by average effect, not by person."
        ),
        (_, good, 0) => {
            format!("For {} of {all} actions the ranking tells apart whom the action changes more.", count(good as u64))
        }
        (_, good, bad) => format!(
            "For {} of {all} actions the ranking holds, for {} it is upside down: do not use it there.",
            count(good as u64),
            count(bad as u64)
        ),
    };
    let clear = evaluations.iter().find(|e| e.word("verdict") == Some("BetterThanRandom")).or(evaluations.first());
    text(sentence).text(" ").text(clear.map(|e| outcome(e)).unwrap_or_default())
}

/// The verdict on the ranking for one action, with its number.
fn outcome(evaluation: &Value) -> String {
    let arm = evaluation.word("arm").unwrap_or("the action");
    let numbers = Uncertain::estimate(evaluation.at("top_less_bottom"))
        .map(|d| format!(" by {} ({})", d.value_text(&PLAIN), d.evidence(&PLAIN)));
    let given = numbers.clone().unwrap_or_default();
    match evaluation.word("verdict") {
        Some("BetterThanRandom") => {
            format!(
                "{arm} changes the half ranked higher more than the other half{given}: choosing people by this \
                ranking pays."
            )
        }
        Some("WorseThanRandom") => {
            format!(
                "{arm} changes the half ranked higher less than the other half{given}: do not choose people by this \
                ranking."
            )
        }
        Some("InsideNoise") => {
            let given = numbers.map(|n| n.replacen(" by ", ": the halves differ by ", 1)).unwrap_or_default();
            format!("For {arm} the ranking cannot be told apart from chance{given}.")
        }
        _ => format!("For {arm} there is no verdict on the ranking."),
    }
}

fn block(unit: &str, model: &Value) -> Html {
    let name = model.word("policy").unwrap_or(unit);
    let mut out = el("h3", &[], text(name)).with(p("note", about(model)));
    let outcome_name = model.word("outcome").unwrap_or("the outcome");
    for evaluation in model.list("evaluations") {
        out = out.with_some(tenths(evaluation, outcome_name));
        out = out.with(p("", text(outcome(evaluation)).text(overall(evaluation, outcome_name))));
    }
    out
}

fn about(model: &Value) -> Html {
    let mut out = Html::default();
    if let Some(kind) = model.word("model") {
        out = out.text("Model ").code(kind);
        if let Some(version) = model.whole("version") {
            out = out.text(format!(", version {}", count(version)));
        }
        if let Some(hash) = model.word("content_hash") {
            out = out.text(" (").code(short(hash)).text(")");
        }
        out = out.text(". ");
    }
    if let (Some(learned), Some(seen)) = (model.whole("training_rows"), model.whole("evaluation_rows")) {
        let from = model.word("experiment").map(|e| format!(" of the experiment {e}")).unwrap_or_default();
        out = out.text(format!(
            "It learned from {}{from} and was tested on {} others it had not seen.",
            counted(learned, "person", "people"),
            count(seen)
        ));
    }
    out
}

fn overall(evaluation: &Value, outcome: &str) -> String {
    let people = evaluation.whole("n").map(|n| format!(", {}", counted(n, "person", "people"))).unwrap_or_default();
    Uncertain::estimate(evaluation.at("overall"))
        .map(|e| {
            format!(" Effect on {outcome} over all of them: {} ({}{people}).", e.value_text(&PLAIN), e.evidence(&PLAIN))
        })
        .unwrap_or_default()
}

/// What the model promised each tenth of the ranking, and what happened.
fn tenths(evaluation: &Value, outcome: &str) -> Option<Html> {
    let arm = evaluation.word("arm").unwrap_or("the action");
    let head = ["Tenth", "Promised", "Observed", "With the action", "Without"];
    let mut table = Table::new(format!("{arm}: effect on {outcome} per person, by tenth of the ranking"), &head);
    let (mut rows, mut at) = (Vec::new(), None);
    for tenth in evaluation.list("tenths") {
        let Some(number_of) = tenth.whole("tenth") else { continue };
        let label = match number_of {
            1 => "1st tenth, ranked highest".to_owned(),
            2 => "2nd tenth".to_owned(),
            3 => "3rd tenth".to_owned(),
            n => format!("{n}th tenth"),
        };
        let (promised, observed) = (tenth.num("promised"), Uncertain::estimate(tenth.at("effect")));
        let mut marks = Vec::new();
        if let Some(e) = &observed {
            at = e.level.or(at);
            let title = format!("{label}: observed {} ({})", e.value_text(&PLAIN), e.evidence(&PLAIN));
            marks.push(Mark { series: 0, lane: 0, value: e.value, span: e.span(), title });
        }
        if let Some(value) = promised {
            let title = format!("{label}: promised {}", number(value));
            marks.push(Mark { series: 1, lane: 0, value, span: None, title });
        }
        let readout = observed.as_ref().map_or_else(|| "too few people to tell".to_owned(), |e| e.readout(&PLAIN));
        rows.push(Row { label: label.clone(), readout, marks });
        let people = |key| figure(tenth.whole(key).map_or_else(|| "–".to_owned(), count));
        table.row(vec![
            words(label),
            figure(promised.map_or_else(|| "–".to_owned(), number)),
            observed.map_or_else(
                || figure("too few people"),
                |e| figure_with(&e.value_text(&PLAIN), &e.interval_text(&PLAIN)),
            ),
            people("treated"),
            people("control"),
        ]);
    }
    let with = at.map(|l| format!(", with {} intervals", level(l))).unwrap_or_default();
    let caption = format!("{arm}: promised and observed effect on {outcome}, by tenth of the ranking{with}");
    let series = [
        Series { name: "observed".into(), look: Look::Main },
        Series { name: "promised by the model (a prediction; it has no interval)".into(), look: Look::Promised },
    ];
    let label =
        format!("Dots with intervals: observed and promised effect of {arm} in {} tenths of the ranking", rows.len());
    let chart = dot_chart(&DotChart { label: &label, unit: &PLAIN, series: &series, rows: &rows, from_zero: true });
    figure_of(&caption, chart, &table)
}
