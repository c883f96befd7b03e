//! The same fact from two origins, shown once; facts that contradict each other, shown as contradicting. What makes
//! two resources one fact is data: `data/facts.toml`.

use std::collections::HashMap;
use std::sync::LazyLock;

use fhir::instant;
use fhir::json;
use fhir::value::Value;
use serde::Deserialize;

/// Something known about the patient, with every origin that says it.
#[derive(Clone, Debug)]
pub struct Fact {
    /// The resource, as the first origin has it.
    pub value: Value,
    /// Its address, unique in an answer.
    pub url: String,
    /// Who says so, those kept here first.
    pub origins: Vec<Origin>,
    /// When it happened, milliseconds since 1970, where it says so.
    pub at: Option<i64>,
    /// Addresses of the facts that contradict it.
    pub disputed_by: Vec<String>,
}

/// Where a fact comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Organisation number of the owner, where it is known.
    pub owner: Option<String>,
    /// Name of the owner, or of the source.
    pub name: String,
    /// The source system or source.
    pub source: String,
    /// Where it can be read.
    pub link: String,
    /// When the platform got it, or asked for it: milliseconds since 1970.
    pub at: i64,
}

/// When two resources of a type are one fact.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    codes: Option<String>,
    #[serde(default)]
    numbers: Option<String>,
    #[serde(default)]
    when: Vec<String>,
    agrees: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    fact: Vec<Rule>,
}

static RULES: LazyLock<HashMap<String, Rule>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; without it nothing is ever the same.
    let file = toml::from_str(include_str!("../../data/facts.toml"));
    let rules = file.map_or_else(|_| Vec::new(), |file: File| file.fact);
    rules.into_iter().map(|rule| (rule.kind.clone(), rule)).collect()
});

/// Puts facts together, in the order they first came.
pub fn merge(facts: Vec<Fact>) -> Vec<Fact> {
    let mut merged: Vec<Fact> = Vec::with_capacity(facts.len());
    let mut known: HashMap<String, Vec<usize>> = HashMap::new();
    for mut fact in facts {
        let Some(rule) = fact.value.text("resourceType").and_then(|kind| RULES.get(kind)) else {
            merged.push(fact);
            continue;
        };
        let keys = rule.keys(&fact.value);
        let mut same: Vec<usize> =
            keys.iter().filter_map(|key| known.get(key)).flatten().copied().collect();
        same.sort_unstable();
        same.dedup();
        same.retain(|&i| merged.get(i).is_some_and(|it| !it.shares_origin(&fact)));
        let agrees =
            |i: &usize| merged.get(*i).is_some_and(|it| rule.agree(&it.value, &fact.value));
        let (agreeing, against): (Vec<usize>, Vec<usize>) = same.into_iter().partition(agrees);
        let at = match agreeing.first() {
            Some(&at) => {
                if let Some(it) = merged.get_mut(at) {
                    it.origins.append(&mut fact.origins);
                }
                at
            }
            None => {
                merged.push(fact);
                merged.len() - 1
            }
        };
        against.into_iter().for_each(|i| dispute(&mut merged, i, at));
        for key in keys {
            known.entry(key).or_default().push(at);
        }
    }
    merged
}

/// Notes that two facts contradict each other.
fn dispute(facts: &mut [Fact], one: usize, other: usize) {
    if let Ok([a, b]) = facts.get_disjoint_mut([one, other])
        && !a.disputed_by.contains(&b.url)
    {
        a.disputed_by.push(b.url.clone());
        b.disputed_by.push(a.url.clone());
    }
}

impl Fact {
    /// Two resources of one source are two facts: it would not say the same twice.
    fn shares_origin(&self, other: &Fact) -> bool {
        let is_same = |a: &Origin, b: &Origin| a.source == b.source && a.owner == b.owner;
        self.origins.iter().any(|a| other.origins.iter().any(|b| is_same(a, b)))
    }
}

impl Rule {
    /// Keys of which two resources that are one fact have one in common. None where it does not say enough.
    fn keys(&self, value: &Value) -> Vec<String> {
        let when = self.when.iter().find_map(|path| value.at(path)).and_then(Value::as_str);
        let moment = match (when.and_then(instant::range), self.when.is_empty()) {
            (Some((from, to)), _) => format!("{from}-{to}"),
            (None, true) => String::new(),
            (None, false) => return Vec::new(),
        };
        let of = |path: &Option<String>, read: fn(&Value) -> Vec<String>| {
            path.as_ref().map(|path| value.all_at(path)).into_iter().flatten().flat_map(read)
        };
        let names = of(&self.codes, concept).chain(of(&self.numbers, identifier));
        names.map(|name| format!("{} {moment} {name}", self.kind)).collect()
    }

