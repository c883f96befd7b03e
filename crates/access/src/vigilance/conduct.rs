//! The rules about an employee's whole day: how many persons, at which hours, how many refused.

use std::collections::{BTreeMap, BTreeSet};

use super::analysis::Of;
use super::day::Duty;
use super::facts::Employee;
use super::finding::{Evidence, Finding, Sign};
use super::memory::{Habits, Memory};
use super::settings::Settings;

/// What colleagues do.
pub(super) struct Conduct<'a> {
    memory: &'a Memory,
    /// Days of colleagues before this one: persons looked at, by unit and role, and by whom.
    before: BTreeMap<(&'a str, &'a str), Vec<(&'a str, u32)>>,
    /// The same of this day.
    today: BTreeMap<(&'a str, &'a str), Vec<(&'a str, u32)>>,
}

/// What is usual: the middle, and how far days lie from it.
#[derive(Clone, Copy)]
struct Usual {
    middle: u32,
    spread: u32,
}

impl<'a> Conduct<'a> {
    pub fn new(settings: &Settings, memory: &'a Memory, staff: &'a BTreeMap<String, Duty>) -> Self {
        let (mut before, mut today) = (BTreeMap::new(), BTreeMap::new());
        if settings.volume.on {
            for (who, habits) in &memory.staff {
                let group: &mut Vec<_> = before.entry((&*habits.unit, &*habits.role)).or_default();
                group.extend(habits.counts().map(|count| (who.as_str(), count)));
            }
            for (who, duty) in staff.iter().filter(|(_, duty)| !duty.visits.is_empty()) {
                let group: &mut Vec<_> = today.entry((&*duty.unit, &*duty.role)).or_default();
                group.push((who.as_str(), count(duty.visits.len())));
            }
        }
        Self { memory, before, today }
    }

    /// What there is to ask about the day; `without` persons had no known relation.
    pub fn judge(&self, of: &Of<'_>, who: &str, duty: &Duty, without: usize) -> Option<Finding> {
        let habits = self.memory.staff.get(who);
        let mut signs = Vec::new();
        let mut looks = Vec::new();
        if let Some(sign) = self.volume(of.settings, who, duty, habits, without) {
            signs.push(sign);
            looks.extend(duty.visits.values().filter_map(|visit| visit.looks.first().copied()));
        }
        if let Some(sign) = refusals(of.settings, duty) {
            signs.push(sign);
            looks.extend(duty.refused.iter().map(|it| it.position));
        }
        if signs.is_empty() {
            return None;
        }
        let employee = of.facts.staff.get(who).cloned().unwrap_or_default();
        let off = |it: u16| off_shift(of, &employee, habits, it);
        let starts: Vec<_> = duty.visits.values().map(|visit| off(visit.minutes.0)).collect();
        if starts.iter().flatten().count() * 2 > starts.len() {
            signs.extend(starts.into_iter().flatten().next());
        }
        signs.sort_by_key(|sign| std::cmp::Reverse(sign.points));
        looks.sort_unstable();
        let count = looks.len();
        looks.truncate(50);
        Some(Finding {
            who: who.to_owned(),
            name: duty.name.clone(),
            role: duty.role.clone(),
            unit: duty.unit.clone(),
            person: None,
            day: of.day,
            signs,
            looks,
            count,
        })
    }

    /// Many more persons than the employee's own days, colleagues' days and, where there are any,
    /// colleagues' this very day: a busy night is busy for all.
    fn volume(
        &self,
        settings: &Settings,
        who: &str,
        duty: &Duty,
        habits: Option<&Habits>,
        without: usize,
    ) -> Option<Sign> {
        let rule = &settings.volume;
        let persons = count(duty.visits.len());
        if !rule.on || persons < rule.least {
            return None;
        }
        let group = (duty.unit.as_str(), duty.role.as_str());
        let others = |all: &BTreeMap<(&str, &str), Vec<(&str, u32)>>, needed: usize| {
            let group = all.get(&group)?;
            let counts = group.iter().filter(|(other, _)| *other != who).map(|(_, count)| *count);
            Usual::of(counts.collect(), needed)
        };
        let own = habits.and_then(|it| Usual::of(it.counts().collect(), rule.own_days));
        let (before, today) = (others(&self.before, rule.peer_days), others(&self.today, 2));
        let known = [own, before, today].into_iter().flatten();
        let limit = known.map(|usual| usual.limit(rule.factor_percent, rule.deviations)).max();
        let limit = limit.unwrap_or(rule.unknown).max(rule.least);
        if persons < limit {
            return None;
        }
        let over = rule.doubling_points.saturating_mul(persons - limit) / limit;
        let peers = before.into_iter().chain(today).map(|usual| usual.middle).max();
        Some(Sign {
            points: rule.points.saturating_add(over).min(rule.most),
            of: Evidence::Volume {
                persons,
                without_relation: count(without),
                own: own.map(|usual| usual.middle),
                peers,
            },
        })
    }
}

impl Usual {
    /// The median and the median distance from it: a few wild days change neither.
    fn of(mut counts: Vec<u32>, needed: usize) -> Option<Self> {
        if counts.len() < needed.max(1) {
            return None;
        }
        let middle = median(&mut counts);
        let mut distances: Vec<u32> = counts.iter().map(|it| it.abs_diff(middle)).collect();
        Some(Self { middle, spread: median(&mut distances) })
    }

    fn limit(self, factor_percent: u32, deviations: u32) -> u32 {
        // 1.4826 times the median distance is the standard deviation of what is normally distributed.
        let spread = u64::from(self.spread) * 14_826 * u64::from(deviations) / 10_000;
        let times = u64::from(self.middle) * u64::from(factor_percent) / 100;
        u32::try_from(times.max(u64::from(self.middle) + spread)).unwrap_or(u32::MAX)
    }
}

fn median(counts: &mut [u32]) -> u32 {
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied().unwrap_or_default()
}

fn refusals(settings: &Settings, duty: &Duty) -> Option<Sign> {
    let rule = &settings.refusals;
    let counted: Vec<_> =
        duty.refused.iter().filter(|it| !rule.technical.contains(&it.rule)).collect();
    let persons: BTreeSet<_> = counted.iter().filter_map(|it| it.person).collect();
    let (attempts, persons) = (count(counted.len()), count(persons.len()));
    if !rule.on || attempts < rule.least || persons < rule.persons {
        return None;
    }
    let over = rule.doubling_points.saturating_mul(attempts - rule.least) / rule.least;
    let points = rule.points.saturating_add(over).min(rule.most);
    Some(Sign { points, of: Evidence::Refusals { attempts, persons } })
}

/// Whether a look at a minute of the day is outside the hours of work.
pub(super) fn off_shift(
    of: &Of<'_>,
    employee: &Employee,
    habits: Option<&Habits>,
    minute: u16,
) -> Option<Sign> {
    let rule = &of.settings.off_shift;
    if !rule.on {
        return None;
    }
    let sign =
        |roster| Some(Sign { points: rule.points, of: Evidence::OffShift { minute, roster } });
    if !employee.shifts.is_empty() {
        let at = i64::from(of.day.0) * 24 * 60 + i64::from(minute);
        let margin = i64::from(rule.margin_minutes);
        let on = employee.shifts.iter().any(|it| it.from - margin <= at && at < it.to + margin);
        return if on { None } else { sign(true) };
    }
    let habits = habits.filter(|it| it.days.len() >= rule.own_days.max(1))?;
    let usual = habits.usual(rule.share_percent);
    let hour = 1_u32.checked_shl(u32::from(minute / 60)).unwrap_or_default();
    if usual.count_ones() >= rule.irregular_hours || usual & hour != 0 { None } else { sign(false) }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
