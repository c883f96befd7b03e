//! Dates, dates with time, and times of day as FHIRPath knows them: to any precision, and compared
//! only as far as both are known (FHIRPath 2.0.0 §2.1.5, §6.2, §6.8).
//!
//! Invariant: fields finer than the precision are at their least value, and a date exists.

use crate::instant;
use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};
use std::cmp::Ordering;
use std::fmt;
use std::sync::LazyLock;

use super::decimal::Decimal;

/// The zone's rules are compiled in; nothing is read from the machine.
static LOCAL: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::get(instant::ZONE).unwrap_or(TimeZone::UTC));

/// Minutes that a clock may be ahead of UTC, and behind.
const FARTHEST_EAST: i16 = 14 * 60;
const FARTHEST_WEST: i16 = -12 * 60;

/// Which of the three a moment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A date.
    Date,
    /// A date, perhaps with time.
    DateTime,
    /// A time of day.
    Time,
}

/// How far a moment is known. Seconds and their fractions are one (§6.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// To the year.
    Year,
    /// To the month.
    Month,
    /// To the day.
    Day,
    /// To the hour.
    Hour,
    /// To the minute.
    Minute,
    /// To the second or finer.
    Second,
}

/// A span of the calendar or clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Years of the calendar.
    Year,
    /// Months of the calendar.
    Month,
    /// Seven days.
    Week,
    /// Days.
    Day,
    /// Hours.
    Hour,
    /// Minutes.
    Minute,
    /// Seconds.
    Second,
    /// Thousandths of a second.
    Millisecond,
}

/// A date, date with time, or time of day.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub(super) sort: Sort,
    pub(super) precision: Precision,
    pub(super) at: civil::DateTime,
    /// How many digits of the second's fraction are written.
    pub(super) digits: u8,
    /// Minutes ahead of UTC.
    pub(super) offset: Option<i16>,
}

