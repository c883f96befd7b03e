//! The kinds of faults.

use super::{Site, at, changed, member, put};
use fhir::json;
use fhir::value::Value;

/// A resource with a fault, and the place where it is to be found.
pub type Fault = (Value, String);

/// A kind of fault, and how it is put into a place; nothing where it does not fit there.
pub type Kind = (&'static str, fn(&Value, &Site, &Value) -> Option<Fault>);

pub const KINDS: &[Kind] = &[
    ("unknown element of the resource", |r, s, v| {
        (s.is_resource() && v.get("colour").is_none())
            .then(|| (member(r, &s.way, "colour", Some("red".into())), under(s, "colour")))
    }),
    ("unknown element within", |r, s, v| {
        (!s.is_resource() && v.as_object().is_some())
            .then(|| (member(r, &s.way, "colour", Some("red".into())), under(s, "colour")))
    }),
    ("array for a scalar", |r, s, v| {
        (s.element.is_some() && !s.repeats()).then(|| (put(r, s, json!([v])), s.place.clone()))
    }),
    ("scalar for an array", |r, s, v| {
        let first = v.as_array().and_then(<[_]>::first).filter(|first| **first != Value::Null)?;
        Some((put(r, s, first.clone()), s.place.clone()))
    }),
    ("two types of one choice", two_choices),
    ("bad id", |r, s, _| {
        (s.kind() == "id").then(|| (put(r, s, "an id with blanks"), s.place.clone()))
    }),
    ("wrong primitive type", |r, s, v| {
        let wrong = match v {
            Value::String(_) if s.is_primitive() => json!(7),
            Value::Number(_) | Value::Bool(_) => json!("7"),
            _ => return None,
        };
        Some((put(r, s, wrong), s.place.clone()))
    }),
    ("object for a primitive", |r, s, v| {
        (s.is_primitive() && v.as_array().is_none())
            .then(|| (put(r, s, json!({ "value": v })), s.place.clone()))
    }),
    ("bad date", |r, s, v| {
        let is_date = matches!(s.kind(), "date" | "dateTime" | "instant") && v.as_str().is_some();
        is_date.then(|| (put(r, s, "2020-02-31"), s.place.clone()))
    }),
    ("date in another form", |r, s, v| {
        let is_date = matches!(s.kind(), "date" | "dateTime" | "instant") && v.as_str().is_some();
        is_date.then(|| (put(r, s, "31.01.2020"), s.place.clone()))
    }),
    ("bad form of a code", |r, s, v| {
        (s.kind() == "code" && v.as_str().is_some())
            .then(|| (put(r, s, " two  blanks"), s.place.clone()))
    }),
    ("unknown code", |r, s, v| {
        let bound = s.element.is_some_and(|(_, kind)| kind.codes.is_some());
        (bound && v.as_str().is_some()).then(|| (put(r, s, "no-such-code"), s.place.clone()))
    }),
    ("white space in a URI", |r, s, v| {
        let is_uri = matches!(s.kind(), "uri" | "url" | "canonical") && v.as_str().is_some();
        is_uri.then(|| (put(r, s, "urn: x"), s.place.clone()))
    }),
    ("number out of range", |r, s, v| {
        let wrong = match s.kind() {
            "positiveInt" => 0,
            "unsignedInt" => -1,
            "integer" => 5_000_000_000_i64,
            _ => return None,
        };
        v.as_number()?;
        Some((put(r, s, wrong), s.place.clone()))
    }),
    ("missing required", missing),
    ("empty object", |r, s, v| {
        (s.element.is_some() && v.as_object().is_some())
            .then(|| (put(r, s, json!({})), s.place.clone()))
            .map(
                |(r, place)| {
                    if s.kind() == "Resource" { (r, place + ".resourceType") } else { (r, place) }
                },
            )
    }),
    ("empty array", |r, s, v| v.as_array().map(|_| (put(r, s, json!([])), s.place.clone()))),
    ("empty string", |r, s, v| {
        v.as_str().filter(|_| s.is_primitive()).map(|_| (put(r, s, ""), s.place.clone()))
    }),
    ("null", |r, s, v| {
        (s.element.is_some() && v.as_array().is_none())
            .then(|| (put(r, s, Value::Null), s.place.clone()))
    }),
    ("wrong reference target", |r, s, v| {
        let (_, kind) = s.element?;
        let wrong = !kind.targets.is_empty() && !kind.targets.contains(&"SearchParameter");
        v.text("reference").filter(|_| wrong && s.kind() == "Reference")?;
        let reference = Some("SearchParameter/x".into());
        Some((member(r, &s.way, "reference", reference), under(s, "reference")))
    }),
    ("reference to nothing contained", |r, s, v| {
        v.text("reference").filter(|_| s.kind() == "Reference")?;
        let reference = Some("#no-such-id".into());
        Some((member(r, &s.way, "reference", reference), under(s, "reference")))
    }),
    ("malformed reference", |r, s, v| {
        v.text("reference").filter(|_| s.kind() == "Reference")?;
        Some((member(r, &s.way, "reference", Some("nobody".into())), under(s, "reference")))
    }),
    ("unknown type of an inner resource", |r, s, _| {
        (s.kind() == "Resource" && s.is_resource()).then(|| {
            let name = Some("Pasient".into());
            (member(r, &s.way, "resourceType", name), under(s, "resourceType"))
        })
    }),
    ("bad narrative", |r, s, v| {
        let text = v.as_str().filter(|_| s.kind() == "xhtml")?;
        let cut = text.strip_suffix("</div>")?;
        Some((put(r, s, cut), s.place.clone()))
    }),
    ("script in a narrative", |r, s, v| {
        let text = v.as_str().filter(|_| s.kind() == "xhtml")?;
        let text = format!("{}<script>x</script></div>", text.strip_suffix("</div>")?);
        Some((put(r, s, text), s.place.clone()))
    }),
    ("per-1: a period ends before it begins", |r, s, v| {
        (s.kind() == "Period" && v.text("start").is_some() && v.as_array().is_none())
            .then(|| (member(r, &s.way, "end", Some("1066-10-14".into())), s.place.clone()))
    }),
    ("qty-3: a code of a unit without system", |r, s, v| {
        (s.kind() == "Quantity" && v.get("code").is_some() && v.get("system").is_some())
            .then(|| (member(r, &s.way, "system", None), s.place.clone()))
    }),
    ("obs-6: a value and why there is none", |r, s, v| {
        let is_one = s.kind() == "" && r.text("resourceType") == Some("Observation");
        let has_value = v.as_object()?.iter().any(|(name, _)| name.starts_with("value"));
        (is_one && has_value && v.get("dataAbsentReason").is_none()).then(|| {
            let reason = Some(json!({ "text": "unknown" }));
            (member(r, &s.way, "dataAbsentReason", reason), s.place.clone())
        })
    }),
    ("dom-3: contained and not referred to", |r, s, v| {
        let fits = s.is_resource() && s.name() != "contained" && v.get("contained").is_none();
        let shape = s.shape.filter(|shape| fits && shape.base == "DomainResource")?;
        let contained = json!([{ "resourceType": "Basic", "id": "lone", "code": { "text": "x" } }]);
        shape.member("contained")?;
        Some((member(r, &s.way, "contained", Some(contained)), under(s, "contained")))
    }),
    ("cpt-2: a contact without system", |r, s, v| {
        (s.kind() == "ContactPoint" && v.get("value").is_some() && v.get("system").is_some())
            .then(|| (member(r, &s.way, "system", None), s.place.clone()))
    }),
    ("ext-1: an extension with value and extensions", |r, s, v| {
        let has_value = v.as_object()?.iter().any(|(name, _)| name.starts_with("value"));
        (s.kind() == "Extension" && has_value && v.get("extension").is_none()).then(|| {
            let inner = json!([{ "url": "urn:x", "valueString": "x" }]);
            (member(r, &s.way, "extension", Some(inner)), s.place.clone())
        })
    }),
    ("extension where it cannot stand", |r, s, v| {
        let fits = matches!(s.kind(), "CodeableConcept" | "Identifier" | "Period" | "Reference");
        (fits && v.as_object().is_some() && v.get("extension").is_none()).then(|| {
            (
                member(r, &s.way, "extension", Some(mothers_name("valueString"))),
                under(s, "extension[0]"),
            )
        })
    }),
    ("extension with a wrong type", |r, s, v| {
        let is_patient = s.shape.is_some_and(|shape| shape.name == "Patient");
        (is_patient && v.get("extension").is_none()).then(|| {
            let extension = Some(mothers_name("valueCode"));
            (member(r, &s.way, "extension", extension), under(s, "extension[0].valueCode"))
        })
    }),
    ("extension as modifier that is none", |r, s, v| {
        let is_patient = s.shape.is_some_and(|shape| shape.name == "Patient");
        (is_patient && v.get("modifierExtension").is_none()).then(|| {
            let extension = Some(mothers_name("valueString"));
            (member(r, &s.way, "modifierExtension", extension), under(s, "modifierExtension[0]"))
        })
    }),
    ("wrong system of a bound concept", |r, s, v| {
        let (element, _) = s.element?;
        let bound = element.binding.as_ref().is_some_and(|binding| binding.required);
        let single = v.items("coding").len() == 1 && s.kind() == "CodeableConcept" && bound;
        single.then(|| {
            let coding = json!([{ "system": "http://example.org/other", "code": "active" }]);
            (member(r, &s.way, "coding", Some(coding)), s.place.clone())
        })
    }),
    ("profile: slice missing", |r, s, v| {
        vital_sign(r, s, "Observation.category")?;
        let category =
            changed(v, &[], |v| *v = json!([{ "coding": [{ "system": "urn:x", "code": "x" }] }]));
        Some((put(r, s, category), s.place.clone()))
    }),
    ("profile: slice by a nested path missing", |r, s, v| {
        vital_sign(r, s, "Observation.component")?;
        let is_pressure = r.at("code.coding.0.code").and_then(Value::as_str) == Some("85354-9");
        let items = v.as_array().filter(|items| is_pressure && items.len() > 1)?;
        let other = json!({ "code": { "text": "other" }, "dataAbsentReason": { "text": "x" } });
        let kept: Vec<&Value> = items.iter().skip(1).chain([&other]).collect();
        Some((put(r, s, json!(kept)), s.place.clone()))
    }),
    ("profile: slice more often than allowed", |r, s, v| {
        vital_sign(r, s, "Observation.category")?;
        let items = v.as_array()?;
        let twice: Vec<&Value> = items.iter().chain(items.last()).collect();
        Some((put(r, s, json!(twice)), s.place.clone()))
    }),
    ("profile: other than the fixed value", |r, s, v| {
        let _ = v;
        vital_sign(r, s, "Observation.valueQuantity.code")?;
        Some((put(r, s, "[stone_av]"), s.place.clone()))
    }),
    ("profile: fixed system wrong", |r, s, v| {
        let _ = v;
        vital_sign(r, s, "Observation.valueQuantity.system")?;
        Some((put(r, s, "http://example.org/units"), s.place.clone()))
    }),
    ("profile: code of another measurement", |r, s, v| {
        v.as_str()?;
        vital_sign(r, s, "Observation.code.coding[0].code")?;
        let (_, name) = r.at("meta.profile.0")?.as_str()?.rsplit_once('/')?;
        // HL7's profile of the panel lets its code be missing.
        let is_demanded = name != "vitalspanel" && VITAL_SIGNS.contains(&(name, v.as_str()?));
        is_demanded.then(|| (put(r, s, "0000-0"), "Observation.code.coding".to_owned()))
    }),
    ("profile: missing what it requires", |r, s, v| {
        let _ = v;
        vital_sign(r, s, "Observation.subject")?;
        Some((member(r, &[], "subject", None), s.place.clone()))
    }),
    ("profile: type not allowed", |r, s, v| {
        v.as_str()?;
        vital_sign(r, s, "Observation.effectiveDateTime")?;
        let other = member(r, &[], "effectiveDateTime", None);
        let instant = Some("2020-01-01T10:00:00Z".into());
        Some((
            member(&other, &[], "effectiveInstant", instant),
            "Observation.effectiveInstant".to_owned(),
        ))
    }),
    ("profile: time less precise than it demands", |r, s, v| {
        v.as_str()?;
        vital_sign(r, s, "Observation.effectiveDateTime")?;
        Some((put(r, s, "2020-01"), s.place.clone()))
    }),
];

fn under(site: &Site, name: &str) -> String {
    format!("{}.{name}", site.place)
}

/// HL7's extension of Patient, whose value is a string.
fn mothers_name(member: &str) -> Value {
    json!([{
        "url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName",
        (member): "Berg",
    }])
}

fn two_choices(resource: &Value, site: &Site, _: &Value) -> Option<Fault> {
    let (element, kind) = site.element.filter(|(element, _)| element.choice)?;
    let (end, value) =
        [("Boolean", json!(true)), ("String", json!("x")), ("DateTime", json!("2020"))]
            .into_iter()
            .find(|(end, _)| {
                let is = |name: &str| name.eq_ignore_ascii_case(end);
                !is(kind.name) && element.types.iter().any(|kind| is(kind.name))
            })?;
    let holder = site.way.get(..site.way.len() - 1)?;
    let name = format!("{}{end}", element.name);
    Some((member(resource, holder, &name, Some(value)), format!("{}.{name}", site.holder())))
}

fn missing(resource: &Value, site: &Site, _: &Value) -> Option<Fault> {
    let (element, _) = site.element.filter(|(element, _)| element.min > 0 && !site.is_item)?;
    let holder = site.way.get(..site.way.len() - 1)?;
    let name = if element.choice { format!("{}[x]", element.name) } else { site.name().to_owned() };
    let object = at(resource, holder).as_object()?;
    // Without its last member the object would be empty, which is another fault.
    (object.len() > 1 && object.get(&format!("_{}", site.name())).is_none())
        .then(|| (member(resource, holder, site.name(), None), format!("{}.{name}", site.holder())))
}

/// HL7's profiles of vital signs, each with the LOINC code that it demands.
pub const VITAL_SIGNS: &[(&str, &str)] = &[
    ("bp", "85354-9"),
    ("bmi", "39156-5"),
    ("bodyheight", "8302-2"),
    ("bodytemp", "8310-5"),
    ("bodyweight", "29463-7"),
    ("headcircum", "9843-4"),
    ("heartrate", "8867-4"),
    ("oxygensat", "2708-6"),
    ("resprate", "9279-1"),
    ("vitalspanel", "85353-1"),
];

/// Whether the place is this one of an Observation that says it is a vital sign.
fn vital_sign(resource: &Value, site: &Site, place: &str) -> Option<()> {
    let profile = resource.at("meta.profile.0").and_then(Value::as_str)?;
    let name = profile.strip_prefix("http://hl7.org/fhir/StructureDefinition/")?;
    let is_known = VITAL_SIGNS.iter().any(|(known, _)| *known == name);
    (site.place == place && is_known).then_some(())
}
