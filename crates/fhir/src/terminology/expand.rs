//! `$expand`: a value set with its codes written out.

use super::codes::{Gap, Member, Reason};
use super::{Set, Terminology};
use crate::issue::{Issue, IssueCode};
use crate::json;
use crate::search::fold::fold;
use crate::value::Value;
use jiff::Timestamp;

/// So many codes are given without being asked for page by page.
const MOST_AT_ONCE: usize = 10_000;

/// What `$expand` is asked.
#[derive(Clone, Copy, Debug)]
pub struct Expand<'a> {
    /// Words, or beginnings of words, that a code or its text must all hold.
    pub filter: Option<&'a str>,
    /// How many codes to leave out at the start.
    pub offset: usize,
    /// How many codes to give at most.
    pub count: Option<usize>,
    /// Whether to leave out codes that are out of use.
    pub active_only: bool,
    /// When the expansion is made.
    pub at: Timestamp,
}

impl Terminology {
    /// The value set with an expansion. Codes that only hold others are not in it, as in HL7's own
    /// expansions, unless the set lists them.
    ///
    /// # Errors
    /// An issue if the set is not known, draws on what is not known here, or has too many codes to
    /// give at once.
    pub fn expand(&self, set: Set, asked: &Expand) -> Result<Value, Issue> {
        let (set, codes) = self.codes_in(set)?;
        if let Some(gap) = codes.gap() {
            return Err(refusal(gap));
        }
        let words = fold(asked.filter.unwrap_or_default());
        let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
        let members = codes.members().iter();
        let found: Vec<&Member> = members
            .filter(|member| !(asked.active_only && member.inactive))
            .filter(|member| words.is_empty() || self.is_named(member, &words))
            .collect();
        let count = asked.count.unwrap_or(found.len());
        if count.min(found.len()) > MOST_AT_ONCE {
            let message = format!(
                "more than {MOST_AT_ONCE} codes: ask for them in pages with `count` and `offset`, \
                 or narrow them down with `filter`"
            );
            return Err(Issue::error(IssueCode::TooCostly, "", message));
        }
        let contains = found.iter().skip(asked.offset).take(count).map(|member| listed(member));
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let contains: Vec<Value> = contains.collect();
        Ok(json!({
            "resourceType": "ValueSet",
            "url": text(&set.url),
            "version": text(&set.version),
            "name": text(&set.name),
            "status": "active",
            "expansion": {
                "timestamp": asked.at.to_string(),
                "total": found.len(),
                "offset": asked.offset,
                "parameter": parameters(asked),
                "contains": Some(contains).filter(|list| !list.is_empty()),
            },
        }))
    }

    /// Whether each word begins a word of the code or one of its texts.
    fn is_named(&self, member: &Member, words: &[&str]) -> bool {
        let concept = self.system(&member.system).and_then(|it| it.concept(&member.code));
        let mut text = fold(&format!("{} {}", member.code, member.display));
        for other in concept.iter().flat_map(|concept| concept.texts()) {
            text.push(' ');
            text.push_str(&fold(other));
        }
        let parts = |text: &str, word: &str| {
            let mut starts = text.split(|letter: char| !letter.is_alphanumeric());
            starts.any(|start| start.starts_with(word)) || text.split(' ').any(|it| it == word)
        };
        words.iter().all(|word| parts(&text, word))
    }
}

fn listed(member: &Member) -> Value {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    json!({
        "system": text(&member.system),
        "inactive": member.inactive.then_some(true),
        "code": member.code.as_ref(),
        "display": text(&member.display),
    })
}

/// What the expansion was made with, as R4 wants it said.
fn parameters(asked: &Expand) -> Value {
    let mut list = vec![json!({ "name": "excludeNested", "valueBoolean": true })];
    if let Some(filter) = asked.filter {
        list.push(json!({ "name": "filter", "valueString": filter }));
    }
    if let Some(count) = asked.count {
        list.push(json!({ "name": "count", "valueInteger": count }));
    }
    if asked.active_only {
        list.push(json!({ "name": "activeOnly", "valueBoolean": true }));
    }
    list.into()
}

/// Why a set cannot be written out, or a code not be judged by it.
pub(super) fn refusal(gap: &Gap) -> Issue {
    let (code, message) = match gap.reason {
        Reason::System | Reason::Fragment => (
            IssueCode::NotSupported,
            "the value set takes codes from a code system, or a version of one, that is not known \
             here: ask a terminology server that has it",
        ),
        Reason::Set => (
            IssueCode::NotSupported,
            "the value set draws on another that is not known here, or on itself",
        ),
        Reason::Filter => (
            IssueCode::NotSupported,
            "the value set has a filter that cannot be evaluated here: its operator, property or \
             code is not known",
        ),
        Reason::Size => (IssueCode::TooCostly, "the value set has too many codes to work out"),
    };
    Issue::error(code, gap.place.clone(), message)
}
