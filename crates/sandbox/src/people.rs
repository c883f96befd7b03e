//! The residents: who they are, where they live, and how their health is in the main.
//!
//! Invariants:
//! - Any resident can be made alone, from seed, municipality and place in the list.
//! - No two residents of both municipalities have the same identity number: birth date and serial
//!   follow from the place in the list, and each municipality uses every other serial. This holds
//!   for [`MOST`] residents of a municipality.
//! - Who a resident is does not depend on the time.

use jiff::civil::{Date, date};
use record::identity::complete_number;

use crate::calendar::days_after;
use crate::names;
use crate::random::{Stream, Topic};
use crate::stories::{self, Plan};
use crate::world::Municipality;

/// The most residents a municipality may have.
pub const MOST: u32 = 500_000;

/// Administrative gender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gender {
    /// `female`.
    Woman,
    /// `male`.
    Man,
}

/// How somebody's health is in the main; decides services and vital signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Old, or with a disability, but in good health.
    #[default]
    Healthy,
    /// Chronic obstructive pulmonary disease: a NEWS2 of four or five is the normal.
    Copd,
    /// Heart failure.
    HeartFailure,
    /// Frail.
    Frail,
    /// Dementia.
    Dementia,
    /// Has one infection after another.
    InfectionProne,
}

/// The next of kin.
#[derive(Clone, Debug)]
pub struct Kin {
    /// First name.
    pub given: &'static str,
    /// Surname.
    pub family: &'static str,
    /// In Bokmål: `Ektefelle`, `Datter`, `Sønn`.
    pub relation: &'static str,
    /// Telephone.
    pub phone: String,
}

/// Who somebody is.
#[derive(Clone, Debug)]
pub struct Person {
    /// First name.
    pub given: &'static str,
    /// Surname.
    pub family: &'static str,
    /// Gender.
    pub gender: Gender,
    /// Date of birth.
    pub birth: Date,
    /// Which of the day's numbers the person has, from 0.
    serial: u32,
    /// Telephone.
    pub phone: String,
    /// Street and house number.
    pub street: String,
}

/// A resident.
#[derive(Clone, Debug)]
pub struct Resident {
    /// Place in the municipality's list, from 0.
    pub index: u32,
    /// The story the resident plays in, for the first few.
    pub story: Option<&'static Plan>,
    /// Identity number.
    pub number: String,
    /// Who it is.
    pub person: Person,
    /// Health in the main.
    pub profile: Profile,
    /// Next of kin.
    pub kin: Kin,
}

/// The resident at a place in the list. The first are those of the stories, whatever the seed.
pub fn resident(seed: u64, municipality: &Municipality, index: u32) -> Resident {
    let story = stories::plan(municipality, index);
    let mut chance = stream(seed, Topic::Person, municipality, index);
    let household = Household::of(seed, municipality, index);
    let ordinary = person(seed, municipality, index, &household);
    let person = story.map_or_else(|| ordinary.clone(), |plan| plan.person(&ordinary));
    let profile = story.map_or_else(|| profile(&mut chance, person.birth), |plan| plan.profile);
    Resident {
        index,
        story,
        number: number(person.birth, person.gender, person.serial).unwrap_or_default(),
        kin: kin(&mut chance, seed, municipality, index, &household, &person),
        person,
        profile,
    }
}

/// A stream about the person at a place in a municipality's list.
pub fn stream(seed: u64, topic: Topic, municipality: &Municipality, index: u32) -> Stream {
    // The stories are the same under every seed.
    let seed = if stories::plan(municipality, index).is_some() { 0 } else { seed };
    Stream::new(seed, topic, &[municipality.stream, u64::from(index)])
}

impl Person {
    /// A person of a story; telephone and street are those of `ordinary`.
    pub(crate) fn told(
        ordinary: &Person,
        (given, family): (&'static str, &'static str),
        gender: Gender,
        birth: Date,
    ) -> Person {
        // Serial 0 is never an ordinary resident's.
        Person { given, family, gender, birth, serial: 0, ..ordinary.clone() }
    }

    /// First name and surname.
    pub fn name(&self) -> String {
        format!("{} {}", self.given, self.family)
    }
}

/// What those at two neighbouring places in the list share, if they are a couple.
struct Household {
    couple: bool,
    genders: [Gender; 2],
    surname: &'static str,
    street: String,
}

impl Household {
    fn of(seed: u64, municipality: &Municipality, index: u32) -> Self {
        let path = [municipality.stream, u64::from(index / 2)];
        let mut chance = Stream::new(seed, Topic::Household, &path);
        let first = if chance.chance(50) { Gender::Woman } else { Gender::Man };
        let same = chance.chance(5);
        Self {
            couple: index >= stories::PER_MUNICIPALITY && chance.chance(40),
            genders: [first, if same { first } else { first.other() }],
            surname: chance.pick(&names::SURNAMES),
            street: address(&mut chance, municipality),
        }
    }
}

impl Gender {
    fn other(self) -> Self {
        match self {
            Self::Woman => Self::Man,
            Self::Man => Self::Woman,
        }
    }

    /// The FHIR code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Woman => "female",
            Self::Man => "male",
        }
    }
}

fn person(seed: u64, municipality: &Municipality, index: u32, household: &Household) -> Person {
    let mut chance = stream(seed, Topic::Person, municipality, index).branch(1);
    let (birth, serial) = birth(seed, municipality, index);
    let [first, second] = household.genders;
    let gender = match (household.couple, index.is_multiple_of(2)) {
        (true, true) => first,
        (true, false) => second,
        (false, _) if chance.chance(57) => Gender::Woman,
        (false, _) => Gender::Man,
    };
    let surname = chance.pick(&names::SURNAMES);
    let shares = household.couple && chance.chance(75);
    let street = address(&mut chance, municipality);
    Person {
        given: first_name(&mut chance, gender, birth),
        family: if shares { household.surname } else { surname },
        gender,
        birth,
        serial,
        phone: phone(&mut chance),
        street: if household.couple { household.street.clone() } else { street },
    }
}

