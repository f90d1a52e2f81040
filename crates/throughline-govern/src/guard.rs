//! The access rules, decided by Cedar: nothing is allowed that no policy permits, and a `forbid` outweighs every `permit`.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request, Schema, ValidationMode, Validator,
};
use throughline_core::diagnostic::closest;

use crate::approval::Approval;
use crate::entities::{ApprovalView, Target, Types};
use crate::error::GovernError;
use crate::name::list;
use crate::role::{Principal, Role, SignOff};

const SCHEMA: &str = include_str!("access.cedarschema");
const POLICIES: &str = include_str!("access.cedar");

/// Operations that need no sign-in. They are not part of the access rules, and all others are.
pub const PUBLIC: &[&str] = &["getSignIn", "createSession", "startOidc", "finishOidc", "getHealth", "getReadiness"];

/// What an operation is done to.
#[derive(Debug, Clone, Copy)]
pub enum Resource<'a> {
    /// The project as a whole.
    Project,
    /// One request for agreement, as it stands.
    Approval(&'a Approval),
    /// Password and tokens of a person.
    Account {
        /// Id of the user.
        id: &'a str,
    },
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Access {
    /// Whether it may be done.
    pub allowed: bool,
    /// Ids (`@id`) of the policies that decided, sorted; empty when none permits it.
    pub reasons: Vec<String>,
}

/// The access rules, parsed and checked. Make one and keep it.
#[derive(Debug)]
pub struct Guard {
    authorizer: Authorizer,
    schema: Schema,
    policies: PolicySet,
    types: Types,
    /// Each operation, and the names of the types it is for.
    operations: BTreeMap<String, BTreeSet<String>>,
}

impl Guard {
    /// Reads the access rules that come with the program and validates them strictly against their schema.
    pub fn new() -> Result<Self, GovernError> {
        Self::of(SCHEMA, POLICIES).map_err(|reason| GovernError::Rules { reason })
    }

    fn of(schema: &str, policies: &str) -> Result<Self, String> {
        let (schema, warnings) = Schema::from_cedarschema_str(schema).map_err(|error| error.to_string())?;
        let policies = PolicySet::from_str(policies).map_err(|error| error.to_string())?;
        let checked = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        let mut faults: Vec<String> = warnings.map(|warning| warning.to_string()).collect();
        faults.extend(checked.validation_errors().map(ToString::to_string));
        faults.extend(checked.validation_warnings().map(ToString::to_string));
        let mut ids = BTreeSet::new();
        for policy in policies.policies() {
            match policy.annotation("id") {
                None | Some("") => faults.push(format!("policy `{}` has no @id", policy.id())),
                Some(id) if !ids.insert(id) => faults.push(format!("two policies have the @id `{id}`")),
                Some(_) => {}
            }
        }
        let types = Types::new()?;
        let operations = operations(&schema);
        if faults.is_empty() {
            Ok(Self { authorizer: Authorizer::new(), schema, policies, types, operations })
        } else {
            faults.sort();
            Err(faults.join("; "))
        }
    }

    /// Every operation that can be asked about: the actions of the schema that are no groups.
    pub fn operations(&self) -> BTreeSet<String> {
        self.operations.keys().cloned().collect()
    }

    /// Whether somebody may do something. An unknown operation is an error, and so is one on a resource it is not for:
    /// neither is ever allowed.
    pub fn decide(
        &self,
        principal: &Principal,
        operation: &str,
        resource: &Resource<'_>,
    ) -> Result<Access, GovernError> {
        let target = match resource {
            Resource::Project => Target::Project,
            Resource::Account { id } => Target::Account(id),
            Resource::Approval(approval) => Target::Approval(ApprovalView::from(*approval)),
        };
        let expected = self.operations.get(operation).ok_or_else(|| GovernError::UnknownOperation {
            name: operation.to_owned(),
            suggestion: closest(operation, self.operations.keys().map(String::as_str)).map(str::to_owned),
        })?;
        if !expected.contains(target.kind()) {
            return Err(GovernError::WrongResource {
                operation: operation.to_owned(),
                resource: target.kind(),
                expected: list(expected),
            });
        }
        let undecided = |reason| GovernError::Undecided { operation: operation.to_owned(), reason };
        let entities = self.types.entities(principal, &target, &self.schema).map_err(undecided)?;
        self.ask(principal, operation, &target, &entities).map_err(undecided)
    }

    /// The operations that somebody may do on the project, on their own account, on a request of their own, or on
    /// somebody else's under the default rule with every sign-off. It says what to offer; what may be done to a certain
    /// request, whose rule may name other roles, says [`Guard::decide`].
    pub fn may(&self, principal: &Principal) -> Result<BTreeSet<String>, GovernError> {
        let other = format!("not {}", principal.id);
        let (roles, sign_offs) = (BTreeSet::from([Role::Approver]), SignOff::ALL.iter().copied().collect());
        let request = |requested_by| {
            let (roles, sign_offs) = (&roles, &sign_offs);
            let view = ApprovalView { id: "", requested_by, roles, sign_offs, self_approve: false, voters: Vec::new() };
            Target::Approval(view)
        };
        let targets = [Target::Project, Target::Account(&principal.id), request(&principal.id), request(&other)];
        let mut allowed = BTreeSet::new();
        for target in &targets {
            let undecided = |reason| GovernError::Undecided { operation: "may".to_owned(), reason };
            let entities = self.types.entities(principal, target, &self.schema).map_err(undecided)?;
            for (operation, kinds) in &self.operations {
                let open = kinds.contains(target.kind()) && !allowed.contains(operation);
                if open && self.ask(principal, operation, target, &entities).map_err(undecided)?.allowed {
                    allowed.insert(operation.clone());
                }
            }
        }
        Ok(allowed)
    }

    fn ask(
        &self,
        principal: &Principal,
        operation: &str,
        target: &Target<'_>,
        entities: &Entities,
    ) -> Result<Access, String> {
        let (who, what) = (self.types.user(&principal.id), self.types.action(operation));
        let request = Request::new(who, what, self.types.target(target), Context::empty(), Some(&self.schema))
            .map_err(|error| error.to_string())?;
        let response = self.authorizer.is_authorized(&request, &self.policies, entities);
        // Cedar leaves out a policy that fails; leaving out a `forbid` would allow too much.
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(error.to_string());
        }
        let ids = response.diagnostics().reason().filter_map(|id| self.policies.annotation(id, "id"));
        let mut reasons: Vec<String> = ids.map(str::to_owned).collect();
        reasons.sort();
        Ok(Access { allowed: response.decision() == Decision::Allow, reasons })
    }
}

