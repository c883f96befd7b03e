//! Days and minutes on the clock on the wall in Norway.

use std::sync::LazyLock;

use access::vigilance::day::Day;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The rules of summer time, from the copy inside the binary.
static OSLO: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::get("Europe/Oslo").unwrap_or(TimeZone::UTC));

/// The day, and the minute after midnight, at milliseconds since 1970.
pub fn moment(ms: i64) -> (Day, u16) {
    let at = Timestamp::from_millisecond(ms).unwrap_or_default();
    let minutes = minutes(OSLO.to_datetime(at));
    let day = i32::try_from(minutes.div_euclid(DAY)).unwrap_or_default();
    (Day(day), u16::try_from(minutes.rem_euclid(DAY)).unwrap_or_default())
}

/// Milliseconds since 1970 of a day's beginning.
pub fn start(day: Day) -> i64 {
    let (year, month, date) = day.civil();
    let small = |number: i32| i8::try_from(number).unwrap_or(1);
    let civil =
        DateTime::new(i16::try_from(year).unwrap_or(1970), small(month), small(date), 0, 0, 0, 0);
    let at = civil.map(|civil| OSLO.to_ambiguous_timestamp(civil).compatible());
    at.ok().and_then(Result::ok).map(Timestamp::as_millisecond).unwrap_or_default()
}

/// Minutes since 1970-01-01T00:00 on that clock, of `YYYY-MM-DDThh:mm`.
pub fn read(text: &str) -> Option<i64> {
    text.parse().ok().map(minutes)
}

const DAY: i64 = 24 * 60;

fn minutes(at: DateTime) -> i64 {
    let day = Day::parse(&at.date().to_string()).unwrap_or_default();
    i64::from(day.0) * DAY + i64::from(at.hour()) * 60 + i64::from(at.minute())
}