    fn agree(&self, a: &Value, b: &Value) -> bool {
        self.agrees.iter().all(|path| match (a.at(path), b.at(path)) {
            (Some(a), Some(b)) => equal(a, b),
            _ => true,
        })
    }
}

/// The codings of a concept, or its text where it has none.
fn concept(value: &Value) -> Vec<String> {
    let coded =
        |coding: &Value| Some(format!("{}|{}", coding.text("system")?, coding.text("code")?));
    let mut names: Vec<String> = value.items("coding").iter().filter_map(coded).collect();
    if names.is_empty() {
        names.extend(value.text("text").map(|text| text.trim().to_lowercase()));
    }
    names
}

fn identifier(value: &Value) -> Vec<String> {
    let number = value.text("value");
    number
        .map(|it| format!("{}|{it}", value.text("system").unwrap_or_default()))
        .into_iter()
        .collect()
}

/// Whether two elements say the same: numbers by value, concepts by a coding in common, times by what they cover.
fn equal(a: &Value, b: &Value) -> bool {
    if let (Some(a), Some(b)) = (a.as_number(), b.as_number()) {
        return a.as_f64() == b.as_f64();
    }
    if a.get("coding").is_some() && b.get("coding").is_some() {
        let (a, b) = (concept(a), concept(b));
        return a.iter().any(|it| b.contains(it));
    }
    if let (Some(a), Some(b)) = (a.as_str(), b.as_str())
        && let (Some(a), Some(b)) = (instant::range(a), instant::range(b))
    {
        return a == b;
    }
    json::print(a) == json::print(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(source: &str, text: &str) -> Fact {
        let value = fhir::json::parse(text.as_bytes()).expect("JSON");
        let origin = Origin {
            owner: None,
            name: source.to_owned(),
            source: source.to_owned(),
            link: String::new(),
            at: 0,
        };
        let url = format!("{source}/{}", value.text("id").unwrap_or_default());
        Fact { value, url, origins: vec![origin], at: None, disputed_by: Vec::new() }
    }

    fn pulse(id: &str, at: &str, value: &str) -> String {
        format!(
            "{{\"resourceType\":\"Observation\",\"id\":\"{id}\",\"effectiveDateTime\":\"{at}\",\
             \"code\":{{\"coding\":[{{\"system\":\"http://loinc.org\",\"code\":\"8867-4\"}}]}},\
             \"valueQuantity\":{{\"value\":{value}}}}}"
        )
    }

    #[test]
    fn there_are_rules() {
        assert!(RULES.len() >= 9);
    }

    #[test]
    fn one_fact_of_two_sources_is_shown_once_with_both() {
        let a = fact("a", &pulse("1", "2026-01-05T10:00:00+01:00", "60"));
        let b = fact("b", &pulse("2", "2026-01-05T09:00:00Z", "60.0"));
        let merged = merge(vec![a, b]);
        assert_eq!(merged.len(), 1);
        let sources: Vec<_> = merged[0].origins.iter().map(|it| it.source.as_str()).collect();
        assert_eq!(sources, ["a", "b"]);
    }

    #[test]
    fn what_contradicts_stays_and_says_so() {
        let a = fact("a", &pulse("1", "2026-01-05T10:00:00Z", "60"));
        let b = fact("b", &pulse("2", "2026-01-05T10:00:00Z", "61"));
        let merged = merge(vec![a, b]);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[0].disputed_by, ["b/2"]);
        assert_eq!(merged[1].disputed_by, ["a/1"]);
    }

    #[test]
    fn two_of_one_source_or_without_a_time_or_at_other_times_are_two() {
        let at = "2026-01-05T10:00:00Z";
        let own = vec![fact("a", &pulse("1", at, "60")), fact("a", &pulse("2", at, "60"))];
        assert_eq!(merge(own).len(), 2);
        let untimed = pulse("1", at, "60").replace("effectiveDateTime", "issued");
        let both = vec![fact("a", &untimed), fact("b", &untimed)];
        assert_eq!(merge(both).len(), 2);
        let later = fact("b", &pulse("2", "2026-01-05T10:01:00Z", "60"));
        assert_eq!(merge(vec![fact("a", &pulse("1", at, "60")), later]).len(), 2);
    }
}
