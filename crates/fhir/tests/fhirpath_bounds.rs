//! FHIRPath does not panic, does not run on, and calculates exactly.

use fhir::fhirpath::item::Item;
use fhir::fhirpath::scope::Scope;
use fhir::fhirpath::{EvaluationError, Expression};
use fhir::value::Value;
use proptest::prelude::*;

/// 2026-11-23T12:00:00Z.
const NOW: i64 = 1_795_435_200_000;

fn patient() -> Value {
    fhir::json!({
        "resourceType": "Patient",
        "id": "p1",
        "name": [
            { "use": "official", "family": "Lund", "given": ["Kari", "Anne"] },
            { "use": "usual", "given": ["Kari"] },
        ],
        "birthDate": "1946-09-28",
        "extension": [{
            "url": "urn:weight",
            "valueQuantity": {
                "value": 72, "system": "http://unitsofmeasure.org", "code": "kg", "unit": "kg",
            },
        }],
    })
}

#[test]
fn hostile_expressions_are_refused_or_stopped() {
    let nested = [("(", "1", ")"), ("iif(true, ", "1", ")"), ("-", "1", ""), ("a[", "1", "]")];
    for (open, middle, close) in nested {
        let text = format!("{}{middle}{}", open.repeat(5000), close.repeat(5000));
        assert!(Expression::parse(&text).is_err());
    }
    for link in ["1 + ", "a.", "a | ", "a and "] {
        assert!(Expression::parse(&format!("{}a", link.repeat(5000))).is_err());
    }
    assert!(Expression::parse(&" ".repeat(40_000)).is_err());
    assert!(Expression::parse("a.matches('(((a{99}){99}){99}){99}')").is_err());
    // The deepest that are allowed still fit the stack of a test's thread.
    for (open, middle, close) in [("iif(true, ", "1", ")"), ("-", "1", ""), ("(1 + ", "1", ")")] {
        let nested = |depth: usize| {
            let text = format!("{}{middle}{}", open.repeat(depth), close.repeat(depth));
            Expression::parse(&text).ok()
        };
        let expression = (50..500).rev().find_map(nested).unwrap();
        assert!(expression.check("Patient").is_ok());
        assert_eq!(expression.evaluate(Item::Boolean(true), &Scope::new()).unwrap().len(), 1);
    }
    let long = ["1"; 120].join(" + ");
    let expression = Expression::parse(&long).unwrap();
    let sum = expression.evaluate(Item::Boolean(true), &Scope::new()).unwrap();
    assert_eq!(sum.first().map(Item::to_string).as_deref(), Some("120"));
    let doubling = format!("'abcdefgh'{}", ".select($this & $this)".repeat(60));
    let growing = format!("name{}", ".select($this.combine($this))".repeat(60));
    let replacing = format!("'aaaa'{}", ".select($this.replace('', $this))".repeat(60));
    let patient = patient();
    for text in [&doubling, &growing, &replacing] {
        let expression = Expression::parse(text).unwrap();
        let found = expression.evaluate(Item::resource(&patient), &Scope::new());
        assert_eq!(found.unwrap_err(), EvaluationError::TooCostly);
    }
}

/// Texts that look like expressions.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "name",
        "given",
        "$this",
        "1",
        "2.50",
        "'a'",
        "@2024-02",
        "@T10",
        "4 days",
        "3 'mg'",
        "{}",
        "true",
        "Patient",
        "%resource",
        "birthDate",
        "$index",
        "$total",
        "extension.value",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 40, 3, |inner| {
        let operator = prop::sample::select(vec![
            "+", "-", "*", "/", "div", "mod", "&", "|", "=", "!=", "~", "<", ">=", "in",
            "contains", "and", "or", "xor", "implies",
        ]);
        let call = prop::sample::select(vec![
            "where",
            "select",
            "all",
            "exists",
            "repeat",
            "combine",
            "exclude",
            "skip",
            "aggregate",
            "sort",
            "indexOf",
            "replaceMatches",
            "round",
            "power",
            "lowBoundary",
            "highBoundary",
            "toQuantity",
            "count",
            "descendants",
            "toString",
            "not",
            "abs",
            "is",
            "split",
            "precision",
        ]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, o, b)| format!("({a} {o} {b})")),
            (inner.clone(), call.clone(), inner.clone())
                .prop_map(|(a, f, b)| format!("{a}.{f}({b})")),
            (inner.clone(), call).prop_map(|(a, f)| format!("{a}.{f}()")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{a}[{b}]")),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_compiled_or_refused(text in "\\PC{0,60}") {
        if let Err(error) = Expression::parse(&text) {
            prop_assert!((1..=text.chars().count() + 1).contains(&error.column));
        }
    }

    #[test]
    fn any_expression_ends_within_its_budget(text in expression()) {
        let patient = patient();
        if let Ok(expression) = Expression::parse(&text) {
            let scope = Scope::new().now(NOW).budget(20_000);
            let checked = expression.check("Patient");
            let found = expression.evaluate(Item::resource(&patient), &scope);
            if let Ok(found) = &found {
                prop_assert!(found.len() <= 20_000);
            }
            // What the check passes, evaluation does not find of wrong type for want of an element.
            if checked.is_ok() {
                prop_assert_ne!(found.err(), Some(EvaluationError::UnknownType));
            }
        }
    }

    #[test]
    fn sums_and_products_are_exact(a in -99_999_i64..99_999, b in -99_999_i64..99_999, c in 0_u8..5) {
        let decimal = |number: i64| {
            let unit = 10_i64.pow(u32::from(c));
            let sign = if number < 0 { "-" } else { "" };
            let width = usize::from(c);
            let (whole, part) = (number.abs() / unit, number.abs() % unit);
            if c == 0 { format!("({sign}{whole}.0)") } else { format!("({sign}{whole}.{part:0width$})") }
        };
        let (one, two) = (decimal(a), decimal(b));
        let text = format!("{one} + {two} = {} and {one} - {two} + {two} = {one}", decimal(a + b));
        let expression = Expression::parse(&text).unwrap();
        prop_assert_eq!(expression.truth(Item::Boolean(true), &Scope::new()), Ok(Some(true)), "{}", text);
    }
}
