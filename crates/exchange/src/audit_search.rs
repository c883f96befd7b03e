//! The log as FHIR: search and read of `AuditEvent` from the audit ledger.
//!
//! Invariants: a resident finds what is about themself, a privacy officer of the municipality
//! everything, nobody else anything, and each look into the log is in it. Newest first; pages are
//! stable, since entries only come at the other end. A search reads at most [`MOST_READ`] entries for a
//! page: one that finds little gives a short page, and the link goes on where it ended.

use std::collections::BTreeMap;

use access::caller::{Caller, Party};
use access::decide::About;
use access::officer;
use access::permit::ReadPermit;
use access::refusal::{Refusal, Rule};
use access::scopes::Interaction;
use fhir::instant::search_range;
use fhir::issue::{Issue, IssueCode};
use fhir::json;
use fhir::value::Value;
use ledger::append::Record;
use ledger::keys::PersonKey;
use record::catalogue::ACCESS;
use record::entry::Position;
use record::identity::{PersonId, contains_number};
use record::system;

use crate::audit::{AuditRecord, Deed};
use crate::audit_event::{POLICY, action, outcome};
use crate::error::Failure;
use crate::searchset::{Entries, Pairs};
use crate::tenant::Tenant;
use crate::whom::NATIONAL;

/// Entries that are read for one page at most.
pub const MOST_READ: usize = 20_000;
/// Entries that are read from the ledger at a time.
const STEP: usize = 500;
/// Entries of a page, where it is not said, and at most.
const PAGE: usize = 50;
const MOST_ON_PAGE: usize = 1_000;
/// Parameter of a paging link, and what it is sealed as.
const CURSOR: &str = "_cursor";
const SEAL: &str = "audit-events";
/// What is done, in the log about the log.
const DONE: &str = "audit-events";

/// Who reads the log.
enum Reader {
    /// A resident, of what is about themself.
    Own(PersonId, Box<ReadPermit>),
    /// A privacy officer.
    Officer,
}

impl Reader {
    fn record(&self, caller: &Caller, deed: &Deed<'_>) -> AuditRecord {
        match self {
            Reader::Own(_, permit) => AuditRecord::permitted(caller, deed, permit.basis()),
            Reader::Officer => AuditRecord::by_officer(caller, deed),
        }
    }
}

/// What is asked for. What is left out asks for all.
#[derive(Default)]
struct Asked {
    person: Option<PersonId>,
    /// From and to (exclusive), milliseconds since 1970.
    from: Option<i64>,
    to: Option<i64>,
    /// Each must hold; of the values of one, any.
    tests: Vec<(Test, Vec<String>)>,
    count: usize,
    before: Option<Position>,
    ignored: Vec<Issue>,
}

/// What a parameter looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Id,
    Action,
    Outcome,
    Subtype,
    Purpose,
    Agent,
    AgentName,
    AgentRole,
    Entity,
    EntityType,
    Policy,
}

/// The parameters that compare a text.
const TESTS: [(&str, Test); 13] = [
    ("_id", Test::Id),
    ("action", Test::Action),
    ("outcome", Test::Outcome),
    ("subtype", Test::Subtype),
    ("purpose", Test::Purpose),
    ("agent", Test::Agent),
    ("agent:identifier", Test::Agent),
    ("agent.identifier", Test::Agent),
    ("agent-name", Test::AgentName),
    ("agent-role", Test::AgentRole),
    ("entity", Test::Entity),
    ("entity-type", Test::EntityType),
    ("policy", Test::Policy),
];

