//! Just enough of Rust's lexical grammar: comments, literals and the end of the shipped code in a file.

/// The source with comments and the contents of string and character literals replaced by spaces, line by line the same
/// length in characters, so that braces and words that remain are code.
pub(crate) fn code_only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skip_length(&chars, at).map_or(at, |length| (at + length).min(chars.len()));
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Length of the comment or literal that starts here, if one does.
fn skip_length(chars: &[char], at: usize) -> Option<usize> {
    let rest = &chars[at..];
    match rest {
        ['/', '/', ..] => Some(rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())),
        ['/', '*', ..] => Some(block_comment(rest)),
        ['"', ..] => Some(quoted(rest)),
        ['r', '"' | '#', ..] if !follows_word(chars, at) => raw_string(rest),
        ['\'', ..] => character(rest),
        _ => None,
    }
}

fn follows_word(chars: &[char], at: usize) -> bool {
    // `br"…"` is a raw string too; `for"` is not Rust.
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_') && chars[at - 1] != 'b'
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut i) = (0_usize, 0);
    while i + 1 < rest.len() {
        match (rest[i], rest[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    rest.len()
}

fn quoted(rest: &[char]) -> usize {
    let mut i = 1;
    while i < rest.len() {
        match rest[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[char]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return None; // a raw identifier such as r#type
    }
    let closes =
        |i: &usize| rest[*i] == '"' && rest[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    Some((hashes + 2..rest.len()).find(closes).map_or(rest.len(), |i| i + 1 + hashes))
}

fn character(rest: &[char]) -> Option<usize> {
    match rest {
        ['\'', '\\', ..] => (3..rest.len().min(14)).find(|i| rest[*i] == '\'').map(|i| i + 1),
        ['\'', _, '\'', ..] => Some(3),
        _ => None, // a lifetime
    }
}

/// The number of lines before the inline test module (`#[cfg(test)]` followed by a `mod … {`), or all lines.
pub(crate) fn shipped_lines(code: &str) -> usize {
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    let opens = |line: &&str| line.starts_with("mod ") && line.ends_with('{');
    (0..lines.len())
        .find(|i| {
            lines[*i] == "#[cfg(test)]"
                && lines[i + 1..].iter().find(|l| !l.is_empty() && !l.starts_with('#')).is_some_and(opens)
        })
        .unwrap_or(lines.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expect: &str) {
        let code = code_only(source);
        assert_eq!(code.split_whitespace().collect::<Vec<_>>().join(" "), expect);
        assert_eq!(code.chars().count(), source.chars().count());
    }

    #[test]
    fn comments_and_literals_vanish() {
        check("a // todo!\nb", "a b");
        check("a /* x /* y */ { */ b", "a b");
        check(r#"f("}{ \" {") + g"#, "f( ) + g");
        check("r#\"{ \" }\"# + br\"{\" + r#type", "+ b + r#type");
        check("'{' '\\'' '\\u{1F600}' &'a str", "&'a str");
    }

    #[test]
    fn tests_at_the_bottom_are_not_shipped() {
        assert_eq!(shipped_lines("a\nb\n#[cfg(test)]\nmod tests {\n}\n"), 2);
        assert_eq!(shipped_lines("a\n#[cfg(test)]\nmod tests;\nb\n"), 4);
        assert_eq!(shipped_lines("a\n#[cfg(test)]\nfn helper() {}\nb\n"), 4);
    }
}
