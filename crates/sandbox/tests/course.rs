//! Services with dates in order, and vital signs that rise and fall as they should.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use jiff::civil::Date;
use proptest::prelude::*;
use record::news2::normal::{self, Measure, Place as Against, Point};
use record::news2::trend::{self, Trend};
use sandbox::infection::{self, Infection};
use sandbox::people::{self, Profile, Resident};
use sandbox::services::{self, Care, Place, State};
use sandbox::stories::Plot;
use sandbox::vitals::{self, Round};
use sandbox::world::{Municipality, municipality};
use sandbox::{calendar, random};

const NOW: i64 = 1_795_424_400_000;

fn dalfjord() -> &'static Municipality {
    municipality("9901").unwrap_or(&sandbox::world::municipalities()[0])
}

fn today() -> Date {
    calendar::date_of(NOW)
}

fn cared(seed: u64, index: u32) -> (Resident, Care) {
    let resident = people::resident(seed, dalfjord(), index);
    let care = services::care(seed, dalfjord(), &resident, today());
    (resident, care)
}

fn measured(seed: u64, resident: &Resident, care: &Care, infections: &[Infection]) -> Vec<Round> {
    vitals::rounds(seed, dalfjord(), resident, care, infections, NOW)
}

fn totals(rounds: &[Round]) -> Vec<u8> {
    rounds.iter().filter_map(|round| round.score.total).collect()
}

fn median(mut numbers: Vec<u8>) -> u8 {
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}

proptest! {
    #[test]
    fn dates_of_decisions_are_in_order(seed: u64, index in 0..5000u32) {
        let (_, care) = cared(seed, index);
        prop_assert!(!care.decisions.is_empty());
        for decision in &care.decisions {
            prop_assert!(decision.decided <= decision.start && decision.decided <= today());
            prop_assert!(decision.revision.is_none_or(|revision| revision >= decision.start));
            prop_assert!(decision.end.is_none_or(|end| end >= decision.revision.unwrap_or(decision.start)));
            let past = decision.start <= today();
            match decision.state {
                State::Planned => prop_assert!(!past),
                State::Active | State::OnHold => {
                    prop_assert!(past && decision.end.is_none_or(|end| end > today()));
                }
                State::Finished => prop_assert!(decision.end.is_some_and(|end| end <= today())),
            }
            prop_assert!(dalfjord().site(decision.site).is_some());
            prop_assert!(record::service::service_type(decision.code).is_some());
        }
    }

    #[test]
    fn an_infection_builds_in_days_and_recedes_in_a_week(seed: u64, index in 4..400u32) {
        let (resident, care) = cared(seed, index);
        for infection in infection::infections(seed, dalfjord(), &resident, &care, NOW) {
            let days = |ms: i64| ms / calendar::DAY;
            prop_assert!((1..=3).contains(&days(infection.build)));
            prop_assert!((4..=8).contains(&days(infection.recede)));
            let at = |ms: i64| infection.strength(infection.onset + ms);
            let hours = |from: i64, to: i64| (from / calendar::HOUR..to / calendar::HOUR)
                .map(|hour| at(hour * calendar::HOUR)).collect::<Vec<_>>();
            let over = infection.build + infection.recede;
            prop_assert!(hours(0, infection.build).is_sorted());
            prop_assert!(hours(infection.build, over).iter().rev().is_sorted());
            prop_assert_eq!((at(-1), at(over)), (0.0, 0.0));
            prop_assert!(at(infection.build) == infection.severity && infection.severity <= 1.0);
        }
    }

    #[test]
    fn measurements_are_complete_in_order_and_not_in_the_future(seed: u64, index in 0..400u32) {
        let (resident, care) = cared(seed, index);
        let infections = infection::infections(seed, dalfjord(), &resident, &care, NOW);
        let rounds = measured(seed, &resident, &care, &infections);
        prop_assert!(rounds.is_sorted_by_key(|round| round.at_ms));
        prop_assert!(rounds.iter().all(|round| round.at_ms <= NOW && round.score.total.is_some()));
        prop_assert!(care.is_nursed() || rounds.is_empty());
        if matches!(care.place, Place::Kad | Place::ShortStay) {
            prop_assert!(rounds.len() >= 2);
        }
    }
}

