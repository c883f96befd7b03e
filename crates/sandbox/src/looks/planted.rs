//! What is planted: looks nobody needed for their work.

use access::vigilance::day::Day;
use access::vigilance::facts::comparable;
use record::identity::PersonId;

use super::ordinary::later;
use super::town::{Town, Turns, UNITS, one_of};
use super::{DAYS, Entry, FIRST, Log, Planted, Plot, QUIET};

/// How many of each there are.
const CASES: [(Plot, u32); 13] = [
    (Plot::Colleague, 8),
    (Plot::Household, 6),
    (Plot::Relative, 8),
    (Plot::KnownPerson, 6),
    (Plot::StrangerBriefly, 3),
    (Plot::StrangerInDepth, 6),
    (Plot::StrangerRepeatedly, 6),
    (Plot::Theft, 4),
    (Plot::OffShift, 6),
    (Plot::AfterDeath, 5),
    (Plot::Refusals, 5),
    (Plot::Emergency, 5),
    (Plot::OwnRecord, 5),
];

/// Somebody who does what they should not, on a day they work.
struct Actor {
    who: String,
    unit: usize,
    person: PersonId,
    day: Day,
    from: i64,
    to: i64,
}

pub(super) fn plant(town: &mut Town, log: &mut Log) {
    for (plot, times) in CASES {
        for _ in 0..times {
            // A case that nobody can act, such as a household of one, is tried with somebody else.
            let case = (0..1_000).find_map(|_| {
                let actor = actor(town)?;
                act(town, log, plot, &actor)
            });
            log.planted.extend(case);
        }
    }
}

fn actor(town: &mut Town) -> Option<Actor> {
    let planted = i64::from(QUIET);
    // Three days are left for contacts afterwards, and four for repetition.
    let day = FIRST.plus(town.days(planted, i64::from(DAYS) - 8));
    let worker = town.worker();
    let (who, unit, person) = (worker.who.clone(), worker.unit, worker.person);
    let worker = town.workers.iter().find(|it| it.who == who)?;
    let (from, to) = town.turn(worker, day)?;
    Some(Actor { who, unit, person, day, from, to })
}

fn act(town: &mut Town, log: &mut Log, plot: Plot, actor: &Actor) -> Option<Planted> {
    let victim = match plot {
        Plot::Colleague => Some(colleague(town, actor)?),
        Plot::Household => Some(housemate(town, actor)?),
        Plot::Relative => Some(relative(town, actor)?),
        Plot::KnownPerson => Some(known(town, actor)?),
        Plot::OwnRecord => Some(actor.person),
        Plot::Theft | Plot::Refusals => None,
        _ => Some(town.stranger()?),
    };
    let mut days = vec![actor.day];
    let mut persons: Vec<PersonId> = victim.into_iter().collect();
    let requests = town.chance.between(1, 12);
    match (plot, victim) {
        (Plot::StrangerBriefly, Some(victim)) => {
            let looking = Looking::between(town, actor.from, actor.to, 2);
            looking.add(log, actor, actor.day, victim);
        }
        (Plot::StrangerInDepth, Some(victim)) => {
            let requests = town.chance.between(6, 16);
            Looking::between(town, actor.from, actor.to, requests)
                .add(log, actor, actor.day, victim);
        }
        (Plot::StrangerRepeatedly, Some(victim)) => {
            days = (0..4).map(|step| actor.day.plus(step)).collect();
            for day in &days {
                Looking::between(town, actor.from, actor.to, 3).add(log, actor, *day, victim);
            }
        }
        (Plot::OffShift, Some(victim)) => {
            // Where turns are fixed, in the night; where they go by roster, on a day off.
            let roster = UNITS.get(actor.unit)?.turns == Turns::Roster;
            let day = if roster { day_off(town, actor)? } else { actor.day };
            days = vec![day];
            let (from, to) = if roster { (10 * 60, 20 * 60) } else { (60, 4 * 60) };
            Looking::between(town, from, to, requests).add(log, actor, day, victim);
        }
        (Plot::AfterDeath, Some(victim)) => {
            let died = actor.day.minus(town.days(30, 200));
            town.persons.get_mut(&victim)?.died = Some(died);
            Looking::between(town, actor.from, actor.to, requests)
                .add(log, actor, actor.day, victim);
        }
        (Plot::Emergency, Some(victim)) => {
            let looking = Looking::between(town, actor.from, actor.to, requests);
            Looking { emergency: true, ..looking }.add(log, actor, actor.day, victim);
        }
        (Plot::Theft, _) => persons = steal(town, log, actor),
        (Plot::Refusals, _) => persons = try_doors(town, log, actor),
        (_, Some(victim)) => {
            Looking::between(town, actor.from, actor.to, requests)
                .add(log, actor, actor.day, victim);
        }
        (_, None) => return None,
    }
    Some(Planted { plot, who: actor.who.clone(), persons, days })
}

