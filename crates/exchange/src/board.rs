//! A ward's board: the patients of the caller's own unit, one line of it, and word of changes.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;

use access::caller::Caller;
use access::decide::About;
use access::permit::ReadPermit;
use access::refusal::{Refusal, Rule};
use record::catalogue::CONSENTS;
use record::identity::PersonId;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::answer::{Board, News2};
use crate::audit::{AuditRecord, Deed};
use crate::error::Failure;
use crate::overview::MEASUREMENTS;
use crate::tenant::{Change, Tenant};

impl Tenant {
    /// The board of the caller's own unit, the highest score first. One audit entry for each
    /// patient on it.
    pub async fn board(&self, caller: &Caller) -> Result<Board, Failure> {
        let permit = self.decide_board(caller, About::OwnUnit).await?;
        let mut patients = Vec::new();
        let mut records = Vec::new();
        for person in self.view.persons(&permit)? {
            match self.line(caller, person).await {
                Ok((news2, record)) => {
                    patients.push(news2);
                    records.push((Some(person), record));
                }
                // One patient's restriction is no hindrance to seeing the others.
                Err(Failure::Refused(Refusal { rule: Rule::Restricted })) => {}
                Err(failure) => return Err(failure),
            }
        }
        let withheld = self.view.tells_withheld(&permit)?;
        self.record_audit(caller, records).await?;
        patients.sort_by_cached_key(|news2| {
            let total = news2.course.latest_with_total().and_then(|set| set.total());
            (Reverse(total.map(|total| total.value())), news2.patient.name.clone())
        });
        let unit = caller.attest().map(|attest| attest.point_of_care.clone()).unwrap_or_default();
        let unit = self.register().organisation_name(&unit).map(str::to_owned).unwrap_or(unit);
        Ok(Board { unit, patients, withheld })
    }

    /// One line of the board; not found where the patient is not at the caller's unit.
    pub async fn board_line(&self, caller: &Caller, person: PersonId) -> Result<News2, Failure> {
        let permit = self.decide_board(caller, About::OwnUnit).await?;
        if !self.view.persons(&permit)?.contains(&person) {
            return Err(Failure::NotFound);
        }
        let (news2, record) = self.line(caller, person).await?;
        self.record_audit(caller, vec![(Some(person), record)]).await?;
        Ok(news2)
    }

    async fn decide_board(&self, caller: &Caller, about: About) -> Result<ReadPermit, Failure> {
        let [needed, also] = MEASUREMENTS;
        self.decide_with(caller, "board", about, needed, also).await
    }

    /// Each patient on the list is read as one person, under a decision about that person.
    async fn line(
        &self,
        caller: &Caller,
        person: PersonId,
    ) -> Result<(News2, AuditRecord), Failure> {
        let permit = self.decide_board(caller, About::Person(person)).await?;
        let (news2, resources) = self.measured(&permit, person)?;
        let categories = permit.categories();
        let deed = Deed {
            action: "board",
            person: Some(person),
            categories,
            resources,
            ..Deed::default()
        };
        Ok((news2, AuditRecord::permitted(caller, &deed, permit.basis())))
    }

    /// Watches the caller's own unit.
    pub async fn watch_board(self: Arc<Self>, caller: &Caller) -> Result<BoardWatch, Failure> {
        let permit = self.decide_board(caller, About::OwnUnit).await?;
        let changes = self.watch();
        let members = self.view.persons(&permit)?.into_iter().collect();
        Ok(BoardWatch { tenant: self, permit, changes, members })
    }
}

/// Tells which patient of a unit something new is known about. Says no more than that: who
/// watches asks again, under a new decision.
pub struct BoardWatch {
    tenant: Arc<Tenant>,
    permit: ReadPermit,
    changes: Receiver<Change>,
    members: HashSet<PersonId>,
}

impl BoardWatch {
    /// The next patient whose line changed, came or went; `None` when the municipality closes or
    /// this watcher fell too far behind and must begin anew.
    pub async fn next(&mut self) -> Option<PersonId> {
        loop {
            let change = match self.changes.recv().await {
                Ok(change) => change,
                Err(RecvError::Lagged(_) | RecvError::Closed) => return None,
            };
            let Some(person) = change.person else { continue };
            if change.category == CONSENTS {
                // What may be seen has changed; whoever watches begins anew, under a new decision.
                return None;
            }
            let was = self.members.contains(&person);
            if change.category == "services" {
                self.members = self.tenant.view.persons(&self.permit).ok()?.into_iter().collect();
            }
            if was || self.members.contains(&person) {
                return Some(person);
            }
        }
    }
}
