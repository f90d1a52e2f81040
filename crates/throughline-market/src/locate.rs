//! Which line of a scenario's file a fault is about. Messages begin with the path of the field; the file is YAML in block
//! style, with small maps inside a line where that reads better.

use throughline_core::Diagnostic;

/// Gives each fault the file and the line of the field it names, or of the nearest one around it.
#[must_use]
pub fn locate(faults: Vec<Diagnostic>, text: &str, file: &str) -> Vec<Diagnostic> {
    let lines: Vec<&str> = text.lines().collect();
    faults
        .into_iter()
        .map(|fault| {
            let path = fault.message.split([' ', ':']).next().unwrap_or_default().to_owned();
            let line = line_of(&lines, &path).map(|l| l as u64 + 1);
            fault.at(file, line, None)
        })
        .collect()
}

/// The line of a path such as `channels.display.flights[0].days`, from 0.
fn line_of(lines: &[&str], path: &str) -> Option<usize> {
    // Where to look: from this line on, as long as lines lie deeper than this indent.
    let (mut from, mut parent) = (0, None);
    let mut found = None;
    for part in path.replace('[', ".[").split('.') {
        let index = part.strip_prefix('[').and_then(|p| p.strip_suffix(']')).and_then(|p| p.parse::<usize>().ok());
        let block = block(lines, from, parent);
        let at = match index {
            Some(index) => block.filter(|(_, l)| l.trim_start().starts_with("- ")).nth(index).map(|(at, _)| at),
            None => block.filter(|(_, l)| holds(l, part)).map(|(at, _)| at).next(),
        };
        match at {
            Some(at) => {
                found = Some(at);
                (from, parent) = (at, Some(indent(lines[at])));
            }
            // It stands within the line found so far, or it was left out.
            None => break,
        }
    }
    found
}

/// The lines of a block: those of `from` itself and those after it that lie deeper.
fn block<'a>(lines: &'a [&'a str], from: usize, parent: Option<usize>) -> impl Iterator<Item = (usize, &'a str)> {
    let rest = lines.iter().enumerate().skip(from);
    rest.take_while(move |(at, line)| {
        line.trim().is_empty()
            || *at == from
            || parent.is_none_or(|parent| {
                indent(line) > parent || line.trim_start().starts_with("- ") && indent(line) == parent
            })
    })
    .map(|(at, line)| (at, *line))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether a line has this field, or is the item of this name.
fn holds(line: &str, field: &str) -> bool {
    let line = line.split(" #").next().unwrap_or_default();
    let key = |text: &str| text.trim_start().strip_prefix(field).is_some_and(|rest| rest.trim_start().starts_with(':'));
    let named = |text: &str| {
        text.trim_start_matches(['-', ' ', '{'])
            .strip_prefix("name:")
            .is_some_and(|n| n.trim_start().starts_with(field))
    };
    key(line) || line.split([',', '{', '-']).any(key) || named(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "people: 10
calendar:
  windows:
    - { name: easter, from_day: 80, days: 4, lift: 9 }
channels:
  email:
    reach: 0.1
  display:
    reach: 0.2
    saturation: { kind: hill, half: 1, slope: -1 }
    flights:
      - { from_day: 1, days: 2 }
      - from_day: 9
        days: 0
interactions:
- { first: tv, second: tv, effect: 1 }
";

    #[track_caller]
    fn check(path: &str, line: Option<u64>) {
        let fault = Diagnostic::error("TL954", format!("{path} of 3 is outside 0 to 1"));
        let found = locate(vec![fault], TEXT, "m.yaml");
        assert_eq!(found[0].location.as_ref().and_then(|l| l.line), line, "{path}");
    }

    #[test]
    fn faults_are_found_in_blocks_lists_and_lines() {
        check("people", Some(1));
        check("channels.display.reach", Some(9));
        check("channels.email.reach", Some(7));
        check("channels.display.saturation.slope", Some(10));
        check("channels.display.flights[0].days", Some(12));
        check("channels.display.flights[1].days", Some(14));
        check("calendar.windows.easter.lift", Some(4));
        check("interactions[0].second:", Some(16));
        check("channels.display.daily_budget", Some(8));
        check("experiment.day", None);
    }
}
