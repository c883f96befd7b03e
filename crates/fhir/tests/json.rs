//! Parsing and printing: against `serde_json`, and against themselves.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use expect_test::{Expect, expect};
use fhir::json;
use fhir::value::{Number, Object, Value};
use proptest::prelude::*;

fn any_number() -> impl Strategy<Value = Value> {
    "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?"
        .prop_map(|text| Value::Number(Number::parse(&text).unwrap()))
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any_number(),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::vec((any::<String>(), inner), 0..40).prop_map(|members| {
                let mut object = Object::new();
                for (name, value) in members {
                    object.set(&name, value);
                }
                Value::Object(object)
            }),
        ]
    })
}

/// The same tree, numbers aside, whose text `serde_json` does not keep.
fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
        (Value::Number(a), serde_json::Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= a.abs() * 1e-14
        }
        (Value::String(a), serde_json::Value::String(b)) => **a == **b,
        (Value::Array(a), serde_json::Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), serde_json::Value::Object(b)) => {
            let pairs = a.iter().zip(b);
            a.len() == b.len() && pairs.into_iter().all(|(a, b)| a.0 == b.0 && same(a.1, b.1))
        }
        _ => false,
    }
}

fn compare(bytes: &[u8]) -> Result<(), TestCaseError> {
    match (json::parse(bytes), serde_json::from_slice::<serde_json::Value>(bytes)) {
        (Ok(ours), Ok(theirs)) => prop_assert!(same(&ours, &theirs)),
        (Err(_), Err(_)) => {}
        (Err(error), Ok(_)) => {
            let stricter = error.message.contains("twice") || error.message.contains("too deep");
            prop_assert!(stricter, "only we refuse: {error}");
        }
        (Ok(_), Err(error)) => {
            prop_assert!(error.to_string().contains("out of range"), "only we accept: {error}");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn printed_values_parse_to_themselves(value in any_value()) {
        let text = json::print(&value);
        prop_assert_eq!(&json::parse(text.as_bytes()).unwrap(), &value);
        prop_assert_eq!(json::parse(json::pretty(&value).as_bytes()).unwrap(), value);
        compare(text.as_bytes())?;
    }

    #[test]
    fn damaged_text_is_accepted_or_refused_as_by_serde_json(
        value in any_value(),
        cut in any::<prop::sample::Index>(),
        with in prop_oneof![
            prop::sample::select(b"{}[]\",:\\ue0123456789+-. tfn\x00\x7f".to_vec()),
            any::<u8>(),
        ],
        insert in any::<bool>(),
    ) {
        let mut bytes = json::print(&value).into_bytes();
        let at = cut.index(bytes.len());
        if insert { bytes.insert(at, with) } else { bytes[at] = with }
        compare(&bytes)?;
        bytes.truncate(at);
        compare(&bytes)?;
    }

    #[test]
    fn no_bytes_make_it_fail_otherwise(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        compare(&bytes)?;
    }
}

fn refused(text: &[u8], expected: Expect) {
    expected.assert_eq(&json::parse(text).unwrap_err().to_string());
}

#[test]
fn refusals_say_what_and_where() {
    refused(b"", expect!["expected a JSON value, but the text ends at line 1 column 1"]);
    refused(b"{\"a\": 1,}", expect!["expected a member name in double quotes at line 1 column 9"]);
    refused(
        b"{\"a\":1,\n \"a\":2}",
        expect!["member name twice in one object: keep one at line 2 column 2"],
    );
    refused(b"[01]", expect!["not a JSON number at line 1 column 2"]);
    refused(b"[1] x", expect!["text after the JSON value at line 1 column 5"]);
    refused(
        "\"\u{e5}\u{e5}\n\"".as_bytes(),
        expect!["control character in a string: escape it at line 1 column 4"],
    );
    refused(
        b"\"\\ud800\\u0041\"",
        expect!["lone surrogate in a string: send the whole character at line 1 column 2"],
    );
    refused(
        b"\"\\udc00\"",
        expect!["lone surrogate in a string: send the whole character at line 1 column 2"],
    );
    refused(b"\"\xff\"", expect!["not UTF-8: send the text as UTF-8 at line 1 column 2"]);
    let deep = "[".repeat(65) + &"]".repeat(65);
    refused(
        deep.as_bytes(),
        expect!["nested too deep: at most 64 levels of arrays and objects at line 1 column 65"],
    );
    assert!(json::parse(&deep.as_bytes()[1..129]).is_ok());
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert_eq!(json::parse(b"\xef\xbb\xbf{}"), Ok(fhir::json!({})));
    assert!(json::parse(b"{}\xef\xbb\xbf").is_err());
}

#[test]
fn a_duplicate_in_a_large_object_is_found() {
    let members: Vec<String> = (0..100).map(|n| format!("\"{}\":{n}", n % 99)).collect();
    let text = format!("{{{}}}", members.join(","));
    assert!(json::parse(text.as_bytes()).unwrap_err().message.contains("twice"));
}

#[test]
fn decimals_keep_their_text() {
    let text = r#"[72.50,1.0e2,-0.0,0.12345678901234567890123,1E+5]"#;
    assert_eq!(json::print(&json::parse(text.as_bytes()).unwrap()), text);
}

#[test]
fn pretty_is_for_people() {
    let value = fhir::json!({ "a": [1, {}], "b": { "c": null, "d": [] } });
    expect![[r#"
        {
          "a": [
            1,
            {}
          ],
          "b": {
            "c": null,
            "d": []
          }
        }"#]]
    .assert_eq(&json::pretty(&value));
}

#[test]
fn the_macro_leaves_absent_members_out() {
    let absent: Option<&str> = None;
    let code = "15".to_owned();
    let inner = fhir::json!({ "n": 1_i64 });
    let value =
        fhir::json!({ "a": absent, "b": Some(true), ("c"): &code, "d": [&inner, -2, "x"], });
    expect![[r#"{"b":true,"c":"15","d":[{"n":1},-2,"x"]}"#]].assert_eq(&json::print(&value));
    assert_eq!(value.at("d.0.n"), Some(&Value::from(1)));
    assert_eq!(value.at("d.n"), Some(&Value::from(1)));
    assert_eq!(value.at("d.1.n"), None);
}
