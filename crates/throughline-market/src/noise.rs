//! Every random number of the market, addressed by what it is for: the same in every counterfactual, for any thread
//! count and order of work.

use throughline_core::money;
use throughline_stats::stream::Stream;

/// What a number is for. The discriminants are part of the promise that a seed gives the same market.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Trait = 1,
    Consent = 2,
    Intent = 3,
    Exposure = 4,
    Assignment = 9,
    Purchase = 10,
    Basket = 11,
    Place = 12,
    Row = 13,
    Session = 14,
    Call = 15,
    SignUp = 16,
    Return = 17,
    SearchImpressions = 18,
    ConsentChange = 19,
    Crm = 20,
    Deal = 21,
    Mailing = 22,
    Till = 23,
    WebVisit = 24,
    WebHit = 25,
    Sending = 26,
    Agent = 27,
    Area = 28,
    Lottery = 29,
    Voucher = 30,
    Outreach = 31,
}

/// The numbers of one person in one repetition. Repetition 0 is the market written to files; others redraw what is
/// asked of them, for tests of the simulator itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Noise {
    seed: u64,
    person: u32,
    repetition: u32,
}

impl Noise {
    pub(crate) const fn new(seed: u64, person: u32) -> Self {
        Self { seed, person, repetition: 0 }
    }

    /// The numbers of another person.
    pub(crate) const fn of(self, person: u32) -> Self {
        Self { person, ..self }
    }

    #[cfg(test)]
    pub(crate) const fn repeated(self, repetition: u32) -> Self {
        Self { repetition, ..self }
    }

    /// The stream of a purpose; positions come from [`at`](Self::at).
    pub(crate) fn stream(&self, purpose: Purpose) -> Stream {
        Stream::new(self.seed, ((purpose as u64) << 32) | u64::from(self.person))
    }

    /// The position of a day and a slot below 4096.
    pub(crate) fn at(&self, day: u32, slot: u32) -> u64 {
        (u64::from(self.repetition) << 32) | (u64::from(day) << 12) | u64::from(slot)
    }

    /// Uniform on [0, 1).
    pub(crate) fn unit(&self, purpose: Purpose, day: u32, slot: u32) -> f64 {
        self.stream(purpose).uniform_at(self.at(day, slot))
    }

    /// Standard normal.
    pub(crate) fn normal(&self, purpose: Purpose, day: u32, slot: u32) -> f64 {
        self.stream(purpose).normal_at(self.at(day, slot))
    }

    /// Uniform on 0, …, n − 1.
    pub(crate) fn index(&self, purpose: Purpose, day: u32, slot: u32, n: u32) -> u32 {
        let index = self.stream(purpose).index_at(self.at(day, slot), u64::from(n));
        u32::try_from(index).unwrap_or(0)
    }
}

/// The smallest k with P(X ≤ k) > u for a Poisson variable of mean `mean`, at most `most`.
pub(crate) fn poisson(u: f64, mean: f64, most: u32) -> u32 {
    let (mut mass, mut k) = ((-mean).exp(), 0);
    let mut total = mass;
    while total <= u && k < most {
        k += 1;
        mass *= mean / f64::from(k);
        total += mass;
    }
    k
}

/// The number of failures before the first success of probability `chance`; `u32::MAX` when it would take for ever.
pub(crate) fn geometric(u: f64, chance: f64) -> u32 {
    if chance <= 0.0 {
        return u32::MAX;
    }
    let days = (1.0 - u).ln() / (1.0 - chance).ln();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 4 billion, not negative")]
    if days < f64::from(u32::MAX) { days as u32 } else { u32::MAX }
}

/// Currency units in micros, rounded to the cent; 0 for amounts that are not representable, which a checked scenario
/// cannot produce.
pub(crate) fn cents(units: f64) -> i64 {
    money::micros_from_units((units * 100.0).round() / 100.0).unwrap_or(0)
}

/// Currency units in micros, unrounded; 0 for amounts that are not representable, which a checked scenario cannot hold.
pub(crate) fn fine(units: f64) -> i64 {
    money::micros_from_units(units).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poisson_draws_follow_the_distribution() {
        assert_eq!([0.0, 0.6, 0.61, 0.91, 0.999_999].map(|u| poisson(u, 0.5, 4)), [0, 0, 1, 2, 4]);
        assert_eq!(poisson(0.9, 0.0, 4), 0);
    }

    #[test]
    fn purposes_people_days_and_repetitions_differ() {
        let one = Noise::new(7, 1);
        let numbers = [
            one.unit(Purpose::Purchase, 1, 1),
            one.unit(Purpose::Basket, 1, 1),
            one.unit(Purpose::Purchase, 2, 1),
            one.unit(Purpose::Purchase, 1, 2),
            one.repeated(1).unit(Purpose::Purchase, 1, 1),
            Noise::new(7, 2).unit(Purpose::Purchase, 1, 1),
            Noise::new(8, 1).unit(Purpose::Purchase, 1, 1),
        ];
        for (i, a) in numbers.iter().enumerate() {
            assert!(numbers[i + 1..].iter().all(|b| a != b), "{i}");
        }
        assert_eq!(cents(12.345), 12_350_000);
    }
}
