//! The town that the log is of: residents, units, who works there and when.

use std::collections::{BTreeMap, HashMap};

use access::vigilance::day::Day;
use access::vigilance::facts::{Employee, Facts, Person, Relation, Shift, comparable};
use record::identity::PersonId;

use super::{DAYS, FIRST};
use crate::names::SURNAMES;
use crate::random::{Stream, Topic};

/// Residents.
const RESIDENTS: u64 = 30_000;

/// Endings that make an uncommon name of a common one.
const ENDINGS: [&str; 14] = [
    "bråten", "dalen", "eng", "gård", "haug", "heim", "land", "li", "løkken", "moen", "rud",
    "seter", "stad", "vold",
];

/// A unit and how it works.
pub(super) struct Unit {
    pub number: &'static str,
    pub kind: &'static str,
    pub role: &'static str,
    /// How many work there.
    pub staff: u64,
    pub turns: Turns,
    /// Persons that somebody sees in a turn, from and to.
    pub load: (i64, i64),
    /// How many patients it has at a time; none where they come and go in a day.
    pub patients: u64,
}

/// How work is divided.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turns {
    /// By day, on weekdays.
    Office,
    /// Some always by day, some always in the evening, weekends in turn.
    Fixed,
    /// Day, evening and night in turn, by a roster that is known.
    Roster,
}

pub(super) const UNITS: [Unit; 8] = [
    unit("100000001", "legevakt", "legevaktslege", 12, Turns::Roster, (4, 10), 0),
    unit("100000002", "legevakt", "legevaktssykepleier", 14, Turns::Roster, (4, 11), 0),
    unit("100000003", "ward", "sykepleier", 16, Turns::Roster, (4, 8), 14),
    unit("100000004", "ward", "korttidssykepleier", 18, Turns::Fixed, (5, 9), 30),
    unit("100000005", "home-care", "hjemmesykepleier", 22, Turns::Fixed, (7, 13), 160),
    unit("100000006", "home-care", "hjemmesykepleier", 20, Turns::Fixed, (7, 13), 150),
    unit("100000007", "nursing-home", "sykehjemssykepleier", 24, Turns::Fixed, (5, 10), 60),
    unit("100000008", "case-office", "saksbehandler", 10, Turns::Office, (5, 12), 120),
];

const fn unit(
    number: &'static str,
    kind: &'static str,
    role: &'static str,
    staff: u64,
    turns: Turns,
    load: (i64, i64),
    patients: u64,
) -> Unit {
    Unit { number, kind, role, staff, turns, load, patients }
}

/// Somebody at work.
pub(super) struct Worker {
    pub who: String,
    pub unit: usize,
    /// Place among those of the unit.
    pub place: i64,
    pub person: PersonId,
}

pub(super) struct Town {
    pub chance: Stream,
    pub residents: Vec<PersonId>,
    pub persons: BTreeMap<PersonId, Person>,
    pub workers: Vec<Worker>,
    /// The patients of each unit.
    pub patients: Vec<Vec<PersonId>>,
    pub shifts: BTreeMap<String, Vec<Shift>>,
}

impl Town {
    pub fn new(seed: u64) -> Self {
        let mut chance = Stream::new(seed, Topic::Looks, &[]);
        let mut persons = BTreeMap::new();
        let mut residents = Vec::new();
        let mut household = 0;
        while u64::try_from(residents.len()).unwrap_or(u64::MAX) < RESIDENTS {
            household += 1;
            let address = format!("Veien {} H{:04}", household / 4, household % 4 + 101);
            let shared = family(&mut chance);
            for _ in 0..chance.between(1, 4) {
                let id = person_id(&mut chance);
                let family = if chance.chance(70) { shared.clone() } else { family(&mut chance) };
                let address = Some(address.clone());
                let known = chance.below(1_500) == 0;
                let person = Person { family: Some(family), address, known, ..Person::default() };
                persons.insert(id, person);
                residents.push(id);
            }
        }
        let mut town = Self {
            workers: workers(&mut chance, &residents),
            chance,
            residents,
            persons,
            patients: Vec::new(),
            shifts: BTreeMap::new(),
        };
        town.admit();
        town
    }

    /// The unit's patients. Some of them work in the municipality themselves.
    fn admit(&mut self) {
        for unit in &UNITS {
            let mut patients = Vec::new();
            for _ in 0..unit.patients {
                let person = self.somebody();
                let from = FIRST.minus(self.days(0, 200));
                let ends = self.chance.chance(30);
                let to = ends.then(|| FIRST.plus(self.days(10, i64::from(DAYS))));
                self.relate(person, Relation { unit: unit.number.to_owned(), from, to });
                patients.push(person);
            }
            if unit.patients > 0 {
                for _ in 0..2 {
                    let person = self.worker().person;
                    let unit = unit.number.to_owned();
                    self.relate(person, Relation { unit, from: FIRST, to: None });
                    patients.push(person);
                }
            }
            self.patients.push(patients);
        }
    }

    pub fn relate(&mut self, person: PersonId, relation: Relation) {
        self.persons.entry(person).or_default().relations.push(relation);
    }

