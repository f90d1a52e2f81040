//! A project on disk: its files read, checked and compiled, once.

mod config;
mod files;
mod incremental;
mod ledger;
mod linking;
mod platforms;
mod policy;
mod study;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use throughline_activate::{DestinationConfig, Route, Site};
use throughline_core::diagnostic::closest;
use throughline_core::{Diagnostic, Severity};
use throughline_features::{CompiledExperiment, CompiledFeatures, ExperimentConfig, FeatureConfig, FeaturesConfig};
use throughline_govern::Rule;
use throughline_identity::IdentityConfig;
use throughline_ingest::{Channels, SourceConfig};
use throughline_ledger::{LedgerPlace, Repository};

pub use config::{AttributionConfig, BootstrapConfig, ModelConfig, PolicyConfig, ProjectConfig, ScheduleConfig};
use files::TextFile;
pub use incremental::{IncrementalConfig, SpokenConfig};
pub use linking::{ForbiddenLink, LinkingConfig, Permissions};
pub use platforms::{Habit, PlatformConfig};
pub use policy::CompiledPolicy;
pub use study::{Study, StudyConfig};

use crate::error::RunError;
use crate::stages::plan_of;

/// A compiled thing and the hash of the file it came from.
#[derive(Debug, Clone)]
pub struct Hashed<T> {
    /// The thing.
    pub value: T,
    /// SHA-256 of its file.
    pub hash: String,
    /// The file, relative to the project.
    pub file: String,
}

/// A project, checked.
#[derive(Debug)]
pub struct Project {
    /// Its folder.
    pub root: PathBuf,
    /// `throughline.yaml`.
    pub config: Hashed<ProjectConfig>,
    /// Where the ledger is kept.
    pub ledger: LedgerPlace,
    /// `sources/*.yaml`.
    pub sources: Vec<Hashed<SourceConfig>>,
    /// `channels.yaml`: rules in front of those that come along.
    pub channels: Option<Hashed<Arc<Channels>>>,
    /// `identity.yaml`, or its defaults.
    pub identity: Hashed<IdentityConfig>,
    /// `attribution.yaml`.
    pub attribution: Option<Hashed<AttributionConfig>>,
    /// `experiments/*.yaml`.
    pub experiments: Vec<Hashed<CompiledExperiment>>,
    /// `studies/*.yaml`.
    pub studies: Vec<Hashed<Study>>,
    /// `features/*.yaml`.
    pub features: Hashed<CompiledFeatures>,
    /// `policies/*.yaml`.
    pub policies: Vec<Hashed<CompiledPolicy>>,
    /// `destinations/*.yaml`.
    pub destinations: Vec<Hashed<DestinationConfig>>,
    /// `approvals/*.yaml`.
    pub approvals: Vec<Hashed<Rule>>,
    /// Values for `${NAME}` in locations.
    pub variables: BTreeMap<String, String>,
    /// Findings that do not stop a run.
    pub warnings: Vec<Diagnostic>,
}

impl Project {
    /// Reads and checks the project in a folder. All findings of all files are reported at once.
    pub fn load(root: &Path, variables: BTreeMap<String, String>) -> Result<Self, RunError> {
        let mut loader = Loader { root, found: Vec::new() };
        let project = loader.load(variables)?;
        let (errors, warnings): (Vec<_>, Vec<_>) =
            loader.found.into_iter().partition(|d| d.severity == Severity::Error);
        match project {
            Some(mut project) if errors.is_empty() => {
                project.warnings = warnings;
                Ok(project)
            }
            _ => Err(RunError::Project(errors)),
        }
    }

    /// A configuration of attribution in any file, checked as that of the project is. Errors: no such file, findings.
    pub fn attribution_file(&self, file: &Path) -> Result<AttributionConfig, RunError> {
        let text = std::fs::read_to_string(file).map_err(RunError::io("read", file))?;
        let file = TextFile { name: file.display().to_string(), text };
        let mut loader = Loader { root: &self.root, found: Vec::new() };
        match loader.attribution(&file) {
            Some(config) if loader.found.is_empty() => Ok(config.value),
            _ => Err(RunError::Project(loader.found)),
        }
    }

    /// The hash of all configuration.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        let parts = [&self.config.hash, &self.identity.hash, &self.features.hash]
            .into_iter()
            .chain(self.sources.iter().map(|s| &s.value.digest))
            .chain(self.attribution.iter().map(|a| &a.hash))
            .chain(self.experiments.iter().map(|e| &e.hash))
            .chain(self.studies.iter().map(|s| &s.hash))
            .chain(self.policies.iter().map(|p| &p.hash))
            .chain(self.destinations.iter().map(|d| &d.hash))
            .chain(self.approvals.iter().map(|a| &a.hash));
        for part in parts {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hex::encode(hash.finalize())
    }

