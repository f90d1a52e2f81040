//! People, roles and resources as the entities of Cedar.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::str::FromStr;

use cedar_policy::{Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression, Schema};

use crate::approval::Approval;
use crate::role::{Principal, Role, SignOff};

/// The types of the schema, parsed once.
#[derive(Debug)]
pub(crate) struct Types {
    pub(crate) user: EntityTypeName,
    pub(crate) project: EntityTypeName,
    pub(crate) account: EntityTypeName,
    pub(crate) approval: EntityTypeName,
    role: EntityTypeName,
    action: EntityTypeName,
}

/// What the access rules know of a request.
#[derive(Debug)]
pub(crate) struct ApprovalView<'a> {
    pub(crate) id: &'a str,
    pub(crate) requested_by: &'a str,
    pub(crate) roles: &'a BTreeSet<Role>,
    pub(crate) sign_offs: &'a BTreeSet<SignOff>,
    pub(crate) self_approve: bool,
    pub(crate) voters: Vec<&'a str>,
}

impl<'a> From<&'a Approval> for ApprovalView<'a> {
    fn from(approval: &'a Approval) -> Self {
        let rule = &approval.requirement;
        Self {
            id: &approval.id,
            requested_by: &approval.requested_by,
            roles: &rule.roles,
            sign_offs: &rule.sign_offs,
            self_approve: rule.self_approve,
            voters: approval.votes.iter().map(|vote| vote.by.as_str()).collect(),
        }
    }
}

/// What something is done to.
#[derive(Debug)]
pub(crate) enum Target<'a> {
    Project,
    Account(&'a str),
    Approval(ApprovalView<'a>),
}

impl Target<'_> {
    /// The name of its type.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Project => "Project",
            Self::Account(_) => "Account",
            Self::Approval(_) => "Approval",
        }
    }
}

impl Types {
    pub(crate) fn new() -> Result<Self, String> {
        let name = |text: &str| EntityTypeName::from_str(text).map_err(|error| error.to_string());
        Ok(Self {
            user: name("User")?,
            project: name("Project")?,
            account: name("Account")?,
            approval: name("Approval")?,
            role: name("Role")?,
            action: name("Action")?,
        })
    }

    pub(crate) fn user(&self, id: &str) -> EntityUid {
        uid(&self.user, id)
    }

    pub(crate) fn action(&self, operation: &str) -> EntityUid {
        uid(&self.action, operation)
    }

    pub(crate) fn target(&self, target: &Target<'_>) -> EntityUid {
        match target {
            Target::Project => uid(&self.project, "project"),
            Target::Account(id) => uid(&self.account, id),
            Target::Approval(view) => uid(&self.approval, view.id),
        }
    }

    /// Everything the rules may look at: the roles, the person, the target, and the actions of the schema.
    pub(crate) fn entities(
        &self,
        principal: &Principal,
        target: &Target<'_>,
        schema: &Schema,
    ) -> Result<Entities, String> {
        let mut all: Vec<Entity> =
            Role::ALL.iter().map(|role| Entity::new_no_attrs(self.role(*role), self.roles(role.parents()))).collect();
        all.push(self.person(principal)?);
        all.push(self.resource(target)?);
        Entities::from_entities(all, Some(schema)).map_err(|error| error.to_string())
    }

    fn person(&self, principal: &Principal) -> Result<Entity, String> {
        let attributes = HashMap::from([
            ("sign_offs".to_owned(), texts(principal.sign_offs.iter().map(|sign_off| sign_off.name()))),
            ("scopes".to_owned(), texts(principal.scopes.iter().map(|scope| scope.name()))),
        ]);
        Entity::new(self.user(&principal.id), attributes, self.roles(&principal.roles))
            .map_err(|error| error.to_string())
    }

    fn resource(&self, target: &Target<'_>) -> Result<Entity, String> {
        let people = |ids: &[&str]| {
            RestrictedExpression::new_set(ids.iter().map(|id| RestrictedExpression::new_entity_uid(self.user(id))))
        };
        let attributes = match target {
            Target::Project => HashMap::new(),
            Target::Account(id) => {
                HashMap::from([("owner".to_owned(), RestrictedExpression::new_entity_uid(self.user(id)))])
            }
            Target::Approval(view) => HashMap::from([
                ("requested_by".to_owned(), RestrictedExpression::new_entity_uid(self.user(view.requested_by))),
                (
                    "roles".to_owned(),
                    RestrictedExpression::new_set(
                        view.roles.iter().map(|role| RestrictedExpression::new_entity_uid(self.role(*role))),
                    ),
                ),
                ("sign_offs".to_owned(), texts(view.sign_offs.iter().map(|sign_off| sign_off.name()))),
                ("self_approve".to_owned(), RestrictedExpression::new_bool(view.self_approve)),
                ("voters".to_owned(), people(&view.voters)),
            ]),
        };
        Entity::new(self.target(target), attributes, HashSet::new()).map_err(|error| error.to_string())
    }

    fn role(&self, role: Role) -> EntityUid {
        uid(&self.role, role.name())
    }

    fn roles<'a>(&self, roles: impl IntoIterator<Item = &'a Role>) -> HashSet<EntityUid> {
        roles.into_iter().map(|role| self.role(*role)).collect()
    }
}

/// Ids are taken as they are, never parsed: no id can turn into another entity.
fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn texts<'a>(names: impl Iterator<Item = &'a str>) -> RestrictedExpression {
    RestrictedExpression::new_set(names.map(|name| RestrictedExpression::new_string(name.to_owned())))
}