fn operations(schema: &Schema) -> BTreeMap<String, BTreeSet<String>> {
    let groups: BTreeSet<&EntityUid> = schema.action_groups().collect();
    let single = schema.actions().filter(|action| !groups.contains(action));
    single
        .map(|action| {
            let kinds = schema.resources_for_action(action).into_iter().flatten();
            (action.id().unescaped().to_owned(), kinds.map(ToString::to_string).collect())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(schema: &str, policies: &str, expect: &str) {
        let error = Guard::of(schema, policies).err().unwrap_or_default();
        assert!(error.contains(expect), "{error}");
    }

    #[test]
    fn faulty_rules_are_refused() {
        check(SCHEMA, POLICIES, "");
        assert!(Guard::of(SCHEMA, POLICIES).is_ok());
        check("entity User", POLICIES, "unexpected");
        check(SCHEMA, "permit (principal, action, resource)", "unexpected");
        check(SCHEMA, "permit (principal, action, resource);", "policy `policy0` has no @id");
        let twice = "@id(\"a\") permit (principal, action, resource);";
        check(SCHEMA, &format!("{twice}{twice}"), "two policies have the @id `a`");
        check(SCHEMA, &POLICIES.replace("Action::\"freeze\"", "Action::\"freese\""), "freese");
        check(SCHEMA, &POLICIES.replace("resource.voters", "resource.voter"), "voter");
        check(SCHEMA, &POLICIES.replace("scopes.contains(\"run\")", "scopes.contains(1)"), "types");
    }

    #[test]
    fn public_operations_are_none_of_the_rules() {
        let guard = Guard::new().expect("rules");
        let operations = guard.operations();
        assert!(PUBLIC.iter().all(|name| !operations.contains(*name)), "{operations:?}");
        assert_eq!(operations.len(), 57);
        assert!(["view", "operate", "safety"].iter().all(|group| !operations.contains(*group)));
        assert!(guard.operations.values().all(|kinds| !kinds.is_empty()), "{:?}", guard.operations);
    }
}
