//! Channels, kinds of touch, and how each channel reaches people.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use throughline_core::EventKind;

/// The channels of the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Channel {
    /// Clicks on search advertisements.
    PaidSearch,
    /// Advertisements in social networks.
    PaidSocial,
    /// Banners.
    Display,
    /// Banners shown only to recent visitors.
    Retargeting,
    /// Video advertisements.
    Video,
    /// Clicks on partners' sites.
    Affiliates,
    /// E-mail.
    Email,
    /// Text messages.
    Sms,
    /// Push messages of the app.
    Push,
    /// Letters and catalogues.
    DirectMail,
    /// Television, by region; nobody knows who watched.
    Tv,
    /// Radio, by region; nobody knows who listened.
    Radio,
    /// Visits from search results that were not paid for.
    Organic,
    /// Visits by typing the address.
    Direct,
    /// Visits from other sites.
    Referral,
}

/// How a channel reaches a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Impressions, some clicked.
    Shown,
    /// Like `Shown`, but only after a visit or click in the last seven days.
    Audience,
    /// Only the click is seen.
    Clicked,
    /// A visit without cost.
    Visit,
    /// E-mails to people who agreed: sent, opened, clicked.
    Message,
    /// Other messages to people who agreed, on fixed days: delivered, some clicked.
    Batch,
    /// Everybody in a region, unseen.
    Broadcast,
}

impl Channel {
    /// How many there are.
    pub const COUNT: usize = 15;

    /// Every channel, in table order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::PaidSearch,
        Self::PaidSocial,
        Self::Display,
        Self::Retargeting,
        Self::Video,
        Self::Affiliates,
        Self::Email,
        Self::Sms,
        Self::Push,
        Self::DirectMail,
        Self::Tv,
        Self::Radio,
        Self::Organic,
        Self::Direct,
        Self::Referral,
    ];

    /// The name used in scenarios and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PaidSearch => "paid_search",
            Self::PaidSocial => "paid_social",
            Self::Display => "display",
            Self::Retargeting => "retargeting",
            Self::Video => "video",
            Self::Affiliates => "affiliates",
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
            Self::DirectMail => "direct_mail",
            Self::Tv => "tv",
            Self::Radio => "radio",
            Self::Organic => "organic",
            Self::Direct => "direct",
            Self::Referral => "referral",
        }
    }

    /// The position in [`ALL`](Self::ALL).
    pub const fn index(self) -> usize {
        self as usize
    }

    pub(crate) const fn form(self) -> Form {
        match self {
            Self::PaidSocial | Self::Display | Self::Video => Form::Shown,
            Self::Retargeting => Form::Audience,
            Self::PaidSearch | Self::Affiliates => Form::Clicked,
            Self::Email => Form::Message,
            Self::Sms | Self::Push | Self::DirectMail => Form::Batch,
            Self::Tv | Self::Radio => Form::Broadcast,
            Self::Organic | Self::Direct | Self::Referral => Form::Visit,
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of the channels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown channel `{name}` (known: {})", Channel::ALL.map(Channel::name).join(", "))]
pub struct UnknownChannel {
    /// What was given.
    pub name: String,
}

impl FromStr for Channel {
    type Err = UnknownChannel;
    fn from_str(text: &str) -> Result<Self, UnknownChannel> {
        Self::ALL.into_iter().find(|c| c.name() == text).ok_or_else(|| UnknownChannel { name: text.to_owned() })
    }
}

/// One contact of one person with one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// Day of the market, from 0.
    pub day: u32,
    /// Second of the day.
    pub second: u32,
    /// Channel.
    pub channel: Channel,
    /// Impression, click, visit, or the stages of an e-mail.
    pub kind: EventKind,
    /// What was shown: a campaign of the channel or an e-mail of the test.
    pub campaign: Campaign,
    /// Which of the person's devices.
    pub device: u32,
    /// What it cost, in millionths of the currency unit.
    pub cost_micros: i64,
}

/// What a touch showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Campaign {
    /// The channel's campaign at this position of the scenario's list.
    Listed(u32),
    /// The e-mail of an arm of the test.
    Test(crate::Arm),
}

impl Touch {
    /// What the touch adds to the channel's adstock before the campaign's strength: 1 for being seen (impression, visit,
    /// opened e-mail), 2 more for a click, 0 for an e-mail only sent, and 0 for the test's e-mails, whose effect is the
    /// arm's.
    pub(crate) fn weight(&self) -> f64 {
        match (self.campaign, self.kind) {
            (Campaign::Test(_), _) | (_, EventKind::EmailSent) => 0.0,
            (_, EventKind::Click) if self.channel.form() == Form::Clicked => 3.0,
            (_, EventKind::Click | EventKind::EmailClicked) => 2.0,
            _ => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_positions_round_trip() {
        for (index, channel) in Channel::ALL.into_iter().enumerate() {
            assert_eq!(channel.name().parse(), Ok(channel));
            assert_eq!(channel.index(), index);
        }
        assert!("fax".parse::<Channel>().is_err());
    }
}
