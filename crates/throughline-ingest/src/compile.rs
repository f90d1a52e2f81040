//! Checking a source against its files: every expression is parsed, typed and bound before the first row is read.

mod emit;

mod schema;

use std::collections::BTreeSet;

use serde_saphyr::Spanned;
use sha2::{Digest as _, Sha256};
use throughline_core::diagnostic::closest;
use throughline_core::expr::{Expr, ExprError, Schema, Type, Value};
use throughline_core::{Consent, Diagnostic};

use crate::cell::PSEUDO;
use crate::config::{SourceConfig, TRAFFIC_COLUMNS, TrafficConfig, at};
use crate::connector::{self, Connector, Options, RawColumn};
use crate::diagnostics::codes;
use crate::error::IngestError;
use crate::location::SourceFile;
use crate::mapping::{Emit, Slot, TrafficSlots};
use crate::read::Layout;
use schema::FileColumns;

/// Raise it when the same file and mapping give other rows than before.
const STAGE_VERSION: u32 = 1;

/// A source whose expressions fit its files.
#[derive(Debug, Clone)]
pub struct CompiledSource {
    pub(crate) config: SourceConfig,
    pub(crate) connector: &'static dyn Connector,
    pub(crate) options: Options,
    pub(crate) columns: Vec<RawColumn>,
    /// Columns that the mapping reads, as positions in `columns`.
    pub(crate) used: BTreeSet<usize>,
    /// How rows say who came how, where an expression asks.
    pub(crate) traffic: Option<TrafficSlots>,
    pub(crate) consent: Slot,
    pub(crate) emits: Vec<Emit>,
    pub(crate) warnings: Vec<Diagnostic>,
}

impl CompiledSource {
    /// Finds the columns of the files and checks every expression of the source against them. All findings come at
    /// once, each with its place in the source's file.
    pub fn compile(config: &SourceConfig, files: &[SourceFile]) -> Result<Self, Vec<Diagnostic>> {
        let (connector, options) = connector_of(config)?;
        let discovered = schema::discover(config, connector, &options, files)?;
        let raw = schema::expression_schema(&discovered.columns, false);
        let expressions = schema::expression_schema(&discovered.columns, config.traffic.is_some());
        let (ragged, used, found) = (connector.ragged(), BTreeSet::new(), Vec::new());
        let mut compiler = Compiler { config, schema: &raw, ragged, used, found };
        let traffic = config.traffic.as_ref().map(|written| compiler.traffic(written));
        compiler.schema = &expressions;
        let consent = compiler.slot("consent", config.consent.as_ref(), &[Type::Text]);
        compiler.check_constant(&consent, config.consent.as_ref(), |text| {
            text.parse::<Consent>().map(|_| ()).map_err(|e| e.to_string())
        });
        let emits: Vec<Emit> =
            config.emits.value.iter().enumerate().filter_map(|(i, e)| compiler.emit(i + 1, e)).collect();
        let Compiler { mut used, mut found, .. } = compiler;
        // What `traffic` computes is read where an expression names it.
        let computed = used.split_off(&discovered.columns.len());
        let traffic = traffic.filter(|_| !computed.is_empty());
        found.extend(lacking(config, connector, &discovered.columns, &discovered.files, &used));
        if !found.is_empty() {
            return Err(found);
        }
        let (config, columns, warnings) = (config.clone(), discovered.columns, discovered.warnings);
        Ok(Self { config, connector, options, columns, used, traffic, consent, emits, warnings })
    }

    /// The source as written.
    pub const fn config(&self) -> &SourceConfig {
        &self.config
    }

    /// The raw columns of its files with their types.
    pub fn columns(&self) -> &[RawColumn] {
        &self.columns
    }

    /// Remarks that stop nothing.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Columns that no expression reads, in the order of the files.
    pub fn columns_unused(&self) -> Vec<String> {
        let unused = self.columns.iter().enumerate().filter(|(i, _)| !self.used.contains(i));
        unused.map(|(_, c)| c.name.clone()).collect()
    }

