//! LIKE: `%` stands for any text, `_` for one character, everything else for itself; no escape.

/// Whether all of `text` matches `pattern`. Takes at most text × pattern steps.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    let (mut t, mut p) = (text.chars(), pattern.chars());
    // After the last `%`: the rest of the pattern, and the text from which it was last tried.
    let mut retry = None;
    loop {
        let before = t.clone();
        match (t.next(), p.next()) {
            (_, Some('%')) => {
                t = before.clone();
                retry = Some((before, p.clone()));
            }
            (None, None) => return true,
            (Some(_), Some('_')) => {}
            (Some(a), Some(b)) if a == b => {}
            _ => {
                // The last `%` takes one character more; earlier ones need not, because the first fit is the shortest.
                let Some((mut from, rest)) = retry else { return false };
                if from.next().is_none() {
                    return false;
                }
                (t, p) = (from.clone(), rest.clone());
                retry = Some((from, rest));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, exponential in the number of `%`.
    fn obvious(text: &[char], pattern: &[char]) -> bool {
        match (text, pattern) {
            (_, ['%', rest @ ..]) => (0..=text.len()).any(|n| obvious(&text[n..], rest)),
            ([], []) => true,
            ([a, t @ ..], [b, p @ ..]) => (*b == '_' || a == b) && obvious(t, p),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(text in "[ab%é]{0,8}", pattern in "[abé_%]{0,6}") {
            let (t, p): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
            prop_assert_eq!(like(&text, &pattern), obvious(&t, &p), "{} LIKE {}", text, pattern);
        }
    }
}