/// Records of many, one after the other: half of them the unit's own patients.
fn steal(town: &mut Town, log: &mut Log, actor: &Actor) -> Vec<PersonId> {
    let mut persons = Vec::new();
    for _ in 0..town.chance.between(60, 150) {
        let own = town.patients.get(actor.unit).map(Vec::as_slice).unwrap_or_default();
        let own = one_of(&mut town.chance, own).copied().filter(|_| persons.len() % 2 == 0);
        let victim = match own {
            Some(victim) => victim,
            None => town.somebody(),
        };
        Looking::between(town, actor.from, actor.to, 2).add(log, actor, actor.day, victim);
        persons.push(victim);
    }
    persons
}

/// One refusal after the other.
fn try_doors(town: &mut Town, log: &mut Log, actor: &Actor) -> Vec<PersonId> {
    let mut persons = Vec::new();
    for _ in 0..town.chance.between(8, 16) {
        let looking = Looking::between(town, actor.from, actor.to, 1);
        let (victim, refused) = (town.somebody(), Some("category-not-for-role"));
        Looking { refused, ..looking }.add(log, actor, actor.day, victim);
        persons.push(victim);
    }
    persons
}

/// Looks at one person, a minute between them.
#[derive(Default)]
struct Looking {
    start: u16,
    requests: i64,
    emergency: bool,
    refused: Option<&'static str>,
}

impl Looking {
    /// Beginning at some minute of the day.
    fn between(town: &mut Town, from: i64, to: i64, requests: i64) -> Self {
        let start = u16::try_from(town.chance.between(from, to)).unwrap_or_default();
        Self { start, requests, ..Self::default() }
    }

    fn add(&self, log: &mut Log, actor: &Actor, day: Day, victim: PersonId) {
        let Some(unit) = UNITS.get(actor.unit) else { return };
        for step in 0..self.requests {
            let entry = Entry {
                minute: later(self.start, step),
                who: actor.who.clone(),
                role: unit.role,
                unit: unit.number.to_owned(),
                person: Some(victim),
                emergency: self.emergency,
                refused: self.refused,
            };
            log.add(day, entry);
        }
    }
}

fn is_unrelated(town: &Town, actor: &Actor, person: PersonId) -> bool {
    let unit = UNITS.get(actor.unit).map(|unit| unit.number).unwrap_or_default();
    let related = |it: &access::vigilance::facts::Person| {
        it.relations.iter().any(|relation| relation.unit == unit)
    };
    person != actor.person && !town.persons.get(&person).is_some_and(related)
}

fn colleague(town: &mut Town, actor: &Actor) -> Option<PersonId> {
    let (same, person) = (town.chance.chance(50), town.worker().person);
    let unit = town.workers.iter().find(|it| it.person == person)?.unit;
    let fits = (unit == actor.unit) == same && is_unrelated(town, actor, person);
    fits.then_some(person)
}

fn housemate(town: &Town, actor: &Actor) -> Option<PersonId> {
    let address = town.persons.get(&actor.person)?.address.clone()?;
    let mut others = town.persons.iter().filter(|(_, it)| it.address.as_ref() == Some(&address));
    others.find(|(id, _)| is_unrelated(town, actor, **id)).map(|(id, _)| *id)
}

fn relative(town: &mut Town, actor: &Actor) -> Option<PersonId> {
    let own = town.persons.get(&actor.person)?;
    let (family, address) = (comparable(own.family.as_deref()?), own.address.clone());
    let namesakes: Vec<PersonId> = town
        .persons
        .iter()
        .filter(|(_, it)| it.family.as_deref().is_some_and(|it| comparable(it) == family))
        .filter(|(id, it)| it.address != address && is_unrelated(town, actor, **id))
        .map(|(id, _)| *id)
        .collect();
    one_of(&mut town.chance, &namesakes).copied()
}

fn known(town: &mut Town, actor: &Actor) -> Option<PersonId> {
    let known: Vec<PersonId> = town
        .persons
        .iter()
        .filter(|(id, it)| it.known && is_unrelated(town, actor, **id))
        .map(|(id, _)| *id)
        .collect();
    one_of(&mut town.chance, &known).copied()
}

fn day_off(town: &Town, actor: &Actor) -> Option<Day> {
    let worker = town.workers.iter().find(|it| it.who == actor.who)?;
    let is_off = |day: &Day| {
        let midnight = i64::from(day.0) * 24 * 60;
        let near = |it: &access::vigilance::facts::Shift| {
            it.from < midnight + 24 * 60 && midnight - 6 * 60 < it.to
        };
        !town.shifts.get(&worker.who).is_some_and(|shifts| shifts.iter().any(near))
    };
    (0..5).map(|step| actor.day.plus(step)).find(is_off)
}
