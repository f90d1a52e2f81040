//! Money as integer micros with a currency. Sums are exact and never mix currencies.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An ISO 4217 code: three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// An amount in millionths of a currency unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Millionths of the unit; negative for refunds.
    pub micros: i64,
    /// The currency of the amount.
    pub currency: Currency,
}

/// What can go wrong with money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// Not three letters.
    #[error("`{text}` is not an ISO 4217 currency code (expected three letters such as EUR)")]
    BadCurrency {
        /// What was given.
        text: String,
    },
    /// Not a finite amount within ±9.2 × 10¹² units.
    #[error("amount {text} is not finite or exceeds ±9,223,372,036,854 units")]
    BadAmount {
        /// What was given.
        text: String,
    },
    /// Two currencies met in one sum.
    #[error("cannot add {right} to {left}: convert with the dated exchange-rate table first")]
    MixedCurrencies {
        /// Currency of the sum so far.
        left: Currency,
        /// Currency of the amount added.
        right: Currency,
    },
    /// The sum does not fit.
    #[error("sum of money exceeds 64 bits of micros")]
    Overflow,
}

impl Currency {
    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let upper = text.trim().to_ascii_uppercase();
        <[u8; 3]>::try_from(upper.as_bytes())
            .ok()
            .filter(|b| b.iter().all(u8::is_ascii_uppercase))
            .map(Self)
            .ok_or_else(|| MoneyError::BadCurrency { text: text.chars().take(20).collect() })
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(c: Currency) -> Self {
        c.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Converts units to micros, rounding half away from zero.
pub fn micros_from_units(units: f64) -> Result<i64, MoneyError> {
    let micros = (units * 1e6).round();
    if micros.is_finite() && micros.abs() < 9.2e18 {
        #[expect(clippy::cast_possible_truncation, reason = "bounded just above")]
        return Ok(micros as i64);
    }
    Err(MoneyError::BadAmount { text: units.to_string() })
}

/// Converts micros to units for display and models.
pub fn units_from_micros(micros: i64) -> f64 {
    micros as f64 / 1e6
}

impl Money {
    /// The sum of amounts in one currency, carried in 128 bits; `None` for no amounts.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Option<Self>, MoneyError> {
        let mut total: Option<(i128, Currency)> = None;
        for amount in amounts {
            let (sum, currency) = total.unwrap_or((0, amount.currency));
            if currency != amount.currency {
                return Err(MoneyError::MixedCurrencies { left: currency, right: amount.currency });
            }
            total = Some((sum + i128::from(amount.micros), currency));
        }
        total
            .map(|(sum, currency)| {
                i64::try_from(sum).map(|micros| Self { micros, currency }).map_err(|_| MoneyError::Overflow)
            })
            .transpose()
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:.2}", self.currency, units_from_micros(self.micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur(micros: i64) -> Money {
        Money { micros, currency: "EUR".parse().expect("a code") }
    }

    #[test]
    fn sums_are_exact_and_single_currency() {
        assert_eq!(Money::sum([]), Ok(None));
        assert_eq!(Money::sum([eur(1), eur(-3)]), Ok(Some(eur(-2))));
        assert_eq!(Money::sum([eur(i64::MAX), eur(1)]), Err(MoneyError::Overflow));
        assert_eq!(Money::sum([eur(i64::MAX), eur(1), eur(-1)]), Ok(Some(eur(i64::MAX))));
        let usd = Money { micros: 1, currency: "usd".parse().expect("a code") };
        assert!(matches!(Money::sum([eur(1), usd]), Err(MoneyError::MixedCurrencies { .. })));
    }

    #[test]
    fn amounts_are_bounded() {
        assert_eq!(micros_from_units(1.234_567_8), Ok(1_234_568));
        assert!(micros_from_units(f64::NAN).is_err());
        assert!(micros_from_units(1e13).is_err());
        assert!("EURO".parse::<Currency>().is_err());
    }
}