    /// Every file of the configuration and its hash. Features count as one.
    pub fn files(&self) -> BTreeMap<String, String> {
        fn of<T>(part: &Hashed<T>) -> (String, String) {
            (part.file.clone(), part.hash.clone())
        }
        let single = [of(&self.config), of(&self.identity), of(&self.features)];
        let mut files: BTreeMap<String, String> = single.into_iter().collect();
        files.extend(self.attribution.iter().map(of));
        files.extend(self.sources.iter().map(of));
        files.extend(self.channels.iter().map(of));
        files.extend(self.experiments.iter().map(of));
        files.extend(self.studies.iter().map(of));
        files.extend(self.policies.iter().map(of));
        files.extend(self.destinations.iter().map(of));
        files.extend(self.approvals.iter().map(of));
        files
    }

    /// The folder of stores and reports.
    pub fn state_dir(&self) -> PathBuf {
        state_dir(&self.root)
    }

    /// Opens the ledger; makes it when absent.
    pub async fn open_ledger(&self) -> Result<Arc<dyn Repository>, RunError> {
        Ok(self.ledger.open(&self.config.value.name).await?)
    }
}

fn state_dir(root: &Path) -> PathBuf {
    root.join(".throughline")
}

/// An experiment, with a plan that can be read.
fn experiment(file: &TextFile) -> Result<CompiledExperiment, Vec<Diagnostic>> {
    let config: ExperimentConfig = file.parse().map_err(|d| vec![d])?;
    let experiment = CompiledExperiment::compile(&file.name, config)?;
    match plan_of(&experiment) {
        Ok(_) => Ok(experiment),
        Err(error) => Err(vec![error.diagnostic("TL455").at(&file.name, None, None)]),
    }
}

struct Loader<'a> {
    root: &'a Path,
    found: Vec<Diagnostic>,
}

