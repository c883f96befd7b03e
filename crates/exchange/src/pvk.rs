//! Personal privacy settings in the shape of Helsenorge's component for them, PVK (conventions §9):
//! samtykke, reservasjon and tilgangsbegrensning, each by a definition, kept as `Consent`.
//!
//! A reservasjon or tilgangsbegrensning withholds what its definition says from everybody at work; a
//! samtykke withholds nothing and opens nothing. The caller is a system with an agreement that covers
//! consents; it sees the settings that it has set itself, as any system.

use std::sync::LazyLock;

use access::caller::Caller;
use access::decide::About;
use access::permit::ReadPermit;
use access::restriction::{Against, Restriction, What};
use fhir::instant::{self, format_instant};
use fhir::issue::IssueCode;
use fhir::json;
use fhir::value::Value;
use record::catalogue::CONSENTS;
use record::identity::PersonId;
use serde::{Deserialize, Serialize};
use view::store::{Found, Stored};

use crate::audit::{AuditRecord, Deed};
use crate::consent::print;
use crate::control::system_of;
use crate::error::Failure;
use crate::read::parsed;
use crate::submission::{Channel, Done, Operation, Submission};
use crate::tenant::Tenant;

/// Persons on one page of [`Tenant::pvk_active`].
const PAGE: usize = 500;

/// Begins the URI of a definition in `Consent.policy`.
const DEFINITION: &str = "urn:uuid:";

/// The three types of setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// Consent.
    Samtykke,
    /// Reservation.
    Reservasjon,
    /// Restriction of access.
    Tilgangsbegrensning,
}

/// What can be set.
#[derive(Debug, Deserialize)]
pub struct Definition {
    /// `definisjonGuid`.
    pub guid: String,
    /// `definisjonNavn`.
    pub name: String,
    /// `partKode`: whose definition it is.
    pub part: String,
    /// `typePi`.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Keys of the categories it withholds; empty means all.
    categories: Vec<String>,
}

static DEFINITIONS: LazyLock<Vec<Definition>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; with none, every setting is unknown.
    serde_json::from_str(include_str!("../data/pvk.json")).unwrap_or_default()
});

/// The definition that a request names, by `definisjonGuid` and `partKode`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Named {
    /// Identity number; not where everybody is asked for.
    #[serde(default)]
    pub innbygger_fnr: String,
    /// Definition; not where all of a part are asked for.
    #[serde(default)]
    pub definisjon_guid: String,
    /// Whose definition it is.
    #[serde(default)]
    pub part_kode: String,
}

/// A setting to make.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    /// Whose, and which.
    #[serde(flatten)]
    pub named: Named,
    /// Must be the definition's.
    pub type_pi: Type,
    /// Whether it is to be on.
    pub aktiv: bool,
    /// When the resident said so, if not now.
    #[serde(default)]
    pub tidspunkt: Option<String>,
}

/// One person's setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// Identity number.
    pub innbygger_fnr: String,
    /// Definition.
    pub definisjon_guid: &'static str,
    /// Name of the definition.
    pub definisjon_navn: &'static str,
    /// Whose definition it is.
    pub part_kode: &'static str,
    /// Type.
    pub type_pi: Type,
    /// Whether it is on.
    pub aktiv: bool,
    /// 1 for the first time it was set, one more for each change; 0 where it never was.
    pub sekvensnummer: usize,
    /// When it was first set.
    pub opprettet_tidspunkt: Option<String>,
    /// When it was last changed.
    pub sist_endret_tidspunkt: Option<String>,
}

/// Those who have a setting on.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Active {
    /// Definition.
    pub definisjon_guid: &'static str,
    /// Name of the definition.
    pub definisjon_navn: &'static str,
    /// Whose definition it is.
    pub part_kode: &'static str,
    /// Type.
    pub type_pi: Type,
    /// Where to go on; 0 where there is no more.
    pub paging_reference: usize,
    /// Their settings.
    pub personvern_innstillinger: Vec<Setting>,
}

