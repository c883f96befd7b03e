//! FHIR's dates and times as half-open ranges of epoch milliseconds.
//!
//! A partial date is the whole of its year, month or day. A date has no zone in FHIR; it is taken in
//! [`ZONE`], the civil time of the country. Formats are R4's own and strict (R4 datatypes, date,
//! dateTime, instant, time).

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;
use std::sync::LazyLock;

/// The zone of dates, and of searched times, that name none.
pub const ZONE: &str = "Europe/Oslo";

const SECOND: i64 = 1000;
const DAY: i64 = 24 * 60 * 60 * SECOND;

/// How far [`ZONE`] is ahead of UTC in winter.
const STANDARD_OFFSET: i64 = 60 * 60 * SECOND;

/// The zone's rules are compiled in; nothing is read from the machine.
static LOCAL: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::get(ZONE).unwrap_or(TimeZone::UTC));

/// From the first millisecond to the one after the last.
pub type Range = (i64, i64);

/// A date or time as written, each field checked.
#[derive(Clone, Copy)]
struct Written {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
    clock: Option<Clock>,
    offset: Offset,
}

#[derive(Clone, Copy)]
struct Clock {
    hour: i8,
    minute: i8,
    /// Absent only in searches.
    second: Option<i8>,
    /// Milliseconds into the second, and how many milliseconds the written fraction stands for.
    fraction: Option<(i64, i64)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Offset {
    None,
    Minutes(i64),
}

/// Whether a text is a FHIR `date`.
pub fn is_date(text: &str) -> bool {
    parse(text).is_some_and(|written| written.clock.is_none())
}

/// Whether a text is a FHIR `dateTime`.
pub fn is_date_time(text: &str) -> bool {
    parse(text).is_some_and(|written| written.is_strict())
}

/// Whether a text is a FHIR `instant`.
pub fn is_instant(text: &str) -> bool {
    parse(text).is_some_and(|written| written.clock.is_some() && written.is_strict())
}

/// Whether a text is a FHIR `time`.
pub fn is_time(text: &str) -> bool {
    clock(text).is_some_and(|(clock, rest)| clock.second.is_some() && rest.is_empty())
}

/// The range of a FHIR `date`, `dateTime` or `instant`: `2024` is the whole year in [`ZONE`],
/// `…:07Z` one second, `…:07.120Z` one millisecond.
pub fn range(text: &str) -> Option<Range> {
    parse(text).filter(Written::is_strict).and_then(|written| written.range())
}

/// The range of a date in a search, where R4 also allows a time without seconds or zone.
pub fn search_range(text: &str) -> Option<Range> {
    parse(text).and_then(|written| written.range())
}

/// Epoch milliseconds as an `instant` in UTC with milliseconds, such as `2024-02-29T12:00:00.000Z`.
/// Times beyond the years that a date can write are held at the last one.
pub fn format_instant(milliseconds: i64) -> String {
    let held = milliseconds
        .clamp(Timestamp::MIN.as_millisecond() + 1, Timestamp::MAX.as_millisecond() - 1);
    Timestamp::from_millisecond(held).map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}

/// The civil date in [`ZONE`] at this millisecond, as `YYYY-MM-DD`.
pub fn local_date(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| String::new(), |time| time.to_zoned(LOCAL.clone()).date().to_string())
}

impl Written {
    /// Whether a time has the seconds and zone that R4 asks for outside searches.
    fn is_strict(&self) -> bool {
        self.clock.is_none_or(|clock| clock.second.is_some() && self.offset != Offset::None)
    }

    fn range(&self) -> Option<Range> {
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        let date = civil::Date::new(self.year, month, day).ok()?;
        let Some(clock) = self.clock else {
            return Some((midnight(date)?, self.end(date)?));
        };
        let at = date.at(clock.hour, clock.minute, 0, 0);
        let minute = match self.offset {
            Offset::Minutes(offset) => as_utc(at)? - offset * 60 * SECOND,
            Offset::None => local(at)?,
        };
        let Some(second) = clock.second else {
            return Some((minute, minute + 60 * SECOND));
        };
        let (fraction, length) = clock.fraction.unwrap_or((0, SECOND));
        let low = minute + i64::from(second) * SECOND + fraction;
        Some((low, low + length))
    }

