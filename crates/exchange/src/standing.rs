//! What decisions rest on, held where everybody finds the newest: exchanged whole, never changed. And
//! who a caller is to this municipality, whose persons have ids of its own.

use std::sync::Arc;

use access::caller::{Caller, Party};
use access::decide::{About, ReadRequest, decide_read};
use access::permit::ReadPermit;
use access::refusal::Refusal;
use access::standing::Standing;
use ledger::keys::PersonKey;
use parking_lot::{Mutex, RwLock};
use record::catalogue::CategoryKey;
use record::identity::PersonId;

use crate::error::Failure;
use crate::read::Named;
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
    /// The access decision alone: whoever asks tells nothing of a refusal.
    pub(crate) fn judge(
        &self,
        caller: &Caller,
        about: About,
        categories: &[CategoryKey],
    ) -> Result<Result<ReadPermit, Refusal>, Failure> {
        let bound_to = self.bound_to(caller)?;
        let bound_to = bound_to.as_deref();
        let request = ReadRequest { bound_to, ..ReadRequest::new(about, categories) };
        let resident = self.resident(caller)?;
        Ok(decide_read(caller, resident, &self.standing(), &request, self.now()))
    }

    /// The persons whom the caller's attest or launch names; `None` where they name none.
    pub(crate) fn bound_to(&self, caller: &Caller) -> Result<Option<Vec<PersonId>>, Failure> {
        let attested = caller.attest().map(|attest| attest.patients.as_slice()).unwrap_or_default();
        let expected =
            |number: &String| self.keys.expected(&PersonKey { system: NATIONAL, value: number });
        let mut persons = attested.iter().map(expected).collect::<Result<Vec<_>, _>>()?;
        let Some(id) = &caller.launched_for else {
            return Ok(Some(persons).filter(|persons| !persons.is_empty()));
        };
        let launched = match self.by_patient(id)? {
            Named::One(person) => vec![person],
            Named::Nobody | Named::Unsaid => Vec::new(),
        };
        if attested.is_empty() {
            return Ok(Some(launched));
        }
        // Where both name patients, both must name the one asked about.
        persons.retain(|person| launched.contains(person));
        Ok(Some(persons))
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
