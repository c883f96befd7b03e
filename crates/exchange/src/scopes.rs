//! What a token is limited to (SMART App Launch 2.2): the patient of a launch, which the decision is asked
//! with, and scopes: refused by name where they say nothing of a type or interaction, and otherwise a
//! limit of the permit, which the view looks within.

use access::caller::Caller;
use access::decide::About;
use access::permit::ReadPermit;
use access::refusal::Refusal;
use access::scopes::{BEYOND, Interaction};
use fhir::json;
use fhir::resource::Resource;
use ledger::keys::PersonKey;
use record::catalogue::CategoryKey;
use record::identity::PersonId;

use crate::audit::{AuditRecord, Deed};
use crate::error::Failure;
use crate::read::{Named, Version};
use crate::tenant::Tenant;
use crate::whom::NATIONAL;

impl Tenant {
    /// Goes on where the scopes allow this of one of the types at least, of any type where none is named.
    /// A refusal is in the audit ledger before it is told.
    pub(crate) async fn within_scopes(
        &self,
        caller: &Caller,
        (action, about): (&str, About),
        kinds: &[&str],
        interaction: Interaction,
    ) -> Result<(), Failure> {
        if kinds.is_empty() || kinds.iter().any(|kind| allows(caller, kind, interaction)) {
            return Ok(());
        }
        Err(self.refused(caller, action, about, &[], BEYOND).await?)
    }

    /// Goes on where the scopes leave all of these types open: what is composed of a part would mislead.
    pub(crate) async fn whole_by_scopes(
        &self,
        caller: &Caller,
        (action, about): (&str, About),
        kinds: &[&str],
    ) -> Result<(), Failure> {
        let whole = |kind: &&str| {
            let scopes = caller.scopes.as_ref();
            scopes.is_none_or(|scopes| scopes.allow_whole(&caller.party, kind))
        };
        if kinds.iter().all(whole) {
            return Ok(());
        }
        Err(self.refused(caller, action, about, &[], BEYOND).await?)
    }

    /// Writes a refusal down, before it is told.
    pub(crate) async fn refused(
        &self,
        caller: &Caller,
        action: &str,
        about: About,
        categories: &[CategoryKey],
        refusal: Refusal,
    ) -> Result<Failure, Failure> {
        let person = match about {
            About::Person(person) => Some(person),
            About::OwnUnit | About::Unnamed => None,
        };
        let deed = Deed { action, person, categories, ..Deed::default() };
        let record = AuditRecord::refused(caller, &deed, refusal);
        self.record_audit(caller, vec![(person, record)]).await?;
        Ok(Failure::Refused(refusal))
    }

    /// The patient that an app was launched for, where it was and the patient is known here.
    pub(crate) fn launched(&self, caller: &Caller) -> Result<Option<PersonId>, Failure> {
        Ok(match caller.launched_for().map(|id| self.by_patient(id)).transpose()? {
            Some(Named::One(person)) => Some(person),
            Some(Named::Nobody | Named::Unsaid) | None => None,
        })
    }

    /// The persons whom the caller's attest or launch names; `None` where they name none.
    pub(crate) fn bound_to(&self, caller: &Caller) -> Result<Option<Vec<PersonId>>, Failure> {
        let attested = caller.attest().map(|attest| attest.patients.as_slice()).unwrap_or_default();
        let expected =
            |number: &String| self.keys.expected(&PersonKey { system: NATIONAL, value: number });
        let mut persons = attested.iter().map(expected).collect::<Result<Vec<_>, _>>()?;
        if caller.launched_for().is_none() {
            return Ok(Some(persons).filter(|persons| !persons.is_empty()));
        }
        let launched = self.launched(caller)?;
        if attested.is_empty() {
            return Ok(Some(launched.into_iter().collect()));
        }
        // Where both name patients, both must name the one asked about.
        persons.retain(|person| launched == Some(*person));
        Ok(Some(persons))
    }

    /// Whether a version, which the index may know no more, lies within what scopes leave open.
    pub(crate) fn is_within(
        &self,
        permit: &ReadPermit,
        version: &Version,
    ) -> Result<bool, Failure> {
        let (Some(_), Some(body)) = (permit.granted(), &version.body) else { return Ok(true) };
        let resource = json::parse(body).ok().and_then(|value| Resource::from_value(value).ok());
        let Some(resource) = resource else {
            let at = version.version;
            return Err(Failure::Unavailable(format!("the version at {at} cannot be read")));
        };
        Ok(self.view.is_within(permit, &resource))
    }
}

/// May the caller write this, by the token's scopes? What else it takes is decided besides.
pub(crate) fn may_write_by_scopes(
    caller: &Caller,
    kind: &str,
    interactions: &[Interaction],
) -> Result<(), Failure> {
    if interactions.iter().any(|interaction| allows(caller, kind, *interaction)) {
        Ok(())
    } else {
        Err(BEYOND.into())
    }
}

/// Whether the caller's scopes, if there are any, say anything of this type and interaction.
pub(crate) fn allows(caller: &Caller, kind: &str, interaction: Interaction) -> bool {
    let scopes = caller.scopes.as_ref();
    scopes.is_none_or(|scopes| scopes.allow(&caller.party, kind, interaction))
}
