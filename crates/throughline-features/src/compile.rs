//! From YAML to checked aggregates over the timeline.

use arrow::datatypes::SchemaRef;
use serde_saphyr::Spanned;
use throughline_core::Diagnostic;
use throughline_core::expr::{Expr, Schema, Type};
use throughline_lake::{CompiledExpr, expression_schema, tables};

use crate::aggregate::Aggregate;
use crate::config::FeatureConfig;
use crate::experiment_config::{ExperimentConfig, MetricConfig, MetricKind};

/// What a feature is for a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeatureType {
    /// A number.
    Number,
    /// A text to be encoded.
    Category,
}

/// An aggregate ready to be computed.
#[derive(Debug, Clone)]
pub struct CompiledAggregate {
    /// Name.
    pub name: String,
    /// What is computed.
    pub aggregate: Aggregate,
    /// Number or category.
    pub ty: FeatureType,
    pub(crate) value: Option<CompiledExpr>,
    pub(crate) condition: Option<CompiledExpr>,
    pub(crate) window_days: Option<u32>,
}

/// The features of a project.
#[derive(Debug, Clone)]
pub struct CompiledFeatures {
    /// In the order of the files.
    pub features: Vec<CompiledAggregate>,
}

/// An experiment ready to be read.
#[derive(Debug, Clone)]
pub struct CompiledExperiment {
    /// As configured.
    pub config: ExperimentConfig,
    /// The outcomes, one a metric; of a ratio what is above the line.
    pub metrics: Vec<CompiledAggregate>,
    /// What is below the line, one a metric.
    pub(crate) below: Vec<Option<CompiledAggregate>>,
    /// What was known by the assignment: numbers to adjust by.
    pub covariates: Vec<CompiledAggregate>,
    /// What was known by the assignment: groups, in the order strata, cluster, segments.
    pub groups: Vec<CompiledAggregate>,
    pub(crate) arm: CompiledExpr,
    pub(crate) probability: Option<CompiledExpr>,
}

struct Check<'a> {
    file: &'a str,
    /// The table that expressions are computed on, and its columns as they see them.
    timeline: SchemaRef,
    schema: Schema,
    found: Vec<Diagnostic>,
}

impl<'a> Check<'a> {
    fn new(file: &'a str) -> Self {
        let timeline = tables::timeline().file_schema;
        Self { file, schema: expression_schema(&timeline), timeline, found: Vec::new() }
    }

    fn expression(&mut self, text: &Spanned<String>, wanted: Option<Type>) -> Option<CompiledExpr> {
        let parsed = match wanted {
            Some(ty) => Expr::parse_as(&text.value, &self.schema, ty),
            None => Expr::parse(&text.value, &self.schema),
        };
        let diagnostic = match parsed {
            Ok(expression) => match CompiledExpr::new(&expression, &self.timeline) {
                Ok(compiled) => return Some(compiled),
                Err(error) => Diagnostic::error("TL451", error.to_string()),
            },
            Err(error) => error.diagnostic("TL451"),
        };
        let (line, column) = (text.referenced.line(), text.referenced.column());
        self.found.push(diagnostic.at(self.file, Some(line), Some(column)));
        None
    }

    fn error(&mut self, code: &str, at: &Spanned<String>, message: String, help: &str) {
        let (line, column) = (at.referenced.line(), at.referenced.column());
        self.found.push(Diagnostic::error(code, message).help(help).at(self.file, Some(line), Some(column)));
    }

    fn aggregate(
        &mut self,
        name: &Spanned<String>,
        aggregate: Aggregate,
        value: Option<&Spanned<String>>,
        condition: Option<&Spanned<String>>,
        window_days: Option<u32>,
    ) -> Option<CompiledAggregate> {
        if aggregate.needs_value() != value.is_some() {
            let (message, help) = if value.is_some() {
                ("counts rows and takes no `value`", "remove `value`, or choose sum, mean, min, max, last or distinct")
            } else {
                ("needs a `value`", "add a `value` expression")
            };
            self.error("TL452", name, format!("`{}` {message}", name.value), help);
        }
        let value = value.map(|text| self.expression(text, None));
        let condition = condition.map(|text| self.expression(text, Some(Type::Bool)));
        let (value, condition) = match (value, condition) {
            (Some(None), _) | (_, Some(None)) => return None,
            (value, condition) => (value.flatten(), condition.flatten()),
        };
        let is_text = value.as_ref().is_some_and(|v| v.ty() == Type::Text);
        let ty = if is_text && aggregate == Aggregate::Last { FeatureType::Category } else { FeatureType::Number };
        Some(CompiledAggregate { name: name.value.clone(), aggregate, ty, value, condition, window_days })
    }

    fn unique(&mut self, names: &[&Spanned<String>]) {
        for (i, name) in names.iter().enumerate() {
            if names[..i].iter().any(|n| n.value == name.value) {
                let message = format!("the name `{}` is used twice", name.value);
                self.error("TL453", name, message, "rename one of the two");
            }
        }
    }
}

