//! Texts that people write, and others decide by.

use crate::ApprovalError;

/// Longest title, in characters.
pub const MAX_TITLE: usize = 200;
/// Longest reason or comment, in characters.
pub const MAX_TEXT: usize = 4_000;

/// A title: one line, not blank.
pub(crate) fn title(text: &str) -> Result<String, ApprovalError> {
    let checked = checked("title", text, MAX_TITLE, false)?;
    if checked.is_empty() { Err(ApprovalError::TextMissing { what: "title" }) } else { Ok(checked) }
}

/// A reason or comment, possibly blank: several lines and tabs are fine.
pub(crate) fn prose(what: &'static str, text: &str) -> Result<String, ApprovalError> {
    checked(what, text, MAX_TEXT, true)
}

/// What a machine says: made to fit, because it must be recorded whatever it holds.
pub(crate) fn cleaned(text: &str) -> String {
    text.trim().chars().map(|c| if hides(c, true) { ' ' } else { c }).take(MAX_TEXT).collect()
}

fn checked(what: &'static str, text: &str, limit: usize, lines: bool) -> Result<String, ApprovalError> {
    let before = text.chars().take_while(|c| c.is_whitespace()).count();
    let text = text.trim();
    let characters = text.chars().count();
    if characters > limit {
        return Err(ApprovalError::TextTooLong { what, characters, limit });
    }
    match text.chars().enumerate().find(|(_, c)| hides(*c, lines)) {
        Some((index, c)) => {
            Err(ApprovalError::ControlCharacter { what, code: u32::from(c), position: before + index + 1 })
        }
        None => Ok(text.to_owned()),
    }
}

/// Control characters, and those that turn the direction of a text, so that it reads as what it does not say.
fn hides(c: char, lines: bool) -> bool {
    match c {
        '\n' | '\t' => !lines,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(got: Result<String, ApprovalError>, expect: &str) {
        assert_eq!(got.unwrap_or_else(|error| error.to_string()), expect);
    }

    #[test]
    fn titles_are_one_line() {
        check(title("  More for spring "), "More for spring");
        check(title(" \n "), "the title is blank");
        check(title(" a\nb"), "the title has the control character U+000A at position 3");
        check(title("pay \u{202e}drawer"), "the title has the control character U+202E at position 5");
        check(title(&"é".repeat(200)), &"é".repeat(200));
        check(title(&"é".repeat(201)), "the title of 201 characters exceeds the limit of 200");
    }

    #[test]
    fn prose_has_lines_and_a_limit() {
        check(prose("reason", " a\n\tb "), "a\n\tb");
        check(prose("reason", "  "), "");
        check(prose("comment", "a\u{1b}[2J"), "the comment has the control character U+001B at position 2");
        check(prose("comment", "a\r\nb"), "the comment has the control character U+000D at position 2");
        check(prose("reason", &"x".repeat(4_001)), "the reason of 4001 characters exceeds the limit of 4000");
    }

    #[test]
    fn what_machines_say_is_made_to_fit() {
        assert_eq!(cleaned("  lost\u{0}the\r\nline "), "lost the \nline");
        assert_eq!(cleaned(&"x".repeat(5_000)).len(), MAX_TEXT);
    }
}