    /// The fingerprint of everything that the rows of one file depend on: content, name, mapping, types of columns and
    /// the version of this stage.
    pub fn fingerprint(&self, file: &SourceFile) -> String {
        let mut hasher = Sha256::new();
        hasher
            .update(format!("ingest {STAGE_VERSION}\n{}\n{}\n{}\n", self.config.digest, file.content_hash, file.name));
        for i in &self.used {
            let column = &self.columns[*i];
            hasher.update(format!("{}\t{}\n", column.name, column.ty));
        }
        hex::encode(hasher.finalize())
    }

    /// The columns to read: those that the mapping needs, or all of them.
    pub(crate) fn layout(&self, all: bool) -> Layout {
        let mut slots = vec![None; PSEUDO + self.columns.len() + TRAFFIC_COLUMNS.len()];
        let mut wanted = Vec::new();
        for (i, column) in self.columns.iter().enumerate().filter(|(i, _)| all || self.used.contains(i)) {
            slots[PSEUDO + i] = Some(wanted.len());
            wanted.push((column.name.clone(), column.ty));
        }
        for k in 0..TRAFFIC_COLUMNS.len() {
            slots[PSEUDO + self.columns.len() + k] = self.traffic.as_ref().map(|_| wanted.len() + k);
        }
        Layout { wanted, slots }
    }
}

impl SourceConfig {
    /// The findings of an error about this source, each at its place: that of `location` where there is none yet.
    pub fn findings(&self, error: &IngestError) -> Vec<Diagnostic> {
        let placed = error
            .diagnostics()
            .into_iter()
            .map(|finding| if finding.location.is_some() { finding } else { at(finding, &self.file, &self.location) });
        placed.collect()
    }
}

/// The connector and its options.
fn connector_of(config: &SourceConfig) -> Result<(&'static dyn Connector, Options), Vec<Diagnostic>> {
    let name = &config.connector;
    let Some(connector) = connector::find(&name.value) else {
        let finding = Diagnostic::error(codes::CONNECTOR, format!("unknown connector `{}`", name.value));
        return Err(vec![at(finding.help(connector::suggestion(&name.value)), &config.file, name)]);
    };
    let known: Vec<&str> = connector.options().iter().map(|(name, _)| *name).collect();
    let mut found = Vec::new();
    for (option, value) in &config.options {
        if !known.contains(&option.as_str()) {
            let message = format!("connector `{}` has no option `{option}`", connector.name());
            let help = match (closest(option, known.iter().copied()), known.is_empty()) {
                (Some(close), _) => format!("did you mean `{close}`?"),
                (None, true) => "it has none".to_owned(),
                (None, false) => format!("known options: {}", known.join(", ")),
            };
            found.push(at(Diagnostic::error(codes::OPTION, message).help(help), &config.file, value));
        }
    }
    let options: Options = config.options.iter().map(|(name, value)| (name.clone(), value.value.clone())).collect();
    if let Err(bad) = connector.check(&options) {
        let finding = Diagnostic::error(codes::OPTION, bad.message);
        found.push(match config.options.get(bad.name) {
            Some(value) => at(finding, &config.file, value),
            None => at(finding, &config.file, name),
        });
    }
    if found.is_empty() { Ok((connector, options)) } else { Err(found) }
}

/// Files that lack a column which the mapping reads, for formats in which every file has one header.
fn lacking(
    config: &SourceConfig,
    connector: &dyn Connector,
    columns: &[RawColumn],
    files: &[FileColumns],
    used: &BTreeSet<usize>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if connector.ragged() {
        return found;
    }
    for file in files {
        for column in used.iter().map(|i| &columns[*i]).filter(|c| !file.names.contains(&c.name)) {
            let message = format!("`{}` lacks the column `{}`, which the mapping reads", file.file, column.name);
            let own = file.names.iter().map(String::as_str).filter(|name| columns.iter().any(|c| c.name == *name));
            let help = match closest(&column.name, own) {
                Some(close) => format!("other files at the location have it; is it `{close}` there?"),
                None => "other files at the location have it".to_owned(),
            };
            let finding = Diagnostic::error(codes::COLUMN, message).help(help);
            found.push(at(finding, &config.file, &config.location));
        }
    }
    found
}

