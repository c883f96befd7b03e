//! `Observation/$stats`: statistics of one person's measurements (R4 Observation operations).
//!
//! A measurement counts where it is a quantity with a UCUM code, in the Observation itself or in a
//! component, in an Observation that is final or preliminary, amended or corrected, and without
//! modifier extensions. What stands in different units is never mixed: there is one result for each
//! code and unit.

use std::collections::BTreeMap;

use access::caller::Caller;
use fhir::fhirpath::decimal::Decimal;
use fhir::instant::{format_instant, range};
use fhir::issue::{IssueCode, operation_outcome};
use fhir::json;
use fhir::query::Scope;
use fhir::value::{Number, Value};
use record::system;

use super::lastn::effective;
use super::parameters::{Parameters, missing, wrong};
use super::statistic::{STATISTICS, Statistic, calculate};
use crate::coded::{self, Sets};
use crate::error::Failure;
use crate::read::parsed;
use crate::searchset::incomplete;
use crate::tenant::Tenant;

/// Code system of the statistics.
const SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/observation-statistics";

/// States of an Observation that has something to count.
const STATES: [&str; 4] = ["final", "amended", "corrected", "preliminary"];

/// Most Observations that are returned beside the statistics.
const MOST_SOURCES: usize = 1_000;

/// A code of what was measured: system, where it is named, and code.
type Code = (Option<String>, String);

/// What is asked for.
struct Asked {
    subject: String,
    codes: Vec<Code>,
    /// Milliseconds since 1970, half open; open ends where the caller does not say.
    period: (Option<i64>, Option<i64>),
    statistics: Vec<(&'static str, &'static str, Statistic)>,
    sources: usize,
}

/// What is found of one code.
#[derive(Default)]
struct Found {
    coding: Value,
    /// Whether it stands for its members, which have results of their own.
    is_panel: bool,
    total: usize,
    by_unit: BTreeMap<String, Series>,
}

#[derive(Default)]
struct Series {
    values: Vec<Decimal>,
    unit: Option<String>,
}

impl Tenant {
    /// `Observation/$stats`: `Parameters` with `statistics` for each code and unit, and `source`.
    pub async fn stats(&self, caller: &Caller, given: &Parameters) -> Result<Value, Failure> {
        let asked = Asked::read(given, self.now())?;
        let pairs = [
            ("subject", asked.subject.clone()),
            ("combo-code", asked.codes.iter().map(searched).collect::<Vec<_>>().join(",")),
            ("_count", "500".to_owned()),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
        let query =
            coded::read(&*self.parameters()?, Scope::Type("Observation"), &pairs, &Sets::new())?;
        let mut found: BTreeMap<Code, Found> = BTreeMap::new();
        let mut sources: Vec<Value> = Vec::new();
        let mut count = 0;
        let looked = self
            .observations(caller, "stats", query, |value, stored| {
                if asked.is_in_time(value) && asked.take(value, &mut found) {
                    count += 1;
                    if sources.len() < asked.sources {
                        sources.push(parsed(&stored)?);
                    }
                }
                Ok(())
            })
            .await?;
        if let Some(position) = looked.skipped.first() {
            return Err(Failure::Unavailable(format!(
                "the statistics would be wrong: the record at position {position} cannot be read"
            )));
        }
        for code in &asked.codes {
            // Each code has its answer, also where nothing was measured.
            if !found.keys().any(|known| is_meant(code, known)) {
                found.entry(code.clone()).or_default();
            }
        }
        found.retain(|_, found| !found.is_panel || found.total > 0);
        let mut parameters = Vec::new();
        for (code, found) in found {
            for result in asked.results(&code, found)? {
                parameters.push(json!({ "name": "statistics", "resource": result }));
            }
        }
        let sources = sources.into_iter();
        parameters.extend(sources.map(|it| json!({ "name": "source", "resource": it })));
        if looked.withheld {
            let told = operation_outcome(&incomplete(&[], true));
            parameters.push(json!({ "name": "outcome", "resource": told }));
        }
        looked.told(self, caller, "stats", count).await?;
        Ok(json!({ "resourceType": "Parameters", "parameter": parameters }))
    }
}

impl Asked {
    fn read(given: &Parameters, now: i64) -> Result<Self, Failure> {
        let names = [
            "subject",
            "code",
            "system",
            "coding",
            "duration",
            "period",
            "statistic",
            "include",
            "limit",
        ];
        given.only(&names)?;
        let subject = given.text("subject").ok_or_else(|| missing("name the `subject`"))?;
        let system = given.text("system");
        let mut codes: Vec<Code> = given.texts("code").map(|code| spelled(system, code)).collect();
        let coded = |coding: &Value| Some(spelled(coding.text("system"), coding.text("code")?));
        codes.extend(given.all("coding").filter_map(coded));
        if codes.is_empty() {
            return Err(missing("say what was measured: `code` with `system`, or `coding`"));
        }
        let mut statistics = Vec::new();
        for name in given.texts("statistic") {
            let known = STATISTICS.iter().find(|(code, ..)| *code == name);
            statistics.push(*known.ok_or_else(|| {
                let known: Vec<&str> = STATISTICS.iter().map(|(code, ..)| *code).collect();
                let text = format!("`statistic` is one of `{}`", known.join("`, `"));
                wrong(IssueCode::NotSupported, &text)
            })?);
        }
        if statistics.is_empty() {
            return Err(missing("name at least one `statistic`"));
        }
        let include = given.flag("include")?.unwrap_or(false);
        let limit = given.number("limit")?.unwrap_or(MOST_SOURCES).min(MOST_SOURCES);
        Ok(Self {
            subject: subject.to_owned(),
            codes,
            period: period(given, now)?,
            statistics,
            sources: if include { limit } else { 0 },
        })
    }

