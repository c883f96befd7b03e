//! Identifier and code systems of Norwegian health care, and their aliases.
//!
//! One thing often has several URIs in published material (conventions §0, C1, C5–C7, C12).
//! [`canonical`] maps each to one, so that the rest of the platform compares one string. What a
//! sender wrote is never changed in the stored resource: only identity and search use this.

use std::borrow::Cow;

/// Fødselsnummer.
pub const FNR: &str = "urn:oid:2.16.578.1.12.4.1.4.1";
/// D-nummer.
pub const DNR: &str = "urn:oid:2.16.578.1.12.4.1.4.2";
/// Felles hjelpenummer.
pub const FHN: &str = "urn:oid:2.16.578.1.12.4.1.4.3";
/// Helsepersonellregisteret.
pub const HPR: &str = "urn:oid:2.16.578.1.12.4.1.4.4";
/// Organisation number in Enhetsregisteret.
pub const ENH: &str = "urn:oid:2.16.578.1.12.4.1.4.101";
/// Municipality number.
pub const KOMMUNE: &str =
    "https://register.geonorge.no/sosi-kodelister/inndelinger/inndelingsbase/kommunenummer";
/// Service types, kodeverk 9151, as OKT, AuditEvent and the attest write it.
pub const SERVICE_TYPE: &str = "urn:oid:2.16.578.1.12.4.1.1.9151";
/// Service types, kodeverk 9151, as Oslo's profiles write it (C1).
pub const SERVICE_TYPE_OSLO: &str = "https://finnkode.helsedirektoratet.no/adm/collections/9151";
/// Profession, kodeverk 9060.
pub const PROFESSION: &str = "urn:oid:2.16.578.1.12.4.1.1.9060";
/// LOINC.
pub const LOINC: &str = "http://loinc.org";
/// SNOMED CT.
pub const SNOMED: &str = "http://snomed.info/sct";
/// Units of measure.
pub const UCUM: &str = "http://unitsofmeasure.org";

/// The one URI used for comparing; unknown systems are returned as they are.
pub fn canonical(system: &str) -> Cow<'_, str> {
    if let Some((_, to)) = ALIASES.iter().find(|(from, _)| *from == system) {
        return Cow::Borrowed(to);
    }
    for prefix in KODEVERK_PREFIXES {
        if let Some(number) = system.strip_prefix(prefix)
            && number.len() == 4
            && number.bytes().all(|b| b.is_ascii_digit())
        {
            return Cow::Owned(format!("urn:oid:2.16.578.1.12.4.1.1.{number}"));
        }
    }
    Cow::Borrowed(system)
}

/// Whether the system is one of the national identity numbers.
pub fn is_national_number(system: &str) -> bool {
    matches!(canonical(system).as_ref(), FNR | DNR | FHN)
}

/// A kodeverk has up to three canonical URIs, which differ only before the four-digit number (C12).
const KODEVERK_PREFIXES: [&str; 3] = [
    "http://helsedir.no/fhir/CodeSystem/no-kodeverk-",
    "http://ehelse.no/fhir/CodeSystem/no-kodeverk-",
    "https://finnkode.helsedirektoratet.no/adm/collections/",
];

const ALIASES: [(&str, &str); 11] = [
    ("http://hl7.no/fhir/NamingSystem/FNR", FNR),
    ("http://hl7.no/fhir/NamingSystem/DNR", DNR),
    ("http://hl7.no/fhir/NamingSystem/FHNR", FHN),
    ("http://hl7.no/fhir/NamingSystem/HPR", HPR),
    ("urn:oid:2.16.578.1.12.4.1.2.101", ENH),
    ("http://hl7.no/fhir/NamingSystem/kommunenummer", KOMMUNE),
    ("https://register.geonorge.no/sosi-kodelister/kommunenummer", KOMMUNE),
    (
        "https://register.geonorge.no/subregister/sosi-kodelister/kartverket/kommunenummer-alle",
        KOMMUNE,
    ),
    ("urn:oid:2.16.578.1.12.4.1.1.3402", KOMMUNE),
    ("http://hl7.no/fhir/NamingSystem/RESHid", "urn:oid:2.16.578.1.12.4.1.4.102"),
    ("http://hl7.no/fhir/NamingSystem/HERid", "urn:oid:2.16.578.1.12.4.1.2"),
];

/// The one spelling of a code used for comparing: kodeverk 9151 is written with and without a
/// leading zero (C2).
pub fn canonical_code<'a>(canonical_system: &str, code: &'a str) -> &'a str {
    if canonical_system == SERVICE_TYPE { crate::service::unpadded(code) } else { code }
}
