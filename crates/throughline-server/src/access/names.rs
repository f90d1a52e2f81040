//! Names of accounts. The audit log records people by them, so none may pass for a program, for somebody else, or for
//! what it is not.

use crate::problem::ApiError;

/// What parts of the program sign records as. Their other names hold a space, a colon or a slash, which no account's does.
const PROGRAMS: [&str; 4] = ["registry", "project", "server", "sign-in"];

const LONGEST: usize = 100;
const LONGEST_DISPLAYED: usize = 200;

fn plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-@".contains(c)
}

/// Characters that hide, or turn the direction of what follows.
fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// A sign-in name that somebody chose.
pub(crate) fn checked_name(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    if name.is_empty() || name.len() > LONGEST || !name.chars().all(plain) {
        return Err(ApiError::invalid("a name has 1 to 100 letters, digits, `.`, `_`, `-` and `@`"));
    }
    if PROGRAMS.contains(&name) {
        return Err(ApiError::invalid(format!("`{name}` is what a part of the program is called in the audit log")));
    }
    Ok(name.to_owned())
}

/// A name for people.
pub(crate) fn checked_display_name(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_DISPLAYED || name.chars().any(unseen) {
        return Err(ApiError::invalid("a display name has 1 to 200 characters, all of which can be seen"));
    }
    Ok(name.to_owned())
}

/// The sign-in name for somebody whom a provider calls `given`: what a name must not hold becomes `-`.
pub(crate) fn adopted_name(given: &str, provider: &str) -> String {
    let name: String = given.trim().chars().take(LONGEST).map(|c| if plain(c) { c } else { '-' }).collect();
    if name.is_empty() || PROGRAMS.contains(&name.as_str()) { format!("{name}@{provider}") } else { name }
}

/// The name for people of somebody whom a provider calls `given`, or `otherwise` where nothing of it can be seen.
pub(crate) fn adopted_display_name(given: &str, otherwise: &str) -> String {
    let name: String = given.chars().filter(|c| !unseen(*c)).take(LONGEST_DISPLAYED).collect();
    match name.trim() {
        "" => otherwise.to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_account_passes_for_a_program() {
        for name in PROGRAMS.into_iter().chain([
            "",
            "pid:1",
            "approval 1",
            "activate/mail",
            "a b",
            "\u{430}da",
            &"a".repeat(101),
        ]) {
            assert!(checked_name(name).is_err(), "{name}");
            let adopted = adopted_name(name, "company");
            assert!(checked_name(&adopted).is_ok() || adopted.len() > LONGEST, "{name}: {adopted}");
        }
        assert_eq!(checked_name(" ada.l@example.com ").ok().as_deref(), Some("ada.l@example.com"));
        assert_eq!(adopted_name("server", "company"), "server@company");
        assert_eq!(adopted_name("Ada Lovelace", "company"), "Ada-Lovelace");
    }

    #[test]
    fn a_display_name_shows_all_of_itself() {
        for name in [" ", "a\u{202e}b", "a\u{200b}", "a\nb", "\u{feff}a"] {
            assert!(checked_display_name(name).is_err(), "{name:?}");
        }
        assert_eq!(checked_display_name("Zo\u{eb} \u{5d0}\u{5d1}").ok().as_deref(), Some("Zo\u{eb} \u{5d0}\u{5d1}"));
        assert_eq!(adopted_display_name("a\u{202e}b", "x"), "ab");
        assert_eq!(adopted_display_name("\u{200b} ", "x"), "x");
    }
}