impl CompiledFeatures {
    /// No features.
    pub fn none() -> Self {
        Self { features: Vec::new() }
    }

    /// Checks the features of all files, given with the file's name.
    pub fn compile(files: &[(String, Vec<FeatureConfig>)]) -> Result<Self, Vec<Diagnostic>> {
        let mut found = Vec::new();
        let mut features = Vec::new();
        let mut names: Vec<&Spanned<String>> = Vec::new();
        for (file, configs) in files {
            let mut check = Check::new(file);
            for config in configs {
                names.push(&config.name);
                features.extend(check.aggregate(
                    &config.name,
                    config.agg,
                    config.value.as_ref(),
                    config.condition.as_ref(),
                    config.window_days,
                ));
            }
            check.unique(&names);
            found.extend(check.found);
        }
        if found.is_empty() { Ok(Self { features }) } else { Err(found) }
    }
}

impl CompiledExperiment {
    /// Checks one experiment file.
    pub fn compile(file: &str, config: ExperimentConfig) -> Result<Self, Vec<Diagnostic>> {
        let mut check = Check::new(file);
        let arm = check.expression(&config.assignment.arm, Some(Type::Text));
        let probability = config.assignment.probability.as_ref().map(|p| check.expression(p, Some(Type::Float)));
        let (mut metrics, mut below) = (Vec::new(), Vec::new());
        for m in &config.metrics {
            check.metric(m, config.window_days);
            metrics.extend(check.aggregate(&m.name, m.agg, m.value.as_ref(), m.condition.as_ref(), m.window_days));
            let per = m.per.as_ref();
            let per = per.map(|p| check.aggregate(&m.name, p.agg, p.value.as_ref(), p.condition.as_ref(), None));
            below.push(per.flatten());
        }
        let covariates = check.known(config.covariates.iter(), Some(FeatureType::Number));
        let groups = check.known(config.strata.iter().chain(&config.cluster).chain(&config.segments), None);
        let known = config.covariates.iter().chain(&config.strata).chain(&config.cluster).chain(&config.segments);
        let names = config.metrics.iter().map(|m| &m.name).chain(known.map(|f| &f.name));
        check.unique(&names.collect::<Vec<_>>());
        if !config.arms.contains_key(&config.control.value) {
            let known = config.arms.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let message = format!("the control `{}` is none of the arms ({known})", config.control.value);
            check.error("TL454", &config.control, message, "name one of the arms");
        }
        match (arm, probability) {
            (Some(arm), probability) if check.found.is_empty() => {
                Ok(Self { metrics, below, covariates, groups, arm, probability: probability.flatten(), config })
            }
            _ => Err(check.found),
        }
    }
}

impl Check<'_> {
    /// What was known by the assignment; `wanted` refuses the other type.
    fn known<'c>(
        &mut self,
        configs: impl Iterator<Item = &'c FeatureConfig>,
        wanted: Option<FeatureType>,
    ) -> Vec<CompiledAggregate> {
        let mut out = Vec::new();
        for config in configs {
            let (value, condition) = (config.value.as_ref(), config.condition.as_ref());
            let Some(found) = self.aggregate(&config.name, config.agg, value, condition, config.window_days) else {
                continue;
            };
            if wanted.is_some_and(|w| w != found.ty) {
                let message = format!("the covariate `{}` is a text", config.name.value);
                self.error(
                    "TL455",
                    &config.name,
                    message,
                    "covariates are numbers; use it as `strata` or as a segment",
                );
            }
            out.push(found);
        }
        out
    }

    /// Settings of a metric that do not go together (TL455).
    fn metric(&mut self, metric: &MetricConfig, window_days: u32) {
        let name = &metric.name.value;
        let mut refuse = |message: String, help: &str| self.error("TL455", &metric.name, message, help);
        if (metric.kind == MetricKind::Ratio) != metric.per.is_some() {
            let help = "a ratio needs `per: { agg: …, where: … }` for what is below the line; other types take none";
            refuse(format!("`{name}`: `type: ratio` and `per` go together"), help);
        }
        let at = metric.quantile;
        if (metric.kind == MetricKind::Quantile) != at.is_some() || at.is_some_and(|q| !(q > 0.0 && q < 1.0)) {
            let help = "give for example `type: quantile, quantile: 0.9`, between 0 and 1; other types take none";
            refuse(format!("`{name}`: `type: quantile` and `quantile` go together"), help);
        }
        if metric.kind == MetricKind::Quantile && metric.baseline_days.is_some() {
            refuse(format!("`{name}`: a quantile has no baseline"), "leave `baseline_days` out, or read a mean");
        }
        if metric.window_days.is_some_and(|days| days == 0 || days > window_days) {
            let message = format!("`{name}`: its window is not within the experiment's {window_days} days");
            refuse(message, "people are read when the experiment's window is over; lengthen that one");
        }
    }
}