    fn is_in_time(&self, value: &Value) -> bool {
        let when = effective(value);
        let (start, end) = self.period;
        start.is_none_or(|start| when >= start) && end.is_none_or(|end| when < end)
    }

    /// Counts an Observation's measurements; `false` where it has none of those asked for.
    fn take(&self, value: &Value, found: &mut BTreeMap<Code, Found>) -> bool {
        let state = value.text("status").unwrap_or_default();
        if state == "entered-in-error" {
            return false;
        }
        let usable = STATES.contains(&state) && value.get("modifierExtension").is_none();
        let components = value.items("component");
        let whole = self.asked_of(value);
        let mut taken = false;
        if let Some((code, coding)) = whole {
            if value.get("valueQuantity").is_some() || components.is_empty() {
                count(found, code.clone(), coding, usable.then_some(value));
                taken = true;
            }
            // Statistics of a panel are those of its members.
            if !taken {
                found.entry(code).or_default().is_panel = true;
            }
            for component in components {
                if let Some((code, coding)) = first_coding(component) {
                    count(found, code, coding, usable.then_some(component));
                    taken = true;
                }
            }
            return taken;
        }
        for component in components {
            if let Some((code, coding)) = self.asked_of(component) {
                count(found, code, coding, usable.then_some(component));
                taken = true;
            }
        }
        taken
    }

    /// The code asked for that an Observation or component has.
    fn asked_of<'a>(&self, value: &'a Value) -> Option<(Code, &'a Value)> {
        value.all_at("code.coding").into_iter().find_map(|coding| {
            let own = spelled(coding.text("system"), coding.text("code")?);
            self.codes.iter().any(|code| is_meant(code, &own)).then_some((own, coding))
        })
    }

    /// An Observation for each unit.
    fn results(&self, code: &Code, found: Found) -> Result<Vec<Value>, Failure> {
        let Found { coding, total, mut by_unit, .. } = found;
        if by_unit.is_empty() {
            by_unit.insert(String::new(), Series::default());
        }
        let mut results = Vec::new();
        for (unit, mut series) in by_unit {
            series.values.sort();
            let mut components = Vec::new();
            for (name, text, statistic) in &self.statistics {
                let value = match statistic {
                    Statistic::Count => json!(series.values.len()),
                    Statistic::TotalCount => json!(total),
                    _ => measured(*statistic, &series, &unit),
                };
                let member = match statistic {
                    Statistic::Count | Statistic::TotalCount => "valueInteger",
                    _ if value == Value::Null => "dataAbsentReason",
                    _ => "valueQuantity",
                };
                let mut component = fhir::value::Object::new();
                component.set(
                    "code",
                    json!({
                        "coding": [{ "system": SYSTEM, "code": *name, "display": *text }],
                    }),
                );
                let absent = json!({ "coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
                    "code": "not-applicable",
                }] });
                component.set(member, if value == Value::Null { absent } else { value });
                components.push(Value::from(component));
            }
            let mut coding = coding.clone();
            if coding == Value::Null {
                coding = json!({ "system": code.0.clone(), "code": code.1.as_str() });
            }
            let (start, end) = self.period;
            results.push(json!({
                "resourceType": "Observation",
                "status": "final",
                "code": { "coding": [coding] },
                "subject": { "reference": self.subject.as_str() },
                "effectivePeriod": (start.is_some() || end.is_some()).then(|| json!({
                    "start": start.map(format_instant),
                    "end": end.map(format_instant),
                })),
                "component": components,
            }));
        }
        Ok(results)
    }
}

