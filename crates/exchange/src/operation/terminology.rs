//! `$expand`, `$validate-code`, `$lookup`, `$subsumes` and `$translate`.
//!
//! What is asked is answered from the platform's own terminology ([`crate::rules`]) and, where that
//! does not know, from the CodeSystem, ValueSet and ConceptMap resources that the caller may read.
//! A code is asked for as it was written, and then in the spelling that the platform compares by.

use std::collections::HashSet;

use access::caller::Caller;
use fhir::issue::{Issue, IssueCode};
use fhir::query::Query;
use fhir::terminology::answer::Asked;
use fhir::terminology::expand::Expand;
use fhir::terminology::map::Translate;
use fhir::terminology::{Set, Terminology};
use fhir::value::Value;
use jiff::Timestamp;

use super::parameters::{Parameters, missing, wrong};
use crate::error::Failure;
use crate::read::parsed;
use crate::rules::{respelled, rules};
use crate::tenant::Tenant;

/// Most stored resources that one answer draws on.
const MOST_STORED: usize = 20;

/// What a call is about: a stored resource, one sent along, or one known by its URL.
enum Subject {
    Resource(Value),
    Url(String),
}

/// A code that is asked about.
#[derive(Clone)]
struct Code {
    system: Option<String>,
    version: Option<String>,
    code: String,
    display: Option<String>,
}

impl Tenant {
    /// `ValueSet/$expand`. `id` is that of a stored ValueSet.
    pub async fn expand(
        &self,
        caller: &Caller,
        id: Option<&str>,
        given: &Parameters,
    ) -> Result<Value, Failure> {
        let subject = self.subject(caller, "ValueSet", id, given, "valueSet").await?;
        let (subject, more) = self.known(caller, subject).await?;
        let asked = Expand {
            filter: given.text("filter"),
            offset: given.number("offset")?.unwrap_or(0),
            count: given.number("count")?,
            active_only: given.flag("activeOnly")?.unwrap_or(false),
            at: Timestamp::from_millisecond(self.now()).unwrap_or_default(),
        };
        terminology(&more).expand(set(&subject), &asked).map_err(failed)
    }

    /// `ValueSet/$validate-code`.
    pub async fn validate_code_in_set(
        &self,
        caller: &Caller,
        id: Option<&str>,
        given: &Parameters,
    ) -> Result<Value, Failure> {
        let codes = codes(given, ["code", "coding", "codeableConcept"])?;
        let subject = self.subject(caller, "ValueSet", id, given, "valueSet").await?;
        let (subject, more) = self.known(caller, subject).await?;
        best(&codes, |code| terminology(&more).validate_in_set(set(&subject), &code.asked()))
    }

    /// `CodeSystem/$validate-code`.
    pub async fn validate_code_in_system(
        &self,
        caller: &Caller,
        id: Option<&str>,
        given: &Parameters,
    ) -> Result<Value, Failure> {
        let mut codes = codes(given, ["code", "coding", "codeableConcept"])?;
        let more = match (id, given.get("codeSystem"), given.text("url")) {
            (None, None, Some(url)) => {
                for code in &mut codes {
                    code.system.get_or_insert_with(|| url.to_owned());
                }
                self.with_systems(caller, &codes).await?
            }
            (None, None, None) => self.with_systems(caller, &codes).await?,
            _ => {
                let subject = self.subject(caller, "CodeSystem", id, given, "codeSystem").await?;
                let Subject::Resource(mut resource) = subject else { return Err(unknown()) };
                let url = named(&mut resource);
                codes.iter_mut().for_each(|code| code.system = Some(url.clone()));
                Some(extended(&[resource])?)
            }
        };
        best(&codes, |code| terminology(&more).validate_in_system(&code.asked()))
    }