impl Test {
    fn holds(self, position: Position, record: &AuditRecord, wanted: &str) -> bool {
        // A token may name its system; what is compared has one system each.
        let code = wanted.rsplit_once('|').map_or(wanted, |(_, code)| code);
        let is = |value: &Option<String>| value.as_deref() == Some(code);
        let what = record.what.as_deref().unwrap_or_default();
        match self {
            Test::Id => wanted == position.to_string(),
            Test::Action => action(record) == code,
            Test::Outcome => outcome(record) == code,
            Test::Subtype => record.action == code,
            Test::Purpose => record.purpose == code || is(&record.purpose_details),
            Test::Agent => is(&record.hpr) || is(&record.subject) || record.client == code,
            Test::AgentName => {
                let (name, wanted) = (record.name.to_lowercase(), wanted.to_lowercase());
                name.starts_with(&wanted) || name.split(' ').any(|word| word.starts_with(&wanted))
            }
            Test::AgentRole => record.role.split('+').any(|role| role == code),
            Test::Entity => what == wanted,
            Test::EntityType => what.split('/').next() == Some(code),
            Test::Policy => {
                let version = wanted.strip_prefix(POLICY).and_then(|it| it.parse().ok());
                version.is_some() && record.policy == version
            }
        }
    }
}

impl Tenant {
    /// A search for AuditEvents, as a Bundle. `base` is the address of the door.
    ///
    /// # Errors
    /// [`Failure::Refused`] for all but residents and privacy officers; [`Failure::Malformed`].
    pub async fn audit_events(
        &self,
        caller: &Caller,
        pairs: &Pairs,
        strict: bool,
        base: &str,
    ) -> Result<Vec<u8>, Failure> {
        let reader = self.log_reader(caller).await?;
        let asked = self.asked(pairs, strict)?;
        let person = match (&reader, asked.person) {
            (Reader::Own(own, _), Some(other)) if *own != other => {
                return Err(self.log_refused(caller, Some(other), Rule::NotSelf).await);
            }
            (Reader::Own(own, _), _) => Some(*own),
            (Reader::Officer, person) => person,
        };
        let (found, next) = self.find_entries(&asked, person)?;
        let link = self.links(base, pairs, asked.person, next)?;
        let mut entries = Entries::new(&link, None);
        for record in &found {
            entries.add_resource(base, &self.audit_event(record)?);
        }
        if !asked.ignored.is_empty() {
            entries.outcome(&asked.ignored);
        }
        self.log_read(caller, &reader, person, &found).await?;
        Ok(entries.finish())
    }

    /// One AuditEvent.
    ///
    /// # Errors
    /// As [`Tenant::audit_events`], and [`Failure::NotFound`].
    pub async fn audit_event_at(&self, caller: &Caller, id: &str) -> Result<Value, Failure> {
        let reader = self.log_reader(caller).await?;
        let position = id.parse().map_err(|_| Failure::NotFound)?;
        let record = self.audit().record(position)?.ok_or(Failure::NotFound)?;
        if let Reader::Own(own, _) = reader
            && record.entry.person != Some(own)
        {
            return Err(Failure::NotFound);
        }
        let event = self.audit_event(&record)?;
        let person = record.entry.person;
        self.log_read(caller, &reader, person, &[record]).await?;
        Ok(event)
    }

    /// Who reads the log; a refusal is in it before it is told.
    async fn log_reader(&self, caller: &Caller) -> Result<Reader, Failure> {
        let about = (DONE, About::Unnamed);
        self.within_scopes(caller, about, &["AuditEvent"], Interaction::Search).await?;
        if let Party::Resident { .. } = caller.party {
            let permit = self.decide(caller, DONE, About::Unnamed, &[ACCESS]).await?;
            return match *permit.reach() {
                access::permit::Reach::Person(own) => Ok(Reader::Own(own, Box::new(permit))),
                _ => Err(self.log_refused(caller, None, Rule::NotSelf).await),
            };
        }
        match officer::reads_log(caller, &self.standing()) {
            Ok(()) => Ok(Reader::Officer),
            Err(Refusal { rule }) => Err(self.log_refused(caller, None, rule).await),
        }
    }

    /// Does what shows one entry, for a resident of what is about themself, for a privacy officer of
    /// all; that it was shown is in the log before.
    pub(crate) async fn show_entry<T>(
        &self,
        caller: &Caller,
        deed: &Deed<'_>,
        show: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let reader = self.log_reader(caller).await?;
        if let Reader::Own(own, _) = reader
            && deed.person != Some(own)
        {
            return Err(Failure::NotFound);
        }
        let shown = show.await?;
        let record = reader.record(caller, deed);
        self.record_audit(caller, vec![(deed.person, record)]).await?;
        Ok(shown)
    }

