//! What fields of rules are compared with.

use std::collections::BTreeMap;

/// Lists of sites by name, in lower case.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists(BTreeMap<String, Vec<String>>);

impl Lists {
    pub(super) fn add(&mut self, name: &str, sites: &[String]) {
        self.0.entry(name.to_owned()).or_default().extend(sites.iter().map(|site| site.to_lowercase()));
    }

    /// Whether a source or host is one of a list's sites.
    pub(super) fn has(&self, name: &str, source: &str) -> bool {
        let source = source.to_lowercase();
        self.0.get(name).is_some_and(|sites| sites.iter().any(|site| is_site(site, &source)))
    }
}

/// A word is the name of a site under any country's address; with a dot it is a host and those below it.
fn is_site(site: &str, source: &str) -> bool {
    if site == source {
        return true;
    }
    if site.contains('.') {
        return source.strip_suffix(site).is_some_and(|rest| rest.ends_with('.'));
    }
    let labels: Vec<&str> = source.rsplit('.').collect();
    match labels.as_slice() {
        [_, name, ..] if *name == site => true,
        // Second-level domains such as co.uk, com.br.
        [country, second, name, ..] => country.len() == 2 && second.len() <= 3 && *name == site,
        _ => false,
    }
}

/// Alternatives, one of which must match the whole text, without regard to case.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Vec<Alternative>);

#[derive(Debug, Clone)]
enum Alternative {
    /// Parts of a text with anything between them.
    Parts(Vec<String>),
    /// One of these sites.
    Sites(Vec<String>),
}

impl Pattern {
    pub(super) fn parse(text: &str, lists: &Lists) -> Result<Self, String> {
        let one = |part: &str| match part.trim().strip_prefix('@') {
            None => Ok(Alternative::Parts(part.trim().to_lowercase().split('*').map(str::to_owned).collect())),
            Some(list) => lists.0.get(list).map(|sites| Alternative::Sites(sites.clone())).ok_or_else(|| {
                let known: Vec<&str> = lists.0.keys().map(String::as_str).collect();
                format!("unknown list `@{list}`; known lists: {}", known.join(", "))
            }),
        };
        text.split('|').map(one).collect::<Result<Vec<_>, _>>().map(Self)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.matches_lower(&text.trim().to_lowercase())
    }

    /// Whether a text in lower case matches.
    pub(super) fn matches_lower(&self, text: &str) -> bool {
        self.0.iter().any(|alternative| match alternative {
            Alternative::Parts(parts) => matches_parts(parts, text),
            Alternative::Sites(sites) => sites.iter().any(|site| is_site(site, text)),
        })
    }
}

/// Whether the text is the parts in order, with anything between them: the first at its start, the last at its end.
fn matches_parts(parts: &[String], text: &str) -> bool {
    let [first, middle @ ..] = parts else { return text.is_empty() };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    let Some((last, between)) = middle.split_last() else { return rest.is_empty() };
    for part in between {
        match rest.find(part.as_str()) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_gaps() {
        let matches =
            |pattern: &str, text: &str| Pattern::parse(pattern, &Lists::default()).expect("valid").matches(text);
        for (pattern, text, expect) in [
            ("cpc", "CPC ", true),
            ("cpc", "cpcx", false),
            ("*cp*", "my-cpm", true),
            ("*cp*", "ppc", false),
            ("paid*", "paid_social", true),
            ("paid*", "unpaid", false),
            ("*push", "web push", true),
            ("*ab*ab*", "xabyab", true),
            ("*ab*ab*", "xab", false),
            ("ab*ba", "aba", false),
            ("a|b|c*", "cd", true),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, text), expect, "{pattern} on {text}");
        }
        assert!(Pattern::parse("@nothing", &Lists::default()).is_err());
    }

    #[test]
    fn sites_by_name_and_by_host() {
        for (site, source, expect) in [
            ("google", "google", true),
            ("google", "www.google.co.uk", true),
            ("google", "google.de", true),
            ("google", "google.com.br", true),
            ("google", "google.evil.com", false),
            ("google", "notgoogle.com", false),
            ("t.co", "t.co", true),
            ("t.co", "pinterest.co", false),
            ("x.com", "www.x.com", true),
            ("x.com", "netflix.com", false),
            ("facebook", "m.facebook.com", true),
        ] {
            assert_eq!(is_site(site, source), expect, "{site} on {source}");
        }
    }
}
