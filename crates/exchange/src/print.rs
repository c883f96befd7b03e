//! The information services as FHIR: `$kommunale-tjenester` and `$news2` answer `Parameters`.
//!
//! Every part that was computed stands beside what it was computed from; owner, source and time of
//! each item are in its own part.

use fhir::instant::format_instant;
use fhir::json;
use fhir::value::{Number, Value};
use record::news2::assemble::{Set, Total};
use record::news2::course::{Course, Line};
use record::news2::normal::{Deviation, Normal, Place};
use record::news2::parameter::{Parameter, SpO2Scale, Supply, Value as Measured};
use record::news2::received::{Basis, Subject, compare};
use record::news2::score::{KnownRisk, Score};
use record::news2::trend::{Bearing, Movement, Trend};
use record::system;

use crate::answer::{News2, Overview, ServiceLine, ServiceStatus};

/// `$kommunale-tjenester`.
pub fn overview(overview: &Overview) -> Value {
    let mut parts = vec![json!({
        "name": "patient",
        "valueReference": { "reference": format!("Patient/{}", overview.patient.person) },
    })];
    parts.extend(overview.active.iter().map(|line| service("active", line)));
    parts.extend(overview.ended.iter().map(|line| service("ended", line)));
    parts.extend(overview.incomplete.iter().map(|what| string("incomplete", &what.to_string())));
    parameters(parts)
}

fn parameters(parts: Vec<Value>) -> Value {
    json!({ "resourceType": "Parameters", "parameter": parts })
}

fn string(name: &str, text: &str) -> Value {
    json!({ "name": name, "valueString": text })
}

fn date(name: &str, text: &Option<String>) -> Option<Value> {
    text.as_ref().map(|text| json!({ "name": name, "valueDate": text.as_str() }))
}

fn group(name: &str, parts: Vec<Value>) -> Value {
    json!({ "name": name, "part": parts })
}

fn decimal(number: f64) -> Value {
    Number::parse(&number.to_string()).map_or(Value::Null, Value::Number)
}

fn service(name: &str, line: &ServiceLine) -> Value {
    let mut parts = vec![
        json!({ "name": "service", "valueReference": {
            "reference": format!("EpisodeOfCare/{}", line.id),
        } }),
        json!({ "name": "status", "valueCode": status(line.status) }),
    ];
    // Both systems of kodeverk 9151, since consumers know one or the other.
    let coding = line.code.as_ref().map(|code| {
        let both = [system::SERVICE_TYPE, system::SERVICE_TYPE_OSLO];
        let coding = both.map(|system| {
            json!({ "system": system, "code": code.as_str(), "display": line.title.as_str() })
        });
        Value::Array(coding.to_vec())
    });
    parts.push(json!({ "name": "type", "valueCodeableConcept": {
        "coding": coding,
        "text": line.title.as_str(),
    } }));
    let texts =
        [("localText", &line.local_text), ("stay", &line.stay), ("extentText", &line.extent_text)];
    parts.extend(
        texts.into_iter().filter_map(|(name, text)| text.as_ref().map(|text| string(name, text))),
    );
    parts.extend(line.hours_per_week.map(|hours| {
        json!({ "name": "hoursPerWeek", "valueQuantity": {
            "value": decimal(hours), "unit": "h/wk", "system": system::UCUM, "code": "h/wk",
        } })
    }));
    parts.extend(date("start", &line.start));
    parts.extend(date("revision", &line.revision));
    parts.extend(date("end", &line.end));
    for site in &line.sites {
        let phone = site.phone.as_ref().map(|phone| string("phone", phone));
        let name = std::iter::once(string("name", &site.name));
        parts.push(group("site", name.chain(phone).collect()));
    }
    parts.extend(line.decision.as_ref().map(|decision| {
        json!({ "name": "decision", "valueReference": {
            "reference": format!("ServiceRequest/{}", decision.id),
            "display": decision.text.clone(),
        } })
    }));
    parts.push(json!({ "name": "owner", "valueReference": {
        "identifier": { "system": system::ENH, "value": line.owner.as_str() },
        "display": line.owner_name.clone(),
    } }));
    parts.push(string("source", &line.source));
    parts.push(json!({ "name": "updated", "valueInstant": format_instant(line.updated_at) }));
    group(name, parts)
}

fn status(status: ServiceStatus) -> &'static str {
    match status {
        ServiceStatus::Planned => "planned",
        ServiceStatus::Active => "active",
        ServiceStatus::OnHold => "onhold",
        ServiceStatus::Finished => "finished",
        ServiceStatus::Cancelled => "cancelled",
    }
}

/// `$news2`.
pub fn news2(news2: &News2) -> Value {
    let course = &news2.course;
    let mut parts = vec![json!({
        "name": "patient",
        "valueReference": { "reference": format!("Patient/{}", news2.patient.person) },
    })];
    parts.extend(course.latest().map(|set| measured("latest", set)));
    parts.extend(lines(course));
    parts.extend(course.sets.iter().map(|set| measured("set", set)));
    parts.extend(news2.incomplete.iter().map(|what| string("incomplete", &what.to_string())));
    parameters(parts)
}

