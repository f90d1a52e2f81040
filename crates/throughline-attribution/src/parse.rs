//! Path texts such as `Search > Email > Direct`: reading and writing.

use std::borrow::Cow;

/// Splits a path text into its steps, trimmed. Blank steps are kept as empty strings, so that whoever counts them can
/// report them; a text of blanks is one blank step.
///
/// A step whose name holds the separator stands in double quotes, with `""` for a quote inside: `"A > B" > C` has two
/// steps. A quote that does not open a step, or is never closed before a separator or the end, is an ordinary
/// character. With an empty separator the whole text is one step.
///
/// ```
/// use throughline_attribution::parse_path;
/// assert_eq!(parse_path("Search >  Email", " > "), ["Search", "Email"]);
/// assert_eq!(parse_path(r#""Brand > UK" > Email"#, " > "), ["Brand > UK", "Email"]);
/// ```
pub fn parse_path<'a>(text: &'a str, separator: &str) -> Vec<Cow<'a, str>> {
    if !separator.trim().is_empty() && text.trim() == separator.trim() {
        return vec![Cow::Borrowed(""); 2];
    }
    let mut steps = Vec::new();
    let mut rest = text;
    let stem = separator.trim_start();
    // The same trimming at the front: `> a` was ` > a`.
    if let Some(after) = text.trim_start().strip_prefix(stem).filter(|_| !stem.is_empty()) {
        steps.push(Cow::Borrowed(""));
        rest = after;
    }
    loop {
        let (step, after) = if let Some((step, after)) = quoted(rest, separator) {
            (Cow::Owned(step), after)
        } else {
            let (head, after) = plain(rest, separator);
            (Cow::Borrowed(head.trim()), after)
        };
        steps.push(step);
        match after {
            Some(after) => rest = after,
            None => return steps,
        }
    }
}

/// Calls `each` with every step of [`parse_path`]; texts without quotes cost no allocation.
pub(crate) fn for_each_step(text: &str, separator: &str, mut each: impl FnMut(&str)) {
    let core = separator.trim();
    let bare = text.trim();
    if text.contains('"') || core.is_empty() || bare.starts_with(core) || bare.ends_with(core) {
        for step in parse_path(text, separator) {
            each(&step);
        }
        return;
    }
    // A separator of one visible character between blanks, the usual one, is found byte by byte.
    match (separator.as_bytes(), core.as_bytes()) {
        ([b' ', _, b' '], [visible]) => {
            let bytes = text.as_bytes();
            let mut start = 0;
            for (at, byte) in bytes.iter().enumerate() {
                if byte == visible && at > start && bytes[at - 1] == b' ' && bytes.get(at + 1) == Some(&b' ') {
                    each(text[start..at].trim());
                    start = at + 2;
                }
            }
            each(text[start..].trim());
        }
        _ => text.split(separator).for_each(|step| each(step.trim())),
    }
}

/// Writes steps as a path text that [`parse_path`] reads back: names that hold the separator's visible part or begin
/// with a quote are quoted.
pub fn format_path<S: AsRef<str>>(steps: &[S], separator: &str) -> String {
    let core = separator.trim();
    let write = |name: &str| {
        let holds = !separator.is_empty() && name.contains(if core.is_empty() { separator } else { core });
        if holds || name.starts_with('"') { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
    };
    steps.iter().map(|s| write(s.as_ref())).collect::<Vec<_>>().join(separator)
}

/// The text before the next separator, and what follows it.
fn plain<'a>(text: &'a str, separator: &str) -> (&'a str, Option<&'a str>) {
    if separator.is_empty() {
        return (text, None);
    }
    if let Some((head, after)) = text.split_once(separator) {
        return (head, Some(after));
    }
    // Where cells of a file were trimmed, `a > ` arrives as `a >`.
    let stem = separator.trim_end();
    match text.trim_end().strip_suffix(stem) {
        Some(head) if !stem.is_empty() => (head, Some("")),
        _ => (text, None),
    }
}

/// A step in quotes at the start of `text`, and what follows its separator.
fn quoted<'a>(text: &'a str, separator: &str) -> Option<(String, Option<&'a str>)> {
    let inside = text.trim_start().strip_prefix('"')?;
    let mut name = String::new();
    let mut rest = inside;
    loop {
        let (head, after) = rest.split_once('"')?;
        name.push_str(head);
        if let Some(more) = after.strip_prefix('"') {
            name.push('"');
            rest = more;
            continue;
        }
        let (between, after) = plain(after, separator);
        return between.trim().is_empty().then(|| (name.trim().to_owned(), after));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, separator: &str, expect: &[&str]) {
        assert_eq!(parse_path(text, separator), expect, "{text:?} by {separator:?}");
    }

    #[test]
    fn steps() {
        check("a > b > a", " > ", &["a", "b", "a"]);
        check("  a  >  b ", ">", &["a", "b"]);
        check("a", " > ", &["a"]);
        check("a>b > c", " > ", &["a>b", "c"]);
        check("a > b", "", &["a > b"]);
        check("a,b", ",", &["a", "b"]);
        check("a\tb c", "\t", &["a", "b c"]);
    }

    #[test]
    fn blanks_are_kept_for_counting() {
        check("", " > ", &[""]);
        check("   ", " > ", &[""]);
        check("a >  > b", " > ", &["a", "", "b"]);
        check("a > b >", " > ", &["a", "b", ""]);
        check("> a > b", " > ", &["", "a", "b"]);
        check(">", " > ", &["", ""]);
        check(",a,", ",", &["", "a", ""]);
    }

    #[test]
    fn quotes_protect_separators() {
        check(r#""a > b" > c"#, " > ", &["a > b", "c"]);
        check(r#"c > "a > b""#, " > ", &["c", "a > b"]);
        check(r#""say ""hi"" > x" > c"#, " > ", &[r#"say "hi" > x"#, "c"]);
        check(r#"5" screen > c"#, " > ", &[r#"5" screen"#, "c"]);
        check(r#""open > c"#, " > ", &[r#""open"#, "c"]);
        check(r#""a"b > c"#, " > ", &[r#""a"b"#, "c"]);
    }

    proptest! {
        #[test]
        fn steps_one_by_one_are_the_steps(
            text in r#"[ab >",é]{0,16}"#,
            separator in prop::sample::select(vec![" > ", ">", ",", " , ", "> ", "", " ", ">>"]),
        ) {
            let mut got = Vec::new();
            for_each_step(&text, separator, |step| got.push(step.to_owned()));
            prop_assert_eq!(parse_path(&text, separator), got, "{:?} by {:?}", text, separator);
        }

        #[test]
        fn written_paths_read_back(
            names in prop::collection::vec(r#"[a-c >",;é|]{0,6}[a-z]"#, 1..6),
            separator in prop::sample::select(vec![" > ", ">", ",", " | ", "; ", "->"]),
        ) {
            let names: Vec<String> = names.iter().map(|n| n.trim().to_owned()).collect();
            let text = format_path(&names, separator);
            prop_assert_eq!(parse_path(&text, separator), names, "{}", text);
        }
    }
}
