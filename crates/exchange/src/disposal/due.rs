//! Whose information has been kept long enough ([`record::retention`]): proposed, never erased by itself.
//!
//! What is looked at for it is dates and services, and none of it is told but the rule that decided.

use access::administer::Deed;
use access::caller::Caller;
use fhir::instant::local_date;
use fhir::json;
use fhir::value::Value;
use record::identity::PersonId;
use record::retention::{Date, Death, Known, Retention, Verdict};
use record::system;
use view::store::Stored;

use crate::error::Failure;
use crate::tenant::Tenant;

/// A year in milliseconds, rounded down: only narrows whom the rules are asked about.
const YEAR: i64 = 365 * 24 * 60 * 60 * 1000;

/// Most persons that are told of at once.
pub const MOST: usize = 1_000;

/// Where a resource says which municipal service it is about.
const SERVICES: [(&str, &str); 2] = [("EpisodeOfCare", "type"), ("ServiceRequest", "code")];

impl Tenant {
    /// Persons whose time has run, with the rule that decided; at most [`MOST`], and whether that is all.
    /// Reads the whole view; blocks.
    ///
    /// # Errors
    /// A view that cannot be read.
    pub fn due(&self) -> Result<(Vec<(PersonId, Verdict)>, bool), Failure> {
        let least = Retention::get().map_or(u8::MAX, |rules| rules.least.years);
        let before = self.now().saturating_sub(i64::from(least) * YEAR);
        let mut due = Vec::new();
        for person in self.view.at_rest(before)? {
            let verdict = self.retention_of(person)?;
            if !matches!(verdict, Verdict::Depot(_) | Verdict::Over(_)) {
                continue;
            }
            if due.len() == MOST {
                return Ok((due, false));
            }
            due.push((person, verdict));
        }
        Ok((due, true))
    }

    /// [`Tenant::due`] for an officer.
    ///
    /// # Errors
    /// A caller who is no privacy officer, and whatever keeps the log from being written.
    pub async fn retention(
        &self,
        caller: &Caller,
    ) -> Result<(Vec<(PersonId, Verdict)>, bool), Failure> {
        self.administer(caller, "admin-retention", &[Deed::PrivacyReview], None).await?;
        self.due()
    }

    /// What the rules say of a person today.
    pub(crate) fn retention_of(&self, person: PersonId) -> Result<Verdict, Failure> {
        let unreadable =
            || Failure::Unavailable("the rules of retention cannot be read".to_owned());
        let rules = Retention::get().ok_or_else(unreadable)?;
        let today = Date::last_of(&self.today()).ok_or_else(unreadable)?;
        Ok(rules.judge(&self.kept_facts(person)?, today))
    }

    fn kept_facts(&self, person: PersonId) -> Result<Known, Failure> {
        let decided = self.decided();
        // Where something cannot be read, nobody knows when the last entry was, nor what it says.
        let recorded = match self.view.has_skipped(person)? {
            true => None,
            false => self.view.last_recorded(person)?,
        };
        let mut known = Known {
            last_entry: recorded.and_then(|at| Date::last_of(&local_date(at))),
            born: None,
            died: Death::Unknown,
            services: Vec::new(),
            held: decided.disposal.is_held(person),
            handed_over: decided.disposal.handed_over.contains_key(&person),
        };
        for stored in self.view.everything_of(person, "Patient")? {
            let patient = parsed(&stored)?;
            // Of several sources the latest counts, and a death only where none contradicts it.
            known.born = known.born.max(patient.text("birthDate").and_then(Date::last_of));
            known.died = later(known.died, death(&patient));
        }
        for (kind, member) in SERVICES {
            for stored in self.view.everything_of(person, kind)? {
                let value = parsed(&stored)?;
                let one = value.get(member).filter(|it| it.as_array().is_none());
                for concept in one.into_iter().chain(value.items(member)) {
                    known.services.extend(concept.items("coding").iter().filter_map(service));
                }
            }
        }
        Ok(known)
    }
}

fn parsed(stored: &Stored) -> Result<Value, Failure> {
    json::parse(&stored.body)
        .map_err(|_| Failure::Unavailable(format!("the row at {} is no JSON", stored.version)))
}

fn death(patient: &Value) -> Death {
    match patient.text("deceasedDateTime") {
        Some(at) => Date::last_of(at).map_or(Death::Undated, Death::At),
        None if patient.get("deceasedBoolean").and_then(Value::as_bool) == Some(true) => {
            Death::Undated
        }
        None => Death::Unknown,
    }
}

/// The later of two deaths; that it is not dated is later than any date.
fn later(one: Death, other: Death) -> Death {
    match (one, other) {
        (Death::At(one), Death::At(other)) => Death::At(one.max(other)),
        (Death::Unknown, known) | (known, Death::Unknown) => known,
        _ => Death::Undated,
    }
}

fn service(coding: &Value) -> Option<(String, String)> {
    let system = system::canonical(coding.text("system")?);
    Some((system.into_owned(), coding.text("code")?.to_owned()))
}
