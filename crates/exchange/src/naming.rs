//! Step 2 of the write flow, "name it": which category a resource belongs to, when it happened and
//! what the source calls it. Whom it is about is in [`crate::whom`]. All of it is read by element
//! path, so that a new type is a new line of data.

use fhir::instant;
use fhir::issue::IssueCode;
use fhir::value::Value;
use record::about::elements;
use record::catalogue::element::Element;
use record::catalogue::{Catalogue, Category};
use record::identity::contains_number;
use record::news2::codes::Codes;
use record::rights::SHAPE;
use record::system;
use std::sync::LazyLock;

use crate::error::Failure;
use crate::rights::task;

/// How far ahead of our clock a source's clock may be, in milliseconds.
const CLOCK_SKEW: i64 = 5 * 60 * 1000;

/// The category of a resource.
pub fn category(kind: &str, value: &Value) -> Result<&'static Category, Failure> {
    let mut codes: Vec<&str> = value
        .items("category")
        .iter()
        .flat_map(|concept| concept.items("coding"))
        .filter_map(|coding| coding.text("code"))
        .collect();
    if kind == "Observation" && is_vital_sign(value) {
        // Profiles such as the level of consciousness carry no category of their own.
        codes.push("vital-signs");
    }
    if kind == "Task" && task::of(value).is_some() {
        // A Task has no category of its own.
        codes.push(SHAPE);
    }
    Catalogue::get().classify(kind, &codes).ok_or_else(|| {
        Failure::invalid(
            IssueCode::BusinessRule,
            &format!("{kind}.category"),
            "no category of the information catalogue takes this resource; see the catalogue for \
             the types and categories that the municipality shares",
        )
    })
}

/// The information element of a resource in its category: by what its `code`, `type`, `category` or
/// `meta.tag` says. None where the catalogue has no element for it.
pub fn element(category: &Category, kind: &str, value: &Value) -> Option<&'static Element> {
    let named = ["code", "type"].into_iter().filter_map(|path| value.get(path));
    let concepts = named.chain(value.items("category"));
    let tags = value.get("meta").map_or(&[][..], |meta| meta.items("tag"));
    let codings = concepts.flat_map(|concept| concept.items("coding")).chain(tags);
    let codes: Vec<(&str, &str)> =
        codings.filter_map(|it| Some((it.text("system")?, it.text("code")?))).collect();
    Catalogue::get().element_of(&category.key, kind, &codes)
}

static CODES: LazyLock<Codes> = LazyLock::new(Codes::published);

fn is_vital_sign(value: &Value) -> bool {
    value
        .get("code")
        .map_or(&[][..], |code| code.items("coding"))
        .iter()
        .filter_map(|coding| Some((coding.text("system")?, coding.text("code")?)))
        .any(|(system, code)| CODES.question(system, code).is_some())
}

/// The codes of vital signs and NEWS2 in use.
pub fn news2_codes() -> &'static Codes {
    &CODES
}

/// When it happened, by the source; `now` where the resource does not say.
pub fn occurred(kind: &str, value: &Value, now: i64) -> Result<i64, Failure> {
    let mut first = None;
    let elements = elements(kind);
    for path in &elements.happened {
        let low = not_ahead(kind, value, path, now)?;
        first = first.or(low);
    }
    for path in &elements.lived {
        not_ahead(kind, value, path, now)?;
    }
    Ok(first.unwrap_or(now))
}

/// The time at a path, which must not lie in the future.
fn not_ahead(kind: &str, value: &Value, path: &str, now: i64) -> Result<Option<i64>, Failure> {
    let Some((low, _)) = value.at(path).and_then(Value::as_str).and_then(instant::range) else {
        return Ok(None);
    };
    if low > now + CLOCK_SKEW {
        return Err(Failure::invalid(
            IssueCode::BusinessRule,
            &format!("{kind}.{path}"),
            "the time lies in the future; what has not happened cannot be recorded",
        ));
    }
    Ok(Some(low))
}

/// What the source calls a new resource: its first own identifier. Event ids stand in the clear in
/// the ledger, so an identifier that holds an identity number is passed over.
pub fn event_id(kind: &str, value: &Value) -> Option<String> {
    value.items("identifier").iter().find_map(|identifier| {
        let system = identifier.text("system").unwrap_or_default();
        let number = identifier.text("value")?;
        let usable = !system::is_national_number(system) && !contains_number(number);
        usable.then(|| format!("{kind}:{system}|{number}"))
    })
}

/// Event ids stand in the clear, so they must not hold an identity number.
pub fn check_event_id(id: &str) -> Result<(), Failure> {
    if id.len() > 512 {
        return Err(Failure::invalid(
            IssueCode::TooLong,
            "",
            "an event id may have at most 512 characters",
        ));
    }
    if contains_number(id) {
        return Err(Failure::invalid(
            IssueCode::BusinessRule,
            "",
            "the event id holds a national identity number; use an id without meaning",
        ));
    }
    Ok(())
}
