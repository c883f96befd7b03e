//! URLs of the FHIR extensions and profiles that municipal services use.

/// Hours per week as a Ratio (OKT).
pub const WEEKLY_EXTENT: &str = "http://hl7.no/fhir/ig/okt/StructureDefinition/WeeklyExtentRatio";
/// The municipality's own description of a service, as markdown (OKT).
pub const SERVICE_DESCRIPTION: &str =
    "http://hl7.no/fhir/ig/okt/StructureDefinition/ServiceDescriptionMarkdown";
/// Profile of an `EpisodeOfCare` that came as OKT.
pub const OKT_EPISODE: &str = "http://hl7.no/fhir/ig/okt/StructureDefinition/OktEpisodeOfCare";
/// Date on which a decision is to be assessed again (revurderingsdato), `valueDate` on
/// `ServiceRequest` or `EpisodeOfCare`. Ours: no published profile carries it.
pub const REVISION_DATE: &str = "https://fkj.no/fhir/StructureDefinition/revision-date";
/// What an OKT message holds beyond its FHIR mapping, so that the way back is without loss. Ours.
pub const OKT_REMAINDER: &str = "https://fkj.no/fhir/StructureDefinition/okt-remainder";
/// The place of a service in its OKT message, from 0. Ours.
pub const OKT_ORDINAL: &str = "https://fkj.no/fhir/StructureDefinition/okt-ordinal";