#[test]
fn each_profile_has_its_own_normal() {
    for index in 4..1500 {
        let (resident, care) = cared(3, index);
        let normal = vitals::normal(3, dalfjord(), &resident);
        let well: Vec<u8> = (0..25_u64)
            .filter_map(|n| {
                let at_ms = NOW - i64::try_from(n).unwrap() * 11 * calendar::HOUR;
                let noise = random::Stream::new(n, random::Topic::Noise, &[u64::from(index)]);
                vitals::round(&normal, at_ms, 0.0, noise).score.total
            })
            .collect();
        assert_eq!(well.len(), 25);
        match (resident.profile, median(well)) {
            (Profile::Copd, total) => assert!((4..=6).contains(&total), "{index}: {total}"),
            (Profile::Healthy, total) => assert!(total <= 2, "{index}: {total}"),
            (Profile::HeartFailure, total) => assert!(total <= 4, "{index}: {total}"),
            (_, total) => assert!(total <= 3, "{index}: {total}"),
        }
        // Enough days for the platform to know what is normal.
        if care.place == Place::Home && care.is_nursed() {
            let days = measured(3, &resident, &care, &[]).len();
            assert!(days >= normal::MIN_DAYS, "{index}: {days}");
        }
    }
}

#[test]
fn the_stories_show_what_they_say_at_any_hour_of_the_year() {
    // Through all hours and weekdays, one and a half years on.
    for step in 0..2_000 {
        let now_ms = NOW + step * (7 * calendar::HOUR + 5 * calendar::MINUTE);
        for municipality in sandbox::world::municipalities() {
            for index in 0..sandbox::stories::PER_MUNICIPALITY {
                shows_what_it_says(municipality, index, now_ms);
            }
        }
    }
}

fn shows_what_it_says(municipality: &'static Municipality, index: u32, now_ms: i64) {
    let resident = people::resident(1, municipality, index);
    let care = services::care(1, municipality, &resident, calendar::date_of(now_ms));
    let infections = infection::infections(1, municipality, &resident, &care, now_ms);
    let rounds = vitals::rounds(1, municipality, &resident, &care, &infections, now_ms);
    let points: Vec<Point> = rounds
        .iter()
        .zip(totals(&rounds))
        .map(|(round, total)| Point { at_ms: round.at_ms, value: f64::from(total) })
        .collect();
    let last = points.last().unwrap();
    let usual = normal::normal(Measure::Total, &points, last.at_ms - calendar::DAY).unwrap();
    let highest = points.iter().map(|point| point.value).fold(0.0, f64::max);
    let against = normal::deviation(last.value, &usual).place;
    let when = calendar::written(now_ms);
    match resident.story.unwrap().plot {
        Plot::CopdRising => {
            let trend = trend::movement(Measure::Total, &points, None, now_ms).trend;
            assert_eq!(trend, Trend::Rising, "{when}");
            assert!((4.0..=5.0).contains(&usual.centre), "{when}: {}", usual.centre);
            assert_eq!((against, care.place), (Against::Above, Place::Kad), "{when}");
            assert!(last.value >= 7.0 && last.value >= highest - 1.0, "{when}: {}", last.value);
        }
        Plot::InfectionReceded => {
            assert!(highest >= 7.0 && last.value <= 2.0, "{when}: {highest} then {}", last.value);
            assert_eq!((against, care.place), (Against::Within, Place::ShortStay), "{when}");
        }
        Plot::HomeToLegevakt | Plot::DementiaAtHome => {
            assert!(highest <= 3.0, "{when}: {highest}");
            assert_eq!(care.place, Place::Home, "{when}");
            let going_on = care.decisions.iter().filter(|d| d.state == State::Active);
            assert!(going_on.count() >= 4, "{when}");
        }
    }
}
