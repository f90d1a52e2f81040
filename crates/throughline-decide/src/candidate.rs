//! What is known of one person when a decision is due.

use throughline_core::{Consent, PersonId};

/// One action as it stands for one person.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ActionView {
    /// Predicted effect on the outcome; absent (or not finite) when there is no score.
    pub effect: Option<f64>,
    /// Its standard error, where the model gives one.
    pub std_error: Option<f64>,
    /// Result of the action's eligibility rule; `None` (SQL NULL) means deny. Not read for actions without a rule.
    pub eligible: Option<bool>,
    /// Days since the action was last taken for this person; `None` for never.
    pub days_since_last: Option<f64>,
}

/// One person of a cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The person.
    pub person: PersonId,
    /// One view per action, in the order of the policy.
    pub actions: Vec<ActionView>,
    /// Consent as it stands.
    pub consent: Consent,
    /// Contacts in the window of the frequency cap, pending deliveries included.
    pub contacts_in_window: u32,
    /// Whether the scores are too old to use.
    pub score_expired: bool,
}
