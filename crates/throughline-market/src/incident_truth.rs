//! When each incident ran, why, and what it cost.

use serde::{Deserialize, Serialize};
use throughline_core::money::units_from_micros;

use crate::tables::{Place, advertised, orders, strikes};
use crate::{DataFile, Fault, IncidentSpec, World, response};

/// An incident and its cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentTruth {
    /// What went wrong.
    pub kind: String,
    /// The series in which it shows first.
    pub series: String,
    /// Its first day.
    pub from: String,
    /// The first day after it, or after the data.
    pub to: String,
    /// Rows or orders concerned.
    pub rows: usize,
    /// Its cost in currency units.
    pub cost: f64,
    /// What the cost is.
    pub cost_is: String,
}

impl World {
    /// Every incident of the scenario that has begun, in its order.
    pub fn incidents(&self) -> Vec<IncidentTruth> {
        let incidents = self.scenario().incidents.iter().enumerate();
        let begun = incidents.filter(|(_, i)| i.from_day < self.scenario().days);
        begun.map(|(index, incident)| self.incident(index, incident)).collect()
    }

    fn incident(&self, index: usize, incident: &IncidentSpec) -> IncidentTruth {
        let (rows, cost, cost_is) = match &incident.fault {
            Fault::TrackingLoss { share } => self.lost(incident, *share),
            Fault::DoubleFiring { share } => self.doubled(incident, *share),
            Fault::SpendSpike { channel, factor } => self.overpaid(incident, channel, *factor),
            Fault::BotTraffic { channel, .. } => self.botted(index, incident, channel),
            Fault::LateFeed { .. } => self.web_orders(incident, "value known late"),
            Fault::SchemaChange {} => self.web_orders(incident, "value not read under its old name"),
            _ => self.felt(index, incident),
        };
        let last = self.scenario().days;
        IncidentTruth {
            kind: incident.fault.name().to_owned(),
            series: incident.fault.series(),
            from: self.instant(incident.from_day.min(last), 0).date(),
            to: self.instant(incident.end_day().min(last), 0).date(),
            rows,
            cost,
            cost_is: cost_is.to_owned(),
        }
    }

    fn lost(&self, incident: &IncidentSpec, share: f64) -> (usize, f64, &'static str) {
        let rows = advertised(self).into_iter().enumerate().filter(|(_, s)| incident.runs_on(s.touch.day));
        let lost = rows.filter(|(row, _)| strikes(self, DataFile::AdEvents, *row, share));
        let (count, micros) = lost.fold((0, 0), |(n, sum), (_, s)| (n + 1, sum + s.touch.cost_micros));
        (count, units_from_micros(micros), "spend whose events are missing")
    }

    fn doubled(&self, incident: &IncidentSpec, share: f64) -> (usize, f64, &'static str) {
        let orders = orders(self, Place::Web);
        let rows = orders.iter().enumerate().filter(|(_, (_, p))| incident.runs_on(p.day));
        let twice = rows.filter(|(row, _)| strikes(self, DataFile::WebOrders, *row, share));
        let (count, micros) = twice.fold((0, 0), |(n, sum), (_, (_, p))| (n + 1, sum + p.value_micros));
        (count, units_from_micros(micros), "value counted twice")
    }

    fn web_orders(&self, incident: &IncidentSpec, what: &'static str) -> (usize, f64, &'static str) {
        let orders = orders(self, Place::Web).into_iter().filter(|(_, p)| incident.runs_on(p.day));
        let (count, micros) = orders.fold((0, 0), |(n, sum), (_, p)| (n + 1, sum + p.value_micros));
        (count, units_from_micros(micros), what)
    }