    async fn log_refused(&self, caller: &Caller, person: Option<PersonId>, rule: Rule) -> Failure {
        let refusal = Refusal { rule };
        let deed = Deed { action: DONE, person, categories: &[ACCESS], ..Deed::default() };
        let record = AuditRecord::refused(caller, &deed, refusal);
        match self.record_audit(caller, vec![(person, record)]).await {
            Ok(()) => refusal.into(),
            Err(failure) => failure,
        }
    }

    /// Writes down that somebody read the log: one record for each person in the answer.
    async fn log_read(
        &self,
        caller: &Caller,
        reader: &Reader,
        person: Option<PersonId>,
        found: &[Record],
    ) -> Result<(), Failure> {
        let mut shown: BTreeMap<Option<PersonId>, usize> = BTreeMap::new();
        for record in found {
            *shown.entry(record.entry.person).or_default() += 1;
        }
        if shown.is_empty() {
            shown.insert(person, 0);
        }
        let records = shown.into_iter().map(|(person, resources)| {
            let kind = "AuditEvent";
            let categories = &[ACCESS];
            let deed =
                Deed { action: DONE, person, categories, resources, kind, ..Deed::default() };
            (person, reader.record(caller, &deed))
        });
        self.record_audit(caller, records.collect()).await
    }

    /// Reads the parameters.
    fn asked(&self, pairs: &Pairs, strict: bool) -> Result<Asked, Failure> {
        let mut asked = Asked { count: PAGE, ..Asked::default() };
        for (name, value) in pairs {
            match name.as_str() {
                "_count" => {
                    let count: usize = value.parse().map_err(|_| wrong(name, "is a number"))?;
                    asked.count = count.clamp(1, MOST_ON_PAGE);
                }
                CURSOR => {
                    let place = self.view.open_place(SEAL, value)?;
                    asked.before = place.parse().ok();
                }
                "date" | "_lastUpdated" => asked.at(name, value)?,
                "patient" | "patient:identifier" | "patient.identifier" => {
                    asked.person = Some(self.patient_named(value)?);
                }
                "_sort" if matches!(value.as_str(), "-date" | "-_lastUpdated") => {}
                "_format" | "_pretty" | "_total" | "_summary" => {}
                other => match TESTS.iter().find(|(known, _)| *known == other) {
                    Some((_, test)) => {
                        asked.tests.push((*test, value.split(',').map(str::to_owned).collect()));
                    }
                    None => asked.ignored.push(Issue::warning(
                        IssueCode::NotSupported,
                        "",
                        format!("`{other}` is not supported in a search of the log"),
                    )),
                },
            }
        }
        if strict && !asked.ignored.is_empty() {
            let refuse = |issue: Issue| Issue::error(issue.code, issue.location, issue.message);
            return Err(Failure::Malformed(asked.ignored.into_iter().map(refuse).collect()));
        }
        Ok(asked)
    }

    /// The person that a patient parameter names: by id, or by number with or without its system.
    fn patient_named(&self, value: &str) -> Result<PersonId, Failure> {
        let id = value.strip_prefix("Patient/").unwrap_or(value);
        if let Some(person) = PersonId::parse(id) {
            return Ok(person);
        }
        if let Some((known, number)) = value.split_once('|') {
            let key = if system::is_national_number(known) { NATIONAL } else { known };
            return Ok(self.keys.expected(&PersonKey { system: key, value: number })?);
        }
        if contains_number(value) {
            return Ok(self.keys.expected(&PersonKey { system: NATIONAL, value })?);
        }
        self.person_of_patient(id)
    }

