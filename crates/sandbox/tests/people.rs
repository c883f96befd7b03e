//! Who lives in the sandbox: valid synthetic numbers, never twice, the same for ever.

use std::collections::HashSet;

use expect_test::expect;
use proptest::prelude::*;
use record::identity::{NationalNumber, Origin, Strictness, accept_number};
use sandbox::people::{self, Gender};
use sandbox::stories::stories;
use sandbox::world::{municipalities, municipality};
use sandbox::{people::resident, staff};

proptest! {
    #[test]
    fn every_number_is_valid_and_tenors(
        seed: u64,
        index in 0..people::MOST,
        second: bool,
    ) {
        let municipality = &municipalities()[usize::from(second)];
        let resident = resident(seed, municipality, index);
        let number = NationalNumber::parse(&resident.number).unwrap();
        prop_assert_eq!(number.origin(), Origin::Tenor);
        prop_assert_eq!(accept_number(&resident.number, Strictness::Synthetic), Ok(()));
        let day = format!("{:02}", resident.person.birth.day());
        prop_assert!(resident.number.starts_with(&day));
        let is_even = (resident.number.as_bytes()[8] - b'0').is_multiple_of(2);
        prop_assert_eq!(is_even, resident.person.gender == Gender::Woman);
    }

    #[test]
    fn couples_live_together_and_name_each_other(seed: u64, pair in 2..5000u32) {
        let municipality = municipality("9902").unwrap();
        let (first, second) =
            (resident(seed, municipality, pair * 2), resident(seed, municipality, pair * 2 + 1));
        let is_couple = first.kin.relation == "Ektefelle";
        prop_assert_eq!(is_couple, second.kin.relation == "Ektefelle");
        if is_couple {
            prop_assert_eq!(&first.person.street, &second.person.street);
            prop_assert_eq!(first.kin.given, second.person.given);
            prop_assert_eq!(second.kin.phone, first.person.phone);
        }
    }
}

#[test]
fn no_number_is_given_twice() {
    let mut seen: HashSet<String> = staff::STAFF.iter().map(|staff| staff.number()).collect();
    assert_eq!(seen.len(), staff::STAFF.len());
    for municipality in municipalities() {
        // A stretch at the start and one at the end, where the days have been used most.
        for index in (0..20_000).chain(people::MOST - 10_000..people::MOST) {
            assert!(seen.insert(resident(11, municipality, index).number), "at {index}");
        }
    }
}

#[test]
fn every_organisation_number_is_valid_and_used_once() {
    let mut seen = HashSet::new();
    for site in municipalities().iter().flat_map(|municipality| municipality.sites) {
        if let Some(number) = site.organisation {
            assert!(record::identity::Orgnr::parse(number, Strictness::Production).is_some());
            assert!(seen.insert(number));
        }
    }
    assert_eq!(seen.len(), 22);
}

#[test]
fn the_people_of_the_stories_never_change() {
    let told: Vec<String> =
        stories().into_iter().map(|s| format!("{} {} {}", s.key, s.number, s.name)).collect();
    expect![[r#"
        9901-hjemme-legevakt 12853800188 Torvald Lianes
        9901-kols-kad 03824900034 Solveig Hagebø
        9901-infeksjon-tilbake 21904100029 Aslaug Tveitane
        9901-demens-hjemme 30884400186 Ingvar Nesbø
        9902-hjemme-legevakt 26813600365 Konrad Granmo
        9902-kols-kad 14874700062 Bergljot Aasen
        9902-infeksjon-tilbake 08844200073 Hjørdis Furulund
        9902-demens-hjemme 19914500195 Sigvald Myrvang"#]]
    .assert_eq(&told.join("\n"));
    let municipality = municipality("9901").unwrap();
    assert_eq!(
        format!("{:?}", resident(1, municipality, 1)),
        format!("{:?}", resident(2, municipality, 1))
    );
}