    /// The midnight that ends the year, month or day beginning with `first`.
    fn end(&self, first: civil::Date) -> Option<i64> {
        let next = match (self.month, self.day) {
            (None, _) | (Some(12), None) => civil::Date::new(self.year + 1, 1, 1),
            (Some(month), None) => civil::Date::new(self.year, month + 1, 1),
            (Some(_), Some(_)) => first.tomorrow(),
        };
        match next {
            Ok(next) => midnight(next),
            // No date comes after the last one.
            Err(_) => Some(midnight(civil::Date::MAX)? + DAY),
        }
    }
}

fn midnight(date: civil::Date) -> Option<i64> {
    local(date.at(0, 0, 0, 0))
}

fn local(time: civil::DateTime) -> Option<i64> {
    match LOCAL.to_ambiguous_zoned(time).compatible() {
        Ok(zoned) => Some(zoned.timestamp().as_millisecond()),
        // Only at the ends of the calendar, such as 9999-12-31, which means "without end" to many.
        Err(_) => Some(as_utc(time)? - STANDARD_OFFSET),
    }
}

fn as_utc(time: civil::DateTime) -> Option<i64> {
    let epoch = civil::date(1970, 1, 1).at(0, 0, 0, 0);
    i64::try_from(time.duration_since(epoch).as_millis()).ok()
}

fn parse(text: &str) -> Option<Written> {
    let (year, mut rest) = digits(text, 4)?;
    let mut written = Written {
        year: i16::try_from(year).ok().filter(|year| *year > 0)?,
        month: None,
        day: None,
        clock: None,
        offset: Offset::None,
    };
    if let Some(tail) = rest.strip_prefix('-') {
        let (month, tail) = digits(tail, 2)?;
        written.month = i8::try_from(month).ok().filter(|month| (1..=12).contains(month));
        written.month?;
        rest = tail;
        if let Some(tail) = rest.strip_prefix('-') {
            let (day, tail) = digits(tail, 2)?;
            written.day = i8::try_from(day).ok();
            civil::Date::new(written.year, written.month?, written.day?).ok()?;
            rest = tail;
        }
    }
    if rest.is_empty() {
        return Some(written);
    }
    written.day?;
    let (clock, rest) = clock(rest.strip_prefix('T')?)?;
    written.clock = Some(clock);
    written.offset = offset(rest)?;
    Some(written)
}

fn clock(text: &str) -> Option<(Clock, &str)> {
    let (hour, rest) = digits(text, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let hour = i8::try_from(hour).ok().filter(|hour| *hour < 24)?;
    let minute = i8::try_from(minute).ok().filter(|minute| *minute < 60)?;
    let mut clock = Clock { hour, minute, second: None, fraction: None };
    let Some(rest) = rest.strip_prefix(':') else {
        return Some((clock, rest));
    };
    let (second, rest) = digits(rest, 2)?;
    // R4 allows the leap second.
    clock.second = Some(i8::try_from(second).ok().filter(|second| *second <= 60)?);
    let Some(rest) = rest.strip_prefix('.') else {
        return Some((clock, rest));
    };
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (written, rest) = rest.split_at_checked(length).filter(|_| length > 0)?;
    let kept = written.get(..length.min(3))?;
    let unit = 10_i64.pow(u32::try_from(3 - kept.len()).ok()?);
    clock.fraction = Some((kept.parse::<i64>().ok()? * unit, unit));
    Some((clock, rest))
}

fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = match text.as_bytes().first() {
        None => return Some(Offset::None),
        Some(b'Z') if text.len() == 1 => return Some(Offset::Minutes(0)),
        Some(b'+') => (1, text.strip_prefix('+')?),
        Some(b'-') => (-1, text.strip_prefix('-')?),
        Some(_) => return None,
    };
    let (hours, rest) = digits(rest, 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let fits = rest.is_empty() && minutes < 60 && (hours < 14 || (hours == 14 && minutes == 0));
    fits.then_some(Offset::Minutes(sign * (hours * 60 + minutes)))
}

/// Reads exactly so many digits.
fn digits(text: &str, count: usize) -> Option<(i64, &str)> {
    let (number, rest) = text.split_at_checked(count)?;
    let fits = number.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| number.parse().ok().map(|number| (number, rest)))?
}