    /// `CodeSystem/$lookup`.
    pub async fn lookup(&self, caller: &Caller, given: &Parameters) -> Result<Value, Failure> {
        let codes = codes(given, ["code", "coding", ""])?;
        let more = self.with_systems(caller, &codes).await?;
        let found = best(&codes, |code| {
            terminology(&more).lookup(code.system.as_deref().unwrap_or_default(), &code.code)
        })?;
        let wanted: Vec<&str> = given.texts("property").collect();
        Ok(if wanted.is_empty() { found } else { narrowed(&found, &wanted) })
    }

    /// `CodeSystem/$subsumes`.
    pub async fn subsumes(&self, caller: &Caller, given: &Parameters) -> Result<Value, Failure> {
        let first = codes(given, ["codeA", "codingA", ""])?;
        let second = codes(given, ["codeB", "codingB", ""])?;
        let more = self.with_systems(caller, &first).await?;
        let other = second.first().map(|code| code.code.clone()).unwrap_or_default();
        if second.first().map(|code| &code.system) != first.first().map(|code| &code.system) {
            let text = "the codes are of different code systems: only codes of one can be compared";
            return Err(wrong(IssueCode::Invalid, text));
        }
        best(&first, |code| {
            let system = code.system.as_deref().unwrap_or_default();
            let other = record::system::canonical_code(system, &other);
            terminology(&more).subsumes(system, &code.code, other)
        })
    }

    /// `ConceptMap/$translate`.
    pub async fn translate(
        &self,
        caller: &Caller,
        id: Option<&str>,
        given: &Parameters,
    ) -> Result<Value, Failure> {
        let codes = codes(given, ["code", "coding", "codeableConcept"])?;
        let sent = id.is_some() || given.get("conceptMap").is_some();
        let (map, more) = match (sent, given.text("url")) {
            (false, None) => (None, None),
            _ => match self.subject(caller, "ConceptMap", id, given, "conceptMap").await? {
                Subject::Resource(mut resource) => {
                    let url = named(&mut resource);
                    (Some(url), Some(extended(&[resource])?))
                }
                Subject::Url(url) => match self.stored(caller, "ConceptMap", &url).await? {
                    Some(resource) => (Some(url), Some(extended(&[resource])?)),
                    None => (Some(url), None),
                },
            },
        };
        let reverse = given.flag("reverse")?.unwrap_or(false);
        best(&codes, |code| {
            terminology(&more).translate(&Translate {
                map: map.as_deref(),
                source: given.text("source"),
                target: given.text("target"),
                target_system: given.text("targetsystem"),
                system: code.system.as_deref().unwrap_or_default(),
                code: &code.code,
                reverse,
            })
        })
    }

    /// The codes, with their systems, of the stored ValueSet with this canonical URL; none where the
    /// caller may read no such, or not all of its codes are known.
    pub(crate) async fn stored_codes(
        &self,
        caller: &Caller,
        url: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        let Some(stored) = self.stored(caller, "ValueSet", url).await? else {
            return Ok(Vec::new());
        };
        let (_, more) = self.known(caller, Subject::Resource(stored.clone())).await?;
        let known = terminology(&more).extended(&[stored]).map_err(Failure::Invalid)?;
        let codes = known.codes_of(url).unwrap_or_default();
        Ok(codes.into_iter().map(|(system, code)| (system.into(), code.into())).collect())
    }

    /// What a call names: the stored resource of an instance, one sent along, or a URL.
    async fn subject(
        &self,
        caller: &Caller,
        kind: &'static str,
        id: Option<&str>,
        given: &Parameters,
        sent: &str,
    ) -> Result<Subject, Failure> {
        if let Some(id) = id {
            return Ok(Subject::Resource(parsed(&self.read(caller, kind, id).await?)?));
        }
        if let Some(resource) = given.get(sent) {
            if resource.text("resourceType") == Some(kind) {
                return Ok(Subject::Resource(resource.clone()));
            }
            return Err(wrong(IssueCode::Invalid, &format!("`{sent}` is a {kind}")));
        }
        let url = given.text("url").ok_or_else(|| {
            missing(&format!("name the {kind} with `url`, or send it as `{sent}`"))
        })?;
        Ok(Subject::Url(url.to_owned()))
    }

