//! The municipality's own policies: what is refused when they are read, and what trying a change shows.

use std::sync::Arc;

use access::caller::{Attest, Caller, Party, Practitioner};
use access::decide::{About, ReadRequest};
use access::register::Register;
use access::register::admin::PolicyText;
use access::register::purposes::standard;
use access::standing::Standing;
use access::whatif::{Difference, Question, compare};
use expect_test::{Expect, expect};
use record::purpose::Purpose;

use crate::cases::{milliseconds, person, register};

fn with(text: &str) -> Register {
    let mut register = register("samarbeid", &serde_json::Map::new());
    register.policies.push(PolicyText {
        key: "egen".to_owned(),
        title: "Egen regel".to_owned(),
        text: text.to_owned(),
    });
    register
}

fn refused(text: &str, expected: &Expect) {
    expected.assert_eq(&Standing::new(with(text)).unwrap_err().to_string());
}

#[test]
fn a_policy_that_cannot_be_used_is_refused_with_its_place() {
    refused(
        "forbid (principal is Practitioner, action in Action::\"read\", resource)\nwhen { context.levl < 4 };",
        &expect![[
            r#"policy `egen`, line 2, column 8: for policy `policy0`, attribute `levl` in context for Action::"BTG" not found; did you mean `level`?"#
        ]],
    );
    refused(
        "forbid (principal,\n  action resource);",
        &expect!["policy `egen`, line 2, column 10: unexpected token `resource`"],
    );
    refused(
        "@categories(\"services,hemmeligheter\") forbid (principal is Practitioner, action in Action::\"read\", resource);",
        &expect![
            "policy `egen`, policy 1 of its text: the catalogue has no category `hemmeligheter`"
        ],
    );
    refused(
        "forbid (principal, action, resource);",
        &expect![
            "policy `egen`, policy 1 of its text: a resident's own access is not the municipality's to regulate; say `principal is Practitioner` or `principal is System`"
        ],
    );
    refused(
        "permit (principal is Resident, action == Action::\"PATRQT\", resource);",
        &expect![
            "policy `egen`, policy 1 of its text: a resident's own access is not the municipality's to regulate; say `principal is Practitioner` or `principal is System`"
        ],
    );
    refused(
        "forbid (principal == ?principal, action in Action::\"read\", resource);",
        &expect!["policy `egen`, template: a policy says everything itself"],
    );
    refused(
        "forbid (principal is Practitioner, action in Action::\"read\", resource) when { context.level < \"4\" };",
        &expect![
            "policy `egen`, line 1, column 95: for policy `policy0`, unexpected type: expected Long but saw String"
        ],
    );
    refused(
        "forbid (principal is Practitioner, action in Action::\"read\", resource) when { resource is System };",
        &expect![
            "policy `egen`, line 1, column 1: for policy `policy0`, policy is impossible: the policy expression evaluates to false for all valid requests"
        ],
    );
    refused(
        "permit (principal is Doctor, action in Action::\"read\", resource);",
        &expect![
            "policy `egen`, line 1, column 22: for policy `policy0`, unrecognized entity type `Doctor`; did you mean `Common`?"
        ],
    );
}

fn doctor(unit: &str, purpose: Purpose) -> Caller {
    Caller {
        client_id: "pages".to_owned(),
        organisation: Some("999977774".to_owned()),
        unit: None,
        supplier: None,
        token_id: "token-1".to_owned(),
        scopes: None,
        party: Party::Practitioner(Practitioner {
            name: "Lege Legesen".to_owned(),
            subject: "subject-1".to_owned(),
            hpr: Some("222900011".to_owned()),
            hpr_professions: None,
            security_level: 4,
            attest: Some(Attest {
                made_at: milliseconds("2026-03-02T11:50:00Z"),
                authorization: Some("LE".to_owned()),
                legal_entity: "999977774".to_owned(),
                point_of_care: unit.to_owned(),
                department: None,
                healthcare_service: None,
                purpose,
                purpose_details: None,
                decision_ref: "decision-1".to_owned(),
                user_selected: false,
                names_another: false,
                patients: Vec::new(),
            }),
        }),
    }
}

#[test]
fn who_gains_and_who_loses_is_told_before_a_policy_is_put_in_force() {
    let before = register("samarbeid", &serde_json::Map::new());
    let after = with(
        "@categories(\"medications\")
         forbid (principal is Practitioner, action in Action::\"read\", resource)
         when { context.unit_kind == \"legevakt\" };
         @categories(\"services\")
         permit (principal is Practitioner, action == Action::\"TREAT\", resource is Patient)
         when { context.unit_kind == \"ward\" && context.profession == \"LE\" };",
    );
    let [before, after] = [before, after].map(|it| Arc::new(Standing::new(it).unwrap()));
    let callers = [
        doctor("810000017", Purpose::Treatment),
        doctor("810000025", Purpose::Treatment),
        doctor("810000025", Purpose::EmergencyTreatment),
    ];
    let about = About::Person(person("patient A"));
    let asked = |caller| Question {
        caller,
        resident: None,
        request: ReadRequest::new(about, &["services", "medications"]),
        at: milliseconds("2026-03-02T12:00:00Z"),
    };
    let questions: Vec<Question<'_>> = callers.iter().map(asked).collect();
    let difference =
        |question, gains, loses| Difference { question, gains, loses, withheld_differs: false };
    assert_eq!(
        compare(&before, &after, &questions),
        [difference(0, vec![], vec!["medications"]), difference(1, vec!["services"], vec![]),]
    );
    assert_eq!(
        compare(&after, &before, &questions),
        [difference(0, vec!["medications"], vec![]), difference(1, vec![], vec!["services"]),],
        "rolled back in one step"
    );
}

#[test]
fn roles_with_any_text_in_them_are_read() {
    let mut odd = register("samarbeid", &serde_json::Map::new());
    for (i, text) in
        ["\"", "\\", "*", "øre\n\t\u{301}\u{0}", "}; permit(principal, action, resource);"]
            .into_iter()
            .enumerate()
    {
        let role = &mut odd.roles[i];
        role.key = text.to_owned();
        role.unit_kinds = vec![text.to_owned()];
        role.authorizations = vec![text.to_owned()];
    }
    let policies = odd.roles.len();
    assert!(Standing::new(odd).is_ok(), "{policies} roles");
}

#[test]
fn of_the_standard_purposes_three_are_in_use() {
    let now = milliseconds("2026-03-02T12:00:00Z");
    let purposes = standard(now);
    let keys = |active: bool| -> Vec<&str> {
        let some = purposes.iter().filter(|it| it.is_active(now) == active);
        some.map(|it| it.key.as_str()).collect()
    };
    assert_eq!(keys(true), ["P1", "P2", "P3"]);
    assert_eq!(keys(false), ["P4", "P5", "P6", "P7", "P8", "P9"]);
    let register = Register { purposes, ..register("dalfjord", &serde_json::Map::new()) };
    for purpose in Purpose::ALL {
        assert!(register.has_purpose(purpose, now) && !register.has_purpose(purpose, now - 1));
    }
    let old: Register = serde_json::from_value(serde_json::to_value(&register).unwrap()).unwrap();
    assert_eq!(old, register, "a register is written as it is read");
}
