//! Dates and times of day in Norway.

use std::sync::LazyLock;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Milliseconds in a minute.
pub const MINUTE: i64 = 60 * 1000;
/// Milliseconds in an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Milliseconds in a day.
pub const DAY: i64 = 24 * HOUR;

/// The rules of summer time, from the copy inside the binary.
static OSLO: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::get("Europe/Oslo").unwrap_or(TimeZone::UTC));

fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

/// The date in Norway at a time (milliseconds since 1970 UTC).
pub fn date_of(ms: i64) -> Date {
    OSLO.to_datetime(timestamp(ms)).date()
}

/// The hour in Norway at a time, with fractions: 13.5 is half past one.
pub fn hour_of(ms: i64) -> f64 {
    let clock = OSLO.to_datetime(timestamp(ms)).time();
    f64::from(clock.hour()) + f64::from(clock.minute()) / 60.0
}

/// Milliseconds since 1970 UTC of a Norwegian clock time, in minutes after midnight.
pub fn at(date: Date, minutes: i64) -> i64 {
    let midnight = OSLO.to_ambiguous_timestamp(date.at(0, 0, 0, 0)).compatible();
    midnight.map(Timestamp::as_millisecond).unwrap_or_default() + minutes * MINUTE
}

/// The date so many days later; earlier for negative numbers.
pub fn days_after(date: Date, days: i64) -> Date {
    date.saturating_add(days.days())
}

/// `2026-11-22T08:05:00+01:00`.
pub fn written(ms: i64) -> String {
    let at = timestamp(ms);
    at.display_with_offset(OSLO.to_offset(at)).to_string()
}