impl Loader<'_> {
    fn load(&mut self, variables: BTreeMap<String, String>) -> Result<Option<Project>, RunError> {
        let Some(file) = files::read(self.root, "throughline.yaml")? else {
            let finding = Diagnostic::error("TL002", format!("{} holds no throughline.yaml", self.root.display()))
                .help("name the folder of a project, or make one with `throughline init FOLDER`");
            self.found.push(finding);
            return Ok(None);
        };
        let config = self.one::<ProjectConfig>(&file, "Project");
        self.found.extend(config.iter().flat_map(|c| config::check_schedules(&c.value.schedule, &file.name)));
        let ledger = config.as_ref().and_then(|c| self.ledger(&c.value, &variables, &file.name));
        let channels = self.channels()?;
        let sources = self.sources(channels.as_ref())?;
        let identity = match files::read(self.root, "identity.yaml")? {
            Some(file) => self.one::<IdentityConfig>(&file, "Identity"),
            None => Some(default_identity()),
        };
        self.found.extend(identity.iter().flat_map(|identity| unknown_sources(identity, &sources)));
        let known: Vec<&str> = sources.iter().map(|s| s.value.name.value.as_str()).collect();
        self.found.extend(config.iter().flat_map(|c| linking::check(&c.value.linking, &known, &c.file)));
        let attribution = match files::read(self.root, "attribution.yaml")? {
            Some(file) => self.attribution(&file),
            None => None,
        };
        self.headers()?;
        let experiments = self.folder_with("experiments", experiment)?;
        let studies = self.folder_with("studies", |file| {
            let config: StudyConfig = file.parse().map_err(|d| vec![d])?;
            Study::compile(&file.name, self.root, &variables, config)
        })?;
        let features = self.features()?;
        let site = Site { project: self.root.to_owned() };
        let destinations = self.folder_with("destinations", |file| {
            let config = DestinationConfig::parse(&file.text, &file.name)?;
            Route::compile(&config, &site).map(|_| config)
        })?;
        let configs: Vec<DestinationConfig> = destinations.iter().map(|d| d.value.clone()).collect();
        self.found.extend(DestinationConfig::check_names(&configs));
        let policies = self.folder_with("policies", |file| {
            let config: PolicyConfig = file.parse().map_err(|d| vec![d])?;
            CompiledPolicy::compile(&file.name, &file.hash(), config, &experiments, &features.value)
        })?;
        let approvals = self.folder_with("approvals", |file| Rule::parse(&file.text, &file.name))?;
        self.unique("approval", approvals.iter().map(|a| (a.value.name.as_str(), a.file.as_str())));
        self.unique("source", sources.iter().map(|s| (s.value.name.value.as_str(), s.file.as_str())));
        self.unique("experiment", experiments.iter().map(|e| (e.value.config.name.value.as_str(), e.file.as_str())));
        self.unique("study", studies.iter().map(|s| (s.value.name(), s.file.as_str())));
        self.unique("policy", policies.iter().map(|p| (p.value.name(), p.file.as_str())));
        let (Some(config), Some(ledger), Some(identity)) = (config, ledger, identity) else { return Ok(None) };
        Ok(Some(Project {
            root: self.root.to_owned(),
            config,
            ledger,
            sources,
            channels,
            identity,
            attribution,
            experiments,
            studies,
            features,
            policies,
            destinations,
            approvals,
            variables,
            warnings: Vec::new(),
        }))
    }

    fn ledger(
        &mut self,
        config: &ProjectConfig,
        variables: &BTreeMap<String, String>,
        file: &str,
    ) -> Option<LedgerPlace> {
        let place = ledger::place(config.ledger.as_ref(), &state_dir(self.root), variables, file);
        place.map_err(|finding| self.found.push(finding)).ok()
    }

    /// Parses one file and checks its header.
    fn one<T: serde::de::DeserializeOwned>(&mut self, file: &TextFile, kind: &str) -> Option<Hashed<T>> {
        self.header(file, kind);
        match file.parse::<T>() {
            Ok(value) => Some(Hashed { value, hash: file.hash(), file: file.name.clone() }),
            Err(finding) => {
                self.found.push(finding);
                None
            }
        }
    }

    /// Checks the headers of files that have readers of their own.
    fn headers(&mut self) -> Result<(), RunError> {
        let kinds =
            [("experiments", "Experiment"), ("studies", "Study"), ("policies", "Policy"), ("approvals", "Approval")];
        for (folder, kind) in kinds {
            for file in files::read_folder(self.root, folder)? {
                self.header(&file, kind);
            }
        }
        Ok(())
    }

    /// Parses every file of a folder with its own reader.
    fn folder_with<T>(
        &mut self,
        folder: &str,
        read: impl Fn(&TextFile) -> Result<T, Vec<Diagnostic>>,
    ) -> Result<Vec<Hashed<T>>, RunError> {
        let mut out = Vec::new();
        for file in files::read_folder(self.root, folder)? {
            match read(&file) {
                Ok(value) => out.push(Hashed { value, hash: file.hash(), file: file.name.clone() }),
                Err(findings) => self.found.extend(findings),
            }
        }
        Ok(out)
    }

    fn header(&mut self, file: &TextFile, kind: &str) {
        for (line, text) in file.text.lines().enumerate() {
            let place = Some(line as u64 + 1);
            if let Some(version) = text.strip_prefix("apiVersion:").map(str::trim)
                && version != "throughline/v1"
            {
                let message = format!("unknown apiVersion `{version}`");
                self.found
                    .push(Diagnostic::error("TL004", message).help("write throughline/v1").at(&file.name, place, None));
            }
            if let Some(found) = text.strip_prefix("kind:").map(str::trim)
                && found != kind
            {
                let message = format!("this file is a `{found}`, expected `{kind}`");
                self.found.push(Diagnostic::error("TL005", message).at(&file.name, place, None));
            }
        }
    }

    /// The sources, with the project's rules of channels.
    fn sources(&mut self, channels: Option<&Hashed<Arc<Channels>>>) -> Result<Vec<Hashed<SourceConfig>>, RunError> {
        let sources = self.folder_with("sources", |file| {
            let source = SourceConfig::parse(&file.text, &file.name)?;
            Ok(match channels {
                Some(own) => source.with_channels(&own.value),
                None => source,
            })
        })?;
        if sources.is_empty() {
            self.found.push(
                Diagnostic::error("TL003", "the project has no sources")
                    .help("describe at least one file in sources/*.yaml")
                    .at("sources", None, None),
            );
        }
        Ok(sources)
    }

    /// The project's rules of channels.
    fn channels(&mut self) -> Result<Option<Hashed<Arc<Channels>>>, RunError> {
        let Some(file) = files::read(self.root, "channels.yaml")? else { return Ok(None) };
        match Channels::parse(&file.text, &file.name) {
            Ok(own) => Ok(Some(Hashed { value: Arc::new(own), hash: file.hash(), file: file.name })),
            Err(finding) => {
                self.found.push(finding);
                Ok(None)
            }
        }
    }

    fn attribution(&mut self, file: &TextFile) -> Option<Hashed<AttributionConfig>> {
        let parsed = self.one::<AttributionConfig>(file, "Attribution")?;
        for spec in &parsed.value.models {
            if let Err(error) = throughline_attribution::read_spec(&spec.value) {
                let (line, column) = (spec.referenced.line(), spec.referenced.column());
                self.found.push(Diagnostic::error("TL006", error.to_string()).at(&file.name, Some(line), Some(column)));
            }
        }
        let config = &parsed.value;
        self.found.extend(config.incremental.iter().flat_map(|i| i.check(&file.name)));
        self.found.extend(config.platforms.iter().filter_map(|p| p.compile(&file.name).err()));
        for (n, segment) in config.segments.iter().enumerate() {
            let (line, column) = (segment.referenced.line(), segment.referenced.column());
            let twice = config.segments[..n].iter().any(|other| other.value.name == segment.value.name);
            let again = || {
                let message = format!("two segments are named `{}`", segment.value.name);
                twice.then(|| Diagnostic::error("TL457", message).help("rename one of the two"))
            };
            let found = segment.value.check().or_else(again);
            self.found.extend(found.map(|finding| finding.at(&file.name, Some(line), Some(column))));
        }
        if let Err(error) = config.journeys.check() {
            self.found.push(Diagnostic::error("TL006", error.to_string()).at(&file.name, None, None));
        }
        Some(parsed)
    }

    fn features(&mut self) -> Result<Hashed<CompiledFeatures>, RunError> {
        let mut parsed: Vec<(String, Vec<FeatureConfig>)> = Vec::new();
        let mut hash = Sha256::new();
        for file in files::read_folder(self.root, "features")? {
            hash.update(file.hash());
            if let Some(config) = self.one::<FeaturesConfig>(&file, "Features") {
                parsed.push((file.name.clone(), config.value.features));
            }
        }
        let value = match CompiledFeatures::compile(&parsed) {
            Ok(features) => features,
            Err(findings) => {
                self.found.extend(findings);
                CompiledFeatures::none()
            }
        };
        Ok(Hashed { value, hash: hex::encode(hash.finalize()), file: "features".into() })
    }

    fn unique<'n>(&mut self, what: &str, names: impl Iterator<Item = (&'n str, &'n str)>) {
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, file) in names {
            if let Some(other) = seen.insert(name, file) {
                let message = format!("two {what} files are named `{name}`");
                let help = format!("the other one is {other}");
                self.found.push(Diagnostic::error("TL007", message).help(help).at(file, None, None));
            }
        }
    }
}

