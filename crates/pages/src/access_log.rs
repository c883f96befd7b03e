//! Who has looked, told so that a resident understands it.

use access::refusal::Rule;
use exchange::answer::AccessLine;
use record::catalogue::Catalogue;

use crate::text;
use crate::time::{self, Moment};

/// The view of an [`AccessLine`].
pub(crate) struct Look {
    pub at: Moment,
    /// A name, or what it is that has none.
    pub who: String,
    /// Role and organisation.
    pub place: Option<String>,
    pub action: String,
    pub purpose: String,
    pub categories: Vec<Category>,
    pub refused: Option<String>,
    /// Place of the entry, where it is somebody from whom the resident may withhold information.
    pub block: Option<u64>,
    /// Whether it was in an emergency.
    pub emergency: bool,
}

/// A kind of information, with the catalogue's explanation.
pub(crate) struct Category {
    pub title: String,
    pub explanation: String,
}

impl Look {
    /// The line as seen at `now_ms`.
    pub fn new(line: &AccessLine, now_ms: i64) -> Self {
        let role = known("role", &line.role).unwrap_or_else(|| line.role.clone());
        // A resident's sign-in carries no name.
        let profession = line.profession.as_deref().and_then(|code| known("profession", code));
        // A role that is named as the profession says it already.
        let profession = profession.filter(|it| !role.starts_with(it.as_str()));
        let profession = profession.unwrap_or_default();
        let mut said = [line.who.clone(), profession, role, line.organisation.clone()]
            .into_iter()
            .filter(|part| !part.is_empty());
        let who = said.next().unwrap_or_default();
        let place = said.collect::<Vec<_>>().join(", ");
        Self {
            at: time::moment(line.at, now_ms),
            who,
            place: (!place.is_empty()).then_some(place),
            action: known("action", &line.action).unwrap_or_else(|| text::get("action-other")),
            purpose: known("purpose", &line.purpose).unwrap_or_else(|| {
                text::with("purpose-other", &[("code", line.purpose.as_str().into())])
            }),
            categories: line.categories.iter().map(|key| category(key)).collect(),
            refused: line.refused.as_deref().map(refused),
            block: line.is_person.then_some(line.position),
            emergency: ["ETREAT", "BTG"].contains(&line.purpose.as_str()),
        }
    }
}

fn known(group: &str, key: &str) -> Option<String> {
    text::find(&format!("{group}-{key}"), &[])
}

fn category(key: &str) -> Category {
    match Catalogue::get().category(key) {
        Some(category) => Category {
            title: category.texts.nb.title.clone(),
            explanation: category.texts.nb.explanation.clone(),
        },
        None => Category { title: key.to_owned(), explanation: String::new() },
    }
}

fn refused(code: &str) -> String {
    let rule = Rule::ALL.into_iter().find(|rule| rule.code() == code);
    rule.map_or_else(
        || text::get("refused-unknown"),
        |rule| text::get(&format!("rule-{}", rule.code())),
    )
}