fn first_name(chance: &mut Stream, gender: Gender, birth: Date) -> &'static str {
    match (gender, birth.year() > 1965) {
        (Gender::Woman, false) => chance.pick(&names::WOMEN),
        (Gender::Woman, true) => chance.pick(&names::YOUNGER_WOMEN),
        (Gender::Man, false) => chance.pick(&names::MEN),
        (Gender::Man, true) => chance.pick(&names::YOUNGER_MEN),
    }
}

fn kin(
    chance: &mut Stream,
    seed: u64,
    municipality: &Municipality,
    index: u32,
    household: &Household,
    person: &Person,
) -> Kin {
    if household.couple {
        let spouse = self::person(seed, municipality, index ^ 1, household);
        let Person { given, family, phone, .. } = spouse;
        return Kin { given, family, relation: "Ektefelle", phone };
    }
    let (given, relation) = match (chance.chance(55), person.birth.year() > 1965) {
        (true, false) => (chance.pick(&names::YOUNGER_WOMEN), "Datter"),
        (false, false) => (chance.pick(&names::YOUNGER_MEN), "Sønn"),
        (true, true) => (chance.pick(&names::WOMEN), "Mor"),
        (false, true) => (chance.pick(&names::MEN), "Far"),
    };
    Kin { given, family: person.family, relation, phone: phone(chance) }
}

fn address(chance: &mut Stream, municipality: &Municipality) -> String {
    format!("{} {}", chance.pick(municipality.streets), chance.between(1, 98))
}

/// Eight digits beginning with 1: no subscriber in Norway has such a number.
fn phone(chance: &mut Stream) -> String {
    let digits = format!("1{:07}", chance.below(10_000_000));
    let (first, rest) = digits.split_at_checked(3).unwrap_or_default();
    let (middle, last) = rest.split_at_checked(2).unwrap_or_default();
    format!("+47 {first} {middle} {last}")
}

fn profile(chance: &mut Stream, birth: Date) -> Profile {
    let shares: &[(Profile, u64)] = if birth.year() > 1965 {
        &[(Profile::Healthy, 85), (Profile::InfectionProne, 15)]
    } else {
        &[
            (Profile::Healthy, 28),
            (Profile::Dementia, 12),
            (Profile::Copd, 14),
            (Profile::HeartFailure, 15),
            (Profile::InfectionProne, 10),
            (Profile::Frail, 21),
        ]
    };
    let mut drawn = chance.below(100);
    for (profile, share) in shares {
        if drawn < *share {
            return *profile;
        }
        drawn -= share;
    }
    Profile::default()
}

/// Years of birth of each ten neighbouring pairs: first year and number of years. The bands do not
/// overlap but are used several times.
const BANDS: [(i16, i64); 10] = [
    (1938, 5),
    (1928, 10),
    (1943, 5),
    (1938, 5),
    (1948, 8),
    (1943, 5),
    (1956, 10),
    (1938, 5),
    (1966, 38),
    (1948, 8),
];

/// Date of birth, and which of the numbers of that day (of that sex) the resident has.
///
/// The residents of a band go through its days in steps, so that a day comes again only when all
/// the others have been used; each round through the days takes the next serial.
fn birth(seed: u64, municipality: &Municipality, index: u32) -> (Date, u32) {
    let (pair, second) = (index / 2, index % 2);
    let (round, place) = (pair / 10, pair % 10);
    let band = |place: u32| usize::try_from(place).ok().and_then(|i| BANDS.get(i)).copied();
    let (year, years) = band(place).unwrap_or((1940, 10));
    let is_same = |other: &u32| band(*other) == Some((year, years));
    let uses = (0..10).filter(is_same).count();
    let before = (0..place).filter(is_same).count();
    let used = |n: usize| i64::try_from(n).unwrap_or_default();
    let ordinal = (i64::from(round) * used(uses) + used(before)) * 2 + i64::from(second);
    // 365 days in each year: the last day of a leap year is nobody's birthday, which is no loss.
    let days = years * 365;
    let path = [municipality.stream, u64::from(year.unsigned_abs())];
    let offset = Stream::new(seed, Topic::Birth, &path).between(0, days - 1);
    // 1049 is a prime and divides no number of days, so the steps visit every day.
    let day = (ordinal * 1049 + offset) % days;
    let serial = 1 + 2 * (ordinal / days) + i64::from(municipality.stream % 2 == 1);
    (
        days_after(date(year + i16::try_from(day / 365).unwrap_or_default(), 1, 1), day % 365),
        u32::try_from(serial).unwrap_or_default(),
    )
}

/// The `serial`-th valid synthetic number of a day and sex: month + 80, ninth digit even for women.
///
/// `None` where the day has no more: there are about 200 of each sex.
pub fn number(birth: Date, gender: Gender, serial: u32) -> Option<String> {
    let parity = u32::from(gender == Gender::Man);
    let first = if birth.year() >= 2000 { 500 } else { 0 };
    let individual = (first..first + 500).filter(|n| n % 2 == parity);
    let year = birth.year().rem_euclid(100);
    individual
        .filter_map(|n| {
            let text = format!("{:02}{:02}{year:02}{n:03}", birth.day(), birth.month() + 80);
            complete_number(text.as_bytes().try_into().ok()?)
        })
        .nth(usize::try_from(serial).ok()?)
}
