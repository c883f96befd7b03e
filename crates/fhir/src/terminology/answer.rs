//! `$validate-code`, `$lookup` and `$subsumes`: answers about single codes, as `Parameters`.

use super::expand::refusal;
use super::system::{CodeSystem, Concept, Coverage, Selectable, Standing};
use super::{Set, Terminology};
use crate::issue::{Issue, IssueCode};
use crate::json;
use crate::search::fold::fold;
use crate::value::Value;

/// A code to be judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// Its code system; not needed where a value set gives it.
    pub system: Option<&'a str>,
    /// The version of the code system.
    pub version: Option<&'a str>,
    /// The code.
    pub code: &'a str,
    /// What the sender calls it.
    pub display: Option<&'a str>,
}

impl Terminology {
    /// The answer to `ValueSet/$validate-code`: `result`, `message` and `display`.
    ///
    /// # Errors
    /// An issue if the set is not known, or if it draws on something that is not known here and
    /// could hold the code.
    pub fn validate_in_set(&self, set: Set, asked: &Asked) -> Result<Value, Issue> {
        let (_, codes) = self.codes_in(set)?;
        let system = asked.system;
        match codes.contains(system, asked.code) {
            None => {
                let covers = |system: Option<&str>, gap: &super::codes::Gap| {
                    system.is_none_or(|system| gap.covers(system))
                };
                let gap = codes.gaps.iter().find(|gap| covers(system, gap));
                Err(gap.map_or_else(super::unknown_set, refusal))
            }
            Some(false) => Ok(judged(false, "the code is not in the value set", "")),
            Some(true) => {
                let Some(member) = codes.member(system, asked.code) else {
                    return Err(super::unknown_set());
                };
                let known = self.system(&member.system);
                if !is_version(known, asked.version) {
                    return Ok(judged(false, OTHER_VERSION, &member.display));
                }
                let concept = known.and_then(|system| system.concept(&member.code));
                Ok(named(concept, &member.display, asked.display))
            }
        }
    }

    /// The answer to `CodeSystem/$validate-code`: `result`, `message` and `display`.
    ///
    /// # Errors
    /// An issue if the code system is not known here, or if only a part of it is, without the code.
    pub fn validate_in_system(&self, asked: &Asked) -> Result<Value, Issue> {
        let system = self.system(asked.system.unwrap_or_default()).ok_or_else(unknown_system)?;
        if !is_version(Some(system), asked.version) {
            return Ok(judged(false, OTHER_VERSION, ""));
        }
        match system.concept(asked.code) {
            Some(concept) => Ok(named(Some(concept), &concept.display, asked.display)),
            None if system.coverage == Coverage::Part => {
                let message = "only a part of this code system is known here, without this code";
                Err(Issue::error(IssueCode::NotSupported, "", message))
            }
            None => Ok(judged(false, "the code is not in the code system", "")),
        }
    }

    /// The answer to `$lookup`: what is known of a code, with what stands directly above and below.
    ///
    /// # Errors
    /// An issue if the system or the code is not known here.
    pub fn lookup(&self, system: &str, code: &str) -> Result<Value, Issue> {
        let system = self.system(system).ok_or_else(unknown_system)?;
        let concept = system.concept(code).ok_or_else(unknown_code)?;
        let mut list = vec![json!({ "name": "name", "valueString": system.name.as_ref() })];
        for (name, text) in [("version", &system.version), ("display", &concept.display)] {
            if !text.is_empty() {
                list.push(json!({ "name": name, "valueString": text.as_ref() }));
            }
        }
        for (language, text) in &concept.designations {
            let language = Some(language.as_ref()).filter(|language| !language.is_empty());
            let mut parts = Vec::new();
            if let Some(language) = language {
                parts.push(json!({ "name": "language", "valueCode": language }));
            }
            parts.push(json!({ "name": "value", "valueString": text.as_ref() }));
            list.push(json!({ "name": "designation", "part": parts }));
        }
        list.extend(properties(system, concept));
        Ok(json!({ "resourceType": "Parameters", "parameter": list }))
    }

