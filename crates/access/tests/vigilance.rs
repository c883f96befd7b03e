//! The log analysis, rule by rule: what is asked, in which words, and what explains it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use access::vigilance::analysis::analyse;
use access::vigilance::day::{Day, Look, Looks};
use access::vigilance::facts::{Employee, Facts, Person, Relation, Shift};
use access::vigilance::finding::Finding;
use access::vigilance::memory::Memory;
use access::vigilance::settings::Settings;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use record::identity::PersonId;

const WARD: &str = "100000003";
const TODAY: Day = Day(20_780);

fn person(number: u8) -> PersonId {
    PersonId([number; 16])
}

fn look(minute: u16, number: u8) -> Look<'static> {
    Look {
        position: u64::from(minute),
        minute,
        who: "amina",
        name: "Amina Viken",
        role: "sykepleier",
        unit: WARD,
        person: Some(person(number)),
        list: false,
        emergency: false,
        refused: None,
    }
}

/// One employee, one colleague, and a resident with everything in common with the employee.
fn facts() -> Facts {
    let mut facts = Facts::default();
    let address = || Some("Fjordveien 4 H0101".to_owned());
    let employee = |number, family: &str, unit: &str| Employee {
        person: Some(person(number)),
        family: Some(family.to_owned()),
        address: address(),
        unit: Some(unit.to_owned()),
        ..Employee::default()
    };
    facts.staff.insert("amina".to_owned(), employee(1, "Viken", WARD));
    facts.staff.insert("jonas".to_owned(), employee(2, "Hellebust", WARD));
    facts.names.insert("viken".to_owned(), 3);
    let spouse = Person {
        family: Some("VIKEN".to_owned()),
        address: Some("fjordveien 4, H0101".to_owned()),
        known: true,
        died: Some(TODAY.minus(60)),
        ..Person::default()
    };
    facts.persons.insert(person(3), spouse);
    facts
}

