//! A destination that was checked: what goes there, and as what.

use serde_saphyr::Spanned;
use sha2::{Digest as _, Sha256};
use throughline_core::diagnostic::closest;
use throughline_core::expr::{Expr, ExprError, Schema, Type, TypedExpr};
use throughline_core::{Diagnostic, IdentifierKind, Purpose};
use throughline_lake::{expression_schema, tables};

use crate::config::{DestinationConfig, at, plain_word};
use crate::destination::{Column, Deletion, Destination, Site};
use crate::diagnostics::codes;
use crate::error::ActivateError;
use crate::registry::{self, Refusal};

/// The name under which expressions of output columns see the opened identifier.
const IDENTIFIER: &str = "identifier";

/// A checked destination.
#[derive(Debug)]
pub struct Route {
    pub(crate) name: String,
    pub(crate) adapter: String,
    pub(crate) purpose: Purpose,
    pub(crate) identifier: Option<IdentifierKind>,
    pub(crate) filter: Option<TypedExpr>,
    pub(crate) fields: Vec<(String, TypedExpr)>,
    pub(crate) schema: Schema,
    pub(crate) mapping_hash: String,
    pub(crate) destination: Box<dyn Destination>,
}

impl Route {
    /// Checks a destination. Every finding is returned at once, with its place.
    pub fn compile(config: &DestinationConfig, site: &Site) -> Result<Self, Vec<Diagnostic>> {
        let mut found = Vec::new();
        let schema = expression_schema(&tables::decisions().file_schema);
        let purpose = purpose(config, &mut found);
        let identifier = identifier(config, &mut found);
        let filter = filter(config, &schema, &mut found);
        // A column more keeps the positions of the others, so one schema serves both.
        let schema = if config.identifier.is_some() { with_identifier(&schema) } else { schema };
        let fields = fields(config, &schema, &mut found);
        let destination = destination(config, site, &mut found);
        // A refused identifier or filter leaves a finding, so that none of them passes for an absent one.
        let (Some(purpose), Some(destination), true) = (purpose, destination, found.is_empty()) else {
            return Err(found);
        };
        let mapping_hash = mapping_hash(config, identifier, &fields, &*destination);
        Ok(Self {
            name: config.name.value.clone(),
            adapter: config.adapter.value.clone(),
            purpose,
            identifier,
            filter,
            fields,
            schema,
            mapping_hash,
            destination,
        })
    }

    /// Name of the destination.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The consent purpose that must be granted.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The kind of identifier opened for each row.
    pub const fn identifier(&self) -> Option<IdentifierKind> {
        self.identifier
    }

    /// Asks the destination to delete somebody; see [`Destination::delete`].
    pub async fn delete(&self, deletion: &Deletion) -> Result<Option<String>, ActivateError> {
        self.destination.delete(deletion).await
    }

    /// SHA-256 over adapter, options, identifier and output columns: whatever changes what a row becomes. The filter
    /// and the purpose choose rows and change none, so they are not in it.
    pub fn mapping_hash(&self) -> &str {
        &self.mapping_hash
    }

    /// The output columns.
    pub fn columns(&self) -> Vec<Column> {
        self.fields.iter().map(|(name, expr)| Column { name: name.clone(), kind: expr.ty().into() }).collect()
    }

