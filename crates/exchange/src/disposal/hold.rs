//! Holds, and what was handed to the depot: one officer's decisions, since they only keep.

use access::administer::Deed;
use access::caller::Caller;
use fhir::issue::IssueCode;
use record::decision::{Change, Decision};
use record::entry::Position;
use record::identity::PersonId;

use super::fold::Hold;
use crate::error::Failure;
use crate::tenant::Tenant;

/// Most characters of a depot's reference.
const MAX_REFERENCE: usize = 200;

impl Tenant {
    /// Holds everything about a person: nothing is erased or proposed until it is lifted. In force when
    /// this returns.
    ///
    /// # Errors
    /// A caller who is no privacy officer, a person who is unknown or erased, and whatever keeps the
    /// ledgers from being written.
    pub async fn hold(
        &self,
        caller: &Caller,
        person: PersonId,
        why: String,
    ) -> Result<Position, Failure> {
        self.decide_about(caller, "admin-hold", person, why, Change::Hold {}).await
    }

    /// Lifts a hold.
    ///
    /// # Errors
    /// As [`Tenant::hold`]; a hold that is not there or is lifted.
    pub async fn release(
        &self,
        caller: &Caller,
        id: Position,
        why: String,
    ) -> Result<Position, Failure> {
        let person = self.decided().disposal.holds.get(&id).map(|it| it.person);
        let deeds = [Deed::PrivacyReview];
        let by = self.administer(caller, "admin-release", &deeds, person).await?;
        let person = person.ok_or(Failure::NotFound)?;
        let turn = self.turn().await;
        let hold = self.decided().disposal.holds.get(&id).cloned().ok_or(Failure::NotFound)?;
        if hold.lifted.is_some() {
            return Err(Failure::Gone);
        }
        let decision = Decision::new(by, why, Change::Release { hold: id });
        self.record_in_turn(&turn, decision, Some(person)).await
    }

    /// Says that the depot has what is preserved about a person.
    ///
    /// # Errors
    /// As [`Tenant::hold`]; a reference that is empty or longer than 200 characters.
    pub async fn hand_over(
        &self,
        caller: &Caller,
        person: PersonId,
        reference: String,
        why: String,
    ) -> Result<Position, Failure> {
        if reference.trim().is_empty() || reference.chars().count() > MAX_REFERENCE {
            let message = "the depot's reference has 1 to 200 characters";
            return Err(Failure::invalid(IssueCode::Value, "reference", message));
        }
        let change = Change::HandOver { reference };
        self.decide_about(caller, "admin-hand-over", person, why, change).await
    }

    /// Holds, the newest first: those in force, and where `all` is set those that were lifted.
    ///
    /// # Errors
    /// A caller who is no privacy officer, and whatever keeps the log from being written.
    pub async fn holds(
        &self,
        caller: &Caller,
        all: bool,
    ) -> Result<Vec<(Position, Hold)>, Failure> {
        self.administer(caller, "admin-holds", &[Deed::PrivacyReview], None).await?;
        let decided = self.decided();
        let shown = decided.disposal.holds.iter().rev();
        let shown = shown.filter(|(_, hold)| all || hold.lifted.is_none());
        Ok(shown.map(|(position, hold)| (*position, hold.clone())).collect())
    }

    async fn decide_about(
        &self,
        caller: &Caller,
        action: &str,
        person: PersonId,
        why: String,
        change: Change,
    ) -> Result<Position, Failure> {
        let by = self.administer(caller, action, &[Deed::PrivacyReview], Some(person)).await?;
        let turn = self.turn().await;
        self.keys.data_key(person).map_err(|error| match error {
            ledger::error::Error::UnknownPerson => super::erase::unknown(),
            other => other.into(),
        })?;
        self.record_in_turn(&turn, Decision::new(by, why, change), Some(person)).await
    }
}