fn run(settings: &str, memory: &mut Memory, looks: &[Look<'_>], facts: &Facts) -> Vec<Finding> {
    let mut day = Looks::new(TODAY);
    looks.iter().for_each(|look| day.take(look));
    analyse(&Settings::merged(settings).unwrap(), memory, &day, facts)
}

fn told(findings: &[Finding]) -> String {
    let sign = |it: &access::vigilance::finding::Sign| {
        format!("  {} {}: {}\n", it.points, it.of.rule().title(), it.of.sentence())
    };
    let one = |it: &Finding| {
        let signs: String = it.signs.iter().map(sign).collect();
        format!("{} {} {}\n{signs}", it.id(), it.score(), it.heading())
    };
    findings.iter().map(one).collect()
}

fn check(looks: &[Look<'_>], facts: &Facts, expect: Expect) {
    expect.assert_eq(&told(&run("line = 1", &mut Memory::default(), looks, facts)));
}

#[test]
fn everything_in_common_is_told_with_its_facts() {
    check(
        &[look(480, 3), look(481, 3)],
        &facts(),
        expect![[r#"
            480 100 2 oppslag på én person 23. november 2026
              40 Samme adresse: Den ansatte og personen har samme adresse.
              40 Ingen kjent behandlingsrelasjon: Enheten har ingen kjent tjeneste, sak eller kontakt med personen fra 14 dager før til 3 dager etter.
              35 Kjent person: Kommunen har ført opp personen som en mange er nysgjerrige på.
              35 Etter dødsfall: Personen døde 24. september 2026, før oppslaget.
              30 Samme etternavn: Den ansatte og personen har samme etternavn, som 3 av 10 000 innbyggere har.
        "#]],
    );
}

#[test]
fn a_relation_explains_all_but_bonds_and_death() {
    let mut facts = facts();
    let relation = Relation { unit: WARD.to_owned(), from: TODAY.plus(3), to: None };
    facts.persons.get_mut(&person(3)).unwrap().relations.push(relation);
    check(
        &[look(480, 3)],
        &facts,
        expect![[r#"
            480 65 1 oppslag på én person 23. november 2026
              35 Etter dødsfall: Personen døde 24. september 2026, før oppslaget.
              30 Samme adresse: Den ansatte og personen har samme adresse, selv om enheten har en kjent relasjon til personen.
        "#]],
    );
}

#[test]
fn colleagues_oneself_and_emergencies_are_told() {
    let emergency = Look { emergency: true, ..look(500, 9) };
    check(
        &[look(480, 2), look(490, 1), emergency],
        &facts(),
        expect![[r#"
            490 100 1 oppslag på én person 23. november 2026
              60 Egen journal: Den ansatte slo opp seg selv gjennom arbeidsverktøyet.
              40 Ingen kjent behandlingsrelasjon: Enheten har ingen kjent tjeneste, sak eller kontakt med personen fra 14 dager før til 3 dager etter.
            480 75 1 oppslag på én person 23. november 2026
              40 Ingen kjent behandlingsrelasjon: Enheten har ingen kjent tjeneste, sak eller kontakt med personen fra 14 dager før til 3 dager etter.
              35 Kollega: Personen er ansatt ved samme enhet.
            500 75 1 oppslag på én person 23. november 2026
              40 Ingen kjent behandlingsrelasjon: Enheten har ingen kjent tjeneste, sak eller kontakt med personen fra 14 dager før til 3 dager etter.
              35 Nødtilgang uten kontakt: Nødtilgang ble brukt, uten at enheten har dokumentert kontakt samme dag eller de 3 neste dagene.
        "#]],
    );
}

#[test]
fn a_day_that_stands_out_is_told_as_a_whole() {
    let refused = Some("category-not-for-role");
    let many = (10..90).map(|number| look(u16::from(number), number));
    let doors = (100..108).map(|number| Look { refused, ..look(u16::from(number), number) });
    let expired = (0..30).map(|it| Look { refused: Some("attest-expired"), ..look(600 + it, 9) });
    let looks: Vec<_> = many.chain(doors).chain(expired).collect();
    let mut facts = facts();
    for number in 10..60 {
        let relation = Relation { unit: WARD.to_owned(), from: TODAY, to: Some(TODAY) };
        let relations = vec![relation];
        facts.persons.insert(person(number), Person { relations, ..Person::default() });
    }
    let found = run("", &mut Memory::default(), &looks, &facts);
    expect![[r#"
        10-d 100 Arbeidsdagen 23. november 2026 skiller seg ut
          60 Mange avviste forsøk: 8 forsøk ble avvist, på 8 ulike personer.
          48 Uvanlig mange personer: Slo opp 80 ulike personer, hva som er vanlig, er ikke kjent ennå; 30 av dem uten kjent relasjon.
    "#]]
    .assert_eq(&told(&found));
}

#[test]
fn hours_are_judged_by_the_roster_and_otherwise_by_habit() {
    let night = [look(120, 9)];
    let mut facts = facts();
    let midnight = i64::from(TODAY.0) * 24 * 60;
    let shift = Shift { from: midnight + 480, to: midnight + 960 };
    facts.staff.get_mut("amina").unwrap().shifts.insert(shift);
    check(
        &night,
        &facts,
        expect![[r#"
            120 65 1 oppslag på én person 23. november 2026
              40 Ingen kjent behandlingsrelasjon: Enheten har ingen kjent tjeneste, sak eller kontakt med personen fra 14 dager før til 3 dager etter.
              25 Utenfor arbeidstid: Oppslaget klokka 02.00 er utenfor vaktplanen.
        "#]],
    );
    facts.staff.get_mut("amina").unwrap().shifts.clear();
    let settings = Settings::defaults().unwrap();
    let mut memory = Memory::default();
    for before in (1..=12).rev() {
        let mut day = Looks::new(TODAY.minus(before));
        // By day, once around midnight: one night is no habit.
        day.take(&look(if before == 5 { 10 } else { 600 }, 7));
        analyse(&settings, &mut memory, &day, &facts);
    }
    let found = told(&run("", &mut memory.clone(), &night, &facts));
    assert!(found.contains("utenfor den ansattes vanlige arbeidstid"), "{found}");
    let found = told(&run("", &mut memory, &[look(660, 9)], &facts));
    assert!(found.is_empty(), "{found}");
}

#[test]
fn repetition_is_remembered_and_forgotten() {
    let settings = Settings::defaults().unwrap();
    let scores = |days: [i32; 3]| {
        let mut memory = Memory::default();
        let all = days.map(|day| {
            let mut looks = Looks::new(Day(TODAY.0 + day));
            looks.take(&look(480, 9));
            let found = analyse(&settings, &mut memory, &looks, &facts());
            found.first().map(Finding::score)
        });
        // What is written is read again.
        let text = serde_json::to_string(&memory).unwrap();
        assert_eq!(serde_json::from_str::<Memory>(&text).unwrap(), memory);
        all
    };
    assert_eq!(scores([0, 1, 2]), [None, None, Some(70)]);
    assert_eq!(scores([0, 29, 58]), [None, None, None]);
}

#[test]
fn settings_are_checked() {
    let wrong = |text: &str| Settings::merged(text).unwrap_err().to_string();
    expect![[r#"
        the settings of the log analysis: `settle-days` is at least `no-relation.after-days`, since contacts are awaited so long
        the settings of the log analysis: `memory-days` is from 1 to 31: longer would be a register of employees' habits
        the settings of the log analysis: points are at most 100
        the settings of the log analysis: unknown field `colour`, expected `on` or `points`
    "#]]
    .assert_eq(&format!(
        "{}\n{}\n{}\n{}\n",
        wrong("settle-days = 1"),
        wrong("memory-days = 60"),
        wrong("[volume]\nmost = 101"),
        wrong("[emergency]\ncolour = 1").lines().next().unwrap_or_default(),
    ));
    let off = "[no-relation]\non = false\n[same-name]\non = false\n[known-person]\non = false\n\
               [after-death]\non = false\n[same-address]\non = false";
    let found = run(&format!("line = 1\n{off}"), &mut Memory::default(), &[look(480, 3)], &facts());
    assert_eq!(told(&found), "");
}

proptest! {
    /// A relation never makes looks more suspicious, and a score is never more than its signs.
    #[test]
    fn a_relation_never_adds(
        minutes in prop::collection::vec((0_u16..1440, 1_u8..5, any::<bool>()), 1..30),
        from in -30_i32..30,
        length in 0_i32..30,
        whom in 1_u8..5,
    ) {
        let looks: Vec<_> = minutes
            .iter()
            .map(|(minute, person, emergency)| Look { emergency: *emergency, ..look(*minute, *person) })
            .collect();
        let before = run("line = 1", &mut Memory::default(), &looks, &facts());
        let mut facts = facts();
        let from = Day(TODAY.0 + from);
        let relation = Relation { unit: WARD.to_owned(), from, to: Some(Day(from.0 + length)) };
        facts.persons.entry(person(whom)).or_default().relations.push(relation);
        for after in run("line = 1", &mut Memory::default(), &looks, &facts) {
            let same = before.iter().find(|it| it.person == after.person);
            prop_assert!(same.is_some_and(|same| after.score() <= same.score()));
            let sum: u32 = after.signs.iter().map(|sign| sign.points).sum();
            prop_assert_eq!(after.score(), sum.min(100));
        }
    }
}
