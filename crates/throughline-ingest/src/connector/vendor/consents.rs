//! What vendors' words about consent say of purposes.

/// The purpose that the name of a category or scope says. Sites name them as they like; these are usual names.
pub(super) fn purpose(category: &str) -> Option<&'static str> {
    let category = category.trim().to_lowercase();
    let words = |list: &[&str]| list.contains(&category.as_str());
    Some(if words(&["measurement", "analytics", "performance", "statistics"]) {
        "measurement"
    } else if words(&["linking", "identity"]) {
        "linking"
    } else if words(&["personalisation", "personalization", "functional", "preferences"]) {
        "personalisation"
    } else if words(&["advertising", "advertisement", "targeting", "ads", "marketing"]) {
        "advertising"
    } else if words(&["messaging", "email", "newsletter"]) {
        "messaging"
    } else {
        return None;
    })
}

/// States by purpose as the text of a consent; of two words for one purpose the stricter counts.
#[derive(Debug, Default)]
pub(super) struct States(Vec<(&'static str, bool)>);

impl States {
    pub(super) fn add(&mut self, purpose: &'static str, given: bool) {
        match self.0.iter_mut().find(|(known, _)| *known == purpose) {
            Some((_, state)) => *state &= given,
            None => self.0.push((purpose, given)),
        }
    }

    /// `None` where nothing was said.
    pub(super) fn text(&self) -> Option<String> {
        let state = |given| if given { "granted" } else { "denied" };
        let pairs: Vec<String> = self.0.iter().map(|(p, given)| format!("{p}={}", state(*given))).collect();
        (!pairs.is_empty()).then(|| pairs.join(";"))
    }
}
