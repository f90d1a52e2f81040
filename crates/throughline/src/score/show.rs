//! Scores as tables for people, on a terminal and in Markdown.

use super::{Part, Row, Summary, SummaryPart};
use crate::output::{interval, number, table};

/// Notes shown of a measure.
const NOTES_SHOWN: usize = 3;

/// A table of texts: names of the columns, those on the right, rows.
struct Grid {
    header: &'static [&'static str],
    right: &'static [usize],
    rows: Vec<Vec<String>>,
}

/// The scores of one project, for a terminal.
pub(crate) fn parts_table(parts: &[Part]) -> String {
    let each = parts.iter().map(|part| match &part.absent {
        Some(why) => format!("{}: nothing to score: {why}", part.name),
        None => plain(part.name, &rows_grid(&part.rows)),
    });
    each.collect::<Vec<_>>().join("\n\n")
}

/// The scores of one project, as a page.
pub(crate) fn parts_markdown(title: &str, lead: &str, parts: &[Part]) -> String {
    let each = parts.iter().map(|part| match &part.absent {
        Some(why) => section(part.name, part.about, &format!("Nothing to score: {why}.")),
        None => section(part.name, part.about, &marked(&rows_grid(&part.rows))),
    });
    page(title, lead, each)
}

/// The scores of several seeds, for a terminal.
pub(crate) fn summary_table(parts: &[SummaryPart]) -> String {
    let each = parts.iter().map(|part| {
        let absent = absent(part).map(|a| format!("\n{a}")).unwrap_or_default();
        plain(part.part, &summary_grid(&part.rows)) + &absent
    });
    each.collect::<Vec<_>>().join("\n\n")
}

/// The scores of several seeds, as a page.
pub(crate) fn summary_markdown(title: &str, lead: &str, parts: &[SummaryPart]) -> String {
    let each = parts.iter().map(|part| {
        let table = if part.rows.is_empty() { String::new() } else { marked(&summary_grid(&part.rows)) };
        let blocks = [Some(table).filter(|t| !t.is_empty()), absent(part)];
        section(part.part, part.about, &blocks.into_iter().flatten().collect::<Vec<_>>().join("\n\n"))
    });
    page(title, lead, each)
}

fn absent(part: &SummaryPart) -> Option<String> {
    let said = part.absent.iter().map(|(why, seeds)| format!("Nothing to score in {seeds} of the markets: {why}."));
    (!part.absent.is_empty()).then(|| said.collect::<Vec<_>>().join(" "))
}

fn value(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), number)
}

fn rows_grid(rows: &[Row]) -> Grid {
    let cells = |row: &Row| {
        let own =
            row.interval.map(|[low, high]| interval((low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY))));
        let held = row.coverage.map(|c| format!("{} of {}, promised {}", c.covered, c.total, number(c.nominal)));
        vec![
            row.name.clone(),
            row.measure.to_owned(),
            value(row.value),
            row.unit.clone(),
            row.n.to_string(),
            own.or(held).unwrap_or_default(),
            row.note.clone(),
        ]
    };
    Grid {
        header: &["of", "measure", "value", "unit", "n", "interval", "note"],
        right: &[2, 4],
        rows: rows.iter().map(cells).collect(),
    }
}

fn summary_grid(rows: &[Summary]) -> Grid {
    let range = |row: &Summary| match (row.min, row.max) {
        (Some(min), Some(max)) => format!("{} to {}", number(min), number(max)),
        _ => String::new(),
    };
    let cells = |row: &Summary| {
        vec![
            row.name.clone(),
            row.measure.to_owned(),
            value(row.mean),
            row.unit.clone(),
            row.interval.map(interval).unwrap_or_default(),
            range(row),
            row.seeds.to_string(),
            notes(row),
        ]
    };
    Grid {
        header: &["of", "measure", "mean", "unit", "90 % interval", "smallest to largest", "seeds", "note"],
        right: &[2, 6],
        rows: rows.iter().map(cells).collect(),
    }
}

