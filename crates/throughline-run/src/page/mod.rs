//! The run report as one self-contained page: no script, nothing loaded, every text of the report escaped. What the
//! report does not have, the page leaves out.

mod charts;
mod format;
mod html;
mod read;
mod scale;
mod sections;
mod style;
#[cfg(test)]
mod tests;

use serde_json::Value;

use html::{Html, el, p, text};
use read::Read;
use sections::{Built, findings, header, stages};

/// Renders the page.
pub(crate) fn render(report: &Value) -> String {
    let found = findings::collect(report);
    let built = sections::build(report, &found);
    let main = header::header(report, &found)
        .with_some(stages::line(report, &built))
        .with_some(contents(&built))
        .with(built.iter().map(section).collect())
        .with(footer(report));
    let title = match report.word("project") {
        Some(project) => format!("{project}: run report"),
        None => "Run report".to_owned(),
    };
    let head = Html::constant(HEAD).with(el("title", &[], text(title))).with(el("style", &[], style()));
    let body = el("body", &[], el("main", &[], main));
    let page = el("html", &[("lang", "en")], el("head", &[], head).with(body));
    format!("<!doctype html>\n{}\n", page.into_string())
}

/// Nothing may be loaded and nothing may run, whatever a text of the report tries.
const HEAD: &str = "<meta charset=\"utf-8\">\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">";

fn style() -> Html {
    Html::constant(style::STYLE)
}

fn contents(built: &[Built]) -> Option<Html> {
    let link = |b: &Built| el("a", &[("href", &format!("#{}", b.id))], text(b.title));
    (!built.is_empty()).then(|| el("nav", &[("aria-label", "Contents")], built.iter().map(link).collect()))
}

fn section(built: &Built) -> Html {
    let heading = format!("{}-title", built.id);
    let title = el("h2", &[("id", &heading)], text(built.title));
    let lede = p("lede", built.section.lede.clone());
    let inner = title.with(lede).with(built.section.body.clone());
    el("section", &[("id", built.id), ("aria-labelledby", &heading)], inner)
}

fn footer(report: &Value) -> Html {
    let version = report.word("throughline").map(|v| format!(" {v}")).unwrap_or_default();
    let words = format!("Made by Throughline{version}. The same numbers stand in report.json beside this page.");
    el("footer", &[], text(words))
}
