//! `Patient/[id]/$emergency-access`: somebody at work opens what a patient has withheld, in an emergency,
//! with a stated reason and for at most eight hours. The patient sees it, and somebody else looks into it
//! afterwards.
//!
//! It opens nothing by itself: whatever is read goes through the ordinary decision, which an attest of
//! the same purpose must hold for, and what was withheld for emergencies too stays withheld.

use access::caller::{Caller, Party};
use access::decide::{About, ReadRequest, decide_read};
use access::opening::LONGEST;
use access::permit::Basis;
use access::refusal::{Refusal, Rule};
use fhir::instant::format_instant;
use fhir::issue::IssueCode;
use fhir::json;
use fhir::value::Value;
use record::decision::{Change, Decision, Who};
use record::identity::PersonId;
use record::purpose::Purpose;

use super::parameters::{Parameters, missing, wrong};
use crate::audit::{AuditRecord, Deed};
use crate::error::Failure;
use crate::read::all_keys;
use crate::tenant::Tenant;

/// As the access log has it.
const ACTION: &str = "emergency-access";

/// Milliseconds of an hour.
const HOUR: i64 = 60 * 60 * 1000;

impl Tenant {
    /// Opens a patient's record for the caller; tells until when.
    pub async fn open_emergency(
        &self,
        caller: &Caller,
        id: &str,
        given: &Parameters,
    ) -> Result<Value, Failure> {
        given.only(&["reason", "hours"])?;
        let person = self.person_of_patient(id)?;
        let basis = self.may_open(caller, person).await?;
        let reason = given.text("reason").ok_or_else(|| missing("say why, in `reason`"))?;
        let most = usize::try_from(LONGEST / HOUR).unwrap_or_default();
        let hours = given.number("hours")?.unwrap_or(1);
        if !(1..=most).contains(&hours) {
            return Err(wrong(IssueCode::Value, "`hours` is a whole number from 1 to 8"));
        }
        let from = self.now();
        let to = from.saturating_add(i64::try_from(hours).unwrap_or(1) * HOUR);
        let Party::Practitioner(practitioner) = &caller.party else {
            return Err(Failure::NotFound);
        };
        let subject = practitioner.subject.clone();
        let opening = self.new_id()?;
        let value = serde_json::json!({ "subject": subject, "from": from, "to": to });
        let name = practitioner.name.clone();
        let who = Who { name, subject: Some(subject), client: caller.client_id.clone() };
        let change = Change::Open { id: opening.clone(), value };
        self.record_decision(Decision::new(who, reason, change), Some(person)).await?;
        let deed = Deed { action: ACTION, person: Some(person), ..Deed::default() };
        let record = AuditRecord::permitted(caller, &deed, &basis);
        self.record_audit(caller, vec![(Some(person), record)]).await?;
        Ok(json!({
            "resourceType": "Parameters",
            "parameter": [
                { "name": "opening", "valueString": opening },
                { "name": "until", "valueInstant": format_instant(to) },
            ],
        }))
    }

    /// Whether the caller states an emergency and might read something of the person if nothing were
    /// withheld. A refusal is in the audit ledger before it is told.
    async fn may_open(&self, caller: &Caller, person: PersonId) -> Result<Basis, Failure> {
        self.check_view()?;
        let purpose = caller.attest().map(|attest| attest.purpose);
        let emergency = [Purpose::EmergencyTreatment, Purpose::BreakTheGlass];
        let stated = purpose.filter(|purpose| emergency.contains(purpose));
        let keys = all_keys();
        let bound_to = self.bound_to(caller)?;
        let about = ReadRequest::new(About::Person(person), &keys);
        let request = ReadRequest { bound_to: bound_to.as_deref(), ..about };
        let decided = decide_read(caller, None, &self.standing(), &request, self.now());
        let refused = match (decided, stated) {
            (Ok(permit), Some(_)) => return Ok(permit.basis().clone()),
            // What is withheld is what this is for.
            (Err(Refusal { rule: Rule::Restricted }), Some(purpose)) => {
                let attest = caller.attest();
                return Ok(Basis {
                    purpose,
                    role: String::new(),
                    purpose_details: attest.and_then(|it| it.purpose_details.clone()),
                    decision_ref: attest.map(|it| it.decision_ref.clone()),
                    user_selected: attest.is_some_and(|it| it.user_selected),
                });
            }
            (Err(refusal), _) => refusal,
            (Ok(_), None) => Refusal { rule: Rule::PurposeInactive },
        };
        let told = self.refused(caller, ACTION, request.about, &[], refused).await?;
        if stated.is_none() && refused.rule == Rule::PurposeInactive {
            let text = "an emergency access asks for an attest with purpose `ETREAT` or `BTG`";
            return Err(Failure::invalid(IssueCode::Forbidden, "", text));
        }
        Err(told)
    }
}
