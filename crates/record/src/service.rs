//! Municipal health and care services: kodeverk 9151, stay types, and which services carry
//! hours or a stay.
//!
//! Codes are compared without a leading zero (conflict C2): FHIR writes `2`, OKT writes `02`.

/// A service type of kodeverk 9151 (Helsedirektoratet).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceType {
    /// The code as FHIR writes it, without padding.
    pub code: &'static str,
    /// Title in Bokmål.
    pub title: &'static str,
    /// Whether the person stays in an institution, by day or night.
    pub in_institution: bool,
}

/// The service type with this code, padded or not.
pub fn service_type(code: &str) -> Option<&'static ServiceType> {
    let code = unpadded(code);
    SERVICE_TYPES.iter().find(|service| service.code == code)
}

/// The code without leading zeros.
pub fn unpadded(code: &str) -> &str {
    let trimmed = code.trim_start_matches('0');
    if trimmed.is_empty() { code } else { trimmed }
}

/// The code with two digits, as OKT writes it.
pub fn padded(code: &str) -> String {
    format!("{:0>2}", unpadded(code))
}

/// System of OKT's stay types.
pub const STAY_TYPE_SYSTEM: &str = "http://hl7.no/fhir/ig/okt/CodeSystem/OktStayTypeCs";

/// OKT's stay types with their Bokmål titles.
pub const STAY_TYPES: [(&str, &str); 2] =
    [("dagopphold", "Dagopphold"), ("korttidsopphold", "Korttidsopphold")];

/// Kodeverk 9151, service type in health and care. 10, 12, 13 and 16 are not in use.
pub const SERVICE_TYPES: [ServiceType; 25] = [
    service("1", "Praktisk bistand – daglige gjøremål"),
    service("2", "Praktisk bistand – opplæring – daglige gjøremål"),
    service("3", "Praktisk bistand – brukerstyrt personlig assistanse"),
    service("4", "Dagaktivitetstilbud"),
    service("5", "Matombringing"),
    service("6", "Trygghetsalarm"),
    service("7", "Avlastning utenfor institusjon"),
    stay("8", "Avlastning i institusjon"),
    service("9", "Støttekontakt"),
    service("11", "Omsorgsstønad"),
    service("14", "Bruk av tvang psykisk utviklingshemning – planlagte tiltak"),
    service("15", "Helsetjenester i hjemmet"),
    stay("17", "Dagopphold i institusjon"),
    stay("18", "Tidsbegrenset opphold – utredning/behandling"),
    stay("19", "Tidsbegrenset opphold – habilitering/rehabilitering"),
    stay("20", "Tidsbegrenset opphold – annet"),
    stay("21", "Langtidsopphold i institusjon"),
    stay("22", "Nattopphold i institusjon"),
    service("23", "Bruk av tvang psykisk utviklingshemning – nødsituasjoner"),
    service("24", "Helsehjelp med tvang"),
    stay("25", "Kommunal øyeblikkelig hjelp – døgnopphold"),
    service("26", "Lokaliseringsteknologi (GPS)"),
    service("27", "Elektronisk medisineringsstøtte"),
    service("28", "Digitalt tilsyn"),
    service("29", "Bolig som kommunen disponerer for helse- og omsorgsformål"),
];

const fn service(code: &'static str, title: &'static str) -> ServiceType {
    ServiceType { code, title, in_institution: false }
}

const fn stay(code: &'static str, title: &'static str) -> ServiceType {
    ServiceType { code, title, in_institution: true }
}
