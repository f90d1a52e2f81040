//! The example projects, built into the binary.

/// An example: name, and its files as (path, text).
pub(crate) struct Example {
    pub(crate) name: &'static str,
    pub(crate) files: &'static [(&'static str, &'static str)],
}

macro_rules! files {
    ($example:literal: $($path:literal),+ $(,)?) => {
        Example {
            name: $example,
            files: &[$(($path, include_str!(concat!("../../../examples/", $example, "/", $path)))),+],
        }
    };
}

/// Every example.
pub(crate) const EXAMPLES: &[Example] = &[
    files!("demo":
        "throughline.yaml", "identity.yaml", "attribution.yaml",
        "sources/ads.yaml", "sources/assignments.yaml", "sources/crm.yaml", "sources/email_log.yaml",
        "sources/orders.yaml", "sources/pos.yaml", "sources/preferences.yaml", "sources/spend.yaml",
        "features/customers.yaml", "experiments/spring_mail.yaml", "policies/spring_mail.yaml",
        "destinations/email_service.yaml", "approvals/mail.yaml",
    ),
    files!("hillstrom":
        "throughline.yaml", "sources/customers.yaml", "features/history.yaml", "experiments/email.yaml",
        "policies/email.yaml", "destinations/mailing.yaml",
    ),
    files!("fractribution":
        "throughline.yaml", "attribution.yaml", "sources/events.yaml", "sources/spend.yaml",
    ),
    files!("snowplow":
        "throughline.yaml", "sources/web.yaml", "queries/sessions.sql", "queries/users.sql", "queries/consent_log.sql",
        "queries/consent_users.sql", "queries/consent_versions.sql", "queries/consent_scope_status.sql",
        "queries/consent_cmp_stats.sql",
    ),
    files!("evidence":
        "throughline.yaml", "sources/trainees.yaml", "experiments/training.yaml", "studies/california.yaml",
        "studies/minimum_wage.yaml", "studies/schooling.yaml",
    ),
    files!("vendors":
        "throughline.yaml", "attribution.yaml", "sources/calls.yaml", "sources/google.yaml", "sources/mail.yaml",
        "sources/meta.yaml", "sources/stores.yaml", "sources/web.yaml",
    ),
];

/// An example by name.
pub(crate) fn example(name: &str) -> Option<&'static Example> {
    EXAMPLES.iter().find(|e| e.name == name)
}