impl Moment {
    /// Reads `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub fn date(text: &str) -> Option<Moment> {
        let (moment, rest) = Moment::read_date(text)?;
        rest.is_empty().then_some(moment)
    }

    /// Reads a date, perhaps with `T`, a time to any precision, and a zone.
    pub fn date_time(text: &str) -> Option<Moment> {
        let (mut moment, rest) = Moment::read_date(text)?;
        moment.sort = Sort::DateTime;
        let Some(rest) = rest.strip_prefix('T') else {
            return rest.is_empty().then_some(moment);
        };
        if rest.is_empty() {
            return Some(moment);
        }
        (moment.precision == Precision::Day).then_some(())?;
        let rest = moment.read_time(rest)?;
        moment.offset = match rest {
            "" => None,
            "Z" => Some(0),
            zone => Some(read_offset(zone)?),
        };
        Some(moment)
    }

    /// Reads a time of day to any precision.
    pub fn time(text: &str) -> Option<Moment> {
        let mut moment = Moment {
            sort: Sort::Time,
            precision: Precision::Hour,
            at: civil::date(1, 1, 1).at(0, 0, 0, 0),
            digits: 0,
            offset: None,
        };
        let rest = moment.read_time(text)?;
        rest.is_empty().then_some(moment)
    }

    /// The moment of these epoch milliseconds, in the civil time of [`instant::ZONE`].
    pub fn of(milliseconds: i64) -> Option<Moment> {
        let zoned = Timestamp::from_millisecond(milliseconds).ok()?.to_zoned(LOCAL.clone());
        Some(Moment {
            sort: Sort::DateTime,
            precision: Precision::Second,
            at: zoned.datetime(),
            digits: 3,
            offset: i16::try_from(zoned.offset().seconds() / 60).ok(),
        })
    }

    /// The date alone.
    pub(super) fn to_date(self) -> Moment {
        let precision = self.precision.min(Precision::Day);
        let at = self.at.date().at(0, 0, 0, 0);
        Moment { sort: Sort::Date, precision, at, digits: 0, offset: None }
    }

    /// The same date as a date with time.
    pub(super) fn to_date_time(self) -> Moment {
        Moment { sort: Sort::DateTime, ..self }
    }

    /// The time of day alone.
    pub(super) fn to_time(self) -> Moment {
        let at = civil::date(1, 1, 1).to_datetime(self.at.time());
        Moment { sort: Sort::Time, at, offset: None, ..self }
    }

    /// With the fields that the precision leaves out at their least value.
    pub(super) fn without_finer_fields(self) -> Moment {
        let (date, time) = (self.at.date(), self.at.time());
        let kept = |precision, field: i8, least: i8| {
            if self.precision >= precision { field } else { least }
        };
        let month = kept(Precision::Month, date.month(), 1);
        let day = kept(Precision::Day, date.day(), 1);
        let hour = kept(Precision::Hour, time.hour(), 0);
        let minute = kept(Precision::Minute, time.minute(), 0);
        let second = kept(Precision::Second, time.second(), 0);
        let parts = if self.digits > 0 { time.subsec_nanosecond() } else { 0 };
        let date = civil::Date::new(date.year(), month, day).unwrap_or(date);
        Moment { at: date.at(hour, minute, second, parts), ..self }
    }

    fn read_date(text: &str) -> Option<(Moment, &str)> {
        let (year, mut rest) = digits(text, 4)?;
        let year = i16::try_from(year).ok().filter(|year| *year > 0)?;
        let (mut month, mut day) = (1, 1);
        let mut precision = Precision::Year;
        if let Some(tail) = rest.strip_prefix('-') {
            (month, rest) = digits(tail, 2)?;
            precision = Precision::Month;
            if let Some(tail) = rest.strip_prefix('-') {
                (day, rest) = digits(tail, 2)?;
                precision = Precision::Day;
            }
        }
        let date = civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        let at = date.ok()?.at(0, 0, 0, 0);
        Some((Moment { sort: Sort::Date, precision, at, digits: 0, offset: None }, rest))
    }

    /// Reads the time at the start of `text` into this moment, and gives what follows it.
    fn read_time<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let (hour, mut rest) = digits(text, 2)?;
        let (mut minute, mut second, mut nanosecond) = (0, 0, 0);
        self.precision = Precision::Hour;
        if let Some(tail) = rest.strip_prefix(':') {
            (minute, rest) = digits(tail, 2)?;
            self.precision = Precision::Minute;
            if let Some(tail) = rest.strip_prefix(':') {
                (second, rest) = digits(tail, 2)?;
                self.precision = Precision::Second;
                // R4 allows the leap second, which no calendar here knows.
                second = if second == 60 { 59 } else { second };
                if let Some(tail) = rest.strip_prefix('.') {
                    let length = tail.bytes().take_while(u8::is_ascii_digit).count();
                    let (written, tail) = tail.split_at_checked(length).filter(|_| length > 0)?;
                    let kept = written.get(..length.min(9))?;
                    nanosecond = format!("{kept:0<9}").parse::<i32>().ok()?;
                    self.digits = u8::try_from(kept.len()).ok()?;
                    rest = tail;
                }
            }
        }
        let field = |number: i32| i8::try_from(number).ok();
        let time = civil::Time::new(field(hour)?, field(minute)?, field(second)?, nanosecond);
        self.at = self.at.date().to_datetime(time.ok()?);
        Some(rest)
    }

    /// Whether the two are the same, as far as that is known (§6.1.1).
    pub(super) fn equals(&self, other: &Moment) -> Option<bool> {
        if (self.sort == Sort::Time) != (other.sort == Sort::Time) {
            return Some(false);
        }
        self.compare(other).map(|order| order == Ordering::Equal)
    }

    /// Which comes first; nothing where that is not known, or one is a time of day and one a date.
    pub(super) fn compare(&self, other: &Moment) -> Option<Ordering> {
        if (self.sort == Sort::Time) != (other.sort == Sort::Time) {
            return None;
        }
        let timed = |moment: &Moment| moment.precision >= Precision::Hour;
        if !timed(self) || !timed(other) || self.offset.is_some() == other.offset.is_some() {
            let zoned = timed(self) && timed(other);
            let (one, two) = if zoned { (self.utc(), other.utc()) } else { (self.at, other.at) };
            return self.compare_fields(one, two, other);
        }
        // One names no zone: certain only if no zone could change the order.
        let east = self.zoned(FARTHEST_EAST).compare(&other.zoned(FARTHEST_EAST));
        let west = self.zoned(FARTHEST_WEST).compare(&other.zoned(FARTHEST_WEST));
        east.filter(|order| Some(*order) == west && *order != Ordering::Equal)
    }

    /// Whether the two are the same to the same precision (§6.1.3).
    pub(super) fn is_like(&self, other: &Moment) -> bool {
        self.precision == other.precision && self.equals(other) == Some(true)
    }

    fn compare_fields(
        &self,
        one: civil::DateTime,
        two: civil::DateTime,
        other: &Moment,
    ) -> Option<Ordering> {
        let fields = |at: civil::DateTime| {
            let second = i64::from(at.second()) * 1_000_000_000 + i64::from(at.subsec_nanosecond());
            [
                (Precision::Year, i64::from(at.year())),
                (Precision::Month, i64::from(at.month())),
                (Precision::Day, i64::from(at.day())),
                (Precision::Hour, i64::from(at.hour())),
                (Precision::Minute, i64::from(at.minute())),
                (Precision::Second, second),
            ]
        };
        for ((precision, one), (_, two)) in fields(one).into_iter().zip(fields(two)) {
            if precision > self.precision && precision > other.precision {
                break;
            }
            if precision > self.precision || precision > other.precision {
                return None;
            }
            if one != two {
                return Some(one.cmp(&two));
            }
        }
        Some(Ordering::Equal)
    }

    fn utc(&self) -> civil::DateTime {
        let minutes = i64::from(self.offset.unwrap_or_default());
        self.at.checked_sub(minutes.minutes()).unwrap_or(self.at)
    }

    /// With this zone, if it names none.
    pub(super) fn zoned(self, offset: i16) -> Moment {
        Moment { offset: self.offset.or(Some(offset)), ..self }
    }

    /// So much later. A unit finer than the precision is turned into the precision first, and parts of
    /// a unit count only in seconds (§6.8.1). Nothing outside the calendar.
    pub(super) fn plus(self, amount: Decimal, unit: Unit) -> Option<Moment> {
        let (amount, unit) = self.in_known_units(amount, unit)?;
        let number = amount.cut(0)?.to_integer()?;
        let span = match unit {
            Unit::Year => Span::new().try_years(number),
            Unit::Month => Span::new().try_months(number),
            Unit::Week => Span::new().try_weeks(number),
            Unit::Day => Span::new().try_days(number),
            Unit::Hour => Span::new().try_hours(number),
            Unit::Minute => Span::new().try_minutes(number),
            Unit::Second => {
                let thousandths = amount.times(Decimal::from(1000))?.cut(0)?.to_integer()?;
                Span::new().try_milliseconds(thousandths)
            }
            Unit::Millisecond => Span::new().try_milliseconds(number),
        };
        let mut moment = self;
        if self.sort == Sort::Time {
            moment.at = self.at.date().to_datetime(self.at.time().wrapping_add(span.ok()?));
        } else {
            moment.at = self.at.checked_add(span.ok()?).ok()?;
        }
        if self.precision == Precision::Second && moment.at.subsec_nanosecond() != 0 {
            moment.digits = moment.digits.max(3);
        }
        Some(moment)
    }

    /// The amount in the coarsest unit that this precision knows: 24 months are 2 to a year.
    fn in_known_units(&self, amount: Decimal, unit: Unit) -> Option<(Decimal, Unit)> {
        let (least, steps): (Unit, &[(Unit, i64)]) = match self.precision {
            Precision::Year => (Unit::Year, &[(Unit::Month, 12)]),
            Precision::Month => (Unit::Month, &[]),
            Precision::Day => (Unit::Day, &[]),
            Precision::Hour => (Unit::Hour, &[]),
            Precision::Minute => (Unit::Minute, &[]),
            Precision::Second => (Unit::Millisecond, &[]),
        };
        if unit <= least || (unit == Unit::Week && least == Unit::Day) {
            return Some((amount, unit));
        }
        if let Some((_, parts)) = steps.iter().find(|(of, _)| *of == unit) {
            return Some((amount.divided_whole(Decimal::from(*parts))?, least));
        }
        let milliseconds = amount.cut(0)?.times(Decimal::from(unit.milliseconds()))?;
        Some((milliseconds.divided_whole(Decimal::from(least.milliseconds()))?, least))
    }
}