impl Definition {
    fn find(named: &Named) -> Result<&'static Definition, Failure> {
        let is = |it: &&Definition| {
            it.guid.eq_ignore_ascii_case(&named.definisjon_guid) && it.part == named.part_kode
        };
        DEFINITIONS.iter().find(is).ok_or_else(|| {
            let text = "no definition has this guid and part; ask the municipality which there are";
            Failure::invalid(IssueCode::NotFound, "definisjonGuid", text)
        })
    }

    /// Id of a person's Consent by this definition.
    fn id(&self, person: PersonId) -> String {
        let hash = ledger::crypto::sha256(&[b"pvk", &person.0, self.guid.as_bytes()]);
        let (half, _) = hash.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
        format!("pvk-{}", PersonId(*half))
    }

    fn consent(&self, id: &str, number: &str, active: bool, at: i64) -> Value {
        let restriction = Restriction {
            id: id.to_owned(),
            against: Against::Everyone,
            what: What { categories: self.categories.clone(), ..What::default() },
            valid_from: None,
            valid_to: None,
            in_emergency: false,
        };
        let given = print::Given { system: system_of(number), number, at, display: None };
        let mut consent = print::consent(&restriction, &given);
        if let Some(object) = consent.as_object_mut() {
            let uri = format!("{DEFINITION}{}", self.guid);
            object.set("policy", json!([{ "uri": uri }]));
            if !active {
                object.set("status", "inactive");
            }
            if self.kind == Type::Samtykke {
                object.set("provision", json!({ "type": "permit" }));
            }
        }
        consent
    }

    fn setting(&'static self, number: &str) -> Setting {
        Setting {
            innbygger_fnr: number.to_owned(),
            definisjon_guid: &self.guid,
            definisjon_navn: &self.name,
            part_kode: &self.part,
            type_pi: self.kind,
            aktiv: false,
            sekvensnummer: 0,
            opprettet_tidspunkt: None,
            sist_endret_tidspunkt: None,
        }
    }
}

impl Tenant {
    /// `SjekkInnbyggersPiStatus`: one person's setting by one definition.
    pub async fn pvk_check(&self, caller: &Caller, named: &Named) -> Result<Setting, Failure> {
        let definition = Definition::find(named)?;
        let mut settings = self.pvk_of(caller, named, &[definition]).await?;
        Ok(settings.pop().unwrap_or_else(|| definition.setting(&named.innbygger_fnr)))
    }

    /// `HentInnbyggersPiForPart`: one person's settings by all definitions of a part.
    pub async fn pvk_of_part(
        &self,
        caller: &Caller,
        named: &Named,
    ) -> Result<Vec<Setting>, Failure> {
        let of_part = DEFINITIONS.iter().filter(|it| it.part == named.part_kode);
        self.pvk_of(caller, named, &of_part.collect::<Vec<_>>()).await
    }