/// Sources that rules of matching name and the project does not have: such a rule would forbid nothing.
fn unknown_sources(identity: &Hashed<IdentityConfig>, sources: &[Hashed<SourceConfig>]) -> Vec<Diagnostic> {
    let known: Vec<&str> = sources.iter().map(|s| s.value.name.value.as_str()).collect();
    let unknown = identity.value.matching.named().filter(|name| !known.contains(name));
    let finding = |name: &str| {
        let message = format!("matching names the source `{name}`, which the project does not have");
        let help = format!("known sources: {}", known.join(", "));
        Diagnostic::error("TL017", message).help(help).at(&identity.file, None, None)
    };
    unknown.map(finding).collect()
}

fn default_identity() -> Hashed<IdentityConfig> {
    Hashed { value: IdentityConfig::default(), hash: "default".into(), file: "identity.yaml".into() }
}

/// Parses a YAML text; what is wrong with it is a diagnostic with file, line and suggestion.
pub fn parse_yaml<T: serde::de::DeserializeOwned>(text: &str, file: &str) -> Result<T, Diagnostic> {
    TextFile { name: file.to_owned(), text: text.to_owned() }.parse()
}

/// "unknown x `name` (known: …)" with a suggestion, as a diagnostic.
pub(crate) fn unknown_name(code: &str, what: &str, name: &str, known: &[&str]) -> Diagnostic {
    let finding = Diagnostic::error(code, format!("unknown {what} `{name}` (known: {})", known.join(", ")));
    match closest(name, known.iter().copied()) {
        Some(close) => finding.help(format!("did you mean `{close}`?")),
        None => finding,
    }
}