    /// A value set, with what it draws on that only stored resources know.
    async fn known(
        &self,
        caller: &Caller,
        subject: Subject,
    ) -> Result<(Subject, Option<Terminology>), Failure> {
        let ours = rules().terminology();
        let resource = match subject {
            Subject::Url(url) if ours.codes(&url).is_some() => {
                return Ok((Subject::Url(url), None));
            }
            Subject::Url(url) => match self.stored(caller, "ValueSet", &url).await? {
                Some(resource) => resource,
                None => return Ok((Subject::Url(url), None)),
            },
            Subject::Resource(resource) => resource,
        };
        let mut asked = HashSet::new();
        let mut drawn = Vec::new();
        let mut waiting = drawn_on(&resource);
        while let Some((kind, url)) = waiting.pop() {
            let is_known = match kind {
                "ValueSet" => ours.codes(&url).is_some(),
                _ => ours.descendants(&url, "").is_some(),
            };
            if is_known || !asked.insert(url.clone()) || asked.len() > MOST_STORED {
                continue;
            }
            if let Some(found) = self.stored(caller, kind, &url).await? {
                waiting.extend(drawn_on(&found));
                drawn.push(found);
            }
        }
        let more = if drawn.is_empty() { None } else { Some(extended(&drawn)?) };
        Ok((Subject::Resource(resource), more))
    }

    /// The stored code systems of codes whose system the platform does not know itself.
    async fn with_systems(
        &self,
        caller: &Caller,
        codes: &[Code],
    ) -> Result<Option<Terminology>, Failure> {
        let ours = rules().terminology();
        let mut asked = HashSet::new();
        let mut found = Vec::new();
        for code in codes {
            let system = code.system.as_deref().ok_or_else(|| missing("say the `system`"))?;
            if ours.descendants(system, "").is_none() && asked.insert(system) {
                found.extend(self.stored(caller, "CodeSystem", system).await?);
            }
        }
        if found.is_empty() { Ok(None) } else { extended(&found).map(Some) }
    }

