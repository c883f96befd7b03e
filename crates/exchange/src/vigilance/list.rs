//! The privacy officer's work list: what is to be asked about, and what came of it.

use access::administer::Deed;
use access::caller::Caller;
use access::vigilance::finding::Finding;
use record::decision::{Change, Decision, Inquiry};
use record::entry::Position;

use crate::error::Failure;
use crate::register::fold::Settled;
use crate::tenant::Tenant;

/// A finding, and what came of it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The finding.
    pub finding: Finding,
    /// The name of the unit.
    pub unit: String,
    /// What came of it, where somebody has said anything.
    pub settled: Option<Settled>,
}

impl Listed {
    /// How far the inquiry is.
    pub fn outcome(&self) -> Inquiry {
        self.settled.as_ref().map_or(Inquiry::Open, |settled| settled.outcome)
    }
}

impl Tenant {
    /// What is to be asked about, the heaviest first and then the newest; where `all` is set, also what is
    /// concluded. That somebody looked at the list is in the log, too.
    ///
    /// # Errors
    /// A caller who is no privacy officer, and whatever keeps the log from being written.
    pub async fn work_list(&self, caller: &Caller, all: bool) -> Result<Vec<Listed>, Failure> {
        self.administer(caller, "admin-analysis", &[Deed::PrivacyReview], None).await?;
        let (kept, decided, register) = (self.watched(), self.decided(), self.register());
        let listed = kept.findings.iter().map(|(id, finding)| Listed {
            finding: finding.clone(),
            unit: register.organisation_name(&finding.unit).unwrap_or(&finding.unit).to_owned(),
            settled: decided.settled.get(id).cloned(),
        });
        let mut listed: Vec<Listed> =
            listed.filter(|it| all || it.outcome() == Inquiry::Open).collect();
        listed.sort_by_key(|it| {
            let Finding { day, .. } = it.finding;
            std::cmp::Reverse((it.outcome() == Inquiry::Open, it.finding.score(), day))
        });
        Ok(listed)
    }

    /// Says what came of a finding, or takes it up again. The position of the decision.
    ///
    /// # Errors
    /// A caller who is no privacy officer, or whose own looks it is about; an id that names no finding.
    pub async fn settle_finding(
        &self,
        caller: &Caller,
        id: &str,
        outcome: Inquiry,
        why: String,
    ) -> Result<Position, Failure> {
        let kept = self.watched();
        let finding = kept.findings.get(id);
        let person = finding.and_then(|finding| finding.person);
        let by = self.administer(caller, "admin-settle", &[Deed::PrivacyReview], person).await?;
        let finding = finding.ok_or(Failure::NotFound)?;
        if caller_is(caller, &finding.who) {
            let message = "somebody else than whose looks it is about must conclude";
            let code = fhir::issue::IssueCode::BusinessRule;
            return Err(Failure::invalid(code, "", message));
        }
        // The same conclusion twice is one.
        if let Some(settled) = self.decided().settled.get(id)
            && settled.outcome == outcome
            && settled.act.who == by
            && settled.act.why == why
        {
            return Ok(settled.act.position);
        }
        let change = Change::Settle { finding: id.to_owned(), outcome };
        self.record_decision(Decision::new(by, why, change), person).await
    }
}

/// Whether the caller is the employee whom the log knows so.
pub(super) fn caller_is(caller: &Caller, employee: &str) -> bool {
    let hpr = match &caller.party {
        access::caller::Party::Practitioner(practitioner) => practitioner.hpr.as_deref(),
        _ => None,
    };
    hpr == Some(employee) || caller.display_name() == employee
}
