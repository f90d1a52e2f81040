//! `throughline experiment design`: a plan, written before the experiment.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use throughline_evidence::design::factorial::{self, Factor};
use throughline_evidence::design::{
    Effect, Holdout, Layer, Plan, PlanArm, PowerAnswer, PowerPlan, StopRule, switchback,
};

use crate::power::{PowerQuestion, as_json, refuse};
use crate::yaml::yaml;
use crate::{Answer, OneShotError};

/// Kinds of design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DesignKind {
    /// One or more treatments against a control.
    Ab,
    /// Several factors crossed.
    Factorial,
    /// A whole market in one arm at a time.
    Switchback,
    /// A share of everybody kept out of all policies.
    Holdout,
}

/// What to plan.
#[derive(Debug, Args)]
pub struct DesignArgs {
    /// Name of the experiment; the salt of its assignment unless --salt is given.
    #[arg(long)]
    pub name: String,
    /// Kind of design.
    #[arg(long, value_enum, default_value = "ab")]
    pub kind: DesignKind,
    /// The decision it is to settle.
    #[arg(long, default_value = "roll out the treatment if it is better, keep the control otherwise")]
    pub decision: String,
    /// What is assigned.
    #[arg(long, default_value = "person")]
    pub unit: String,
    /// Name of the metric.
    #[arg(long, default_value = "outcome")]
    pub metric_name: String,
    /// Names of the arms, the control first; control and treatment without.
    #[arg(long = "arm")]
    pub arm_names: Vec<String>,
    /// What is really done in an arm, as NAME=TEXT: the policy or action that would be rolled out.
    #[arg(long = "action")]
    pub actions: Vec<String>,
    /// Units that come in a day, all arms together.
    #[arg(long)]
    pub daily_units: Option<f64>,
    /// Salt of the assignment.
    #[arg(long)]
    pub salt: Option<String>,
    /// The part of a layer, as NAME=FROM-TO.
    #[arg(long)]
    pub layer: Option<String>,
    /// Share of units in the global holdout; for a holdout design the share kept out.
    #[arg(long)]
    pub holdout: Option<f64>,
    /// Salt of the global holdout.
    #[arg(long, default_value = "global")]
    pub holdout_salt: String,
    /// A factor and its levels, as NAME=BASE,LEVEL,…; several times for a factorial design.
    #[arg(long = "factor")]
    pub factors: Vec<String>,
    /// Switchback: markets that switch on their own.
    #[arg(long, value_delimiter = ',', default_value = "market")]
    pub markets: Vec<String>,
    /// Switchback: periods of one arm before the next draw.
    #[arg(long, default_value_t = 1)]
    pub stretch: usize,
    /// Switchback: periods after a change of arm that do not count.
    #[arg(long, default_value_t = 0)]
    pub washout: usize,
    /// Switchback: standard deviation of the difference within a block of two stretches.
    #[arg(long)]
    pub block_sd: Option<f64>,
    /// Switchback: periods of a day.
    #[arg(long, default_value_t = 24.0)]
    pub daily_periods: f64,
    /// The question of power.
    #[command(flatten)]
    pub question: PowerQuestion,
    /// Print JSON instead of YAML.
    #[arg(long)]
    pub json: bool,
}

