//! Roles, sign-offs and scopes, and the person who holds them.

use std::collections::BTreeSet;

use crate::name::named;

named! {
    /// What a person may do by default. Rights add up along [`Role::parents`].
    Role, "role", {
        /// Looks at results, without personal data.
        Viewer = "viewer",
        /// Also reads configuration and audit, and may freeze.
        Analyst = "analyst",
        /// Also runs the line and asks for agreement.
        Marketer = "marketer",
        /// Reads what an analyst reads, and votes; runs nothing.
        Approver = "approver",
        /// All of it, and users.
        Admin = "admin",
    }
}

impl Role {
    /// The roles whose rights this one has besides its own, nearest first. The hierarchy of the access rules is made from
    /// these.
    pub const fn parents(self) -> &'static [Self] {
        match self {
            Self::Viewer => &[],
            Self::Analyst => &[Self::Viewer],
            Self::Marketer | Self::Approver => &[Self::Analyst],
            Self::Admin => &[Self::Marketer, Self::Approver],
        }
    }

    /// Whether this role has the rights of `other`; every role has its own.
    pub fn is_in(self, other: Self) -> bool {
        self == other || self.parents().iter().any(|parent| parent.is_in(other))
    }
}

named! {
    /// A competence somebody vouches for; a rule may ask for one by name.
    SignOff, "sign-off", {
        /// Growth.
        Growth = "growth",
        /// Finance.
        Finance = "finance",
        /// Legal.
        Legal = "legal",
        /// Operations.
        Operations = "operations",
    }
}

named! {
    /// What a credential may be used for, within the rights of its owner. A session carries all scopes.
    Scope, "scope", {
        /// Reading.
        Read = "read",
        /// Running the line, freezing and unfreezing, asking for agreement.
        Run = "run",
        /// Voting.
        Approve = "approve",
        /// Users, exports, credentials and identifiers.
        Admin = "admin",
    }
}

/// Who acts, and with what credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Id of the user.
    pub id: String,
    /// Their roles.
    pub roles: BTreeSet<Role>,
    /// Their sign-offs.
    pub sign_offs: BTreeSet<SignOff>,
    /// Scopes of the credential.
    pub scopes: BTreeSet<Scope>,
}

impl Principal {
    /// Somebody who signed in: all scopes.
    pub fn signed_in(
        id: impl Into<String>,
        roles: impl IntoIterator<Item = Role>,
        sign_offs: impl IntoIterator<Item = SignOff>,
    ) -> Self {
        Self {
            id: id.into(),
            roles: roles.into_iter().collect(),
            sign_offs: sign_offs.into_iter().collect(),
            scopes: Scope::ALL.iter().copied().collect(),
        }
    }

    /// Whether one of the roles has the rights of `role`.
    pub fn has(&self, role: Role) -> bool {
        self.roles.iter().any(|held| held.is_in(role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let got = text.parse::<Role>().map_or_else(|error| error.to_string(), |role| format!("{role:?}"));
        assert_eq!(got, expect);
    }

    #[test]
    fn names_are_read_with_a_suggestion() {
        check("approver", "Approver");
        check(
            "aprover",
            "unknown role `aprover` (known: viewer, analyst, marketer, approver, admin); did you mean `approver`?",
        );
        check(
            "Admin",
            "unknown role `Admin` (known: viewer, analyst, marketer, approver, admin); did you mean `admin`?",
        );
        check("", "unknown role `` (known: viewer, analyst, marketer, approver, admin)");
        let error = "finanse".parse::<SignOff>().expect_err("unknown").to_string();
        assert!(error.ends_with("did you mean `finance`?"), "{error}");
        let error = "write".parse::<Scope>().expect_err("unknown").to_string();
        assert_eq!(error, "unknown scope `write` (known: read, run, approve, admin)");
    }

    #[test]
    fn the_wire_has_the_same_names() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).expect("JSON"), role.name());
            assert_eq!(serde_json::from_value::<Role>(role.name().into()).expect("a role"), *role);
        }
        for sign_off in SignOff::ALL {
            assert_eq!(serde_json::to_value(sign_off).expect("JSON"), sign_off.name());
        }
    }

    #[test]
    fn rights_add_up_but_approvers_and_marketers_stand_side_by_side() {
        let inside =
            |role: Role| Role::ALL.iter().filter(|other| role.is_in(**other)).map(|r| r.name()).collect::<Vec<_>>();
        assert_eq!(inside(Role::Viewer), ["viewer"]);
        assert_eq!(inside(Role::Analyst), ["viewer", "analyst"]);
        assert_eq!(inside(Role::Marketer), ["viewer", "analyst", "marketer"]);
        assert_eq!(inside(Role::Approver), ["viewer", "analyst", "approver"]);
        assert_eq!(inside(Role::Admin), ["viewer", "analyst", "marketer", "approver", "admin"]);
    }
}
