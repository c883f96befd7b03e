//! Who may act for a resident: a parent, a guardian, somebody with power of attorney.

use record::identity::PersonId;

/// A resident's representative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Representation {
    /// The person who represents.
    pub representative: PersonId,
    /// By what right.
    pub kind: Kind,
    /// Keys of the categories it covers; empty means all.
    pub categories: Vec<String>,
    /// Valid from here, milliseconds since 1970; absent means since ever.
    pub valid_from: Option<i64>,
    /// Valid until here; absent means until it is taken back.
    pub valid_to: Option<i64>,
}

/// By what right somebody represents a resident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Parental responsibility, which ends when the child turns 16 (pbrl. §§ 3-4, 4-3).
    Parent,
    /// Guardian with a mandate that covers health (vergemålsloven).
    Guardian,
    /// Power of attorney that the resident gave.
    Attorney,
}

impl Kind {
    /// Stable key; the role an audit entry shows.
    pub fn key(self) -> &'static str {
        match self {
            Kind::Parent => "parent",
            Kind::Guardian => "guardian",
            Kind::Attorney => "attorney",
        }
    }
}

impl Representation {
    /// Whether it is valid now. `born` is the beginning in Norway of the day the represented was
    /// born; where that is unknown, nobody is shown to be a child.
    pub fn is_valid(&self, born: Option<i64>, now: i64) -> bool {
        self.valid_from.is_none_or(|from| from <= now)
            && self.valid_to.is_none_or(|to| now < to)
            && (self.kind != Kind::Parent || born.is_some_and(|born| now < sixteen(born)))
    }

    /// Whether it covers a category.
    pub fn covers(&self, category: &str) -> bool {
        self.categories.is_empty() || self.categories.iter().any(|covered| covered == category)
    }
}

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// Norway is at most two hours ahead of UTC: this much later, the date in UTC is Norway's.
const AHEAD: i64 = 2 * 3_600_000;

/// The beginning of the day somebody turns 16, from the beginning of the day of birth.
fn sixteen(born: i64) -> i64 {
    let day = (born.saturating_add(AHEAD)).div_euclid(DAY);
    let (year, month, of_month) = date(day);
    let later = day_number(year + 16, month, of_month);
    born.saturating_add((later - day).saturating_mul(DAY))
}

/// Day number since 1970-01-01 as year, month and day of the Gregorian calendar; years are counted
/// from 1 March, so that the day of the leap year is the last.
fn date(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    (year_of_era + era * 400, month, of_year - (153 * month + 2) / 5)
}

/// The inverse of [`date`].
fn day_number(year: i64, month: i64, of_month: i64) -> i64 {
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + of_month;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_turns_sixteen_on_the_day_of_birth() {
        // 2010-03-02 and 2010-07-15 at midnight in Norway, winter and summer time.
        for (born, then) in [
            (1_267_484_400_000, 1_772_406_000_000),
            (1_279_144_800_000, 1_784_066_400_000),
            // 2012-02-29: sixteen years later is a leap year too.
            (1_330_470_000_000, 1_835_391_600_000),
        ] {
            assert_eq!(sixteen(born), then);
        }
        for day in -200_000..200_000 {
            let (year, month, of_month) = date(day);
            assert_eq!(day_number(year, month, of_month), day);
        }
    }
}
