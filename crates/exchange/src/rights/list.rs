//! Requests to look at: a resident's own, and for a privacy officer everybody's that wait for an answer, those
//! that are late first.

use std::collections::BTreeMap;

use access::caller::Caller;
use access::decide::About;
use access::permit::ReadPermit;
use fhir::query::{Query, Scope};
use fhir::search::set::Parameters;
use record::catalogue::CONSENTS;
use record::identity::PersonId;
use record::rights::{SYSTEM, Status};
use view::store::Stored;

use super::task::{self, Case};
use crate::audit::{AuditRecord, Deed};
use crate::error::Failure;
use crate::read::parsed;
use crate::tenant::Tenant;

/// Most requests of a privacy officer's list.
const MOST: usize = 1_000;

/// As the log has it.
const ACTION: &str = "rights-requests";

/// A request on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The Task's id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// Whom it is about.
    pub person: Option<PersonId>,
    /// What it says.
    pub case: Case,
    /// Whether the answer is late.
    pub is_overdue: bool,
}

impl Tenant {
    /// A person's requests, the newest first.
    ///
    /// # Errors
    /// A caller who may not read them, and whatever keeps the log from being written.
    pub async fn requests(
        &self,
        caller: &Caller,
        person: PersonId,
    ) -> Result<Vec<Listed>, Failure> {
        let permit = self.decide(caller, ACTION, About::Person(person), &[CONSENTS]).await?;
        let all = self.requested(&permit)?;
        let shown = all.len();
        self.disclosed(caller, &permit, ACTION, Some(person), &[CONSENTS], shown).await?;
        Ok(all)
    }

    /// The requests of one person that a permit opens, the newest first.
    pub(crate) fn requested(&self, permit: &ReadPermit) -> Result<Vec<Listed>, Failure> {
        let today = self.today();
        let stored = self.view.records(permit, "Task")?;
        let found = stored.iter().map(|it| listed(it, &today)).filter_map(Result::transpose);
        let mut all: Vec<Listed> = found.collect::<Result<_, _>>()?;
        all.reverse();
        Ok(all)
    }

    /// Everybody's requests that wait for an answer, the first that is due first.
    ///
    /// # Errors
    /// A caller who is no privacy officer, and whatever keeps the log from being written.
    pub async fn open_requests(&self, caller: &Caller) -> Result<Vec<Listed>, Failure> {
        let permit = self.may_review(caller, None).await?;
        let open = Status::ALL.iter().filter(|it| it.is_open()).map(|it| it.code());
        let pairs = [
            ("status".to_owned(), open.collect::<Vec<_>>().join(",")),
            ("code".to_owned(), format!("{SYSTEM}|")),
            ("_count".to_owned(), MOST.to_string()),
        ];
        let query = Query::read(Parameters::r4(), Scope::Type("Task"), &pairs)
            .map_err(|_| Failure::Unavailable("the list of requests cannot be read".to_owned()))?;
        let page = self.view.search(&permit, &query, None, self.now())?;
        let today = self.today();
        let found = page.matches.iter().map(|it| listed(it, &today)).filter_map(Result::transpose);
        let mut all: Vec<Listed> = found.collect::<Result<_, _>>()?;
        all.sort_by(|one, other| (&one.case.due, &one.id).cmp(&(&other.case.due, &other.id)));
        let mut shown: BTreeMap<Option<PersonId>, usize> = BTreeMap::new();
        for listed in &all {
            *shown.entry(listed.person).or_default() += 1;
        }
        let records = shown.into_iter().map(|(person, resources)| {
            let categories = &[CONSENTS];
            let deed = Deed { action: ACTION, person, categories, resources, ..Deed::default() };
            (person, AuditRecord::by_officer(caller, &deed))
        });
        self.record_audit(caller, records.collect()).await?;
        Ok(all)
    }
}

/// A stored Task as a request; nothing where it is another Task.
fn listed(stored: &Stored, today: &str) -> Result<Option<Listed>, Failure> {
    let Some(case) = task::read(&parsed(stored)?) else { return Ok(None) };
    Ok(Some(Listed {
        id: stored.id.clone(),
        version: stored.version,
        person: stored.person,
        is_overdue: case.is_overdue(today),
        case,
    }))
}
