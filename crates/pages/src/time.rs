//! Times and dates as people in Norway read them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::text;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A point in time, ready to be shown.
pub struct Moment {
    /// RFC 3339 in UTC, for `datetime`.
    pub iso: String,
    /// `23. november 2025 kl. 10.42`, Norwegian time.
    pub full: String,
    /// `23.11. kl. 10.42`.
    pub short: String,
    /// `for 3 timer siden`.
    pub ago: String,
}

/// A time in milliseconds since 1970, seen from `now_ms`.
pub fn moment(at_ms: i64, now_ms: i64) -> Moment {
    let zoned = oslo(at_ms);
    Moment {
        iso: zoned.timestamp().to_string(),
        full: format!("{} {}", day_text(zoned.date()), clock(&zoned)),
        short: format!("{} {}", day_month(&zoned), clock(&zoned)),
        ago: ago(now_ms.saturating_sub(at_ms)),
    }
}

/// A time on the wall clock of Norway.
pub fn oslo(at_ms: i64) -> Zoned {
    // Outside what a calendar holds there is nothing better to show than 1970.
    let timestamp = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.to_zoned(TimeZone::get("Europe/Oslo").unwrap_or(TimeZone::UTC))
}

/// `5. november 2025` of `2025-11-05`; what is no date is shown as it is.
pub fn day(iso: &str) -> String {
    iso.parse::<Date>().map_or_else(|_| iso.to_owned(), day_text)
}

/// Whole years since a `YYYY-MM-DD`, on the day `now_ms` in Norway.
pub fn age(birth_date: &str, now_ms: i64) -> Option<i16> {
    let born: Date = birth_date.parse().ok()?;
    let today = oslo(now_ms).date();
    let had_birthday = (today.month(), today.day()) >= (born.month(), born.day());
    let years = today.year() - born.year() - i16::from(!had_birthday);
    (years >= 0).then_some(years)
}

/// `23.11.`.
pub fn day_month(zoned: &Zoned) -> String {
    format!("{}.{}.", zoned.day(), zoned.month())
}

fn clock(zoned: &Zoned) -> String {
    format!("kl. {:02}.{:02}", zoned.hour(), zoned.minute())
}

fn day_text(date: Date) -> String {
    let month = text::get(&format!("month-{}", date.month()));
    format!("{}. {month} {}", date.day(), date.year())
}

fn ago(elapsed_ms: i64) -> String {
    let (key, unit) = match elapsed_ms {
        ..MINUTE_MS => return text::get("time-now"),
        MINUTE_MS..HOUR_MS => ("time-ago-minutes", MINUTE_MS),
        HOUR_MS..DAY_MS => ("time-ago-hours", HOUR_MS),
        _ => ("time-ago-days", DAY_MS),
    };
    text::with(key, &[("n", (elapsed_ms / unit).into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2025-11-23T09:42:00Z.
    const NOW: i64 = 1_763_890_920_000;

    #[test]
    fn times_are_norwegian_in_winter_and_summer() {
        assert_eq!(moment(NOW, NOW).full, "23. november 2025 kl. 10.42");
        assert_eq!(moment(NOW - 150 * DAY_MS, NOW).full, "26. juni 2025 kl. 11.42");
        assert_eq!(moment(NOW, NOW).iso, "2025-11-23T09:42:00Z");
    }

    #[test]
    fn elapsed_time_is_told_in_its_largest_unit() {
        let ago = |ms: i64| moment(NOW - ms, NOW).ago;
        assert_eq!(ago(-5 * HOUR_MS), "nå nettopp");
        assert_eq!(ago(MINUTE_MS), "for 1 minutt siden");
        assert_eq!(ago(3 * HOUR_MS + 59 * MINUTE_MS), "for 3 timer siden");
        assert_eq!(ago(45 * DAY_MS), "for 45 dager siden");
    }

    #[test]
    fn age_counts_birthdays() {
        assert_eq!(age("1939-11-23", NOW), Some(86));
        assert_eq!(age("1939-11-24", NOW), Some(85));
        assert_eq!(age("2030-01-01", NOW), None);
        assert_eq!(day("noe rart"), "noe rart");
    }
}
