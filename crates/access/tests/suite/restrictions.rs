//! Taking something out of the register never opens anything: not for anybody, in any order.

use std::sync::Arc;

use crate::cases::{milliseconds, person, register};
use access::caller::{Attest, Caller, Party, Practitioner};
use access::decide::{About, ReadRequest, decide_read, decide_write};
use access::permit::Reach;
use access::register::purposes::Use;
use access::register::{Ambiguous, Register, Role};
use access::standing::Standing;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use record::catalogue::Catalogue;
use record::purpose::Purpose;

const KINDS: [&str; 4] = ["legevakt", "ward", "home-care", "case-office"];
const PROFESSIONS: [&str; 3] = ["LE", "SP", "HE"];
const ORGANISATIONS: [&str; 2] = ["999977774", "312232324"];
const CLIENTS: [&str; 4] = ["plo-epj-dalfjord", "tavle-dalfjord", "vkp-dalfjord", "unknown"];
const OWNERS: [(&str, &str); 3] =
    [("999977774", "plo-epj"), ("999977774", "tavle"), ("312232324", "plo-epj")];

fn now() -> i64 {
    milliseconds("2026-05-02T12:00:00Z")
}

fn keys() -> Vec<&'static str> {
    Catalogue::get().categories.iter().map(|category| category.key.as_str()).collect()
}

fn owned(texts: Vec<&'static str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

prop_compose! {
    fn role()(
        kinds in subsequence(KINDS.to_vec(), 1..=4),
        professions in subsequence(PROFESSIONS.to_vec(), 0..=2),
        purposes in subsequence(Purpose::ALL.to_vec(), 1..=4),
        categories in subsequence(keys(), 0..=5),
        unit_list: bool,
        key in "[a-z]{4}",
    ) -> Role {
        Role {
            title: key.clone(),
            key,
            unit_kinds: owned(kinds),
            authorizations: owned(professions),
            purposes: purposes.into_iter().map(|purpose| purpose.code().to_owned()).collect(),
            categories: owned(categories),
            unit_list,
        }
    }
}

prop_compose! {
    fn registers()(
        roles in prop::collection::vec(role(), 0..5),
        purposes in subsequence(Purpose::ALL.to_vec(), 3..=6),
    ) -> Register {
        let mut register = register("dalfjord", &serde_json::Map::new());
        register.roles.extend(roles);
        register.purposes = purposes.into_iter().map(Use::from).collect();
        register
    }
}

prop_compose! {
    fn practitioners()(
        security_level in select(vec![4_u8, 4, 4, 3]),
        minutes in select(vec![0_i64, 10, 59, 61]),
        profession in prop::option::of(select(PROFESSIONS.to_vec())),
        legal_entity in select(vec![ORGANISATIONS[0], ORGANISATIONS[0], ORGANISATIONS[1]]),
        unit in select(vec!["810000017", "810000025", "810000033", "810000041", "810000099"]),
        purpose in select(Purpose::ALL.to_vec()),
        attested in prop::bool::weighted(0.9),
        has_hpr in prop::bool::weighted(0.9),
    ) -> Party {
        let attest = Attest {
            made_at: now() - minutes * 60_000,
            authorization: profession.map(str::to_owned),
            legal_entity: legal_entity.to_owned(),
            point_of_care: unit.to_owned(),
            department: None,
            healthcare_service: None,
            purpose,
            purpose_details: None,
            decision_ref: "decision-1".to_owned(),
            user_selected: true,
            names_another: false,
            patients: Vec::new(),
        };
        Party::Practitioner(Practitioner {
            name: "Lege Legesen".to_owned(),
            subject: "subject-1".to_owned(),
            hpr: has_hpr.then(|| "222900011".to_owned()),
            hpr_professions: None,
            security_level,
            attest: attested.then_some(attest),
        })
    }
}

prop_compose! {
    fn callers()(
        party in prop_oneof![
            3 => practitioners(),
            2 => Just(Party::System),
            1 => Just(Party::Resident { number: String::new(), name: "Innbygger".to_owned() }),
        ],
        client in select(CLIENTS.to_vec()),
        organisation in prop::option::weighted(0.9, select(ORGANISATIONS.to_vec())),
    ) -> Caller {
        Caller {
            client_id: client.to_owned(),
            organisation: organisation.map(str::to_owned),
            unit: None,
            supplier: None,
            token_id: "token-1".to_owned(),
            scopes: None,
            party,
        }
    }
}

fn standing(register: &Register) -> Arc<Standing> {
    Arc::new(Standing::new(register.clone()).unwrap())
}

fn abouts() -> impl Strategy<Value = About> {
    let (a, b) = (About::Person(person("patient A")), About::Person(person("patient B")));
    select(vec![a, a, b, About::OwnUnit, About::Unnamed])
}

/// Something taken out of the register. Indexes are of what is there at the time.
#[derive(Clone, Debug)]
enum Restriction {
    Purpose(Index),
    Unit(Index),
    Role(Index),
    RoleCategory(Index, Index),
    RolePurpose(Index, Index),
    RoleUnitKind(Index, Index),
    UnitList(Index),
    Agreement(Index),
    AgreementCategory(Index, Index),
    AgreementEnds(Index),
}

fn restrictions() -> impl Strategy<Value = Restriction> {
    use Restriction::*;
    let one = any::<Index>;
    let two = any::<(Index, Index)>;
    prop_oneof![
        one().prop_map(Purpose),
        one().prop_map(Unit),
        one().prop_map(Role),
        two().prop_map(|(of, which)| RoleCategory(of, which)),
        two().prop_map(|(of, which)| RolePurpose(of, which)),
        two().prop_map(|(of, which)| RoleUnitKind(of, which)),
        one().prop_map(UnitList),
        one().prop_map(Agreement),
        two().prop_map(|(of, which)| AgreementCategory(of, which)),
        one().prop_map(AgreementEnds),
    ]
}

fn take<T>(items: &mut Vec<T>, which: &Index) {
    if !items.is_empty() {
        items.remove(which.index(items.len()));
    }
}

fn one<'a, T>(items: &'a mut [T], which: &Index) -> Option<&'a mut T> {
    let len = items.len();
    (len > 0).then(|| items.get_mut(which.index(len)))?
}