    /// The answer to `$subsumes`: `outcome`, which says what A is to B.
    ///
    /// # Errors
    /// An issue if the system or one of the codes is not known here.
    pub fn subsumes(&self, system: &str, a: &str, b: &str) -> Result<Value, Issue> {
        let system = self.system(system).ok_or_else(unknown_system)?;
        let (a, b) = (system.index(a).zip(system.below(a)), system.index(b).zip(system.below(b)));
        let ((a, below_a), (b, below_b)) = a.zip(b).ok_or_else(unknown_code)?;
        let outcome = match (below_a.has(b), below_b.has(a)) {
            _ if a == b => "equivalent",
            (true, _) => "subsumes",
            (_, true) => "subsumed-by",
            _ => "not-subsumed",
        };
        let outcome = json!({ "name": "outcome", "valueCode": outcome });
        Ok(json!({ "resourceType": "Parameters", "parameter": [outcome] }))
    }
}

const OTHER_VERSION: &str = "another version of the code system is known here";

fn unknown_system() -> Issue {
    let message = "the code system is not known here: ask a terminology server that has it";
    Issue::error(IssueCode::NotFound, "", message)
}

fn unknown_code() -> Issue {
    let message = "the code is not in the code system as it is known here";
    Issue::error(IssueCode::NotFound, "", message)
}

fn is_version(system: Option<&CodeSystem>, version: Option<&str>) -> bool {
    version.is_none_or(|version| system.is_none_or(|system| system.version == version))
}

fn judged(result: bool, message: &str, display: &str) -> Value {
    let mut list = vec![json!({ "name": "result", "valueBoolean": result })];
    for (name, text) in [("message", message), ("display", display)] {
        if !text.is_empty() {
            list.push(json!({ "name": name, "valueString": text }));
        }
    }
    json!({ "resourceType": "Parameters", "parameter": list })
}

/// Judges the display of a code that is right. Case, accents and white space do not count.
fn named(concept: Option<&Concept>, display: &str, told: Option<&str>) -> Value {
    let standing = concept.map(|concept| concept.standing);
    let hint = match standing {
        Some(Standing::Deprecated) => "the code should no longer be used",
        Some(Standing::Retired) => "the code is out of use",
        _ => "",
    };
    let Some(told) = told.map(fold) else {
        return judged(true, hint, display);
    };
    let known = concept.into_iter().flat_map(Concept::texts).chain([display]);
    let mut known = known.filter(|text| !text.is_empty()).map(fold).peekable();
    if known.peek().is_none() {
        return judged(
            true,
            "the display of this code is not known here and was not looked at",
            "",
        );
    }
    if known.any(|text| text == told) {
        return judged(true, hint, display);
    }
    judged(false, "the display is not one of this code's", display)
}

fn properties(system: &CodeSystem, concept: &Concept) -> Vec<Value> {
    let property = |code: &str, member: &str, value: Value, text: &str| {
        let mut shown = crate::value::Object::new();
        shown.set("name", "value");
        shown.set(member, value);
        let mut parts = vec![json!({ "name": "code", "valueCode": code }), Value::from(shown)];
        if !text.is_empty() {
            parts.push(json!({ "name": "description", "valueString": text }));
        }
        json!({ "name": "property", "part": parts })
    };
    let code = |name: &str, other: &Concept| {
        property(name, "valueCode", other.code.as_ref().into(), &other.display)
    };
    let mut list: Vec<Value> = system.parents(concept).map(|it| code("parent", it)).collect();
    list.extend(system.children(concept).map(|it| code("child", it)));
    if concept.selectable == Selectable::No {
        list.push(property("notSelectable", "valueBoolean", true.into(), ""));
    }
    let standing = match concept.standing {
        Standing::Active => None,
        Standing::Deprecated => Some("deprecated"),
        Standing::Retired => Some("retired"),
    };
    if let Some(standing) = standing {
        list.push(property("status", "valueCode", standing.into(), ""));
    }
    if !concept.definition.is_empty() {
        list.push(property("definition", "valueString", concept.definition.as_ref().into(), ""));
    }
    for (code, member, value) in &concept.properties {
        list.push(property(code, member, value.clone(), ""));
    }
    list
}