    async fn pvk_of(
        &self,
        caller: &Caller,
        named: &Named,
        definitions: &[&'static Definition],
    ) -> Result<Vec<Setting>, Failure> {
        let number = &named.innbygger_fnr;
        let person = self.person(number)?;
        let about = About::Person(person);
        self.whole_by_scopes(caller, ("pvk", about), &["Consent"]).await?;
        let permit = self.decide(caller, "pvk", about, &[CONSENTS]).await?;
        let mut settings = Vec::with_capacity(definitions.len());
        for definition in definitions {
            let id = definition.id(person);
            settings.push(match self.view.read(&permit, "Consent", &id)? {
                Found::Current(stored) => self.pvk_setting(&permit, definition, number, &stored)?,
                Found::Removed | Found::Nothing => definition.setting(number),
            });
        }
        let shown = settings.iter().filter(|setting| setting.sekvensnummer > 0).count();
        self.disclosed(caller, &permit, "pvk", Some(person), &[CONSENTS], shown).await?;
        Ok(settings)
    }

    fn pvk_setting(
        &self,
        permit: &ReadPermit,
        definition: &'static Definition,
        number: &str,
        stored: &Stored,
    ) -> Result<Setting, Failure> {
        let versions = self.view.versions(permit, "Consent", &stored.id)?;
        let first = match versions.last() {
            Some(first) => self.ledger.record(*first)?.map(|record| record.entry.recorded_at),
            None => None,
        };
        Ok(Setting {
            aktiv: parsed(stored)?.text("status") == Some("active"),
            sekvensnummer: versions.len(),
            opprettet_tidspunkt: first.map(format_instant),
            sist_endret_tidspunkt: Some(format_instant(stored.updated)),
            ..definition.setting(number)
        })
    }

    /// `HentInnbyggereAktivePiForDefinisjon`: everybody whose setting by a definition is on, from a
    /// place onwards.
    pub async fn pvk_active(
        &self,
        caller: &Caller,
        named: &Named,
        from: usize,
    ) -> Result<Active, Failure> {
        let definition = Definition::find(named)?;
        self.whole_by_scopes(caller, ("pvk", About::Unnamed), &["Consent"]).await?;
        let permit = self.decide(caller, "pvk", About::Unnamed, &[CONSENTS]).await?;
        let uri = format!("{DEFINITION}{}", definition.guid);
        let (mut settings, mut records, mut met, mut more) = (Vec::new(), Vec::new(), 0, false);
        for stored in self.view.records(&permit, "Consent")? {
            let consent = parsed(&stored)?;
            let is_of = |policy: &Value| policy.text("uri") == Some(uri.as_str());
            let is_on = consent.text("status") == Some("active");
            if !is_on || !consent.items("policy").iter().any(is_of) {
                continue;
            }
            met += 1;
            if met <= from {
                continue;
            }
            more = settings.len() == PAGE;
            if more {
                break;
            }
            let number = consent.at("patient.identifier.value").and_then(Value::as_str);
            let number = number.unwrap_or_default();
            settings.push(self.pvk_setting(&permit, definition, number, &stored)?);
            let categories = &[CONSENTS];
            let (action, person) = ("pvk", stored.person);
            let deed = Deed { action, person, categories, resources: 1, ..Deed::default() };
            records.push((stored.person, AuditRecord::permitted(caller, &deed, permit.basis())));
        }
        self.record_audit(caller, records).await?;
        Ok(Active {
            definisjon_guid: &definition.guid,
            definisjon_navn: &definition.name,
            part_kode: &definition.part,
            type_pi: definition.kind,
            paging_reference: if more { from + settings.len() } else { 0 },
            personvern_innstillinger: settings,
        })
    }

    /// `SettInnbyggersPersonvernInnstilling`; whether anything changed. What is on is in force when
    /// the answer leaves.
    pub async fn pvk_set(&self, caller: &Caller, wanted: &Wanted) -> Result<bool, Failure> {
        let definition = Definition::find(&wanted.named)?;
        let wrong = |element: &str, text: &str| {
            Err(Failure::invalid(IssueCode::BusinessRule, element, text))
        };
        if definition.kind != wanted.type_pi {
            return wrong("typePi", "the definition is of another type");
        }
        let now = self.now();
        let at = match &wanted.tidspunkt {
            Some(text) => match instant::range(text) {
                Some((at, _)) if at <= now => at,
                _ => return wrong("tidspunkt", "send an instant that has been"),
            },
            None => now,
        };
        let number = &wanted.named.innbygger_fnr;
        let before = self.pvk_check(caller, &wanted.named).await?;
        if before.aktiv == wanted.aktiv {
            return Ok(false);
        }
        let id = definition.id(self.person(number)?);
        let consent = definition.consent(&id, number, wanted.aktiv, at);
        let operations = vec![Operation::update("Consent", id, consent, None)];
        let submission = Submission { channel: Channel::Fhir, atomic: true, operations };
        let receipt = self.submit(caller, submission).await?.pop();
        let receipt = receipt.unwrap_or(Err(Failure::Busy))?;
        Ok(matches!(receipt.result, Done::Created | Done::Updated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::restriction;

    #[test]
    fn a_definition_is_enforced_as_its_type_says() {
        assert!(!DEFINITIONS.is_empty());
        for definition in DEFINITIONS.iter() {
            let consent = definition.consent("c", "01810012345", true, 0);
            let restriction = restriction("c", &consent).unwrap();
            assert_eq!(restriction.is_none(), definition.kind == Type::Samtykke);
            if let Some(restriction) = restriction {
                assert_eq!(restriction.what.categories, definition.categories);
            }
        }
    }
}