/// What was pooled, and the most frequent notes.
fn notes(row: &Summary) -> String {
    let pooled = row.pooled.map(|p| {
        let verdict = if p.rejected { "**rejected**" } else { "not rejected" };
        let (covered, total, nominal) = (p.covered, p.total, number(p.nominal));
        format!("{covered} of {total} intervals hold the truth; promised {nominal}: {verdict} ({})", chance(p.p_value))
    });
    let said = row.notes.iter().take(NOTES_SHOWN);
    let said = said.map(|(text, seeds)| match row.notes.as_slice() {
        [_] if *seeds >= row.seeds => text.clone(),
        _ => format!("{text} ({seeds})"),
    });
    let rest = row.notes.len().saturating_sub(NOTES_SHOWN);
    let more = (rest > 0).then(|| format!("{rest} more"));
    pooled.into_iter().chain(said).chain(more).collect::<Vec<_>>().join("; ")
}

fn chance(p_value: f64) -> String {
    if p_value < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p_value:.3}") }
}

fn plain(title: &str, grid: &Grid) -> String {
    let rows: Vec<Vec<String>> =
        grid.rows.iter().map(|row| row.iter().map(|cell| cell.replace("**", "")).collect()).collect();
    format!("{title}\n{}", table(grid.header, grid.right, &rows))
}

fn page(title: &str, lead: &str, sections: impl Iterator<Item = String>) -> String {
    format!("# {title}\n\n{lead}\n\n{}", sections.collect::<Vec<_>>().join("\n\n"))
}

fn section(part: &str, about: &str, body: &str) -> String {
    let mut letters = part.chars();
    let title: String = letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default();
    format!("## {title}\n\n{about}\n\n{body}")
}

fn marked(grid: &Grid) -> String {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let escaped = |cell: &String| cell.replace('|', "\\|").replace('\n', " ");
    let rule = (0..grid.header.len()).map(|i| if grid.right.contains(&i) { "---:" } else { "---" }.to_owned());
    let head = line(grid.header.iter().map(|h| (*h).to_owned()).collect());
    let body = grid.rows.iter().map(|row| line(row.iter().map(escaped).collect()));
    let lines: Vec<String> = [head, line(rule.collect())].into_iter().chain(body).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::summarise;

    fn parts(value: f64) -> Vec<Part> {
        let rows = vec![
            Row::new("a|b", "bias", value, 8).in_unit("EUR").within((f64::NEG_INFINITY, 2.0)),
            Row::covered("a|b", 3, 8, 0.9),
            Row::undefined("c", "qini", 0, "all equal"),
        ];
        let part = |name, rows, absent| Part { name, about: "What it is.", absent, rows, details: Vec::new() };
        vec![part("credit", rows, None), part("policy", Vec::new(), Some("no policy".to_owned()))]
    }

    #[test]
    fn pages_say_everything_and_keep_their_columns() {
        let page = parts_markdown("Title", "Lead.", &parts(1.5));
        assert!(page.starts_with("# Title\n\nLead.\n\n## Credit\n\nWhat it is.\n\n| of | measure |"), "{page}");
        assert!(page.contains("| a\\|b | bias | 1.500 | EUR | 8 | [−∞, 2.000] |"), "{page}");
        assert!(page.contains("3 of 8, promised 0.900") && page.contains("| c | qini | – |"), "{page}");
        assert!(page.ends_with("## Policy\n\nWhat it is.\n\nNothing to score: no policy."), "{page}");
        let columns = |l: &&str| l.replace("\\|", "").matches('|').count();
        assert!(page.lines().filter(|l| l.starts_with('|')).all(|l| columns(&l) == 8), "{page}");
        assert!(parts_table(&parts(1.5)).contains("policy: nothing to score: no policy"));
    }

    #[test]
    fn summaries_say_what_was_rejected_and_what_was_missing() {
        let summary = summarise(&[parts(1.0), parts(3.0)]);
        let page = summary_markdown("T", "L", &summary);
        assert!(page.contains("| a\\|b | bias | 2.000 | EUR | [-4.314, 8.314] | 1.000 to 3.000 | 2 |"), "{page}");
        assert!(page.contains("6 of 16 intervals hold the truth; promised 0.900: **rejected**"), "{page}");
        assert!(page.contains("Nothing to score in 2 of the markets: no policy."), "{page}");
        let text = summary_table(&summary);
        assert!(text.contains(": rejected") && !text.contains("**"), "{text}");
    }
}
