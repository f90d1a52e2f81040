//! The `incremental` section of `attribution.yaml`: which records of the evidence ledger speak of which channel.

use serde::Deserialize;
use serde_saphyr::Spanned;
use throughline_core::Diagnostic;

/// Credits scaled to what experiments found.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncrementalConfig {
    /// The model whose credits are scaled; one that splits each path.
    pub model: Spanned<String>,
    /// What speaks of which channel. What is not named here is not used.
    pub evidence: Vec<SpokenConfig>,
    /// Channels of which tests of others say nothing, because nobody can switch them off.
    #[serde(default)]
    pub not_exchangeable: Vec<String>,
}

/// Records of one source about one channel.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpokenConfig {
    /// The experiment or study.
    pub source: String,
    /// Its metric.
    pub metric: String,
    /// The channel whose effect it measures.
    pub channel: String,
    /// The conversion it is about; all without.
    #[serde(default)]
    pub conversion: Option<String>,
    /// Conversions of the whole experiment that one unit of its estimate stands for: people in the arm for a difference per
    /// person, treated regions times weeks for an effect per region and week.
    pub conversions_per_unit: f64,
}

impl SpokenConfig {
    /// Whether it is about a conversion.
    pub(crate) fn speaks_of(&self, conversion: &str) -> bool {
        self.conversion.as_ref().is_none_or(|c| c == conversion)
    }
}

impl IncrementalConfig {
    /// Findings: a model that cannot be scaled by evidence of parts, a factor that is no number above 0 (TL006).
    pub(super) fn check(&self, file: &str) -> Vec<Diagnostic> {
        let (line, column) = (self.model.referenced.line(), self.model.referenced.column());
        let finding = |message: String, help: &str| {
            Diagnostic::error("TL006", message).help(help).at(file, Some(line), Some(column))
        };
        let mut found = Vec::new();
        match throughline_attribution::read_spec(&self.model.value) {
            Ok(model) if model.breaks_down() => {}
            Ok(model) => found.push(finding(
                format!("credit of `{}` does not split paths, so evidence about a part cannot scale it", model.spec()),
                "write it as `path:MODEL`, for example `path:markov:1`",
            )),
            Err(error) => found.push(finding(error.to_string(), "choose one of the models")),
        }
        for spoken in
            self.evidence.iter().filter(|s| !(s.conversions_per_unit > 0.0 && s.conversions_per_unit.is_finite()))
        {
            let message = format!("`{}`: conversions_per_unit is {}", spoken.source, spoken.conversions_per_unit);
            found.push(finding(message, "give how many conversions one unit of the estimate stands for, above 0"));
        }
        found
    }
}
