//! What has happened, for those outside who want to know that something did: which resource is new, changed or
//! removed, and what or who was erased. Never what a resource says, or whom it is about: whoever is told asks for it
//! with a token of their own, and access is decided then.
//!
//! Invariants: in the order of the ledger; nothing is told before readers see it; the same happening has the
//! same position each time it is told.

use ledger::append::{Body, Record};
use record::entry::{Kind, Position};
use record::envelope::Envelope;
use record::identity::PersonId;
use record::resealing::Resealing;

use crate::error::Failure;
use crate::tenant::Tenant;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Position in the ledger.
    pub position: Position,
    /// When the platform recorded it, milliseconds since 1970.
    pub at: i64,
    /// Key of the category; empty for an erasure.
    pub category: String,
    /// What.
    pub happened: Happened,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// `Type/id` is new, or has a new version.
    Changed(String),
    /// `Type/id` was removed by its owner.
    Removed(String),
    /// `Type/id` was erased for good: copies are to be erased too.
    Gone(String),
    /// All about this person was erased: copies are to be erased too.
    Erased(PersonId),
}

impl Tenant {
    /// What happened after `after`, from at most `limit` entries, and how far that goes: the position to ask
    /// after next. What was erased since is passed over.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn news(&self, after: Position, limit: usize) -> Result<(Vec<News>, Position), Failure> {
        let visible = self.visible();
        let records = self.ledger().read(after + 1, limit)?;
        let seen = records.into_iter().take_while(|it| it.entry.position <= visible);
        let (mut news, mut reached) = (Vec::new(), after);
        for record in seen {
            reached = record.entry.position;
            news.extend(told(&record)?);
        }
        Ok((news, reached))
    }
}

fn told(record: &Record) -> Result<Option<News>, Failure> {
    let entry = &record.entry;
    let happened = match (entry.kind, entry.person) {
        (Kind::Version, _) => reference(record)?.map(Happened::Changed),
        (Kind::Removal, _) => reference(record)?.map(Happened::Removed),
        (Kind::Resealing, _) => gone(record)?.map(Happened::Gone),
        (Kind::Erasure, Some(person)) => Some(Happened::Erased(person)),
        _ => None,
    };
    let category = if entry.kind == Kind::Erasure { "" } else { entry.category.as_str() };
    Ok(happened.map(|happened| News {
        position: entry.position,
        at: entry.recorded_at,
        category: category.to_owned(),
        happened,
    }))
}

/// `Type/id` of what an entry is a version of; nothing where it was erased.
fn reference(record: &Record) -> Result<Option<String>, Failure> {
    let Body::Plain(body) = &record.body else { return Ok(None) };
    let (envelope, _) = Envelope::open(body).map_err(|_| unreadable(record))?;
    Ok(Some(format!("{}/{}", envelope.kind, envelope.id)))
}

/// `Type/id` of the record that an entry erased.
fn gone(record: &Record) -> Result<Option<String>, Failure> {
    let Body::Plain(body) = &record.body else { return Ok(None) };
    let (resealing, _) = Resealing::open(body).map_err(|_| unreadable(record))?;
    Ok(Some(format!("{}/{}", resealing.kind, resealing.id)))
}

fn unreadable(record: &Record) -> Failure {
    let position = record.entry.position;
    Failure::Unavailable(format!("the entry at position {position} cannot be read"))
}
