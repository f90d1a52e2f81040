//! Why a touch is in a path or not, and what became of a conversion or refund.

/// What decided about a touch of a journey. Rules are applied in the order of this list; the first that drops a touch is
/// the one in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Rule {
    /// A step of the path.
    Kept,
    /// Measurement was not granted.
    NoConsent,
    /// Too long before the end of the journey, for its channel and interaction.
    OutsideLookback,
    /// A view, and something that outranks it is in the window.
    Outranked,
    /// Direct traffic, which is never a touch.
    DirectNever,
    /// Further touch of the same channel in one session.
    SameSession,
    /// Direct traffic beside a known channel.
    DirectIgnored,
    /// A repeat that the path transform drops.
    RepeatedChannel,
    /// A channel that the path transform removes.
    RemovedChannel,
    /// More touches than the limit.
    OverLimit,
}

impl Rule {
    /// Every rule, in order.
    pub const ALL: [Self; 10] = [
        Self::Kept,
        Self::NoConsent,
        Self::OutsideLookback,
        Self::Outranked,
        Self::DirectNever,
        Self::SameSession,
        Self::DirectIgnored,
        Self::RepeatedChannel,
        Self::RemovedChannel,
        Self::OverLimit,
    ];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::NoConsent => "no_consent",
            Self::OutsideLookback => "outside_lookback",
            Self::Outranked => "outranked",
            Self::DirectNever => "direct_never",
            Self::SameSession => "same_session",
            Self::DirectIgnored => "direct_ignored",
            Self::RepeatedChannel => "repeated_channel",
            Self::RemovedChannel => "removed_channel",
            Self::OverLimit => "over_limit",
        }
    }
}

/// What became of a conversion or a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Fate {
    /// A conversion with a journey of its own.
    Counted,
    /// A conversion or refund without consent to measurement.
    NoConsent,
    /// A conversion whose order had one before.
    RepeatedOrder,
    /// A conversion of a person who had one before.
    RepeatedPerson,
    /// A conversion in a session that had one before.
    RepeatedSession,
    /// A conversion too soon after the last one counted.
    WithinGap,
    /// A refund that reduced the value of its order's conversion.
    Refunded,
    /// A refund of an order whose conversion was not counted, or that nobody knows.
    UnknownOrder,
    /// A refund that names no order.
    WithoutOrder,
    /// A refund that the configuration ignores.
    RefundIgnored,
}

impl Fate {
    /// Every fate, in order.
    pub const ALL: [Self; 10] = [
        Self::Counted,
        Self::NoConsent,
        Self::RepeatedOrder,
        Self::RepeatedPerson,
        Self::RepeatedSession,
        Self::WithinGap,
        Self::Refunded,
        Self::UnknownOrder,
        Self::WithoutOrder,
        Self::RefundIgnored,
    ];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::NoConsent => "no_consent",
            Self::RepeatedOrder => "repeated_order",
            Self::RepeatedPerson => "repeated_person",
            Self::RepeatedSession => "repeated_session",
            Self::WithinGap => "within_gap",
            Self::Refunded => "refunded",
            Self::UnknownOrder => "unknown_order",
            Self::WithoutOrder => "without_order",
            Self::RefundIgnored => "refund_ignored",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_the_order_of_the_numbers() {
        assert!(Rule::ALL.into_iter().enumerate().all(|(place, rule)| rule as usize == place));
        assert!(Fate::ALL.into_iter().enumerate().all(|(place, fate)| fate as usize == place));
    }
}
