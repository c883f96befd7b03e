//! The rules about an employee's looks at one person.

use record::identity::PersonId;

use super::analysis::Of;
use super::conduct::off_shift;
use super::day::{Duty, Visit};
use super::facts::{Employee, Person, comparable};
use super::finding::{Evidence, Finding, Sign};
use super::memory::Habits;

/// Looks at one person.
pub(super) struct Visited<'a> {
    pub who: &'a str,
    pub duty: &'a Duty,
    pub person: PersonId,
    pub visit: &'a Visit,
    pub habits: Option<&'a Habits>,
}

/// What there is to ask, and whether a relation explains the looks.
pub(super) fn judge(of: &Of<'_>, seen: &Visited<'_>) -> (Option<Finding>, bool) {
    let unknown = Person::default();
    let person = of.facts.persons.get(&seen.person).unwrap_or(&unknown);
    let nobody = Employee::default();
    let employee = of.facts.staff.get(seen.who).unwrap_or(&nobody);
    let window = &of.settings.no_relation;
    let (from, to) = (of.day.minus(window.before_days), of.day.plus(window.after_days));
    let explained = person.has_relation(&seen.visit.unit, from, to);
    let mut signs = Signs(Vec::new());
    if of.settings.own_record.on && employee.person == Some(seen.person) {
        signs.add(of.settings.own_record.points, Evidence::OwnRecord);
    } else {
        bonds(of, seen, employee, person, explained, &mut signs);
    }
    after_death(of, person, &mut signs);
    if !explained {
        unexplained(of, seen, employee, person, &mut signs);
    }
    (signs.finding(of, seen), explained)
}

/// What binds the employee and the person outside work.
fn bonds(
    of: &Of<'_>,
    seen: &Visited<'_>,
    employee: &Employee,
    person: &Person,
    explained: bool,
    signs: &mut Signs,
) {
    let settings = of.settings;
    let same = |a: &Option<String>, b: &Option<String>| match (a, b) {
        (Some(a), Some(b)) => {
            let a = comparable(a);
            !a.is_empty() && a == comparable(b)
        }
        _ => false,
    };
    let address = &settings.same_address;
    if address.on && same(&employee.address, &person.address) {
        let points = if explained { address.with_relation } else { address.points };
        signs.add(points, Evidence::SameAddress { relation: explained });
    }
    if explained {
        return;
    }
    let name = &settings.same_name;
    if name.on && same(&employee.family, &person.family) {
        let family = person.family.as_deref().map(comparable).unwrap_or_default();
        let share = of.facts.names.get(&family).copied().unwrap_or_default();
        if share <= name.common {
            let points = if share <= name.rare { name.rare_points } else { name.points };
            signs.add(points, Evidence::SameName { share });
        }
    }
    let colleague = of.colleagues.get(&seen.person).filter(|who| **who != seen.who);
    if let Some(who) = colleague.filter(|_| settings.colleague.on) {
        let unit = of.facts.staff.get(*who).and_then(|it| it.unit.as_deref());
        let same_unit = unit == Some(seen.visit.unit.as_str());
        let colleague = &settings.colleague;
        let points = if same_unit { colleague.same_unit_points } else { colleague.points };
        signs.add(points, Evidence::Colleague { same_unit });
    }
    if settings.known_person.on && person.known {
        signs.add(settings.known_person.points, Evidence::KnownPerson);
    }
}

fn after_death(of: &Of<'_>, person: &Person, signs: &mut Signs) {
    let rule = &of.settings.after_death;
    if let Some(died) = person.died.filter(|_| rule.on)
        && of.day > died.plus(rule.grace_days)
    {
        signs.add(rule.points, Evidence::AfterDeath { died });
    }
}

/// What weighs where no relation explains the looks.
fn unexplained(
    of: &Of<'_>,
    seen: &Visited<'_>,
    employee: &Employee,
    person: &Person,
    signs: &mut Signs,
) {
    let (settings, visit) = (of.settings, seen.visit);
    let rule = &settings.no_relation;
    if rule.on {
        let kind = of.facts.kinds.get(&visit.unit);
        let unannounced = kind.is_some_and(|kind| rule.unannounced.contains(kind));
        let points = if unannounced { rule.unannounced_points } else { rule.points };
        let (before, after) = (rule.before_days, rule.after_days);
        signs.add(points, Evidence::NoRelation { before, after });
    }
    let requests = u32::try_from(visit.count).unwrap_or(u32::MAX);
    if settings.thorough.on && requests >= settings.thorough.requests {
        signs.add(settings.thorough.points, Evidence::Thorough { requests });
    }
    let before = seen.habits.and_then(|it| it.unexplained.get(&seen.person.to_string()));
    let before = before.map_or(0, |days| u32::try_from(days.len()).unwrap_or(u32::MAX));
    if settings.repeated.on && before > 0 {
        let points = settings.repeated.points.saturating_mul(before).min(settings.repeated.most);
        signs.add(points, Evidence::Repeated { days: before.saturating_add(1) });
    }
    // The unit may know the person well without a contact in these days; then it is not the emergency
    // that needs an answer. A contact the same day or after is the answer.
    let after = rule.after_days;
    let met = person.has_relation(&visit.unit, of.day, of.day.plus(after));
    if settings.emergency.on && visit.emergency && !met {
        signs.add(settings.emergency.points, Evidence::Emergency { after });
    }
    let (first, last) = visit.minutes;
    if let (Some(sign), Some(_)) =
        (off_shift(of, employee, seen.habits, first), off_shift(of, employee, seen.habits, last))
    {
        signs.0.push(sign);
    }
}

struct Signs(Vec<Sign>);

impl Signs {
    fn add(&mut self, points: u32, of: Evidence) {
        if points > 0 {
            self.0.push(Sign { points, of });
        }
    }

    fn finding(mut self, of: &Of<'_>, seen: &Visited<'_>) -> Option<Finding> {
        // Stable: of equal weight, in the order of the rules.
        self.0.sort_by_key(|sign| std::cmp::Reverse(sign.points));
        let Visited { who, duty, visit, .. } = seen;
        (!self.0.is_empty()).then(|| Finding {
            who: (*who).to_owned(),
            name: duty.name.clone(),
            role: duty.role.clone(),
            unit: visit.unit.clone(),
            person: Some(seen.person),
            day: of.day,
            signs: self.0,
            looks: visit.looks.clone(),
            count: visit.count,
        })
    }
}
