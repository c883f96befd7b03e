//! The Norwegian profiles as data, and which of them each door asks for.
//!
//! `data/profiles` holds StructureDefinitions in our own words, with the facts of the published
//! guides: no-basis, Oslo's, OKT, KommuneFHIR, VKP Observation, no-domain vital signs and the trust
//! framework's AuditEvent (Norwegian conventions §2–4 and §7). Each says in its description where its
//! facts are from, is a differential alone, and leaves open what its source leaves open. A closed set
//! of codes without a published value set is an invariant, which also says what to do.
//!
//! Invariants, kept by tests: the list below is the folder; each profile has its own address; what is
//! demanded is in the list.

use std::sync::LazyLock;

use serde::Deserialize;

/// A profile that a door asks for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demand {
    /// Keys of the doors: `fhir`, `okt`, `pmd` or `events`.
    pub doors: Vec<String>,
    /// Resource type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Codes one of which the resource's `code` must have; none for every resource of the type that
    /// has no code of another demand.
    #[serde(default)]
    pub codes: Vec<Code>,
    /// Address of the profile.
    pub profile: String,
    /// What a resource that does not fit comes to.
    pub strictness: Strictness,
}

/// A code in a code system.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Address of the system.
    pub system: String,
    /// The code in it.
    pub code: String,
}

/// What a resource that does not fit a demanded profile comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strictness {
    /// It is refused.
    Error,
    /// It is taken, and the misfit is kept beside it and shown.
    Warning,
}

static DEMANDS: LazyLock<Vec<Demand>> = LazyLock::new(|| {
    // The file is part of the binary and a test parses it.
    serde_json::from_str(include_str!("../data/demands.json")).unwrap_or_default()
});

/// The StructureDefinitions, each as JSON. Those that others build on are among them, in no order.
pub const fn structure_definitions() -> &'static [&'static str] {
    &STRUCTURE_DEFINITIONS
}

/// Everything that is demanded at any door.
pub fn demands() -> &'static [Demand] {
    &DEMANDS
}

/// What a door asks of a resource of type `kind` with these codings (system and code) in its `code`.
pub fn demanded(door: &str, kind: &str, codings: &[(&str, &str)]) -> Vec<&'static Demand> {
    let here = DEMANDS.iter().filter(|it| it.kind == kind && it.doors.iter().any(|at| at == door));
    let (coded, any): (Vec<_>, Vec<_>) = here.partition(|demand| !demand.codes.is_empty());
    let is_one = |code: &Code| codings.contains(&(code.system.as_str(), code.code.as_str()));
    let fitting: Vec<_> =
        coded.into_iter().filter(|demand| demand.codes.iter().any(is_one)).collect();
    if fitting.is_empty() { any } else { fitting }
}

