//! What the kernel reads: signals of people in columns.

use crate::PathsError;

/// No channel, no campaign, no row.
pub const NONE: u32 = u32::MAX;
/// No order id.
pub const NO_ORDER: u64 = u64::MAX;

/// What a signal is: bits of one byte.
#[derive(Debug, Clone, Copy)]
pub struct Role;

impl Role {
    /// A touch of its channel.
    pub const TOUCH: u8 = 1;
    /// The conversion that journeys are built for.
    pub const CONVERSION: u8 = 2;
    /// Money given back.
    pub const REFUND: u8 = 4;
    /// May not be used for measurement.
    pub const NO_CONSENT: u8 = 8;

    /// Order of signals at one instant: touches, then conversions, then refunds.
    pub const fn class(role: u8) -> u8 {
        if role & Self::CONVERSION != 0 {
            1
        } else if role & Self::REFUND != 0 {
            2
        } else {
            0
        }
    }
}

/// Signals of any number of people for one declared conversion; all columns have one length.
///
/// A person's signals are in order of time, at one instant touches before conversions before refunds. A column that is
/// absent holds nothing: interactions are all [`Other`](crate::Interaction::Other).
#[derive(Debug, Clone, Copy, Default)]
pub struct Signals<'a> {
    /// Signals of person p are the rows `persons[p]..persons[p + 1]`; one more than there are people, ascending.
    pub persons: &'a [u32],
    /// Occurrence in µs since 1970, UTC; any number.
    pub at: &'a [i64],
    /// Channel number, or [`NONE`]: then the signal is no touch.
    pub channel: &'a [u32],
    /// Bits of [`Role`].
    pub role: &'a [u8],
    /// Numbers of [`Interaction`](crate::Interaction).
    pub interaction: Option<&'a [u8]>,
    /// Campaign number, or [`NONE`].
    pub campaign: Option<&'a [u32]>,
    /// Value in millionths; of conversions and refunds.
    pub value: Option<&'a [i64]>,
    /// Order number (or a 64-bit hash of the order id), or [`NO_ORDER`].
    pub order: Option<&'a [u64]>,
}

impl Signals<'_> {
    /// Number of signals.
    pub fn len(&self) -> usize {
        self.at.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    /// Checks lengths, order, and channel numbers below `channels`. One pass.
    pub fn check(&self, channels: usize) -> Result<(), PathsError> {
        let rows = self.at.len();
        let lengths = [
            ("channel", Some(self.channel.len())),
            ("role", Some(self.role.len())),
            ("interaction", self.interaction.map(<[u8]>::len)),
            ("campaign", self.campaign.map(<[u32]>::len)),
            ("value", self.value.map(<[i64]>::len)),
            ("order", self.order.map(<[u64]>::len)),
        ];
        for (what, got) in lengths {
            if let Some(got) = got.filter(|g| *g != rows) {
                return Err(PathsError::Shape { what, got, expected: rows });
            }
        }
        let ends = (self.persons.first().copied().unwrap_or(0), self.persons.last().copied().unwrap_or(0));
        if ends.0 != 0 || ends.1 as usize != rows {
            return Err(PathsError::Shape { what: "persons", got: ends.1 as usize, expected: rows });
        }
        if let Some(code) = self.channel.iter().find(|c| **c != NONE && **c as usize >= channels) {
            return Err(PathsError::Shape { what: "channel", got: *code as usize, expected: channels });
        }
        for pair in self.persons.windows(2) {
            let (from, to) = (pair[0] as usize, pair[1] as usize);
            if from > to {
                return Err(PathsError::Shape { what: "persons", got: to, expected: from });
            }
            let order = |row: usize| (self.at[row], Role::class(self.role[row]));
            if let Some(row) = (from + 1..to).find(|row| order(*row) < order(*row - 1)) {
                return Err(PathsError::Unsorted { row });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_do_not_fit_are_refused() {
        let good = Signals {
            persons: &[0, 2, 3],
            at: &[1, 2, 1],
            channel: &[0, NONE, 1],
            role: &[1, 2, 1],
            ..Signals::default()
        };
        assert_eq!(good.check(2), Ok(()));
        assert_eq!(good.check(1), Err(PathsError::Shape { what: "channel", got: 1, expected: 1 }));
        assert_eq!(Signals::default().check(0), Ok(()));
        let value = Signals { value: Some(&[1]), ..good };
        assert_eq!(value.check(2), Err(PathsError::Shape { what: "value", got: 1, expected: 3 }));
        assert_eq!(Signals { persons: &[0, 3], ..good }.check(2), Err(PathsError::Unsorted { row: 2 }));
        assert!(Signals { persons: &[0, 4], ..good }.check(2).is_err());
        assert!(Signals { persons: &[0, 3, 2, 3], ..good }.check(2).is_err());
        let refund_first =
            Signals { persons: &[0, 2], at: &[1, 1], channel: &[NONE; 2], role: &[4, 2], ..Signals::default() };
        assert_eq!(refund_first.check(0), Err(PathsError::Unsorted { row: 1 }));
    }
}
