//! What others are asked, and what comes of it. That somebody was asked is in the audit ledger before the question
//! leaves: asking is itself a disclosure.

use access::caller::Caller;
use access::decide::{About, ReadRequest, decide_ask};
use access::permit::{AskPermit, Elsewhere};
use access::refusal::Rule;
use fhir::value::Value;
use record::catalogue::CategoryKey;
use record::identity::PersonId;
use sources::answer::Answer;
use sources::shape::Question;

use super::fact::{Fact, Origin};
use super::local::{Facts, happened, is_in_error};
use crate::audit::{AuditRecord, Deed};
use crate::error::Failure;
use crate::tenant::Tenant;

/// How every spelling of the system of security labels ends (kodeverk 9603).
const KODEVERK: &str = "9603";

/// What others told.
#[derive(Debug, Default)]
pub struct Outside {
    /// By category.
    pub facts: Facts,
    /// What is missing.
    pub silences: Vec<Silent>,
}

/// Something that a source did not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silent {
    /// The category that was asked for; `None` where nobody was asked at all.
    pub category: Option<CategoryKey>,
    /// What people call the source.
    pub source: String,
    /// Why, as a stable code.
    pub code: &'static str,
    /// Why, in words.
    pub why: String,
    /// When the source last answered about this person, milliseconds since 1970.
    pub last: Option<i64>,
}

impl Silent {
    fn of_all(code: &'static str, why: &str) -> Self {
        let source = "other sources".to_owned();
        Self { category: None, source, code, why: why.to_owned(), last: None }
    }

    fn closed(category: CategoryKey) -> Self {
        let why = "were not asked: the category is not open to you";
        Self { category: Some(category), ..Self::of_all("not-permitted", why) }
    }
}

impl Tenant {
    /// Asks others about a person. `number` is the person's national identity number, where one is known.
    pub(super) async fn ask_others(
        &self,
        caller: &Caller,
        person: PersonId,
        number: Option<&str>,
        categories: &[CategoryKey],
    ) -> Result<Outside, Failure> {
        let may_ask = self.sources.categories();
        let wanted: Vec<CategoryKey> =
            categories.iter().copied().filter(|key| may_ask.contains(key)).collect();
        if wanted.is_empty() {
            return Ok(Outside::default());
        }
        let none = |silent| Ok(Outside { silences: vec![silent], ..Outside::default() });
        let permit = match self.may_ask(caller, person, &wanted)? {
            Ok(permit) => permit,
            Err(Rule::NoAttest) => {
                let why = "were not asked: they are asked for people at work only";
                return none(Silent::of_all("not-asked", why));
            }
            Err(rule) => {
                let why = format!("were not asked: {}", rule.explanation());
                return none(Silent::of_all("not-permitted", &why));
            }
        };
        let Some(number) = number else {
            let why = "were not asked: no national identity number is known here";
            return none(Silent::of_all("no-number", why));
        };
        let closed = wanted.iter().copied().filter(|key| permit.is_closed(key)).map(Silent::closed);
        let mut outside = Outside { silences: closed.collect(), ..Outside::default() };
        if permit.categories().is_empty() {
            return Ok(outside);
        }
        let question = Question {
            number: number.to_owned(),
            purpose: permit.basis().purpose.code().to_owned(),
            profession: caller.attest().and_then(|attest| attest.authorization.clone()),
            request: self.new_id()?,
        };
        self.note_asking(caller, &permit).await?;
        let (open, now) = (permit.categories(), || self.now());
        let answers = self.sources.ask(person, &question, open, &now).await;
        answers.into_iter().for_each(|answer| outside.add(answer, &permit));
        Ok(outside)
    }

    fn may_ask(
        &self,
        caller: &Caller,
        person: PersonId,
        categories: &[CategoryKey],
    ) -> Result<Result<AskPermit, Rule>, Failure> {
        let bound_to = self.bound_to(caller)?;
        let request = ReadRequest {
            bound_to: bound_to.as_deref(),
            ..ReadRequest::new(About::Person(person), categories)
        };
        let decided = decide_ask(caller, &self.standing(), &request, self.now());
        Ok(decided.map_err(|refusal| refusal.rule))
    }

    /// Writes down whom the municipality asks about the person, and for whom.
    async fn note_asking(&self, caller: &Caller, permit: &AskPermit) -> Result<(), Failure> {
        let (person, categories) = (Some(permit.person()), permit.categories());
        let whom = self.sources.asked_about(categories).join(" ");
        let query = Some(whom.as_str());
        let deed = Deed { action: "ask", person, categories, query, ..Deed::default() };
        let record = AuditRecord::permitted(caller, &deed, permit.basis());
        self.record_audit(caller, vec![(person, record)]).await
    }
}

impl Outside {
    fn add(&mut self, answer: Answer, permit: &AskPermit) {
        let (category, title, base) = (answer.category, answer.title, answer.base);
        let found = match answer.outcome {
            Ok(found) => found,
            Err(silence) => {
                self.silences.push(Silent {
                    category: Some(category),
                    source: title,
                    code: silence.why.code(),
                    why: silence.why.to_string(),
                    last: silence.last,
                });
                return;
            }
        };
        let mut lacks = |code, why: String| {
            let (category, source) = (Some(category), title.clone());
            self.silences.push(Silent { category, source, code, why, last: Some(found.at) });
        };
        if found.unusable > 0 {
            let why = format!("sent {} resources that could not be used", found.unusable);
            lacks("unusable", why);
        }
        if found.has_more {
            lacks("more", "has more than it tells at once".to_owned());
        }
        let list = self.facts.entry(category).or_default();
        for (i, value) in found.items.into_iter().enumerate() {
            if is_in_error(&value) || is_withheld(permit, category, &value) {
                continue;
            }
            let kind = value.text("resourceType").unwrap_or_default();
            let link = match value.text("id") {
                Some(id) => format!("{base}/{kind}/{id}"),
                None => format!("{base}/{kind}#{i}"),
            };
            let (owner, name) = owner(&value);
            let origin = Origin {
                name: name.unwrap_or_else(|| title.clone()),
                owner,
                source: answer.source.clone(),
                link: link.clone(),
                at: found.at,
            };
            let at = happened(&value);
            list.push(Fact {
                value,
                url: link,
                origins: vec![origin],
                at,
                disputed_by: Vec::new(),
            });
        }
    }
}

/// Whether the person withholds it from who has it asked for, as far as it says of itself.
fn is_withheld(permit: &AskPermit, category: CategoryKey, value: &Value) -> bool {
    let labels: Vec<&str> = value
        .all_at("meta.security")
        .into_iter()
        .filter(|coding| coding.text("system").is_some_and(|it| it.ends_with(KODEVERK)))
        .filter_map(|coding| coding.text("code"))
        .collect();
    let (owner, _) = owner(value);
    permit.withholds(Elsewhere {
        category,
        owner: owner.as_deref(),
        at: happened(value),
        labels: &labels,
    })
}

/// The organisation that a resource says it is from: number and name.
fn owner(value: &Value) -> (Option<String>, Option<String>) {
    let named = ["managingOrganization", "custodian", "performer"];
    let references = named.iter().flat_map(|name| value.all_at(name));
    let of = |reference: &Value| {
        let identifier = reference.get("identifier");
        let number = identifier
            .filter(|it| it.text("system") == Some(record::system::ENH))
            .and_then(|it| it.text("value"));
        (number.map(str::to_owned), reference.text("display").map(str::to_owned))
    };
    references.map(of).find(|(number, name)| number.is_some() || name.is_some()).unwrap_or_default()
}
