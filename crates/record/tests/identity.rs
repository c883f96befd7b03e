//! Who is who: identity numbers, organisation numbers and identifier systems, against published
//! vectors and against what every mistyping must meet.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

use proptest::prelude::*;
use record::identity::{
    IdentityError, NationalNumber, NumberKind, Orgnr, Origin, PersonId, Strictness, accept_number,
    complete_number, contains_number,
};
use record::system;

const VECTORS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/cases/norway/identifiers__validation-vectors.json"
);

fn vectors() -> Option<serde_json::Value> {
    match std::fs::read(VECTORS) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(_) => {
            println!("skipped: the published validation vectors are not here");
            None
        }
    }
}

#[test]
fn the_published_numbers_are_judged_as_published() {
    let Some(vectors) = vectors() else { return };
    let list = |name: &str| -> Vec<String> {
        let items = vectors[name].as_array().unwrap();
        items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    let expected = [
        ("fnr_real_format_valid", NumberKind::Fnr, Origin::Real),
        ("tenor_month_plus_80_valid", NumberKind::Fnr, Origin::Tenor),
        ("syntpop_month_plus_65_valid", NumberKind::Fnr, Origin::SyntPop),
        ("dnr_plus_syntpop_valid", NumberKind::Dnr, Origin::SyntPop),
        ("dnr_valid", NumberKind::Dnr, Origin::Real),
        ("fh_number_valid", NumberKind::Fhn, Origin::Real),
        ("h_number_month_plus_40_checkdigits_over_original_date", NumberKind::Fnr, Origin::Plus40),
    ];
    for (name, kind, origin) in expected {
        for text in list(name) {
            let number = NationalNumber::parse(&text).unwrap();
            assert_eq!((number.kind(), number.origin()), (kind, origin), "{name}");
            assert_eq!(number.as_str(), text);
        }
    }
    for text in list("invalid") {
        assert!(NationalNumber::parse(&text).is_err(), "{text} is published as invalid");
    }
    for text in list("orgnr_mod11_valid") {
        assert!(Orgnr::parse(&text, Strictness::Production).is_some(), "{text}");
    }
    for text in list("orgnr_used_in_published_tests_but_mod11_INVALID") {
        assert!(Orgnr::parse(&text, Strictness::Production).is_none(), "{text}");
        assert!(Orgnr::parse(&text, Strictness::Lenient).is_some(), "{text}");
    }
}

/// A number with a right date of some population and right check digits.
fn number() -> impl Strategy<Value = String> {
    let day_offset = prop_oneof![Just(0_u32), Just(40)];
    let month_offset = prop_oneof![Just(0_u32), Just(40), Just(65), Just(80)];
    let digits = (1_u32..=28, day_offset, 1_u32..=12, month_offset, 0_u32..100, 0_u32..1000);
    digits.prop_filter_map(
        "no check digit exists",
        |(day, more, month, offset, year, individual)| {
            let nine = format!("{:02}{:02}{year:02}{individual:03}", day + more, month + offset);
            complete_number(nine.as_bytes().try_into().unwrap())
        },
    )
}

/// The first number over a date.
fn made(date: &str) -> String {
    let nine = |n: u32| format!("{date}{n:03}");
    (100..999).find_map(|n| complete_number(nine(n).as_bytes().try_into().unwrap())).unwrap()
}

/// Where one of the two is in the population whose check digits may be computed in two ways, one
/// mistake may lead from the one way to the other (conventions §1.2). That is the documented case.
fn two_ways(one: &str, other: &str) -> bool {
    [one, other].iter().any(|text| ('4'..='5').contains(&text.chars().nth(2).unwrap()))
}

proptest! {
    #[test]
    fn a_completed_number_is_valid(text in number()) {
        let number = NationalNumber::parse(&text).unwrap();
        prop_assert_eq!(number.as_str(), text.as_str());
        let within = format!("urn:x:{text}/1");
        prop_assert!(contains_number(&within));
        prop_assert_eq!(format!("{number:?}"), "NationalNumber(…)");
    }

    #[test]
    fn a_changed_digit_is_found(text in number(), at in 0..11_usize, by in 1..10_u8) {
        let mut other = text.clone().into_bytes();
        other[at] = (other[at] - b'0' + by) % 10 + b'0';
        let other = String::from_utf8(other).unwrap();
        prop_assume!(!two_ways(&text, &other));
        prop_assert!(NationalNumber::parse(&other).is_err(), "{} and {}", text, other);
    }

    #[test]
    fn swapped_neighbours_are_found(text in number(), at in 0..10_usize) {
        let mut other = text.clone().into_bytes();
        other.swap(at, at + 1);
        let other = String::from_utf8(other).unwrap();
        prop_assume!(other != text && !two_ways(&text, &other));
        prop_assert!(NationalNumber::parse(&other).is_err(), "{} and {}", text, other);
    }

    #[test]
    fn nothing_breaks_the_parsers(text in "\\PC{0,14}") {
        if let Ok(number) = NationalNumber::parse(&text) {
            prop_assert_eq!(number.as_str(), text.as_str());
        }
        let digits = text.len() == 11 && text.bytes().all(|b| b.is_ascii_digit());
        prop_assert!(digits || NationalNumber::parse(&text) == Err(IdentityError::NotElevenDigits));
        let once = system::canonical(&text);
        prop_assert_eq!(system::canonical(&once), once.clone());
    }

    #[test]
    fn a_person_id_reads_back(bytes: [u8; 16]) {
        let text = PersonId(bytes).to_string();
        prop_assert_eq!(PersonId::parse(&text), Some(PersonId(bytes)));
        prop_assert_eq!(PersonId::parse(&text[1..]), None);
        prop_assert_eq!(PersonId::parse(&format!("+{}", &text[1..])), None);
    }
}

/// Every number over one date whose second check digit is right, by what its first one leaves.
fn by_remainder(date: &str) -> [Vec<String>; 11] {
    let weights = [3, 7, 6, 1, 8, 9, 4, 5, 2];
    let second = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
    let sum = |text: &str, weights: &[u32]| -> u32 {
        text.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum()
    };
    let mut found: [Vec<String>; 11] = Default::default();
    for rest in 0..10_000 {
        let ten = format!("{date}{rest:04}");
        let left = (sum(&ten, &weights) + u32::from(ten.as_bytes()[9] - b'0')) % 11;
        let k2 = (11 - sum(&ten, &second) % 11) % 11;
        if k2 < 10 {
            found[left as usize].push(format!("{ten}{k2}"));
        }
    }
    found
}

#[test]
fn the_first_check_digit_is_relaxed_for_those_who_get_such_numbers() {
    let accepted = |date: &str| -> Vec<usize> {
        let numbers = by_remainder(date);
        (0..11)
            .filter(|left| {
                let ok = numbers[*left].iter().filter(|text| NationalNumber::parse(text).is_ok());
                let (ok, all) = (ok.count(), numbers[*left].len());
                assert!(ok == 0 || ok == all, "all or none of those that leave {left}");
                ok > 0
            })
            .collect()
    };
    assert_eq!(accepted("018124"), [0, 1, 2, 3], "fødselsnummer");
    assert_eq!(accepted("418124"), [0, 1, 2, 3], "D-number");
    assert_eq!(accepted("818124"), [0], "felles hjelpenummer stays strict");
}

#[test]
fn a_date_must_be_one() {
    let refused = |date: &str| NationalNumber::parse(&made(date));
    assert_eq!(refused("008124"), Err(IdentityError::NotADate));
    assert_eq!(refused("318224"), Err(IdentityError::NotADate), "31 April");
    assert_eq!(refused("308224"), Err(IdentityError::NotADate), "30 February");
    assert_eq!(refused("019424"), Err(IdentityError::NotADate), "month 14");
    assert_eq!(refused("010024"), Err(IdentityError::NotADate), "month 0");
}

#[test]
fn each_environment_takes_its_own_numbers() {
    let (real, tenor, syntpop) = (made("010124"), made("018124"), made("016624"));
    let (local, wrong) = (made("014124"), "1000807".to_owned());
    let table = [
        (&real, Ok(()), Err(IdentityError::RealRefused)),
        (&tenor, Err(IdentityError::SyntheticRefused), Ok(())),
        (&syntpop, Err(IdentityError::SyntheticRefused), Ok(())),
        // Month + 40 is an H-number in production and one of NAV's in a test environment.
        (&local, Ok(()), Ok(())),
        (&wrong, Err(IdentityError::NotElevenDigits), Err(IdentityError::NotElevenDigits)),
    ];
    for (text, production, synthetic) in table {
        assert_eq!(accept_number(text, Strictness::Production), production);
        assert_eq!(accept_number(text, Strictness::Synthetic), synthetic);
        assert_eq!(accept_number(text, Strictness::Lenient), Ok(()));
    }
    assert!(accept_number(" ", Strictness::Lenient).is_err());
    for error in [IdentityError::CheckDigits, IdentityError::RealRefused] {
        assert!(!error.to_string().contains(|c: char| c.is_ascii_digit()));
    }
}

#[test]
fn a_number_is_found_wherever_it_stands() {
    let number = made("018124");
    for text in [number.clone(), format!("a{number}b"), format!("?patient={number}&x=1")] {
        assert!(contains_number(&text), "{text}");
    }
    let longer = format!("1{number}");
    for text in ["", "12345678901", "2024-01-01T10:00:00", longer.as_str()] {
        assert!(!contains_number(text), "{text}");
    }
}

#[test]
fn what_cannot_be_completed_is_not() {
    assert_eq!(complete_number(*b"01812410x"), None);
    let made = (0..1000).filter_map(|n| {
        let nine = format!("018124{n:03}");
        complete_number(nine.as_bytes().try_into().unwrap())
    });
    let made: Vec<String> = made.collect();
    // One in eleven first digits does not exist, and one in eleven second ones.
    assert!((800..850).contains(&made.len()), "{}", made.len());
    assert!(made.iter().all(|text| NationalNumber::parse(text).is_ok()));
}

#[test]
fn organisation_numbers_have_a_check_digit() {
    for text in ["974760673", "994598759"] {
        let right = Orgnr::parse(text, Strictness::Production).unwrap();
        assert_eq!((right.as_str(), right.to_string()), (text, text.to_owned()));
        for last in 0..10 {
            let other = format!("{}{last}", &text[..8]);
            let taken = Orgnr::parse(&other, Strictness::Production).is_some();
            assert_eq!(taken, other == text);
        }
    }
    for text in ["", "97476067", "9747606733", "97476067x", "９74760673"] {
        assert!(Orgnr::parse(text, Strictness::Lenient).is_none());
    }
}

#[test]
fn one_system_has_one_name_for_comparing() {
    let aliases = [
        ("http://hl7.no/fhir/NamingSystem/FNR", system::FNR),
        ("http://hl7.no/fhir/NamingSystem/DNR", system::DNR),
        ("http://hl7.no/fhir/NamingSystem/FHNR", system::FHN),
        ("http://hl7.no/fhir/NamingSystem/HPR", system::HPR),
        ("urn:oid:2.16.578.1.12.4.1.2.101", system::ENH),
        ("https://register.geonorge.no/sosi-kodelister/kommunenummer", system::KOMMUNE),
        ("urn:oid:2.16.578.1.12.4.1.1.3402", system::KOMMUNE),
        (system::SERVICE_TYPE_OSLO, system::SERVICE_TYPE),
        ("http://helsedir.no/fhir/CodeSystem/no-kodeverk-9151", system::SERVICE_TYPE),
        ("http://ehelse.no/fhir/CodeSystem/no-kodeverk-9151", system::SERVICE_TYPE),
        ("http://ehelse.no/fhir/CodeSystem/no-kodeverk-91510", ""),
        (system::LOINC, system::LOINC),
    ];
    for (written, wanted) in aliases {
        let wanted = if wanted.is_empty() { written } else { wanted };
        assert_eq!(system::canonical(written), wanted);
    }
    let national = [system::FNR, system::DNR, system::FHN, "http://hl7.no/fhir/NamingSystem/FNR"];
    assert!(national.into_iter().all(system::is_national_number));
    assert!(![system::HPR, system::ENH, ""].into_iter().any(system::is_national_number));
}
