//! What a resident has asked for about their own information: the list with status and deadline, and the form to ask.

use exchange::answer::ServiceLine;
use exchange::rights::Wanted;
use exchange::rights::list::Listed;
use record::rights::{Right, Status, Step};

use crate::address;
use crate::restrictions::{Choice, fhir_kind, is_id};
use crate::text;
use crate::time;

/// Field: what is asked for, as [`wanted`] reads it.
pub const RIGHT_FIELD: &str = "krav";
/// Field: the one thing it is about, if any.
pub const ITEM_FIELD: &str = "gjelder";
/// Field: in the resident's words.
pub const TEXT_FIELD: &str = "tekst";
/// Field: id of a request.
pub const ID_FIELD: &str = "id";

/// What the page shows of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The requests, the newest first.
    pub all: &'a [Listed],
    /// What was just done, if anything.
    pub told: Option<Told>,
}

/// What was just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Something was asked for.
    Sent,
    /// It was taken back.
    Withdrawn,
}

impl Told {
    /// As an address has it.
    pub fn key(self) -> &'static str {
        match self {
            Told::Sent => "sendt",
            Told::Withdrawn => "trukket",
        }
    }

    /// The one with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        [Told::Sent, Told::Withdrawn].into_iter().find(|told| told.key() == key)
    }

    fn text(self) -> String {
        text::get(match self {
            Told::Sent => "requests-sent",
            Told::Withdrawn => "requests-withdrawn",
        })
    }
}

/// Reads the form; nothing where it says nothing that is known.
pub fn wanted(right: &str, item: &str, words: &str) -> Option<Wanted> {
    let item = match item {
        "" => None,
        item => {
            let (kind, id) = item.split_once('/')?;
            Some((fhir_kind(kind)?.to_owned(), is_id(id).then(|| id.to_owned())?))
        }
    };
    Some(Wanted { right: Right::from_code(right)?, item, text: words.trim().to_owned() })
}

/// What a right is called.
pub(crate) fn right(right: Right) -> String {
    text::get(&format!("right-{}", right.code()))
}

/// What a status is called.
pub(crate) fn status(status: Status) -> String {
    text::get(&format!("request-{}", status.code()))
}

/// What a step is called.
pub(crate) fn step(step: Step) -> String {
    text::get(&format!("step-{}", step.code()))
}

/// A choice with an explanation.
pub(crate) struct Kind {
    pub value: &'static str,
    pub title: String,
    pub hint: String,
}

/// The section as the template reads it.
pub(crate) struct Section {
    pub told: Option<String>,
    pub all: Vec<Shown>,
    pub rights: Vec<Kind>,
    pub items: Vec<Choice>,
    pub ask: String,
    pub withdraw: String,
}

/// A request as templates read it.
pub(crate) struct Shown {
    pub id: String,
    pub title: String,
    pub words: String,
    pub status: String,
    pub owner: String,
    pub person: String,
    pub item: Option<String>,
    pub received: String,
    pub received_iso: String,
    pub due: String,
    pub due_iso: String,
    pub reason: Option<String>,
    pub is_open: bool,
    pub is_overdue: bool,
    pub is_rejected: bool,
    pub steps: Vec<Taken>,
    pub ways: Vec<Way>,
}

/// A step that was taken.
pub(crate) struct Taken {
    pub iso: String,
    pub at: String,
    pub words: String,
}

/// A step that can be taken.
pub(crate) struct Way {
    pub value: &'static str,
    pub title: String,
}

impl Section {
    /// The section, for somebody with these services.
    pub fn new(asked: Asked<'_>, lines: &[ServiceLine], municipality: &str, now_ms: i64) -> Self {
        let kind = |right: Right| Kind {
            value: right.code(),
            title: self::right(right),
            hint: text::get(&format!("right-{}-hint", right.code())),
        };
        let item = |line: &ServiceLine| Choice {
            value: format!("EpisodeOfCare/{}", line.id),
            title: line.title.clone(),
        };
        Self {
            told: asked.told.map(Told::text),
            all: asked.all.iter().map(|it| Shown::new(it, now_ms)).collect(),
            rights: Right::ALL.map(kind).into(),
            items: lines.iter().map(item).collect(),
            ask: address::ask(municipality),
            withdraw: address::withdraw(municipality),
        }
    }
}

impl Shown {
    /// A request, as seen at `now_ms`.
    pub fn new(listed: &Listed, now_ms: i64) -> Self {
        let case = &listed.case;
        let way = |step: Step| {
            let leads = case.status.after(step).is_some() && !step.is_the_residents();
            let may = leads && !(step == Step::Extend && case.extended);
            may.then(|| Way { value: step.code(), title: self::step(step) })
        };
        Self {
            id: listed.id.clone(),
            title: right(case.right),
            words: case.text.clone(),
            status: status(case.status),
            owner: case.owner.clone(),
            person: listed.person.map(|person| person.to_string()).unwrap_or_default(),
            item: case.item.as_ref().map(|(kind, id)| format!("{kind}/{id}")),
            received: time::day(&case.received),
            received_iso: case.received.clone(),
            due: time::day(&case.due),
            due_iso: case.due.clone(),
            reason: case.reason.clone(),
            is_open: case.status.is_open(),
            is_overdue: listed.is_overdue,
            is_rejected: case.status == Status::Rejected,
            steps: case.steps.iter().map(|it| Taken::new(it, now_ms)).collect(),
            ways: Step::ALL.into_iter().filter_map(way).collect(),
        }
    }
}

impl Taken {
    fn new((at, by, said): &(String, String, String), now_ms: i64) -> Self {
        let (code, why) = said.split_once(": ").unwrap_or((said, ""));
        let step = Step::from_code(code).map(step).unwrap_or_else(|| code.to_owned());
        let words = [step.as_str(), by, why].into_iter().filter(|part| !part.is_empty());
        let words = words.collect::<Vec<_>>().join(", ");
        let shown = match at.parse::<jiff::Timestamp>() {
            Ok(moment) => time::moment(moment.as_millisecond(), now_ms).full,
            Err(_) => at.clone(),
        };
        Self { iso: at.clone(), at: shown, words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_read_as_it_is_written_and_every_word_has_a_text() {
        let section = Section::new(Asked::default(), &[], "9901", 0);
        for kind in &section.rights {
            assert_ne!(kind.title, format!("right-{}", kind.value));
            assert_ne!(kind.hint, format!("right-{}-hint", kind.value));
            let wanted = wanted(kind.value, "EpisodeOfCare/a-1", " Feil. ").unwrap();
            assert_eq!((wanted.right.code(), wanted.text.as_str()), (kind.value, "Feil."));
        }
        assert_eq!(wanted("erasure", "Patient/1", ""), None);
        assert_eq!(wanted("slett", "", ""), None);
        for it in Status::ALL {
            assert_ne!(status(it), format!("request-{}", it.code()));
        }
        for it in Step::ALL {
            assert_ne!(step(it), format!("step-{}", it.code()));
        }
    }
}