static STRUCTURE_DEFINITIONS: [&str; 76] = [
    include_str!("../data/profiles/no-basis/no-basis-address-official.json"),
    include_str!("../data/profiles/no-basis/no-basis-address.json"),
    include_str!("../data/profiles/no-basis/no-basis-appointment.json"),
    include_str!("../data/profiles/no-basis/no-basis-appointmentresponse.json"),
    include_str!("../data/profiles/no-basis/no-basis-composition.json"),
    include_str!("../data/profiles/no-basis/no-basis-documentreference.json"),
    include_str!("../data/profiles/no-basis/no-basis-endpoint.json"),
    include_str!("../data/profiles/no-basis/no-basis-group.json"),
    include_str!("../data/profiles/no-basis/no-basis-healthcareservice.json"),
    include_str!("../data/profiles/no-basis/no-basis-humanname.json"),
    include_str!("../data/profiles/no-basis/no-basis-location.json"),
    include_str!("../data/profiles/no-basis/no-basis-middlename.json"),
    include_str!("../data/profiles/no-basis/no-basis-municipalitycode.json"),
    include_str!("../data/profiles/no-basis/no-basis-organization.json"),
    include_str!("../data/profiles/no-basis/no-basis-partof.json"),
    include_str!("../data/profiles/no-basis/no-basis-patient.json"),
    include_str!("../data/profiles/no-basis/no-basis-person-citizenship.json"),
    include_str!("../data/profiles/no-basis/no-basis-practitioner.json"),
    include_str!("../data/profiles/no-basis/no-basis-practitionerrole.json"),
    include_str!("../data/profiles/no-basis/no-basis-procedure.json"),
    include_str!("../data/profiles/no-basis/no-basis-propertyinformation.json"),
    include_str!("../data/profiles/no-basis/no-basis-relatedperson.json"),
    include_str!("../data/profiles/no-basis/no-basis-shortnotice.json"),
    include_str!("../data/profiles/no-basis/no-basis-urban-district.json"),
    include_str!("../data/profiles/no-basis/no-basis-virtual-service.json"),
    include_str!("../data/profiles/oslo/municipal-appointment.json"),
    include_str!("../data/profiles/oslo/municipal-careplan.json"),
    include_str!("../data/profiles/oslo/municipal-composition.json"),
    include_str!("../data/profiles/oslo/municipal-documentreference.json"),
    include_str!("../data/profiles/oslo/municipal-encounter.json"),
    include_str!("../data/profiles/oslo/municipal-location.json"),
    include_str!("../data/profiles/oslo/municipal-observation.json"),
    include_str!("../data/profiles/oslo/municipal-organization.json"),
    include_str!("../data/profiles/oslo/municipal-patient.json"),
    include_str!("../data/profiles/oslo/municipal-practitioner.json"),
    include_str!("../data/profiles/oslo/municipal-service.json"),
    include_str!("../data/profiles/okt/oktepisodeofcare.json"),
    include_str!("../data/profiles/okt/servicedescriptionmarkdown.json"),
    include_str!("../data/profiles/okt/weeklyextentratio.json"),
    include_str!("../data/profiles/kommune/no-kommune-careplan.json"),
    include_str!("../data/profiles/kommune/no-kommune-encounter.json"),
    include_str!("../data/profiles/kommune/no-kommune-episodeofcare.json"),
    include_str!("../data/profiles/kommune/no-kommune-servicerequest.json"),
    include_str!("../data/profiles/vkp/pmd-bundle-observation.json"),
    include_str!("../data/profiles/vkp/pmd-bundle-response.json"),
    include_str!("../data/profiles/vkp/pmdbundleresponseentryidextension.json"),
    include_str!("../data/profiles/vkp/vkp-observation-bloodpressure.json"),
    include_str!("../data/profiles/vkp/vkp-observation-bodytemp.json"),
    include_str!("../data/profiles/vkp/vkp-observation-bodyweight.json"),
    include_str!("../data/profiles/vkp/vkp-observation-cfsscore.json"),
    include_str!("../data/profiles/vkp/vkp-observation-consciousness.json"),
    include_str!("../data/profiles/vkp/vkp-observation-heartrate.json"),
    include_str!("../data/profiles/vkp/vkp-observation-news2score.json"),
    include_str!("../data/profiles/vkp/vkp-observation-oxygensat.json"),
    include_str!("../data/profiles/vkp/vkp-observation-resprate.json"),
    include_str!("../data/profiles/vkp/vkp-observation.json"),
    include_str!(
        "../data/profiles/no-domain/no-domain-vitalsigns-observation-respirationrate.json"
    ),
    include_str!("../data/profiles/no-domain/nodomainvitalsignsclinicaldescriptionextension.json"),
    include_str!("../data/profiles/no-domain/nodomainvitalsignsconfoundingfactorextension.json"),
    include_str!("../data/profiles/no-domain/nodomainvitalsignsfio2extension.json"),
    include_str!("../data/profiles/no-domain/nodomainvitalsignsflowextension.json"),
    include_str!("../data/profiles/no-domain/nodomainvitalsignsinspiredoxygenextension.json"),
    include_str!(
        "../data/profiles/no-domain/nodomainvitalsignsmethodofoxygendeliveryextension.json"
    ),
    include_str!("../data/profiles/no-domain/nodomainvitalsignsonairextension.json"),
    include_str!("../data/profiles/no-domain/nodomainvitalsignspercento2extension.json"),
    include_str!("../data/profiles/no-domain/nodomainvitalsignsrespirationdepthextension.json"),
    include_str!(
        "../data/profiles/no-domain/nodomainvitalsignsrespirationratebodypositionextension.json"
    ),
    include_str!(
        "../data/profiles/no-domain/nodomainvitalsignsrespirationregularityextension.json"
    ),
    include_str!("../data/profiles/no-domain/nodomainvitalsignsspontaneousbreathingextension.json"),
    include_str!("../data/profiles/audit/auditevent-carerelation-metadata-extension.json"),
    include_str!("../data/profiles/audit/auditevent-encounter-extension.json"),
    include_str!("../data/profiles/audit/auditevent-patient-extension.json"),
    include_str!("../data/profiles/audit/no-domain-trustframework-auditevent.json"),
    include_str!("../data/profiles/audit/no-domain-trustframework-patient.json"),
    include_str!("../data/profiles/audit/no-domain-trustframework-practitioner.json"),
    include_str!("../data/profiles/audit/no-domain-trustframework-practitionerole.json"),
];
