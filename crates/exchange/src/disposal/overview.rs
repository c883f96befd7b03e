//! All that the officers' page of preservation and disposal shows.

use access::administer::Deed;
use access::caller::Caller;
use access::register::admin::Duty;
use record::decision::{Change, Ground};
use record::entry::Position;
use record::identity::PersonId;
use record::retention::Verdict;

use super::fold::{Erased, ErasedRecord, Hold};
use crate::error::Failure;
use crate::register::admin::approving;
use crate::register::fold::Proposal;
use crate::tenant::Tenant;

/// A question about erasing a person, or one record, that waits for a second officer.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its id.
    pub id: Position,
    /// About whom.
    pub person: PersonId,
    /// Which record, as `type/id`; nothing where it is everything.
    pub record: Option<String>,
    /// On what ground.
    pub basis: Ground,
    /// Who asks, when and why, and when it lapses.
    pub proposal: Proposal,
    /// Whether the caller may agree.
    pub may: bool,
}

/// What the page shows, for one caller.
#[derive(Clone, Debug)]
pub struct Disposing {
    /// Persons whose time has run.
    pub due: Vec<(PersonId, Verdict)>,
    /// Whether these are all.
    pub whole: bool,
    /// Holds in force, the newest first.
    pub holds: Vec<(Position, Hold)>,
    /// Questions that wait, the newest first.
    pub waiting: Vec<Waiting>,
    /// Erasures, the newest first.
    pub erased: Vec<Erased>,
    /// Erasures of single records, the newest first.
    pub records: Vec<ErasedRecord>,
}

impl Tenant {
    /// All that the officers' page shows.
    ///
    /// # Errors
    /// A caller who is no privacy officer, and whatever keeps the log from being written.
    pub async fn disposing(&self, caller: &Caller) -> Result<Disposing, Failure> {
        self.administer(caller, "admin-disposal", &[Deed::PrivacyReview], None).await?;
        let (decided, now) = (self.decided(), self.now());
        let waiting = decided.proposals.iter().rev().filter(|(_, it)| it.waits(now));
        let waiting = waiting.filter_map(|(id, it)| {
            let (person, (basis, record)) = match &it.change {
                Change::Erase { basis } => (it.person?, (basis, None)),
                Change::EraseRecord { basis, record, .. } => {
                    (it.person?, (basis, Some(record.clone())))
                }
                _ => return None,
            };
            let may = self.may(caller, &approving(it, &[Duty::PrivacyOfficer]));
            Some(Waiting { id: *id, person, record, basis: *basis, proposal: it.clone(), may })
        });
        let waiting = waiting.collect();
        let holds = decided.disposal.holds.iter().rev().filter(|(_, it)| it.lifted.is_none());
        let holds = holds.map(|(id, hold)| (*id, hold.clone())).collect();
        let erased = decided.disposal.erased.values().rev().cloned().collect();
        let records = decided.disposal.records.values().rev().cloned().collect();
        let (due, whole) = self.due()?;
        Ok(Disposing { due, whole, holds, waiting, erased, records })
    }
}
