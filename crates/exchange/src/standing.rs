//! What decisions rest on, held where everybody finds the newest: exchanged whole, never changed. And
//! who a caller is to this municipality, whose persons have ids of its own.

use std::sync::Arc;

use access::caller::{Caller, Party};
use access::decide::{About, ReadRequest, decide_read};
use access::permit::ReadPermit;
use access::refusal::Refusal;
use access::scopes::{Interaction, narrowed};
use access::standing::Standing;
use ledger::keys::PersonKey;
use parking_lot::{Mutex, RwLock};
use record::catalogue::CategoryKey;
use record::identity::PersonId;

use crate::error::Failure;
use crate::tenant::Tenant;
use crate::whom::NATIONAL;

/// The standing in force.
#[derive(Debug)]
pub struct Holder {
    current: RwLock<Arc<Standing>>,
    /// Held while the next is made, which readers need not wait for.
    changing: Mutex<()>,
}

impl Holder {
    /// Holds a first standing.
    pub fn new(standing: Standing) -> Self {
        Self { current: RwLock::new(Arc::new(standing)), changing: Mutex::new(()) }
    }

    /// The standing in force now. Who decides holds on to it to the end.
    pub fn get(&self) -> Arc<Standing> {
        self.current.read().clone()
    }

    /// Puts another in force, made from the one before. One at a time, so that none is lost.
    pub fn exchange<E>(
        &self,
        change: impl FnOnce(&Standing) -> Result<Standing, E>,
    ) -> Result<(), E> {
        let _one_at_a_time = self.changing.lock();
        let next = Arc::new(change(&self.get())?);
        *self.current.write() = next;
        Ok(())
    }
}

impl Tenant {
    /// The access decision alone, narrowed to what the token's scopes leave of it: whoever asks tells
    /// nothing of a refusal.
    pub(crate) fn judge(
        &self,
        caller: &Caller,
        about: About,
        categories: &[CategoryKey],
        interaction: Interaction,
    ) -> Result<Result<ReadPermit, Refusal>, Failure> {
        let bound_to = self.bound_to(caller)?;
        let bound_to = bound_to.as_deref();
        let request = ReadRequest { bound_to, ..ReadRequest::new(about, categories) };
        let resident = self.resident(caller)?;
        let decision = decide_read(caller, resident, &self.standing(), &request, self.now());
        Ok(decision.and_then(|permit| narrowed(caller, permit, interaction)))
    }

    /// The person behind a resident's token.
    pub(crate) fn resident(&self, caller: &Caller) -> Result<Option<PersonId>, Failure> {
        match &caller.party {
            Party::Resident { number, .. } => {
                Ok(Some(self.keys.expected(&PersonKey { system: NATIONAL, value: number })?))
            }
            _ => Ok(None),
        }
    }
}