    fn overpaid(&self, incident: &IncidentSpec, channel: &str, factor: f64) -> (usize, f64, &'static str) {
        let touches = self.lives().iter().chain(self.bots()).flat_map(|l| &l.touches);
        let paid = touches.filter(|t| t.channel.name() == channel && incident.runs_on(t.day));
        let paid = paid.filter(|t| t.day < self.scenario().days && t.cost_micros > 0);
        let (count, micros) = paid.fold((0, 0), |(n, sum), t| (n + 1, sum + t.cost_micros));
        let broadcast = self.broadcast_costs().into_iter().filter(|(c, ..)| c.name() == channel);
        let broadcast: i64 = broadcast.filter(|(_, _, day, _)| incident.runs_on(*day)).map(|(.., micros)| micros).sum();
        let over = 1.0 - 1.0 / factor.max(1e-9);
        (count, units_from_micros(micros + broadcast) * over, "spend above the usual price")
    }

    fn botted(&self, index: usize, incident: &IncidentSpec, channel: &str) -> (usize, f64, &'static str) {
        let programs = crate::bots::of_incident(self.plan(), index);
        let bots = self.bots().get(programs).unwrap_or_default();
        let clicks = bots.iter().flat_map(|b| &b.touches).filter(|t| t.channel.name() == channel);
        let clicks = clicks.filter(|t| incident.runs_on(t.day));
        let (count, micros) = clicks.fold((0, 0), |(n, sum), t| (n + 1, sum + t.cost_micros));
        (count, units_from_micros(micros), "spend on clicks of programs")
    }

