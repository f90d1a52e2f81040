//! Names that consent tools give to what they ask for (categories, scopes), and the purposes they stand for.

use super::{ConsentError, Purpose};

/// Names in use with OneTrust (`C0002`, …), Cookiebot, Segment and Snowplow. A banner asks about these three purposes, and
/// nothing about linking people across sources or about writing to them: a project that asks says so itself.
const KNOWN: [(&str, Purpose); 16] = [
    ("analytics", Purpose::Measurement),
    ("statistics", Purpose::Measurement),
    ("performance", Purpose::Measurement),
    ("measurement", Purpose::Measurement),
    ("c0002", Purpose::Measurement),
    ("advertising", Purpose::Advertising),
    ("advertisement", Purpose::Advertising),
    ("marketing", Purpose::Advertising),
    ("targeting", Purpose::Advertising),
    ("c0004", Purpose::Advertising),
    ("functional", Purpose::Personalisation),
    ("functionality", Purpose::Personalisation),
    ("preferences", Purpose::Personalisation),
    ("personalization", Purpose::Personalisation),
    ("personalisation", Purpose::Personalisation),
    ("c0003", Purpose::Personalisation),
];

/// What a banner asks about when it does not say.
pub(super) const BANNER: [Purpose; 3] = [Purpose::Measurement, Purpose::Personalisation, Purpose::Advertising];

/// A project's names of categories; they come before the known ones.
#[derive(Debug, Clone, Default)]
pub struct Categories<'n>(Vec<(&'n str, Purpose)>);

impl<'n> Categories<'n> {
    /// Pairs of a name and a purpose, as texts.
    pub fn new(pairs: impl IntoIterator<Item = (&'n str, &'n str)>) -> Result<Self, ConsentError> {
        let parsed = pairs.into_iter().map(|(name, purpose)| Ok((name.trim(), purpose.trim().parse()?)));
        parsed.collect::<Result<_, ConsentError>>().map(Self)
    }

    /// The purposes a name stands for, in any case; none for names such as `necessary` that ask for nothing. A project may
    /// give a name several purposes.
    pub fn purposes(&self, name: &str) -> Vec<Purpose> {
        let name = name.trim();
        let own: Vec<Purpose> = self.0.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, p)| *p).collect();
        if own.is_empty() {
            KNOWN.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, p)| *p).collect()
        } else {
            own
        }
    }

    /// Everything a banner with these names asks about.
    pub(super) fn asked(&self) -> Vec<Purpose> {
        let mut asked: Vec<Purpose> = BANNER.into_iter().chain(self.0.iter().map(|(_, p)| *p)).collect();
        asked.sort_unstable();
        asked.dedup();
        asked
    }
}
