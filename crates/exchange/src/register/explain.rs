//! Why somebody may or may not read about a person now, and what would change it.
//!
//! A caller may ask about themself and gets what a reader may know. About somebody else it takes a duty, and
//! since the answer tells what a resident has withheld, it is logged about that resident.

use access::administer::{Deed, decide_admin};
use access::caller::{Attest, Caller, Party, Practitioner};
use access::decide::{About, ReadRequest};
use access::explain::{Explanation, explain, explain_to_reader};
use record::catalogue::{ACCESS, Catalogue, CategoryKey};
use record::identity::PersonId;
use record::purpose::Purpose;

use crate::audit::{AuditRecord, Deed as Looked};
use crate::error::Failure;
use crate::tenant::Tenant;

/// Somebody at work, as the question describes them.
#[derive(Clone, Debug)]
pub struct Described {
    /// Subject of the login, where it is known.
    pub subject: Option<String>,
    /// HPR number.
    pub hpr: Option<String>,
    /// Profession (9060).
    pub authorization: Option<String>,
    /// Organisation number of the legal entity; the municipality's own where it is left out.
    pub organisation: Option<String>,
    /// Organisation number of the unit.
    pub unit: String,
    /// Purpose of use.
    pub purpose: Purpose,
    /// Details of the purpose.
    pub details: Option<String>,
    /// Client of the token.
    pub client: Option<String>,
}

impl Tenant {
    /// Explains what somebody may read about a person; the caller, where nobody is described.
    ///
    /// # Errors
    /// A caller who asks about somebody else without a duty, and whatever keeps the log from being
    /// written.
    pub async fn explain(
        &self,
        caller: &Caller,
        described: Option<&Described>,
        person: PersonId,
    ) -> Result<Explanation, Failure> {
        let categories: Vec<CategoryKey> = Catalogue::get()
            .categories
            .iter()
            .map(|category| category.key.as_str())
            .filter(|key| *key != ACCESS)
            .collect();
        let request = ReadRequest::new(About::Person(person), &categories);
        let (standing, now) = (self.standing(), self.now());
        let Some(described) = described else {
            self.check_view()?;
            let bound_to = self.bound_to(caller)?;
            let request = ReadRequest { bound_to: bound_to.as_deref(), ..request };
            let resident = self.resident(caller)?;
            let told = explain_to_reader(caller, resident, &standing, &request, now);
            self.record_explained(caller, person, &told).await?;
            return Ok(told);
        };
        // Any of these; the last says what is missing.
        let deeds = [Deed::ChangeRegister, Deed::ChangePolicies, Deed::PrivacyReview];
        let may = |deed: &&Deed<'_>| decide_admin(caller, &standing, **deed).is_ok();
        let deed = deeds.iter().find(may).copied().unwrap_or(Deed::PrivacyReview);
        self.administer(caller, "admin-explain", &[deed], Some(person)).await?;
        let other = made_up(described, &self.register().organisation, now);
        Ok(explain(&other, None, &standing, &request, now))
    }

    /// Puts a question about oneself into the log, by what it was answered.
    async fn record_explained(
        &self,
        caller: &Caller,
        person: PersonId,
        told: &Explanation,
    ) -> Result<(), Failure> {
        let categories = told.decision.clone().unwrap_or_default();
        let deed = Looked {
            action: "explain",
            person: Some(person),
            categories: &categories,
            ..Looked::default()
        };
        let record = match &told.decision {
            Ok(_) => AuditRecord::permitted(caller, &deed, &basis(caller)),
            Err(refusal) => AuditRecord::refused(caller, &deed, *refusal),
        };
        self.record_audit(caller, vec![(Some(person), record)]).await
    }
}

fn basis(caller: &Caller) -> access::permit::Basis {
    let purpose = match (&caller.party, caller.attest()) {
        (_, Some(attest)) => attest.purpose,
        (Party::Resident { .. }, None) => Purpose::PatientRequest,
        _ => Purpose::Delivery,
    };
    access::permit::Basis {
        purpose,
        role: String::new(),
        purpose_details: caller.attest().and_then(|attest| attest.purpose_details.clone()),
        decision_ref: caller.attest().map(|attest| attest.decision_ref.clone()),
        user_selected: false,
    }
}

/// Who is described, with a strong login and an attest made now.
fn made_up(described: &Described, own: &str, now: i64) -> Caller {
    let organisation = described.organisation.clone().unwrap_or_else(|| own.to_owned());
    Caller {
        client_id: described.client.clone().unwrap_or_default(),
        organisation: Some(organisation.clone()),
        unit: None,
        token_id: String::new(),
        supplier: None,
        scopes: None,
        party: Party::Practitioner(Practitioner {
            name: String::new(),
            subject: described.subject.clone().unwrap_or_default(),
            hpr: described.hpr.clone(),
            hpr_professions: None,
            security_level: 4,
            attest: Some(Attest {
                made_at: now,
                authorization: described.authorization.clone(),
                legal_entity: organisation,
                department: None,
                healthcare_service: None,
                point_of_care: described.unit.clone(),
                purpose: described.purpose,
                purpose_details: described.details.clone(),
                decision_ref: String::new(),
                user_selected: false,
                names_another: false,
                patients: Vec::new(),
            }),
        }),
    }
}