impl Restriction {
    fn apply(&self, register: &mut Register) {
        let (roles, agreements) = (&mut register.roles, &mut register.agreements);
        match self {
            Self::Purpose(which) => take(&mut register.purposes, which),
            Self::Unit(which) => take(&mut register.units, which),
            Self::Role(which) => take(roles, which),
            Self::RoleCategory(of, which) => {
                one(roles, of).into_iter().for_each(|role| take(&mut role.categories, which));
            }
            Self::RolePurpose(of, which) => {
                one(roles, of).into_iter().for_each(|role| take(&mut role.purposes, which));
            }
            Self::RoleUnitKind(of, which) => {
                one(roles, of).into_iter().for_each(|role| take(&mut role.unit_kinds, which));
            }
            Self::UnitList(of) => {
                one(roles, of).into_iter().for_each(|role| role.unit_list = false);
            }
            Self::Agreement(which) => take(agreements, which),
            Self::AgreementCategory(of, which) => {
                one(agreements, of).into_iter().for_each(|it| take(&mut it.categories, which));
            }
            Self::AgreementEnds(of) => {
                one(agreements, of).into_iter().for_each(|it| it.valid_to = Some(now()));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn reading_is_never_widened_by_a_restriction(
        mut register in registers(),
        caller in callers(),
        about in abouts(),
        categories in subsequence(keys(), 0..=8),
        restrictions in prop::collection::vec(restrictions(), 1..6),
    ) {
        let request = ReadRequest::new(about, &categories);
        let decide = |register: &Register| {
            decide_read(&caller, Some(person("patient A")), &standing(register), &request, now())
        };
        let mut before = decide(&register);
        for restriction in restrictions {
            restriction.apply(&mut register);
            let after = decide(&register);
            match (&before, &after) {
                (Err(_), Ok(_)) => prop_assert!(false, "{:?} opened something", restriction),
                (Ok(before), Ok(after)) => {
                    let held = |key| before.categories().contains(key);
                    prop_assert!(after.categories().iter().all(held), "{:?}", restriction);
                    prop_assert_eq!(before.reach(), after.reach());
                    prop_assert_eq!(before.owned_by(), after.owned_by());
                }
                (_, Err(_)) => {}
            }
            before = after;
        }
    }

    #[test]
    fn a_permit_holds_what_was_asked_and_what_the_role_reads(
        register in registers(),
        caller in callers(),
        about in abouts(),
        categories in subsequence(keys(), 0..=8),
    ) {
        let request = ReadRequest::new(about, &categories);
        let own = person("patient A");
        let Ok(permit) = decide_read(&caller, Some(own), &standing(&register), &request, now()) else {
            return Ok(());
        };
        prop_assert!(permit.categories().iter().all(|key| categories.contains(key)));
        let system = matches!(caller.party, Party::System);
        prop_assert_eq!(permit.owned_by().is_some(), system);
        match (&caller.party, permit.reach(), about) {
            (Party::Resident { .. }, Reach::Person(person), _) => prop_assert_eq!(*person, own),
            (_, Reach::Person(person), About::Person(asked)) => prop_assert_eq!(*person, asked),
            (Party::Practitioner(_), Reach::Unit { unit, at }, About::OwnUnit) => {
                prop_assert_eq!(unit, &caller.attest().unwrap().point_of_care);
                prop_assert_eq!(*at, now());
            }
            (Party::Practitioner(_), Reach::Any, About::Unnamed) => {
                for key in permit.categories() {
                    prop_assert!(!Catalogue::get().category(key).unwrap().about_person);
                }
            }
            (Party::System, Reach::Any, About::Unnamed) => {}
            (party, reach, about) => {
                prop_assert!(false, "{:?} reaches {:?} when asking {:?}", party, reach, about);
            }
        }
        if matches!(caller.party, Party::Resident { .. }) {
            for key in permit.categories() {
                let category = Catalogue::get().category(key).unwrap();
                prop_assert!(category.about_person || category.shareable);
            }
        }
        if matches!(caller.party, Party::Practitioner(_)) {
            let keys: Vec<&str> = permit.basis().role.split('+').collect();
            for key in permit.categories() {
                let mut named = register.roles.iter().filter(|role| keys.contains(&&*role.key));
                prop_assert!(named.any(|role| role.categories.iter().any(|of| of == key)));
                prop_assert!(Catalogue::get().category(key).unwrap().shareable);
            }
        }
    }

    #[test]
    fn writing_is_never_widened_by_a_restriction(
        mut register in registers(),
        caller in callers(),
        category in select(keys()),
        existing in prop::option::of(select(OWNERS.to_vec())),
        restrictions in prop::collection::vec(restrictions(), 1..6),
    ) {
        let category = Catalogue::get().category(category).unwrap();
        let decide = |register: &Register| {
            decide_write(&caller, &standing(register), category, existing, now())
                .map(|permit| (permit.owner().to_owned(), permit.source().to_owned()))
        };
        let mut before = decide(&register);
        for restriction in restrictions {
            restriction.apply(&mut register);
            let after = decide(&register);
            if let Ok((owner, source)) = &after {
                prop_assert!(matches!(caller.party, Party::System));
                prop_assert!(before.is_ok(), "{:?} opened something", restriction);
                prop_assert!(existing.is_none_or(|is| is == (owner.as_str(), source.as_str())));
                prop_assert_eq!(&after, &before);
            }
            before = after;
        }
    }
}

#[test]
fn a_register_that_says_two_things_is_refused() {
    let good = register("dalfjord", &serde_json::Map::new());
    let mut twice = good.clone();
    twice.units.push(twice.units.first().unwrap().clone());
    assert_eq!(twice.check(), Err(Ambiguous::Unit("810000017".to_owned())));
    let mut overlapping = good.clone();
    let mut second = overlapping.agreements.first().unwrap().clone();
    second.source = "other".to_owned();
    second.valid_from = now();
    overlapping.agreements.push(second);
    assert_eq!(overlapping.check(), Err(Ambiguous::Client("plo-epj-dalfjord".to_owned())));
    overlapping.agreements.first_mut().unwrap().valid_to = Some(now());
    assert_eq!(overlapping.check(), Ok(()), "one after the other is no overlap");
    let first = overlapping.agreement("plo-epj-dalfjord", now() - 1).unwrap();
    let second = overlapping.agreement("plo-epj-dalfjord", now()).unwrap();
    assert_eq!((first.source.as_str(), second.source.as_str()), ("plo-epj", "other"));
}
