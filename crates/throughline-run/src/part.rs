//! Credit of a part of the journeys, computed when it is asked for.

use throughline_core::{Diagnostic, Timestamp};

use crate::engine::Stores;
use crate::error::RunError;
use crate::project::Project;
use crate::stage::StageContext;
use crate::stages::{JourneyFilter, PartOfCredit, part_of_credit};

/// The credit of the published journeys that a filter lets through, of one conversion or of all; nothing where the project asks for
/// no attribution. Parts add up: models are fitted on all journeys. Errors: a day that is none, tables that cannot be read.
pub async fn credit_of_part(
    project: &Project,
    stores: &Stores,
    filter: &JourneyFilter,
    conversion: Option<&str>,
) -> Result<Vec<PartOfCredit>, RunError> {
    for day in filter.from.iter().chain(&filter.to) {
        if format!("{day}T00:00:00Z").parse::<Timestamp>().is_err() || day.len() != 10 {
            let finding = Diagnostic::error("TL458", format!("`{day}` is no day")).help("write it as 2026-03-01");
            return Err(RunError::Project(vec![finding]));
        }
    }
    let Some(config) = &project.attribution else { return Ok(Vec::new()) };
    let context = StageContext::looking(project, stores).await?;
    part_of_credit(&context, &config.value, filter, conversion).await.map_err(|source| {
        match source.downcast::<RunError>() {
            Ok(error) => *error,
            Err(source) => RunError::Stage { stage: "attribution".into(), unit: "part".into(), source },
        }
    })
}