    /// The newest entries that fit, and where the page after begins.
    fn find_entries(
        &self,
        asked: &Asked,
        person: Option<PersonId>,
    ) -> Result<(Vec<Record>, Option<Position>), Failure> {
        let log = self.audit();
        let first = asked.from.map_or(Ok(1), |from| log.first_recorded(from))?;
        let end = match asked.to {
            Some(to) => log.first_recorded(to)?,
            None => log.head()?.position + 1,
        };
        let mut before = asked.before.map_or(end, |before| before.min(end));
        let (mut found, mut read) = (Vec::new(), 0);
        while before > first && read < MOST_READ {
            let page = match person {
                Some(person) => log.by_person(person, Some(before), STEP)?,
                None => newest(log, first, before)?,
            };
            read += page.len();
            let ended = page.len() < STEP;
            for record in page {
                before = record.entry.position;
                if before < first {
                    return Ok((found, None));
                }
                if asked.fits(&record)? {
                    found.push(record);
                    if found.len() == asked.count {
                        return Ok((found, (before > first).then_some(before)));
                    }
                }
            }
            if ended {
                return Ok((found, None));
            }
        }
        Ok((found, (before > first).then_some(before)))
    }

    /// `self` and `next`. An identity number never stands in a link.
    fn links(
        &self,
        base: &str,
        pairs: &Pairs,
        person: Option<PersonId>,
        next: Option<Position>,
    ) -> Result<Value, Failure> {
        let mut shown: Pairs = pairs.clone();
        shown.retain(|(name, value)| {
            name != CURSOR && !name.starts_with("patient") && !contains_number(value)
        });
        if let Some(person) = person {
            shown.push(("patient".to_owned(), format!("Patient/{person}")));
        }
        let address = |more: Option<&str>| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(&shown);
            query.extend_pairs(more.map(|cursor| (CURSOR, cursor)));
            let query = query.finish();
            let mark = if query.is_empty() { "" } else { "?" };
            format!("{base}/AuditEvent{mark}{query}")
        };
        let mut links = vec![json!({ "relation": "self", "url": address(None) })];
        if let Some(before) = next {
            let cursor = self.view.seal_place(SEAL, &before.to_string())?;
            links.push(json!({ "relation": "next", "url": address(Some(&cursor)) }));
        }
        Ok(Value::Array(links))
    }
}

impl Asked {
    /// Narrows the time. Entries are recorded at one millisecond, so overlapping is being within.
    fn at(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let prefix = value.get(..2).filter(|it| it.bytes().all(|byte| byte.is_ascii_lowercase()));
        let rest = value.get(prefix.map_or(0, str::len)..).unwrap_or_default();
        let (start, end) =
            search_range(rest).ok_or_else(|| wrong(name, "is a date, such as `ge2026-01-31`"))?;
        let (from, to) = match prefix {
            None | Some("eq") => (Some(start), Some(end)),
            Some("ge") => (Some(start), None),
            Some("gt" | "sa") => (Some(end), None),
            Some("le") => (None, Some(end)),
            Some("lt" | "eb") => (None, Some(start)),
            Some(_) => return Err(wrong(name, "takes `eq`, `ge`, `gt`, `sa`, `le`, `lt`, `eb`")),
        };
        self.from = self.from.max(from);
        self.to = match (self.to, to) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Ok(())
    }

    fn fits(&self, record: &Record) -> Result<bool, Failure> {
        if self.tests.is_empty() {
            return Ok(true);
        }
        let position = record.entry.position;
        let audit = AuditRecord::read(record)?;
        Ok(self
            .tests
            .iter()
            .all(|(test, any)| any.iter().any(|it| test.holds(position, &audit, it))))
    }
}

/// The entries before a position, the newest first; fewer than [`STEP`] where they end at `first`.
fn newest(
    log: &ledger::ledger::Ledger,
    first: Position,
    before: Position,
) -> Result<Vec<Record>, Failure> {
    let from = before.saturating_sub(STEP as u64).max(first);
    let count = usize::try_from(before.saturating_sub(from)).unwrap_or(STEP);
    let mut page = log.read(from, count)?;
    page.reverse();
    Ok(page)
}

fn wrong(name: &str, what: &str) -> Failure {
    Failure::malformed(IssueCode::Invalid, name, format!("`{name}` {what}"))
}