    /// Margin lost in the mean, exactly: this market against the same one without the incident.
    fn felt(&self, index: usize, incident: &IncidentSpec) -> (usize, f64, &'static str) {
        let without = self.counterfactual(|s| {
            s.incidents.remove(index);
        });
        let goods = 1.0 - self.scenario().purchase.margin;
        let recovered = self.plan().recovery.len() - 1;
        let lost = self.each_life(|life| {
            let now =
                response::expect(self.plan(), &self.drive(life).course(None, &life.sent), recovered, self.written());
            let course = self.drive_in(&without.plan, life).course(None, &life.sent);
            let then = response::expect(&without.plan, &course, recovered, self.written());
            let margin = |e: response::Expected| life.person.basket * (e.paid - goods * e.purchases);
            margin(then) - margin(now)
        });
        let orders = self.lives().iter().flat_map(|l| &l.purchases).filter(|p| incident.runs_on(p.day)).count();
        (orders, lost.into_iter().sum(), "margin lost (mean)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scenario;

    fn incident(from_day: u32, days: u32, fault: Fault) -> IncidentSpec {
        IncidentSpec { from_day, days, fault }
    }

    fn with(incidents: Vec<IncidentSpec>) -> World {
        let scenario = Scenario { incidents, ..Scenario::default().with_people(700) };
        World::simulate(&scenario, 5).expect("valid")
    }

    fn lines(world: &World, file: DataFile) -> Vec<String> {
        let mut out = Vec::new();
        world.write(file, &mut out).expect("memory");
        String::from_utf8(out).expect("text").lines().map(ToOwned::to_owned).collect()
    }

    /// Rows of on-line orders on a span of January's days.
    fn orders_of(world: &World, days: std::ops::Range<u32>) -> Vec<serde_json::Value> {
        let dates: Vec<String> = days.map(|d| world.instant(d, 0).date()).collect();
        let rows = lines(world, DataFile::WebOrders);
        let rows = rows.iter().map(|l| serde_json::from_str::<serde_json::Value>(l).expect("JSON"));
        rows.filter(|r| dates.iter().any(|d| r["timestamp"].as_str().is_some_and(|t| t.starts_with(d)))).collect()
    }

    #[test]
    fn faults_of_files_change_rows_on_their_days_and_nothing_else() {
        let plain = with(Vec::new());
        let world = with(vec![
            incident(10, 3, Fault::TrackingLoss { share: 0.5 }),
            incident(20, 20, Fault::DoubleFiring { share: 1.0 }),
            incident(45, 20, Fault::LateFeed { delay_days: 5 }),
            incident(70, 15, Fault::SchemaChange {}),
        ]);
        assert!(plain.lives() == world.lives(), "nobody feels any of it");
        let told = world.incidents();
        let lost = lines(&plain, DataFile::AdEvents).len() - lines(&world, DataFile::AdEvents).len();
        // Copies and malformed rows come in addition: half a percent.
        assert!(lost > 100 && lost.abs_diff(told[0].rows) < 10, "{lost} {:?}", told[0]);
        assert_eq!((told[0].from.as_str(), told[0].to.as_str()), ("2026-01-15", "2026-01-18"));
        let doubled = orders_of(&world, 20..40)
            .iter()
            .filter(|r| r["order_id"].as_str().is_some_and(|i| i.starts_with('d')))
            .count();
        assert!(told[1].rows > 20 && doubled.abs_diff(told[1].rows) <= 2, "{doubled} of {:?}", told[1]);
        let (late, usual) = (orders_of(&world, 45..65), orders_of(&plain, 45..65));
        assert_eq!(late.len(), usual.len());
        assert!(late.iter().zip(&usual).any(|(a, b)| a["received_at"] != b["received_at"]));
        let renamed = orders_of(&world, 70..85);
        assert!(!renamed.is_empty() && renamed.iter().all(|r| r.get("value").is_none() && r.get("total").is_some()));
        assert!(orders_of(&world, 0..20).iter().all(|r| r.get("value").is_some()));
        assert!(told.iter().all(|t| t.rows > 0 && t.cost.is_finite()), "{told:?}");
    }

    #[test]
    fn what_people_feel_costs_the_difference_to_the_world_without_it() {
        let plain = with(Vec::new());
        let count = |world: &World, days: std::ops::Range<u32>| {
            let all = world.lives().iter().flat_map(|l| &l.purchases);
            all.filter(|p| days.contains(&p.day)).count()
        };
        let felt = |fault: Fault, from: u32, days: u32| {
            let world = with(vec![incident(from, days, fault)]);
            let told = world.incidents().remove(0);
            (count(&world, from..90) as f64 / count(&plain, from..90) as f64, told.cost, world)
        };
        let (decline, cost, _) = felt(Fault::SlowDecline { depth: 1.0 }, 20, 10);
        assert!(decline < 0.6 && cost > 100.0, "{decline} {cost}");
        let (harm, cost, _) = felt(Fault::HarmfulPolicy { lift: -2.0 }, 40, 50);
        assert!(harm < 0.6 && cost > 100.0, "{harm} {cost}");
        let (error, cost, world) = felt(Fault::PriceError { factor: 0.25, response: 0.5 }, 60, 30);
        assert!(error > 1.5 && cost > 100.0, "{error} {cost}: more orders, each at a loss");
        let value = |w: &World| {
            w.lives().iter().flat_map(|l| &l.purchases).filter(|p| p.day >= 60).map(|p| p.value_micros).sum::<i64>()
        };
        assert!(value(&world) < value(&plain));
    }

    #[test]
    fn spikes_and_programs_cost_money_and_move_nobody() {
        let plain = with(Vec::new());
        let world = with(vec![
            incident(30, 5, Fault::SpendSpike { channel: "paid_social".into(), factor: 3.0 }),
            incident(50, 2, Fault::BotTraffic { channel: "display".into(), bots: 7, clicks_per_day: 40.0 }),
        ]);
        let told = world.incidents();
        let spent = |w: &World| {
            let all = w.lives().iter().flat_map(|l| &l.touches).filter(|t| t.day < 90);
            units_from_micros(all.map(|t| t.cost_micros).sum())
        };
        assert!((spent(&world) - spent(&plain) - told[0].cost).abs() < 0.01, "{told:?}");
        assert!(plain.lives().iter().zip(world.lives()).all(|(a, b)| a.purchases == b.purchases));
        assert_eq!(world.bots().len(), 7);
        let clicks: usize = world.bots().iter().map(|b| b.touches.len()).sum();
        // Poisson with mean 560.
        assert!((clicks as f64 - 560.0).abs() < 3.5 * 560.0_f64.sqrt(), "{clicks}");
        assert_eq!(told[1].rows, clicks);
        assert!((told[1].cost - clicks as f64 * 0.5).abs() < 1e-6);
        let rows = |w: &World| lines(w, DataFile::AdEvents).len();
        assert!(rows(&world) >= rows(&plain) + clicks, "programs are in the file, too");
    }
}