impl Unit {
    /// The unit of a word of the calendar, `year` or `years`.
    pub fn of_word(word: &str) -> Option<Unit> {
        Some(match word.strip_suffix('s').unwrap_or(word) {
            "year" => Unit::Year,
            "month" => Unit::Month,
            "week" => Unit::Week,
            "day" => Unit::Day,
            "hour" => Unit::Hour,
            "minute" => Unit::Minute,
            "second" => Unit::Second,
            "millisecond" => Unit::Millisecond,
            _ => return None,
        })
    }

    /// The UCUM code of a unit that lasts as long as UCUM says: years and months do not (§2.1.6).
    pub(super) fn ucum(self) -> Option<&'static str> {
        Some(match self {
            Unit::Year | Unit::Month => return None,
            Unit::Week => "wk",
            Unit::Day => "d",
            Unit::Hour => "h",
            Unit::Minute => "min",
            Unit::Second => "s",
            Unit::Millisecond => "ms",
        })
    }

    /// How long it lasts; a month 30 days and a year 365 (§6.8.1).
    pub(super) fn milliseconds(self) -> i64 {
        const DAY: i64 = 86_400_000;
        match self {
            Unit::Year => 365 * DAY,
            Unit::Month => 30 * DAY,
            Unit::Week => 7 * DAY,
            Unit::Day => DAY,
            Unit::Hour => 3_600_000,
            Unit::Minute => 60_000,
            Unit::Second => 1000,
            Unit::Millisecond => 1,
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at;
        if self.sort != Sort::Time {
            write!(to, "{:04}", at.year())?;
            if self.precision >= Precision::Month {
                write!(to, "-{:02}", at.month())?;
            }
            if self.precision >= Precision::Day {
                write!(to, "-{:02}", at.day())?;
            }
            if self.precision >= Precision::Hour {
                write!(to, "T")?;
            }
        }
        if self.precision >= Precision::Hour {
            write!(to, "{:02}", at.hour())?;
        }
        if self.precision >= Precision::Minute {
            write!(to, ":{:02}", at.minute())?;
        }
        if self.precision >= Precision::Second {
            write!(to, ":{:02}", at.second())?;
            let fraction = format!("{:09}", at.subsec_nanosecond());
            match fraction.get(..usize::from(self.digits)) {
                Some(digits) if !digits.is_empty() => write!(to, ".{digits}")?,
                _ => {}
            }
        }
        match self.offset.filter(|_| self.precision >= Precision::Hour) {
            None => Ok(()),
            Some(0) => write!(to, "Z"),
            Some(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                let minutes = offset.unsigned_abs();
                write!(to, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

fn read_offset(text: &str) -> Option<i16> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = digits(rest, 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let fits = rest.is_empty() && hours <= 14 && minutes < 60;
    fits.then(|| i16::try_from(sign * (hours * 60 + minutes)).ok())?
}

/// Reads exactly so many digits.
fn digits(text: &str, count: usize) -> Option<(i32, &str)> {
    let (number, rest) = text.split_at_checked(count)?;
    let fits = number.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| Some((number.parse().ok()?, rest)))?
}