/// Counts one measurement; `value` is nothing where its Observation must not be used.
fn count(found: &mut BTreeMap<Code, Found>, code: Code, coding: &Value, value: Option<&Value>) {
    let found = found.entry(code).or_default();
    found.total += 1;
    if found.coding == Value::Null {
        found.coding = coding.clone();
    }
    let Some(quantity) = value.and_then(|value| value.get("valueQuantity")) else { return };
    let is_ucum = quantity.text("system") == Some(system::UCUM);
    let exact = quantity.get("comparator").is_none();
    let number = quantity.get("value").and_then(Value::as_number);
    let number = number.and_then(|number| Decimal::parse(number.as_str()));
    if let (true, Some(number), Some(unit)) = (is_ucum && exact, number, quantity.text("code")) {
        let series = found.by_unit.entry(unit.to_owned()).or_default();
        series.values.push(number);
        series.unit = series.unit.take().or_else(|| quantity.text("unit").map(str::to_owned));
    }
}

/// A statistic as a quantity; null where there is none.
fn measured(statistic: Statistic, series: &Series, unit: &str) -> Value {
    let number = calculate(statistic, &series.values)
        .and_then(|number| Number::parse(&number.to_string()))
        .map(Value::Number);
    let Some(number) = number else { return Value::Null };
    // The unit of a variance is another than that of the values.
    if statistic == Statistic::Variance {
        return json!({ "value": number });
    }
    json!({
        "value": number,
        "unit": series.unit.clone(),
        "system": system::UCUM,
        "code": unit,
    })
}

/// Whether a code asked for is this one; without a system, the code of any.
fn is_meant((system, code): &Code, own: &Code) -> bool {
    *code == own.1 && (system.is_none() || *system == own.0)
}

fn first_coding(value: &Value) -> Option<(Code, &Value)> {
    let coding = value.all_at("code.coding").into_iter().next()?;
    Some((spelled(coding.text("system"), coding.text("code")?), coding))
}

fn spelled(system: Option<&str>, code: &str) -> Code {
    (system.map(|system| system::canonical(system).into_owned()), code.to_owned())
}

/// A code as a search writes it.
fn searched((system, code): &Code) -> String {
    let escaped = |text: &str| {
        let text = text.replace('\\', "\\\\").replace(',', "\\,");
        text.replace('|', "\\|").replace('$', "\\$")
    };
    match system {
        Some(system) => format!("{}|{}", escaped(system), escaped(code)),
        None => escaped(code),
    }
}

/// The time asked for: `duration` in hours until now, or `period`.
fn period(given: &Parameters, now: i64) -> Result<(Option<i64>, Option<i64>), Failure> {
    if let Some(hours) = given.text("duration") {
        let hours: Option<f64> = hours.parse().ok().filter(|hours: &f64| *hours > 0.0);
        let hours = hours.filter(|hours| *hours < 10_000_000.0);
        let text = "`duration` is a number of hours";
        let hours = hours.ok_or_else(|| wrong(IssueCode::Value, text))?;
        let length = std::time::Duration::from_secs_f64(hours * 3_600.0).as_millis();
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        return Ok((Some(now.saturating_sub(length)), Some(now)));
    }
    let Some(period) = given.get("period") else { return Ok((None, None)) };
    let at = |name: &str| match period.text(name) {
        None => Ok(None),
        Some(text) => range(text).map(Some).ok_or_else(|| {
            wrong(IssueCode::Value, "`period` has a `start` or `end` that is no date")
        }),
    };
    Ok((at("start")?.map(|(low, _)| low), at("end")?.map(|(_, high)| high)))
}
