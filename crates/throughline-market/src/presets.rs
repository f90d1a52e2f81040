//! Scenarios that come along. Half of them use forms that no estimator of ours assumes.

/// A scenario by name.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// Its file.
    pub text: &'static str,
}

macro_rules! preset {
    ($name:literal) => {
        Preset { name: $name, text: include_str!(concat!("../presets/", $name, ".yaml")) }
    };
}

/// Every preset, smallest first.
pub const PRESETS: &[Preset] = &[preset!("tiny"), preset!("demo"), preset!("retail"), preset!("large")];
