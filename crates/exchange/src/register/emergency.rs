//! Emergency accesses, and looking into them afterwards.

use access::administer::Deed;
use access::caller::{Caller, Party};
use record::decision::{Change, Decision, Outcome};
use record::entry::Position;

use super::fold::Opened;
use crate::error::Failure;
use crate::tenant::Tenant;

impl Tenant {
    /// Emergency accesses, the newest first: those nobody has looked into, and where `all` is set the
    /// others too.
    ///
    /// # Errors
    /// A caller who is no privacy officer, and whatever keeps the log from being written.
    pub async fn emergencies(&self, caller: &Caller, all: bool) -> Result<Vec<Opened>, Failure> {
        self.administer(caller, "admin-emergency", &[Deed::PrivacyReview], None).await?;
        let folded = self.decided();
        if !all {
            return Ok(folded.unreviewed());
        }
        let mut shown: Vec<Opened> = folded.openings.values().cloned().collect();
        shown.sort_by_key(|it| std::cmp::Reverse(it.act.position));
        Ok(shown)
    }

    /// Says what was found when an emergency access was looked into.
    ///
    /// # Errors
    /// A caller who is no privacy officer or opened it themself, and an id that names no opening.
    pub async fn review_emergency(
        &self,
        caller: &Caller,
        id: &str,
        outcome: Outcome,
        why: String,
    ) -> Result<Position, Failure> {
        let person = self.decided().openings.get(id).map(|it| it.person);
        let by = self.administer(caller, "admin-review", &[Deed::PrivacyReview], person).await?;
        let turn = self.turn().await;
        let opened = self.decided().openings.get(id).cloned().ok_or(Failure::NotFound)?;
        if matches!(&caller.party, Party::Practitioner(it) if it.subject == opened.opening.subject)
        {
            let message = "somebody else than the one who opened must look into it";
            let code = fhir::issue::IssueCode::BusinessRule;
            return Err(Failure::invalid(code, "", message));
        }
        // The same finding twice is one.
        if let Some((found, act)) = &opened.reviewed
            && *found == outcome
            && act.who == by
        {
            return Ok(act.position);
        }
        let decision = Decision::new(by, why, Change::Review { id: id.to_owned(), outcome });
        self.record_in_turn(&turn, decision, Some(opened.person)).await
    }
}