    /// The stored resource with this canonical URL that the caller may read. Whoever may read none
    /// is told what the platform itself knows.
    async fn stored(
        &self,
        caller: &Caller,
        kind: &'static str,
        canonical: &str,
    ) -> Result<Option<Value>, Failure> {
        let (url, version) = match canonical.rsplit_once('|') {
            Some((url, version)) => (url, Some(version)),
            None => (canonical, None),
        };
        let mut pairs = vec![("url".to_owned(), url.to_owned())];
        pairs.extend(version.map(|version| ("version".to_owned(), version.to_owned())));
        let query = Query::parse(kind, &pairs).map_err(Failure::Malformed)?;
        match self.search(caller, query, None).await {
            Ok(page) => page.matches.last().map(parsed).transpose(),
            Err(Failure::Refused(_)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

impl Code {
    fn asked(&self) -> Asked<'_> {
        Asked {
            system: self.system.as_deref(),
            version: self.version.as_deref(),
            code: &self.code,
            display: self.display.as_deref(),
        }
    }

    /// The code in the spelling that the platform compares by, where that is another.
    fn respelled(&self) -> Option<Self> {
        let (system, code) = respelled(self.system.as_deref()?, &self.code)?;
        Some(Self { system: Some(system), code, ..self.clone() })
    }
}

/// The codes of a call: one by itself, a Coding, or those of a CodeableConcept.
fn codes(given: &Parameters, [code, coding, concept]: [&str; 3]) -> Result<Vec<Code>, Failure> {
    let of = |coding: &Value| {
        let text = |name: &str| coding.text(name).map(str::to_owned);
        Some(Code {
            system: text("system"),
            version: text("version"),
            code: text("code")?,
            display: text("display"),
        })
    };
    let codings = given.all(coding).chain(given.all(concept).flat_map(|it| it.items("coding")));
    let mut codes: Vec<Code> = codings.filter_map(of).collect();
    let text = |name: &str| given.text(name).map(str::to_owned);
    codes.extend(text(code).map(|code| Code {
        system: text("system"),
        version: text("systemVersion").or_else(|| text("version")),
        code,
        display: text("display"),
    }));
    if codes.is_empty() {
        let concept =
            if concept.is_empty() { String::new() } else { format!(", or a `{concept}`") };
        return Err(missing(&format!("send `{code}` with `system`, or a `{coding}`{concept}")));
    }
    Ok(codes)
}

/// The first answer that is not against, or else the first answer, or else why there is none.
fn best(codes: &[Code], ask: impl Fn(&Code) -> Result<Value, Issue>) -> Result<Value, Failure> {
    let mut against = None;
    let mut fault = None;
    let spellings = codes.iter().flat_map(|code| [Some(code.clone()), code.respelled()]);
    for code in spellings.flatten() {
        match ask(&code) {
            Ok(answer) if !is_against(&answer) => return Ok(answer),
            Ok(answer) => against = against.or(Some(answer)),
            Err(issue) => fault = fault.or(Some(issue)),
        }
    }
    match (against, fault) {
        (Some(answer), _) => Ok(answer),
        (None, Some(issue)) => Err(failed(issue)),
        (None, None) => Err(unknown()),
    }
}

fn is_against(answer: &Value) -> bool {
    let result = answer.items("parameter").iter().find(|it| it.text("name") == Some("result"));
    result.is_some_and(|it| it.get("valueBoolean").and_then(Value::as_bool) == Some(false))
}

/// What was found of a code, with these of its properties.
fn narrowed(found: &Value, wanted: &[&str]) -> Value {
    let is_wanted = |parameter: &&Value| {
        let code = parameter.items("part").iter().find(|part| part.text("name") == Some("code"));
        match (parameter.text("name"), code.and_then(|code| code.text("valueCode"))) {
            (Some("property"), Some(code)) => wanted.contains(&code),
            (Some("designation"), _) => wanted.contains(&"designation"),
            _ => true,
        }
    };
    let kept: Vec<Value> = found.items("parameter").iter().filter(is_wanted).cloned().collect();
    fhir::json!({ "resourceType": "Parameters", "parameter": kept })
}

/// Canonical URLs that a value set draws on.
fn drawn_on(resource: &Value) -> Vec<(&'static str, String)> {
    let parts = ["compose.include", "compose.exclude"].into_iter();
    let parts: Vec<&Value> = parts.flat_map(|path| resource.all_at(path)).collect();
    let systems = parts.iter().filter_map(|part| part.text("system"));
    let sets = parts.iter().flat_map(|part| part.items("valueSet")).filter_map(Value::as_str);
    let systems = systems.map(|url| ("CodeSystem", url.to_owned()));
    systems.chain(sets.map(|url| ("ValueSet", url.to_owned()))).collect()
}

/// The canonical URL of a resource, which gets one for this call where it has none.
fn named(resource: &mut Value) -> String {
    if let Some(url) = resource.text("url") {
        return url.to_owned();
    }
    let url = "urn:fkj:this".to_owned();
    if let Value::Object(object) = resource {
        object.set("url", url.as_str());
    }
    url
}

fn extended(resources: &[Value]) -> Result<Terminology, Failure> {
    rules().terminology().extended(resources).map_err(Failure::Invalid)
}

fn terminology(more: &Option<Terminology>) -> &Terminology {
    more.as_ref().unwrap_or_else(|| rules().terminology())
}

fn set(subject: &Subject) -> Set<'_> {
    match subject {
        Subject::Resource(resource) => Set::Resource(resource),
        Subject::Url(url) => Set::Url(url),
    }
}

fn unknown() -> Failure {
    failed(Issue::error(IssueCode::NotFound, "", "there is no such code system here"))
}

fn failed(issue: Issue) -> Failure {
    match issue.code {
        IssueCode::NotFound => Failure::Unknown(issue),
        _ => Failure::Invalid(vec![issue]),
    }
}