/// One set of measurements: each value with its points, the total, and a received score beside the
/// computed one where they differ.
fn measured(name: &str, set: &Set) -> Value {
    let score = set.score();
    let scale = match set.measurements.scale {
        SpO2Scale::One => 1,
        SpO2Scale::Two => 2,
    };
    let mut parts = vec![
        json!({ "name": "from", "valueInstant": format_instant(set.from_ms) }),
        json!({ "name": "to", "valueInstant": format_instant(set.to_ms) }),
        json!({ "name": "spo2Scale", "valueInteger": scale }),
    ];
    for parameter in Parameter::ALL {
        let value = set.measurements.get(parameter);
        let points = *score.parameters.get(parameter);
        if value.is_some() || points.is_some() {
            parts.push(parameter_part(parameter, value, points));
        }
    }
    if let Some(total) = set.total() {
        let (kind, total) = match total {
            Total::Computed(total) => ("total", total),
            Total::Received(total) => ("totalReceived", total),
        };
        parts.push(json!({ "name": kind, "valueInteger": i32::from(total) }));
    }
    parts.push(risk(&score));
    for received in &set.received {
        parts.push(received_part(received, set));
    }
    let mut sources: Vec<&str> = set.readings.iter().map(|it| it.source.as_str()).collect();
    sources.dedup();
    parts.extend(
        sources.into_iter().map(
            |source| json!({ "name": "observation", "valueReference": { "reference": source } }),
        ),
    );
    group(name, parts)
}

fn parameter_part(parameter: Parameter, value: Option<Measured>, points: Option<u8>) -> Value {
    let mut parts = Vec::new();
    match value {
        Some(Measured::Consciousness(level)) => {
            parts.push(string("value", &level.letter().to_string()));
        }
        Some(Measured::Oxygen(supply)) => {
            parts.push(json!({ "name": "onOxygen", "valueBoolean": supply == Supply::Oxygen }));
        }
        Some(value) => parts.extend(value.number().map(|number| {
            json!({ "name": "value", "valueQuantity": {
                "value": decimal(number), "system": system::UCUM, "code": parameter.unit(),
            } })
        })),
        None => {}
    }
    parts.extend(
        points.map(|points| json!({ "name": "points", "valueInteger": i32::from(points) })),
    );
    group(parameter.key(), parts)
}

fn risk(score: &Score) -> Value {
    let (name, risk) = match score.risk {
        KnownRisk::Exactly(risk) => ("risk", risk),
        KnownRisk::AtLeast(risk) => ("riskAtLeast", risk),
    };
    json!({ "name": name, "valueCode": risk.key() })
}

fn received_part(received: &record::news2::received::Received, set: &Set) -> Value {
    let mut parts = vec![json!({
        "name": "observation",
        "valueReference": { "reference": received.source.as_str() },
    })];
    parts.extend(
        received.total.map(|total| json!({ "name": "total", "valueInteger": i32::from(total) })),
    );
    for (parameter, part) in received.parameters.iter() {
        let Some(part) = part else { continue };
        let points =
            part.score.map(|it| json!({ "name": "points", "valueInteger": i32::from(it) }));
        let band = part.band.as_ref().map(|band| string("band", band));
        parts.push(group(parameter.key(), points.into_iter().chain(band).collect()));
    }
    for difference in compare(received, &set.measurements).differences {
        let what = match difference.subject {
            Subject::Total => "total",
            Subject::Parameter(parameter) => parameter.key(),
        };
        let basis = match difference.basis {
            Basis::Measured => "measured",
            Basis::NamedBand => "named-band",
            Basis::ReceivedPoints => "received-points",
        };
        parts.push(group(
            "difference",
            vec![
                json!({ "name": "what", "valueCode": what }),
                json!({ "name": "received", "valueInteger": i32::from(difference.received) }),
                json!({ "name": "computed", "valueInteger": i32::from(difference.expected) }),
                json!({ "name": "basis", "valueCode": basis }),
            ],
        ));
    }
    group("received", parts)
}

fn lines(course: &Course) -> Vec<Value> {
    course
        .lines
        .iter()
        .filter(|line| !line.points.is_empty())
        .map(|line| group("measure", measure(line)))
        .collect()
}

fn measure(line: &Line) -> Vec<Value> {
    let key = line.measure.parameter().map_or("total", Parameter::key);
    let mut parts = vec![json!({ "name": "what", "valueCode": key })];
    parts.extend(
        line.score.map(|score| json!({ "name": "points", "valueInteger": i32::from(score) })),
    );
    parts.extend(trend(&line.movement));
    parts.extend(line.normal.as_ref().ok().map(normal));
    parts.extend(line.deviation.as_ref().map(deviation));
    parts
}

fn trend(movement: &Movement) -> Option<Value> {
    let code = match movement.trend {
        Trend::Rising => "rising",
        Trend::Falling => "falling",
        Trend::Stable => "stable",
        Trend::Unknown => return None,
    };
    let bearing = match movement.bearing {
        Some(Bearing::Toward) => Some("toward-zero-points"),
        Some(Bearing::Away) => Some("away-from-zero-points"),
        _ => None,
    };
    let mut parts = vec![json!({ "name": "direction", "valueCode": code })];
    parts.extend(bearing.map(|code| json!({ "name": "bearing", "valueCode": code })));
    Some(group("trend", parts))
}

/// The patient's own normal level.
fn normal(normal: &Normal) -> Value {
    let number = |name: &str, value: f64| json!({ "name": name, "valueDecimal": decimal(value) });
    group(
        "normal",
        vec![
            number("centre", normal.centre),
            number("low", normal.low),
            number("high", normal.high),
            json!({ "name": "days", "valueInteger": normal.days }),
        ],
    )
}

fn deviation(deviation: &Deviation) -> Value {
    let place = match deviation.place {
        Place::Within => "within",
        Place::Above => "above",
        Place::Below => "below",
    };
    group(
        "deviation",
        vec![
            json!({ "name": "place", "valueCode": place }),
            json!({ "name": "amount", "valueDecimal": decimal(deviation.amount) }),
        ],
    )
}
