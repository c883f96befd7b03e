//! What has been decided about keeping and erasing, folded from the ledger's decisions.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use record::decision::{Change, Ground, Who};
use record::entry::Position;
use record::identity::PersonId;

use crate::register::fold::Act;

/// A hold: nothing about the person may be erased.
#[derive(Clone, Debug, PartialEq)]
pub struct Hold {
    /// About whom.
    pub person: PersonId,
    /// Who decided it, when and why.
    pub act: Arc<Act>,
    /// Who lifted it.
    pub lifted: Option<Arc<Act>>,
}

/// That the depot has what is preserved.
#[derive(Clone, Debug, PartialEq)]
pub struct HandedOver {
    /// The depot's reference.
    pub reference: String,
    /// Who said so, when and why.
    pub act: Arc<Act>,
}

/// The fact that a person was erased.
#[derive(Clone, Debug, PartialEq)]
pub struct Erased {
    /// Whom: an id that leads nowhere any more.
    pub person: PersonId,
    /// On what ground.
    pub basis: Ground,
    /// Who proposed it.
    pub proposed_by: Who,
    /// Who agreed, and when.
    pub act: Arc<Act>,
}

/// The fact that one record was erased.
#[derive(Clone, Debug, PartialEq)]
pub struct ErasedRecord {
    /// About whom it was.
    pub person: PersonId,
    /// Which: `type/id`.
    pub record: String,
    /// On what ground.
    pub basis: Ground,
    /// Id of the Task by which a resident asked for it.
    pub request: Option<String>,
    /// Who proposed it.
    pub proposed_by: Who,
    /// Who agreed, and when.
    pub act: Arc<Act>,
}

/// What has been decided about keeping and erasing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Disposal {
    /// Holds, by the position of the decision.
    pub holds: BTreeMap<Position, Hold>,
    /// Persons whose preserved information the depot has.
    pub handed_over: HashMap<PersonId, HandedOver>,
    /// Erasures, by the position of the entry.
    pub erased: BTreeMap<Position, Erased>,
    /// Erasures of single records, by the position of the entry.
    pub records: BTreeMap<Position, ErasedRecord>,
}

impl Disposal {
    /// Takes a decision in; nothing where it is not one of these or makes no sense.
    pub(crate) fn apply(
        &mut self,
        person: PersonId,
        change: &Change,
        act: &Arc<Act>,
    ) -> Option<()> {
        match change {
            Change::Hold {} => {
                let hold = Hold { person, act: act.clone(), lifted: None };
                self.holds.insert(act.position, hold);
            }
            Change::Release { hold } => {
                let hold = self.holds.get_mut(hold).filter(|it| it.person == person)?;
                if hold.lifted.is_some() {
                    return None;
                }
                hold.lifted = Some(act.clone());
            }
            Change::HandOver { reference } => {
                let it = HandedOver { reference: reference.clone(), act: act.clone() };
                self.handed_over.insert(person, it);
            }
            Change::Erased { proposed_by, basis, .. } => {
                let (basis, proposed_by) = (*basis, proposed_by.clone());
                let erased = Erased { person, basis, proposed_by, act: act.clone() };
                self.erased.insert(act.position, erased);
            }
            Change::RecordErased { proposed_by, record, basis, request, .. } => {
                let (record, proposed_by) = (record.clone(), proposed_by.clone());
                let (basis, request, act) = (*basis, request.clone(), act.clone());
                let erased = ErasedRecord { person, record, basis, request, proposed_by, act };
                self.records.insert(erased.act.position, erased);
            }
            _ => return None,
        }
        Some(())
    }

    /// Whether nothing about the person may be erased.
    pub fn is_held(&self, person: PersonId) -> bool {
        self.holds.values().any(|it| it.person == person && it.lifted.is_none())
    }

    /// Who was erased.
    pub(crate) fn persons(&self) -> BTreeSet<PersonId> {
        self.erased.values().map(|it| it.person).collect()
    }

    /// Everything about a person leaves but that they were erased.
    pub(crate) fn forget(&mut self, person: PersonId) {
        self.holds.retain(|_, it| it.person != person);
        self.handed_over.remove(&person);
        self.records.retain(|_, it| it.person != person);
    }

    /// When somebody or something was last erased, milliseconds since 1970.
    pub(crate) fn last_erasure(&self) -> Option<i64> {
        let records = self.records.values().map(|it| it.act.at);
        self.erased.values().map(|it| it.act.at).chain(records).max()
    }
}
