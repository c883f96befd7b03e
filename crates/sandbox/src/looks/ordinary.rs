//! Ordinary work, and what is innocent but looks odd: the telephone call nobody documented, the wrong
//! click, the busy night, the doctor on call, the swapped turn, the colleague who is a patient, the late
//! documentation, the login that ran out.

use access::vigilance::day::Day;
use access::vigilance::facts::{Relation, Shift};
use record::identity::PersonId;

use super::town::{Town, Turns, UNITS, Unit, one_of};
use super::{Entry, FIRST, Log};

/// Of a thousand persons seen, by how nobody can see why.
const TELEPHONE: u64 = 5;
const WRONG_CLICK: u64 = 4;
/// Of a thousand contacts at the clinic, documented so late that it is after the analysis.
const LATE: u64 = 4;

/// Somebody's day.
struct OnDuty {
    who: String,
    unit: &'static Unit,
    place: usize,
    from: i64,
    to: i64,
    load: i64,
}

/// Everybody's looks of a day.
pub(super) fn work(town: &mut Town, log: &mut Log, day: Day) {
    for duty in on_duty(town, day) {
        if duty.unit.turns == Turns::Roster {
            let midnight = i64::from(day.0) * 24 * 60;
            let shift = Shift { from: midnight + duty.from, to: midnight + duty.to };
            town.shifts.entry(duty.who.clone()).or_default().push(shift);
        }
        for _ in 0..duty.load {
            see(town, log, day, &duty);
        }
        odd(town, log, day, &duty);
    }
    on_call(town, log, day);
}

fn on_duty(town: &mut Town, day: Day) -> Vec<OnDuty> {
    let mut all = Vec::new();
    for place in 0..town.workers.len() {
        let Some(worker) = town.workers.get(place) else { continue };
        let (Some(unit), turn) = (UNITS.get(worker.unit), town.turn(worker, day)) else { continue };
        let (who, place) = (worker.who.clone(), worker.unit);
        // Now and then a turn is swapped: the other half of the day, on a day off.
        let swapped = || match unit.turns {
            Turns::Fixed => Some((15 * 60, 22 * 60)),
            Turns::Office => None,
            Turns::Roster => Some((7 * 60 + 30, 15 * 60)),
        };
        let turn = match turn {
            None if town.chance.chance(4) => swapped(),
            turn => turn,
        };
        let Some((from, to)) = turn else { continue };
        let load = town.chance.between(unit.load.0, unit.load.1);
        // Every third Saturday night is a busy one at the clinic, for all of them; and now and then
        // somebody takes a sick colleague's patients too.
        let busy = unit.kind == "legevakt" && (day.0 - FIRST.0) % 21 == 5 && from >= 15 * 60;
        let doubled = town.chance.chance(2);
        let load = match (busy, doubled) {
            (true, _) => load * 3,
            (false, true) => load * 2,
            (false, false) => load,
        };
        all.push(OnDuty { who, unit, place, from, to, load });
    }
    all
}

/// One person seen, and why.
fn see(town: &mut Town, log: &mut Log, day: Day, duty: &OnDuty) {
    let unit = duty.unit.number.to_owned();
    let person = if duty.unit.patients == 0 {
        let person = town.somebody();
        if town.chance.below(1000) >= LATE {
            town.relate(person, Relation { unit, from: day, to: Some(day) });
        }
        person
    } else {
        let patients = town.patients.get(duty.place).map(Vec::as_slice).unwrap_or_default();
        let Some(person) = one_of(&mut town.chance, patients).copied() else { return };
        // Nobody treats themselves, and who left is looked at no more.
        let own = town.workers.iter().any(|it| it.who == duty.who && it.person == person);
        let current = town.persons.get(&person).is_some_and(|it| {
            it.relations.iter().any(|it| it.unit == unit && it.to.is_none_or(|to| day <= to))
        });
        if own || !current {
            return;
        }
        person
    };
    let requests = town.chance.between(1, 8);
    open(town, log, day, duty, person, requests);
}

fn odd(town: &mut Town, log: &mut Log, day: Day, duty: &OnDuty) {
    for _ in 0..duty.load {
        let drawn = town.chance.below(1000);
        if drawn < TELEPHONE {
            let person = town.somebody();
            // Most calls are short; a few ask for much.
            let much = town.chance.chance(6);
            let requests = if much { town.chance.between(6, 9) } else { town.chance.between(1, 3) };
            open(town, log, day, duty, person, requests);
        } else if drawn < TELEPHONE + WRONG_CLICK {
            let person = town.somebody();
            open(town, log, day, duty, person, 1);
        }
    }
    // A login that ran out over lunch, and an errand for a role one does not have.
    let (many, few) = (town.chance.below(400) == 0, town.chance.below(300) == 0);
    let refused = match (many, few) {
        (true, _) => Some((12, "attest-expired")),
        (false, true) => Some((3, "category-not-for-role")),
        (false, false) => None,
    };
    for _ in 0..refused.map_or(0, |(times, _)| times) {
        let person = Some(town.somebody());
        let minute = minute(town, duty.from, duty.to);
        let entry = entry(duty, minute, person);
        log.add(day, Entry { refused: refused.map(|(_, rule)| rule), ..entry });
    }
}

/// The clinic's doctors on call from home: a few persons at any hour of the night, documented the next day;
/// and now and then an emergency.
fn on_call(town: &mut Town, log: &mut Log, day: Day) {
    let doctors = 12;
    let place = usize::try_from((day.0 - FIRST.0) % doctors).unwrap_or_default();
    let Some(worker) = town.workers.get(place) else { return };
    let who = worker.who.clone();
    let Some(unit) = UNITS.first() else { return };
    // The roster knows that somebody is on call.
    let midnight = i64::from(day.0) * 24 * 60;
    let shift = Shift { from: midnight, to: midnight + 24 * 60 };
    town.shifts.entry(who.clone()).or_default().push(shift);
    let duty = OnDuty { who, unit, place: 0, from: 0, to: 24 * 60 - 1, load: 0 };
    for _ in 0..town.chance.between(0, 4) {
        let person = town.somebody();
        let next = day.plus(1);
        let unit = unit.number.to_owned();
        town.relate(person, Relation { unit, from: next, to: Some(next) });
        let requests = town.chance.between(2, 10);
        let emergency = town.chance.chance(25);
        let start = minute(town, 0, 24 * 60 - 1);
        for step in 0..requests {
            let entry = entry(&duty, later(start, step), Some(person));
            log.add(day, Entry { emergency, ..entry });
        }
    }
}

fn open(town: &mut Town, log: &mut Log, day: Day, duty: &OnDuty, person: PersonId, requests: i64) {
    let start = minute(town, duty.from, duty.to);
    for step in 0..requests {
        log.add(day, entry(duty, later(start, step), Some(person)));
    }
}

fn entry(duty: &OnDuty, minute: u16, person: Option<PersonId>) -> Entry {
    Entry {
        minute,
        who: duty.who.clone(),
        role: duty.unit.role,
        unit: duty.unit.number.to_owned(),
        person,
        emergency: false,
        refused: None,
    }
}

fn minute(town: &mut Town, from: i64, to: i64) -> u16 {
    u16::try_from(town.chance.between(from, to)).unwrap_or_default()
}

pub(super) fn later(start: u16, step: i64) -> u16 {
    start.saturating_add(u16::try_from(step).unwrap_or_default()).min(24 * 60 - 1)
}