    /// Columns of `decisions` that are read, beside those every route needs.
    pub(crate) fn reads(&self) -> Vec<String> {
        let table = tables::decisions().file_schema;
        let exprs = self.filter.iter().chain(self.fields.iter().map(|(_, expr)| expr));
        let mut names: Vec<String> = exprs.flat_map(TypedExpr::columns).map(str::to_owned).collect();
        // Money in units is a view of its micros.
        for name in &mut names {
            let micros = format!("{name}_micros");
            if table.index_of(name).is_err() && table.index_of(&micros).is_ok() {
                *name = micros;
            }
        }
        names.retain(|name| table.index_of(name).is_ok());
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Position of the identifier among the columns that output expressions see.
    pub(crate) fn identifier_index(&self) -> Option<usize> {
        self.identifier.and_then(|_| self.schema.find(IDENTIFIER)).map(|(index, _)| index)
    }
}

fn purpose(config: &DestinationConfig, found: &mut Vec<Diagnostic>) -> Option<Purpose> {
    let given = &config.purpose;
    let parsed: Result<Purpose, throughline_core::consent::ConsentError> = given.value.parse();
    let known = Purpose::ALL.map(Purpose::name);
    parsed.map_err(|error| found.push(suggest(codes::PURPOSE, &error, known, &config.file, given))).ok()
}

fn identifier(config: &DestinationConfig, found: &mut Vec<Diagnostic>) -> Option<IdentifierKind> {
    let given = config.identifier.as_ref()?;
    let parsed: Result<IdentifierKind, throughline_core::id::UnknownIdentifierKind> = given.value.parse();
    let known = IdentifierKind::ALL.map(IdentifierKind::name);
    parsed.map_err(|error| found.push(suggest(codes::IDENTIFIER, &error, known, &config.file, given))).ok()
}

fn suggest<const N: usize>(
    code: &str,
    error: &dyn std::error::Error,
    known: [&'static str; N],
    file: &str,
    given: &Spanned<String>,
) -> Diagnostic {
    let finding = Diagnostic::error(code, error.to_string());
    let finding = match closest(&given.value, known) {
        Some(name) => finding.help(format!("did you mean `{name}`?")),
        None => finding,
    };
    at(finding, file, given)
}

fn filter(config: &DestinationConfig, schema: &Schema, found: &mut Vec<Diagnostic>) -> Option<TypedExpr> {
    let text = config.filter.as_ref()?;
    let refused = |error: ExprError| found.push(at(error.diagnostic(codes::FILTER), &config.file, text));
    Expr::parse_as(&text.value, schema, Type::Bool).map_err(refused).ok()
}

fn with_identifier(schema: &Schema) -> Schema {
    let more = (IDENTIFIER.to_owned(), Type::Text);
    Schema::new(schema.columns().iter().cloned().chain([more]))
}

fn fields(config: &DestinationConfig, schema: &Schema, found: &mut Vec<Diagnostic>) -> Vec<(String, TypedExpr)> {
    if config.fields.0.is_empty() {
        let finding = Diagnostic::error(codes::COLUMN, "a destination needs at least one output column under `fields`");
        found.push(at(finding, &config.file, &config.name));
    }
    let mut fields = Vec::new();
    for (name, text) in &config.fields.0 {
        if !plain_word(&name.value) {
            let message = format!("output column `{}` is not a plain word", name.value);
            let finding = Diagnostic::error(codes::COLUMN, message).help("use letters, digits, `_` and `-`");
            found.push(at(finding, &config.file, name));
        }
        match Expr::parse(&text.value, schema) {
            Ok(expr) => fields.push((name.value.clone(), expr)),
            Err(error) => {
                let mut finding = error.diagnostic(codes::FIELD);
                let unknown = matches!(&error, ExprError::UnknownColumn { name, .. } if name == IDENTIFIER);
                if unknown {
                    finding =
                        finding.help("say which one: `identifier: email` (or another kind) at the top of the file");
                }
                found.push(at(finding, &config.file, text));
            }
        }
    }
    fields
}

fn destination(config: &DestinationConfig, site: &Site, found: &mut Vec<Diagnostic>) -> Option<Box<dyn Destination>> {
    let refused = |refusal| {
        found.push(match refusal {
            Refusal::Unknown { help } => {
                let message = format!("unknown adapter `{}`", config.adapter.value);
                at(Diagnostic::error(codes::ADAPTER, message).help(help), &config.file, &config.adapter)
            }
            Refusal::Options { reason } => {
                let message = format!("options of adapter `{}`: {reason}", config.adapter.value);
                at(Diagnostic::error(codes::OPTIONS, message), &config.file, &config.options)
            }
        });
    };
    registry::open(&config.adapter.value, &config.options.value, site).map_err(refused).ok()
}

fn mapping_hash(
    config: &DestinationConfig,
    identifier: Option<IdentifierKind>,
    fields: &[(String, TypedExpr)],
    destination: &dyn Destination,
) -> String {
    let mut parts = vec![config.adapter.value.clone(), destination.fingerprint()];
    parts.push(identifier.map_or_else(String::new, |kind| kind.name().to_owned()));
    for (name, expr) in fields {
        parts.extend([name.clone(), expr.to_string()]);
    }
    sha256_of(parts.iter().map(String::as_bytes))
}

/// SHA-256 over parts, each with its length before it, in hexadecimal.
pub(crate) fn sha256_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}