impl DesignArgs {
    /// Carries the command out: the plan as YAML; with `--json` `{"plan":{…}}` beside the answer of `throughline power`.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        let (plan, power) = match self.kind {
            DesignKind::Ab => self.ab()?,
            DesignKind::Factorial => self.factorial()?,
            DesignKind::Switchback => (self.switchback()?, None),
            DesignKind::Holdout => self.held_out()?,
        };
        let plan_json = serde_json::to_value(&plan)?;
        let text = yaml(&plan_json);
        let mut json = match (&plan.power, power) {
            (Some(question), Some(answer)) => as_json(question, &answer, None, "unit", &[]),
            _ => json!({ "n_total": plan.stop.at_units, "diagnostics": [] }),
        };
        json["plan"] = plan_json;
        Ok(Answer { json, text })
    }

    /// Whether JSON is asked for.
    pub const fn json(&self) -> bool {
        self.json
    }

    fn ab(&self) -> Result<(Plan, Option<PowerAnswer>), OneShotError> {
        let mut question = self.question.clone();
        let names = self.names(&["control", "treatment"], question.arms)?;
        question.arms = names.len();
        let power = question.plan(None)?;
        let answer = power.sample_size()?;
        let kind = if names.len() > 2 { "multi_arm" } else { "ab" };
        let plan = self.plan(kind, &names, &power, &answer)?;
        Ok((plan, Some(answer)))
    }

    fn held_out(&self) -> Result<(Plan, Option<PowerAnswer>), OneShotError> {
        let share = self.holdout.filter(|s| *s > 0.0 && *s < 1.0).ok_or_else(|| {
            refuse("TL343", "a holdout design needs a share".into(), "give --holdout, for example 0.05")
        })?;
        let names = self.names(&["holdout", "everything"], 2)?;
        let mut question = self.question.clone();
        question.allocation = format!("{share},{}", 1.0 - share);
        let power = question.plan(None)?;
        let answer = power.sample_size()?;
        let mut plan = self.plan("holdout", &names, &power, &answer)?;
        plan.estimand =
            format!("effect of everything the marketing does on the mean of {} per {}", self.metric_name, self.unit);
        Ok((plan, Some(answer)))
    }

    /// The least precise main effect decides the size; what interactions would need stands in the details.
    fn factorial(&self) -> Result<(Plan, Option<PowerAnswer>), OneShotError> {
        let factors = self.factors.iter().map(|f| factor(f)).collect::<Result<Vec<_>, _>>()?;
        let (cells, contrasts) = (factorial::cells(&factors)?, factorial::contrasts(&factors)?);
        let spread = |(_, w): &(String, Vec<f64>)| w.iter().map(|w| w * w).sum::<f64>() * cells.len() as f64;
        let main: usize = factors.iter().map(|f| f.levels.len() - 1).sum();
        let widest = contrasts[..main].iter().map(spread).fold(0.0, f64::max);
        // Two equal arms have a spread of 4; the plan of two arms is scaled to that of the widest main effect.
        let mut question = self.question.clone();
        question.arms = 2;
        let power = question.plan(None)?;
        let two = power.sample_size()?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "units of a plan")]
        let per_cell = (two.n_total as f64 * widest / 4.0 / cells.len() as f64).ceil() as u64;
        let names: Vec<String> = cells
            .iter()
            .map(|c| c.iter().zip(&factors).map(|(l, f)| f.levels[*l].as_str()).collect::<Vec<_>>().join(" × "))
            .collect();
        let mut plan = self.plan("factorial", &names, &power, &two)?;
        for arm in &mut plan.arms {
            (arm.weight, arm.n, arm.clusters) = (1.0 / names.len() as f64, per_cell, None);
        }
        let total = per_cell * names.len() as u64;
        plan.stop = StopRule { at_units: total, days: self.days(total as f64), ..plan.stop };
        plan.estimand = "main effects averaged over the other factors' levels, and two-way interactions".into();
        plan.estimator = "factorial".into();
        let needs =
            contrasts.iter().map(|c| json!({ "effect": c.0, "n_total": (total as f64 * spread(c) / widest).ceil() }));
        plan.details.insert("factors".into(), json!(factors));
        plan.details.insert("units_for_each_effect".into(), needs.collect());
        Ok((plan, Some(two)))
    }

    fn switchback(&self) -> Result<Plan, OneShotError> {
        let sd = self.block_sd.ok_or_else(|| {
            let help = "give --block-sd: the standard deviation, before the experiment, of the difference between the means of two neighbouring stretches";
            refuse("TL339", "the spread of blocks is missing".into(), help)
        })?;
        let mut question = self.question.clone();
        (question.sd, question.baseline) = (Some(sd), question.baseline.or(Some(0.0)));
        let power = question.plan(None)?;
        let blocks = switchback::blocks_needed(power.absolute(), sd, power.level, power.power)?;
        let per_market = blocks.div_ceil(self.markets.len().max(1));
        let periods = per_market * 2 * self.stretch;
        let salt = self.salt.clone().unwrap_or_else(|| self.name.clone());
        let mut schedules = Map::new();
        for market in &self.markets {
            let schedule = switchback::schedule(&salt, market, periods, self.stretch, self.washout)?;
            schedules.insert(market.clone(), json!(schedule));
        }
        let names = self.names(&["control", "treatment"], 2)?;
        let answer = power.with_units(&[per_market.max(2) as u64; 2])?;
        let mut plan = self.plan("switchback", &names, &power, &answer)?;
        for arm in &mut plan.arms {
            (arm.weight, arm.n, arm.clusters) = (0.5, (periods / 2 * self.markets.len()) as u64, None);
        }
        let periods_all = (periods * self.markets.len()) as u64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "days of a plan")]
        let days = (self.daily_periods > 0.0).then(|| (periods as f64 / self.daily_periods).ceil() as u64);
        plan.stop = StopRule {
            rule: "read once, when all blocks are complete".into(),
            at_units: periods_all,
            days,
            expected_days: None,
        };
        (plan.unit, plan.estimator, plan.power) = ("period of a market".into(), "switchback_blocks".into(), None);
        plan.estimand =
            format!("difference of mean {} between treated and other periods, after the washout", self.metric_name);
        plan.assumptions = vec![
            "the arm of each block is drawn by the salt alone".into(),
            format!("effects carry over for at most {} periods", self.washout),
            "markets do not affect each other".into(),
        ];
        let question = json!({ "effect": self.question.effect, "block_sd": sd, "level": self.question.level, "power": self.question.power, "blocks": blocks, "washout": self.washout, "stretch": self.stretch });
        plan.details.insert("question".into(), question);
        plan.details.insert("schedule".into(), Value::Object(schedules));
        Ok(plan)
    }

    fn names(&self, usual: &[&str], arms: usize) -> Result<Vec<String>, OneShotError> {
        if !self.arm_names.is_empty() {
            if self.arm_names.len() < 2 {
                return Err(refuse("TL342", "one arm is named".into(), "name the control first, then every treatment"));
            }
            return Ok(self.arm_names.clone());
        }
        let more = (2..arms).map(|i| format!("treatment {i}"));
        Ok(usual.iter().map(|s| (*s).to_owned()).chain(more).collect())
    }

    fn plan(
        &self,
        design: &str,
        names: &[String],
        power: &PowerPlan,
        answer: &PowerAnswer,
    ) -> Result<Plan, OneShotError> {
        let size = |i: usize| answer.arms.get(i).or(answer.arms.last()).copied();
        let arms = names.iter().enumerate().filter_map(|(i, name)| {
            let size = size(i)?;
            let (weight, n, clusters) = (size.share, size.n, size.clusters);
            Some(PlanArm { name: name.clone(), weight, action: self.action(name, i), n, clusters })
        });
        for action in &self.actions {
            if !action.split_once('=').is_some_and(|(name, _)| names.iter().any(|n| n == name)) {
                let help = format!("write NAME=TEXT with one of {}", names.join(", "));
                return Err(refuse("TL342", format!("`{action}` names no arm"), &help));
            }
        }
        let holdout = self.holdout.filter(|_| self.kind != DesignKind::Holdout);
        let relative = matches!(power.effect, Effect::Relative(_));
        let scale = if relative { "relative lift" } else { "difference" };
        Ok(Plan {
            name: self.name.clone(),
            design: design.to_owned(),
            decision: self.decision.clone(),
            unit: self.unit.clone(),
            estimand: format!(
                "{scale} of {} per {} against the control, over everybody assigned",
                self.metric_name, self.unit
            ),
            metric: self.metric_name.clone(),
            control: names.first().cloned().unwrap_or_default(),
            arms: arms.collect(),
            salt: self.salt.clone().unwrap_or_else(|| self.name.clone()),
            layer: self.layer.as_deref().map(Layer::parse).transpose()?,
            holdout: holdout.map(|share| Holdout { share, salt: self.holdout_salt.clone() }),
            estimator: estimator(power),
            level: power.level,
            stop: Plan::stop_rule(power, answer, self.daily_units),
            assumptions: Plan::usual_assumptions(power),
            power: Some(power.clone()),
            details: Map::new(),
        })
    }

    fn action(&self, name: &str, index: usize) -> String {
        let given = self.actions.iter().find_map(|a| a.split_once('=').filter(|(n, _)| *n == name));
        let usual = if index == 0 { "as today" } else { "not stated: say what is really done" };
        given.map_or_else(|| usual.to_owned(), |(_, text)| text.to_owned())
    }

    fn days(&self, units: f64) -> Option<u64> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "days of a plan")]
        self.daily_units.filter(|d| *d > 0.0).map(|d| (units / d).ceil() as u64)
    }
}

/// The estimator by name, with what it adds.
fn estimator(power: &PowerPlan) -> String {
    let mut name = if matches!(power.effect, Effect::Relative(_)) { "welch_relative" } else { "welch" }.to_owned();
    if power.cuped_correlation != 0.0 {
        name.push_str(" with CUPED");
    }
    if power.clusters.is_some() {
        name.push_str(" with clustered errors");
    }
    name
}

fn factor(text: &str) -> Result<Factor, OneShotError> {
    let parsed = text.split_once('=').filter(|(name, levels)| !name.is_empty() && !levels.is_empty());
    let (name, levels) = parsed.ok_or_else(|| {
        refuse("TL342", format!("`{text}` is not a factor"), "write NAME=BASE,LEVEL, for example subject=short,long")
    })?;
    Ok(Factor { name: name.to_owned(), levels: levels.split(',').map(|l| l.trim().to_owned()).collect() })
}
