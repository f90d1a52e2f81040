//! What not knowing who is whom does to credit: the same credit under other graphs that the links' probabilities allow.

use std::collections::BTreeMap;

use throughline_attribution::{CreditsWithIntervals, Model, Quantity, WithIdentity, with_identity};
use throughline_identity::Uncertain;
use throughline_journeys::{JourneyInput, journeys};
use throughline_lake::{Lake, Unit, tables};

use super::read::{Part, read_parts};
use crate::project::AttributionConfig;
use crate::stage::{StageContext, StageError};

/// Separates the draws of graphs from those of persons.
const GRAPHS: u64 = 0x1d_67_72_61_70_68;

/// Credits under other graphs: by conversion, model and channel, one of conversions and one of value a graph.
pub(super) struct Graphs {
    credits: BTreeMap<(String, String, String), [Vec<f64>; 2]>,
    /// Graphs drawn; 0 where nobody is uncertain.
    pub(super) drawn: usize,
    /// Pairs of identifiers that are not certain.
    pub(super) pairs: usize,
}

impl Graphs {
    /// The credit of a channel with its interval widened by what graphs say; nothing where nobody is uncertain.
    pub(super) fn widen(
        &self,
        conversion: &str,
        model: &CreditsWithIntervals,
        channel: usize,
        what: Quantity,
    ) -> Result<Option<WithIdentity>, StageError> {
        if self.drawn < 2 {
            return Ok(None);
        }
        let interval = &model.intervals[channel];
        let key = (conversion.to_owned(), model.credits.model().to_owned(), interval.channel.clone());
        let nothing = vec![0.0; self.drawn];
        let at = usize::from(what == Quantity::Value);
        let graphs = self.credits.get(&key).map_or(&nothing, |of| &of[at]);
        let estimate = if what == Quantity::Value { &interval.value } else { &interval.conversions };
        Ok(Some(with_identity(estimate, &model.draws_of(channel, what)?, graphs)?))
    }
}

/// Draws graphs and credits the journeys that each makes.
pub(super) async fn graphs(
    context: &StageContext<'_>,
    config: &AttributionConfig,
    models: &[Box<dyn Model>],
) -> Result<Graphs, StageError> {
    let mut out = Graphs { credits: BTreeMap::new(), drawn: 0, pairs: 0 };
    let wanted = config.bootstrap.identity_graphs;
    let [persons, links, matches] = [tables::persons(), tables::links(), tables::matches()];
    let uncertain =
        Uncertain::read(&context.read(&persons).await?, &context.read(&links).await?, &context.read(&matches).await?)
            .await?;
    out.pairs = uncertain.pairs();
    if uncertain.is_empty() || wanted < 2 {
        return Ok(out);
    }
    let folder = tempfile::tempdir()?;
    let lake = Lake::open_local(folder.path())?;
    let unit =
        |graph: usize| Unit { stage: "graph".into(), name: graph.to_string(), fingerprint: String::new(), run_seq: 0 };
    let staged = uncertain.events(&lake, &context.read(&tables::events()).await?, &unit(wanted)).await?;
    let events = lake.staged_snapshot(&tables::events(), &staged)?;
    let certain = Part {
        journeys: context.read(&tables::journeys()).await?,
        touches: context.read(&tables::touches()).await?,
        without: uncertain.people().clone(),
    };
    let project = &context.project.config.value;
    for graph in 0..wanted {
        let seed = (context.run.seed ^ GRAPHS, graph as u64);
        let staged = uncertain.timeline(&lake, events.clone(), seed, &context.run, &unit(graph)).await?;
        let rules = config.journey_rules(project);
        let input = JourneyInput { rules, timeline: lake.staged_snapshot(&tables::timeline(), &staged)? };
        let built = journeys(&lake, &context.session()?, &context.run, input, &unit(graph)).await?;
        let drawn = Part {
            journeys: lake.staged_snapshot(&tables::journeys(), &built.staged)?,
            touches: lake.staged_snapshot(&tables::touches(), &built.staged)?,
            without: std::collections::BTreeSet::new(),
        };
        let read = read_parts(&[&certain, &drawn], project.currency.as_str()).await?;
        for (conversion, paths) in &read.conversions {
            for model in models {
                for credit in paths.journeys.credit(model.as_ref())?.channels() {
                    let key = (conversion.clone(), model.spec(), credit.channel.clone());
                    let found = out.credits.entry(key).or_insert_with(|| [vec![0.0; wanted], vec![0.0; wanted]]);
                    (found[0][graph], found[1][graph]) = (credit.conversions, credit.value);
                }
            }
        }
    }
    out.drawn = wanted;
    Ok(out)
}
