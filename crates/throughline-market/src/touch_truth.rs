//! What single touches caused: the same life without the touch. Effects of touches that saturate or help each other do not
//! add up to the effect of all.

use serde::{Deserialize, Serialize};

use crate::tables::{Seen, advertised, event_id, mailed, message_id};
use crate::{Channel, Life, World, response};

/// People whose touches are told.
const ASKED: usize = 500;

/// What one touch caused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TouchTruth {
    /// The event's id in its file.
    pub event_id: String,
    /// Customer number of the true person.
    pub crm_id: String,
    /// Channel.
    pub channel: Channel,
    /// Mean purchases on the written days beyond those of the same life without the touch; exact.
    pub true_conversions: f64,
}

impl World {
    /// What each touch caused, for everybody in a market of up to [`ASKED`] people and else for every so-manieth person.
    pub fn touch_truths(&self) -> Vec<TouchTruth> {
        let step = u32::try_from(self.lives().len().div_ceil(ASKED).max(1)).unwrap_or(1);
        let of_asked = |s: &(usize, Seen<'_>)| {
            let number = s.1.life.person.number;
            number < self.scenario().people && number.is_multiple_of(step)
        };
        let ads = advertised(self).into_iter().enumerate().filter(of_asked).map(|(row, s)| (event_id(row), s));
        let mails = mailed(self).into_iter().enumerate().filter(of_asked).map(|(row, s)| (message_id(row), s));
        let mut touches: Vec<(String, Seen<'_>)> = ads.chain(mails).collect();
        touches.sort_by_key(|(_, s)| (s.life.person.number, s.position));
        let with = self.each_life(|life| {
            let asked = life.person.number.is_multiple_of(step);
            asked.then(|| self.purchases_without(life, None))
        });
        let effects = self.each(&touches, |(_, s)| {
            let whole = with.get(s.life.person.number as usize).copied().flatten().unwrap_or(0.0);
            whole - self.purchases_without(s.life, Some(s.position))
        });
        touches
            .into_iter()
            .zip(effects)
            .map(|((event_id, s), true_conversions)| TouchTruth {
                event_id,
                crm_id: s.life.person.crm_id(),
                channel: s.touch.channel,
                true_conversions,
            })
            .collect()
    }

    fn purchases_without(&self, life: &Life, position: Option<usize>) -> f64 {
        let touches: Vec<_> =
            life.touches.iter().enumerate().filter(|(i, _)| Some(*i) != position).map(|(_, t)| *t).collect();
        let intent = crate::person::intent(&self.scenario().intent, &self.noise(life), self.plan().horizon());
        let course = response::Drive::new(self.plan(), &life.person, &intent, &touches).course(None, &life.sent);
        response::expect(self.plan(), &course, self.plan().recovery.len() - 1, self.written()).purchases
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataFile, Scenario};

    #[test]
    fn every_touch_is_told_by_the_id_of_its_row() {
        let mut scenario = Scenario::default().with_people(120);
        scenario.interactions.clear();
        scenario.faults.malformed_share = 0.0;
        let world = World::simulate(&scenario, 3).expect("valid");
        let told = world.touch_truths();
        let touches: usize = world.lives().iter().flat_map(|l| &l.touches).filter(|t| t.day < 90).count();
        assert_eq!(told.len(), touches, "everybody is asked");
        let mut file = Vec::new();
        world.write(DataFile::AdEvents, &mut file).expect("memory");
        let file = String::from_utf8(file).expect("text");
        let channel = |id: &str| {
            let row =
                file.lines().find(|l| l.starts_with(id)).map(|l| l.split(',').nth(5).unwrap_or_default().to_owned());
            row.unwrap_or_else(|| "email".to_owned())
        };
        for touch in told.iter().step_by(37) {
            assert_eq!(channel(&touch.event_id), touch.channel.name(), "{}", touch.event_id);
        }
        let sum =
            |wanted: &dyn Fn(&&TouchTruth) -> bool| told.iter().filter(wanted).map(|t| t.true_conversions).sum::<f64>();
        assert_eq!(sum(&|t| t.channel == Channel::Direct), 0.0, "visits by typing the address cause nothing");
        let whole = world.truth().channels.into_iter().find(|c| c.channel == Channel::PaidSocial).expect("in use");
        let social = sum(&|t| t.channel == Channel::PaidSocial);
        // Touches saturate together: each alone is missed less than all of them.
        assert!(social > 0.0 && social < whole.true_conversions, "{social} of {}", whole.true_conversions);
    }
}