    pub fn days(&mut self, low: i64, high: i64) -> u16 {
        u16::try_from(self.chance.between(low, high)).unwrap_or_default()
    }

    /// Any resident.
    pub fn somebody(&mut self) -> PersonId {
        one_of(&mut self.chance, &self.residents).copied().unwrap_or(PersonId([0; 16]))
    }

    /// A resident that no unit has to do with, and who does not work here.
    pub fn stranger(&mut self) -> Option<PersonId> {
        let person = self.somebody();
        let works = self.workers.iter().any(|worker| worker.person == person);
        let strange = self.persons.get(&person).is_some_and(|it| it.relations.is_empty());
        (strange && !works).then_some(person)
    }

    /// Anybody at work.
    pub fn worker(&mut self) -> &Worker {
        let place = self.chance.below(u64::try_from(self.workers.len()).unwrap_or(1));
        let place = usize::try_from(place).unwrap_or_default();
        // There are always some.
        self.workers.get(place).unwrap_or_else(|| town_without_work())
    }

    /// The minutes of an employee's turn on a day, if there is one.
    pub fn turn(&self, worker: &Worker, day: Day) -> Option<(i64, i64)> {
        let unit = UNITS.get(worker.unit)?;
        let number = i64::from(day.0);
        // 1970-01-01 was a Thursday; 0 is Monday.
        let weekend = (number + 3).rem_euclid(7) >= 5;
        let turn = number + worker.place * 2;
        match unit.turns {
            Turns::Office => (!weekend && turn % 11 != 0).then_some((8 * 60, 16 * 60)),
            Turns::Fixed if weekend && turn % 3 != 0 => None,
            Turns::Fixed if !weekend && turn % 6 == 0 => None,
            Turns::Fixed if worker.place % 4 == 3 => Some((15 * 60, 22 * 60)),
            Turns::Fixed => Some((7 * 60 + 30, 15 * 60)),
            Turns::Roster => match turn.rem_euclid(7) {
                0 | 1 => Some((7 * 60 + 30, 15 * 60 + 30)),
                2 | 3 => Some((15 * 60, 22 * 60 + 30)),
                4 => Some((22 * 60, 24 * 60 - 1)),
                _ => None,
            },
        }
    }

    pub fn facts(self) -> Facts {
        let mut counts: HashMap<String, u32> = HashMap::new();
        for family in self.persons.values().filter_map(|person| person.family.as_deref()) {
            *counts.entry(comparable(family)).or_default() += 1;
        }
        let all = u32::try_from(self.persons.len()).unwrap_or(1).max(1);
        let names = counts.into_iter().map(|(name, count)| (name, count * 10_000 / all)).collect();
        let kinds =
            UNITS.iter().map(|unit| (unit.number.to_owned(), unit.kind.to_owned())).collect();
        let mut shifts = self.shifts;
        let employee = |worker: Worker| {
            let own = self.persons.get(&worker.person);
            let employee = Employee {
                person: Some(worker.person),
                family: own.and_then(|own| own.family.clone()),
                address: own.and_then(|own| own.address.clone()),
                unit: UNITS.get(worker.unit).map(|unit| unit.number.to_owned()),
                shifts: shifts.remove(&worker.who).unwrap_or_default().into_iter().collect(),
            };
            (worker.who, employee)
        };
        let staff = self.workers.into_iter().map(employee).collect();
        Facts { staff, kinds, names, persons: self.persons }
    }
}

fn workers(chance: &mut Stream, residents: &[PersonId]) -> Vec<Worker> {
    let mut all: Vec<Worker> = Vec::new();
    for (place, unit) in UNITS.iter().enumerate() {
        for number in 0..unit.staff {
            let free = |person: &PersonId| !all.iter().any(|worker| worker.person == *person);
            let person = loop {
                match one_of(chance, residents).copied().filter(free) {
                    Some(person) => break person,
                    None => continue,
                }
            };
            let number = i64::try_from(number).unwrap_or_default();
            let who = format!("{}-{number}", unit.number);
            all.push(Worker { who, unit: place, place: number, person });
        }
    }
    all
}

/// A family name: a few are common, many are not.
fn family(chance: &mut Stream) -> String {
    let common = chance.pick(&SURNAMES);
    if chance.chance(45) { common.to_owned() } else { format!("{common}{}", chance.pick(&ENDINGS)) }
}

fn person_id(chance: &mut Stream) -> PersonId {
    PersonId(((u128::from(chance.bits()) << 64) | u128::from(chance.bits())).to_be_bytes())
}

pub(super) fn one_of<'a, T>(chance: &mut Stream, items: &'a [T]) -> Option<&'a T> {
    let place = chance.below(u64::try_from(items.len()).unwrap_or_default());
    usize::try_from(place).ok().and_then(|place| items.get(place))
}

fn town_without_work() -> &'static Worker {
    static NOBODY: Worker =
        Worker { who: String::new(), unit: 0, place: 0, person: PersonId([0; 16]) };
    &NOBODY
}