/// Expressions on their way to slots.
struct Compiler<'c> {
    config: &'c SourceConfig,
    schema: &'c Schema,
    /// Whether a row may lack a column.
    ragged: bool,
    used: BTreeSet<usize>,
    found: Vec<Diagnostic>,
}

impl Compiler<'_> {
    /// Parses the expression of a field and notes the columns it reads. A refused expression counts as absent; the
    /// finding stops the source.
    fn slot(&mut self, field: &str, text: Option<&Spanned<String>>, accepts: &[Type]) -> Slot {
        let Some(text) = text else { return Slot::Absent };
        let field =
            if self.config.preset { &format!("preset of `{}`, {field}", self.config.connector.value) } else { field };
        let expr = match Expr::parse(&text.value, self.schema) {
            Ok(expr) => expr,
            Err(error) => {
                let code =
                    if matches!(error, ExprError::UnknownColumn { .. }) { codes::COLUMN } else { codes::EXPRESSION };
                let mut finding = error.diagnostic(code);
                finding.message = format!("{field}: {}", finding.message);
                if code == codes::COLUMN && self.ragged {
                    let help = finding.help.unwrap_or_default();
                    finding.help =
                        Some(format!("{help}; a column that is rare in the file is declared under `columns`"));
                }
                self.push(finding, text);
                return Slot::Absent;
            }
        };
        let null = matches!(expr.root().expr, Expr::Literal(Value::Null));
        if !null && !accepts.contains(&expr.ty()) {
            self.push(wrong_type(field, expr.ty(), accepts), text);
        }
        expr.root().visit(&mut |node| {
            if let Expr::Column { index, .. } = node
                && *index >= PSEUDO
            {
                self.used.insert(*index - PSEUDO);
            }
        });
        Slot::new(expr)
    }

    fn traffic(&mut self, written: &TrafficConfig) -> TrafficSlots {
        let fields = [
            ("source", &written.source),
            ("medium", &written.medium),
            ("campaign", &written.campaign),
            ("page", &written.page),
            ("referrer", &written.referrer),
        ];
        let fields = fields.map(|(name, text)| self.slot(&format!("traffic, {name}"), text.as_ref(), &[Type::Text]));
        let click_ids = written.click_ids.iter().map(|(name, text)| {
            (name.clone(), self.slot(&format!("traffic, click id {name}"), Some(text), &[Type::Text]))
        });
        TrafficSlots { click_ids: click_ids.collect(), fields }
    }

    fn push(&mut self, finding: Diagnostic, place: &Spanned<String>) {
        self.found.push(at(finding, &self.config.file, place));
    }

    /// A constant is checked once, here, instead of refusing every row later.
    fn check_constant(
        &mut self,
        slot: &Slot,
        place: Option<&Spanned<String>>,
        check: impl FnOnce(&str) -> Result<(), String>,
    ) {
        if let (Slot::Constant(value), Some(place)) = (slot, place)
            && let Some(text) = value.as_str()
            && let Err(message) = check(text)
        {
            self.push(Diagnostic::error(codes::CONSTANT, message), place);
        }
    }
}

fn wrong_type(field: &str, got: Type, accepts: &[Type]) -> Diagnostic {
    let names: Vec<String> = accepts.iter().map(ToString::to_string).collect();
    let finding = Diagnostic::error(
        codes::TYPE,
        format!("{field}: the expression has type {got}, expected {}", names.join(" or ")),
    );
    match accepts.iter().find(|to| got.casts_to(**to)) {
        Some(to) if *to != Type::Bool => finding.help(format!("cast it: `(…)::{}`", to.sql())),
        _ => finding.help("write a condition, for example `status = 'paid'`"),
    }
}
