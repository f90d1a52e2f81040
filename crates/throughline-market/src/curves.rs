//! What a channel would bring at another volume: its touches drawn anew with its reach times a factor, everybody's other
//! touches where they are.
//!
//! Touches at a smaller volume are some of those at a larger one (the same candidates, fewer of them), so that a curve is
//! smooth. In a market of more than [`ASKED`] people it is that of every so-manieth person, with its standard error.

use serde::{Deserialize, Serialize};
use throughline_core::money::units_from_micros;

use crate::channel::Form;
use crate::{Channel, Life, Source, World, exposure, person, response};

/// Factors on a channel's reach.
const FACTORS: [f64; 9] = [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0];
/// People over whom curves are taken.
const ASKED: usize = 1_000;

/// A point of a response curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Channel.
    pub channel: Channel,
    /// Factor on its reach.
    pub factor: f64,
    /// What it costs over the written days, in currency units: prices react as in the scenario.
    pub cost: f64,
    /// Mean purchases beyond those without the channel.
    pub conversions: f64,
    /// Mean value beyond that without the channel, in currency units.
    pub value: f64,
    /// Standard error of `conversions`; 0 where everybody was asked.
    pub conversions_std_error: f64,
}

impl World {
    /// The response curves of all channels in use, by factor on reach.
    pub fn curves(&self) -> Vec<CurvePoint> {
        let used: Vec<Channel> = self.plan().used().map(|(c, _)| c).collect();
        let step = self.lives().len().div_ceil(ASKED).max(1);
        let mut points = Vec::new();
        for channel in used {
            let markets: Vec<Source> = FACTORS.iter().map(|f| self.with_reach(channel, *f)).collect();
            let parts = self.each_life(|life| {
                let asked = (life.person.number as usize).is_multiple_of(step);
                asked.then(|| markets.iter().map(|m| self.outcome(m, life, channel)).collect::<Vec<_>>())
            });
            let parts: Vec<Vec<Outcome>> = parts.into_iter().flatten().collect();
            points
                .extend(FACTORS.iter().enumerate().map(|(index, factor)| self.point(channel, index, *factor, &parts)));
        }
        points
    }

    fn with_reach(&self, channel: Channel, factor: f64) -> Source {
        self.counterfactual(|s| {
            if let Some(spec) = s.channels.get_mut(channel.name()) {
                spec.reach *= factor;
            }
        })
    }

    fn outcome(&self, market: &Source, life: &Life, channel: Channel) -> Outcome {
        let (plan, noise) = (&market.plan, self.noise(life));
        let intent = person::intent(&self.scenario().intent, &noise, plan.horizon());
        let drawn = exposure::touches(plan, &life.person, &noise, &intent, &life.sent);
        let others = life.touches.iter().filter(|t| t.channel != channel);
        let touches: Vec<_> = others.chain(drawn.iter().filter(|t| t.channel == channel)).copied().collect();
        let course = response::Drive::new(plan, &life.person, &intent, &touches).course(None, &life.sent);
        let expected = response::expect(plan, &course, plan.recovery.len() - 1, self.written());
        let paid = touches.iter().filter(|t| t.channel == channel && t.day < self.scenario().days);
        let mut micros: i64 = paid.map(|t| t.cost_micros).sum();
        if let Some(spec) = plan.channel(channel).filter(|_| channel.form() == Form::Broadcast) {
            let day = |day| exposure::broadcast_micros(plan, spec, life.person.area_on(day), day);
            micros += self.written().map(day).sum::<i64>();
        }
        Outcome {
            purchases: expected.purchases,
            value: expected.paid * life.person.basket,
            cost: units_from_micros(micros),
        }
    }

    fn point(&self, channel: Channel, index: usize, factor: f64, parts: &[Vec<Outcome>]) -> CurvePoint {
        let (asked, people) = (parts.len().max(1) as f64, self.lives().len() as f64);
        let more: Vec<f64> = parts.iter().map(|p| p[index].purchases - p[0].purchases).collect();
        let mean = more.iter().sum::<f64>() / asked;
        let variance = more.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (asked - 1.0).max(1.0);
        let unasked = (1.0 - asked / people.max(1.0)).max(0.0);
        let value: f64 = parts.iter().map(|p| p[index].value - p[0].value).sum();
        let elasticity = self.plan().channel(channel).map_or(0.0, |s| s.elasticity);
        let price = if factor > 0.0 { factor.powf(elasticity) } else { 1.0 };
        CurvePoint {
            channel,
            factor,
            cost: parts.iter().map(|p| p[index].cost).sum::<f64>() / asked * people * price,
            conversions: mean * people,
            value: value / asked * people,
            conversions_std_error: people * (variance / asked * unasked).sqrt(),
        }
    }
}

/// What one person does and costs at one volume.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    purchases: f64,
    value: f64,
    cost: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scenario;

    #[test]
    fn curves_rise_from_nothing_to_todays_volume_and_beyond() {
        let mut scenario = Scenario::default().with_people(300);
        scenario.channels.get_mut("paid_social").expect("in the demo").price_elasticity = 0.5;
        let world = World::simulate(&scenario, 3).expect("valid");
        let truth = world.truth();
        let curves = world.curves();
        let of = |channel: Channel| curves.iter().filter(|p| p.channel == channel).collect::<Vec<_>>();
        let social = of(Channel::PaidSocial);
        assert!(social.windows(2).all(|p| p[0].conversions <= p[1].conversions && p[0].cost < p[1].cost), "{social:?}");
        assert_eq!((social[0].conversions, social[0].cost), (0.0, 0.0));
        let whole = truth.channels.iter().find(|c| c.channel == Channel::PaidSocial).expect("in use");
        assert!((social[4].conversions - whole.true_conversions).abs() < 1e-9, "{:?} {whole:?}", social[4]);
        assert!((social[4].cost - whole.cost).abs() < 0.01);
        // Wears off, and twice the reach costs 2^1.5 times as much.
        assert!(social[7].conversions < 2.0 * social[4].conversions);
        let ratio = social[7].cost / social[4].cost;
        assert!((ratio / 2.0_f64.powf(1.5) - 1.0).abs() < 0.1, "{ratio}");
        assert!(of(Channel::Direct).iter().all(|p| p.conversions == 0.0 && p.conversions_std_error == 0.0));
    }
}
