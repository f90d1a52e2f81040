//! `studies/*.yaml`: quasi-experiments on plain files, in the words of the command that carries them out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_saphyr::Spanned;
use throughline_core::{Diagnostic, Timestamp};
use throughline_evidence::{About, Contrast, Design, Estimand, Scope, Source};
use throughline_oneshot::{OneShotCommand, OneShotError, command, record};

/// A value of an option.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum OptionValue {
    /// A flag, given or not.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// An option that is given several times.
    List(Vec<Self>),
}

impl OptionValue {
    fn texts(&self) -> Vec<String> {
        match self {
            Self::Flag(true) => vec!["true".into()],
            Self::Flag(false) => Vec::new(),
            Self::Whole(n) => vec![n.to_string()],
            Self::Number(x) => vec![x.to_string()],
            Self::Text(text) => vec![text.clone()],
            Self::List(values) => values.iter().flat_map(Self::texts).collect(),
        }
    }
}

/// What the effect is about.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyScope {
    /// The action whose effect it is.
    pub action: String,
    /// The metric.
    pub metric: String,
    /// What it is compared with.
    #[serde(default = "nothing")]
    pub control: String,
    /// Whether the estimate is relative to what would have been.
    #[serde(default)]
    pub relative: bool,
    /// The segment, when not everyone.
    #[serde(default)]
    pub segment: Option<String>,
    /// The region, when not everywhere.
    #[serde(default)]
    pub geo: Option<String>,
    /// First day observed.
    pub from: Timestamp,
    /// Last day observed.
    pub to: Timestamp,
    /// Days after which it is too old to use; never without.
    #[serde(default)]
    pub expires_after_days: Option<u16>,
}

fn nothing() -> String {
    "none".into()
}

/// A study file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyConfig {
    /// Version of the file format.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `Study`.
    pub kind: String,
    /// Name; everything of one name rests on the same data.
    pub name: Spanned<String>,
    /// What was asked, in words.
    #[serde(default)]
    pub description: Option<String>,
    /// Who answers for it.
    #[serde(default)]
    pub owner: Option<String>,
    /// The command, such as `panel`, `iv`, `rd` or `effect`.
    pub command: Spanned<String>,
    /// The file, relative to the project.
    pub file: String,
    /// Its options, by the names of the command line.
    #[serde(default)]
    pub options: BTreeMap<String, OptionValue>,
    /// What the effect is about.
    pub evidence: StudyScope,
}

/// A study, checked.
#[derive(Debug, Clone)]
pub struct Study {
    /// As configured.
    pub config: StudyConfig,
    /// The file.
    pub path: PathBuf,
}

impl Study {
    /// Checks a study: its command, options and period. Whether the file is there is seen when it is read.
    pub(super) fn compile(
        file: &str,
        root: &Path,
        variables: &BTreeMap<String, String>,
        config: StudyConfig,
    ) -> Result<Self, Vec<Diagnostic>> {
        let place = |d: Diagnostic, at: &Spanned<String>| {
            vec![d.at(file, Some(at.referenced.line()), Some(at.referenced.column()))]
        };
        if config.evidence.to < config.evidence.from {
            let message =
                format!("the study ends at {}, before it begins at {}", config.evidence.to, config.evidence.from);
            return Err(place(Diagnostic::error("TL039", message), &config.name));
        }
        let path = resolved(&config.file, root, variables)
            .map_err(|variable| place(Diagnostic::error("TL039", format!("`{variable}` is not set")), &config.name))?;
        let study = Self { config, path };
        if record::design_of(&study.config.command.value, "").is_none() {
            let message = format!("`{}` is no command that estimates an effect", study.config.command.value);
            let finding = Diagnostic::error("TL066", message).help("panel, iv, rd, effect or experiment read");
            return Err(place(finding, &study.config.command));
        }
        match study.command() {
            Ok(_) => Ok(study),
            Err(OneShotError::Findings(found)) => {
                Err(found.into_iter().flat_map(|d| place(d, &study.config.command)).collect())
            }
            Err(other) => Err(place(Diagnostic::error("TL066", other.to_string()), &study.config.command)),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.config.name.value
    }

    /// The command it is.
    pub fn command(&self) -> Result<OneShotCommand, OneShotError> {
        let options: Vec<(String, Vec<String>)> =
            self.config.options.iter().map(|(name, value)| (name.clone(), value.texts())).collect();
        command::parse(&self.config.command.value, &self.path, &options)
    }

    /// What its evidence is about; `data` is the fingerprint of configuration and file.
    pub fn about(&self, design: Design, data: &str) -> About {
        let StudyConfig { name, evidence: e, .. } = &self.config;
        About {
            id: format!("{}/{}/{}/{}", name.value, e.metric, e.action, data.get(..12).unwrap_or(data)),
            source: Source { name: name.value.clone(), data: Some(data.to_owned()) },
            estimand: Estimand {
                metric: e.metric.clone(),
                treatment: e.action.clone(),
                control: e.control.clone(),
                contrast: if e.relative { Contrast::Relative } else { Contrast::Absolute },
            },
            scope: Scope {
                action: e.action.clone(),
                segment: e.segment.clone(),
                geo: e.geo.clone(),
                period_start: e.from,
                period_end: e.to,
            },
            design,
            expires_at: e.expires_after_days.map(|days| e.to.plus_days(days.into())),
        }
    }
}

/// A path with `${NAME}` put in, relative to the project; the name of a variable that is not set otherwise.
fn resolved(text: &str, root: &Path, variables: &BTreeMap<String, String>) -> Result<PathBuf, String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        out.push_str(variables.get(name).ok_or_else(|| name.to_owned())?);
        rest = tail;
    }
    out.push_str(rest);
    Ok(root.join(out))
}
