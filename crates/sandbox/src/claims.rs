//! The claims of a token, by the names HelseID and ID-porten use (Norwegian conventions §5).

use record::purpose::{self, Purpose};
use record::system;
use serde_json::{Value, json};

use crate::issuer::IssuerError;
use crate::random::{Stream, Topic};
use crate::register::{PLO_EPJ, TAVLE, UTVIKLER, VKP};
use crate::staff::{self, Staff};
use crate::world::{self, Municipality};

/// Issuer of tokens for systems and for people at work, in HelseID's shape.
pub const HELSEID: &str = "https://helseid.sandkasse.fkj.no";
/// Issuer of tokens for residents, in ID-porten's shape.
pub const IDPORTEN: &str = "https://idporten.sandkasse.fkj.no";
/// How long a token is valid, in seconds.
pub const LIFETIME: i64 = 3600;

/// Supplier of the sandbox's systems.
pub const SUPPLIER: &str = "310487570";

/// Who a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The municipality's record system.
    PloEpj,
    /// The NEWS2 board of wards and home nurses.
    Tavle,
    /// Measurements from home.
    Vkp,
    /// The system a vendor is building.
    Utvikler,
    /// A doctor at the out-of-hours clinic.
    Legevaktslege,
    /// A nurse on the municipal acute ward.
    Sykepleier,
    /// A nurse on the short-stay ward.
    Korttidssykepleier,
    /// A nurse in home care.
    Hjemmesykepleier,
    /// A case officer.
    Saksbehandler,
    /// Who looks after the municipality's register.
    Forvalter,
    /// Who is responsible for the security of information, and reviews how access was used.
    Sikkerhetsleder,
    /// The privacy officer.
    Personvernombud,
    /// A resident.
    Innbygger,
}

/// What sort of party a role is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleKind {
    /// A system on its own behalf.
    System,
    /// A person at work.
    Practitioner,
    /// A resident.
    Resident,
}

/// A role as the sign-in chooser shows it.
#[derive(Clone, Copy, Debug)]
pub struct RoleInfo {
    /// The role.
    pub role: Role,
    /// Key, such as `legevaktslege`.
    pub key: &'static str,
    /// Title in Bokmål.
    pub title: &'static str,
    /// What sort of party.
    pub kind: RoleKind,
}

const fn role(role: Role, key: &'static str, title: &'static str, kind: RoleKind) -> RoleInfo {
    RoleInfo { role, key, title, kind }
}

static ROLES: [RoleInfo; 13] = [
    role(
        Role::Legevaktslege,
        "legevaktslege",
        "Maja Fjellstad, lege på legevakta",
        RoleKind::Practitioner,
    ),
    role(
        Role::Sykepleier,
        "sykepleier",
        "Jonas Hellebust, sykepleier på KAD",
        RoleKind::Practitioner,
    ),
    role(
        Role::Korttidssykepleier,
        "korttidssykepleier",
        "Amina Viken, sykepleier på korttidsavdelingen",
        RoleKind::Practitioner,
    ),
    role(
        Role::Hjemmesykepleier,
        "hjemmesykepleier",
        "Turid Sletten, sykepleier i hjemmetjenesten",
        RoleKind::Practitioner,
    ),
    role(
        Role::Saksbehandler,
        "saksbehandler",
        "Henning Rosseland, saksbehandler på tildelingskontoret",
        RoleKind::Practitioner,
    ),
    role(Role::Forvalter, "forvalter", "Torbjørg Aune, tilgangsforvalter", RoleKind::Practitioner),
    role(
        Role::Sikkerhetsleder,
        "sikkerhetsleder",
        "Bjarte Lunde, informasjonssikkerhetsleder",
        RoleKind::Practitioner,
    ),
    role(
        Role::Personvernombud,
        "personvernombud",
        "Sigrun Nesse, personvernombud",
        RoleKind::Practitioner,
    ),
    role(Role::Innbygger, "innbygger", "Innbygger", RoleKind::Resident),
    role(Role::PloEpj, PLO_EPJ, "Kommunens journalsystem", RoleKind::System),
    role(Role::Tavle, TAVLE, "NEWS2-tavla", RoleKind::System),
    role(Role::Vkp, VKP, "Målinger hjemmefra (VKP)", RoleKind::System),
    role(Role::Utvikler, UTVIKLER, "En leverandørs system under utvikling", RoleKind::System),
];

/// Every role, in the order of the sign-in chooser.
pub fn roles() -> &'static [RoleInfo] {
    &ROLES
}

impl Role {
    /// The role with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        ROLES.iter().find(|info| info.key == key).map(|info| info.role)
    }

    /// Key, such as `legevaktslege`.
    pub fn key(self) -> &'static str {
        ROLES.iter().find(|info| info.role == self).map_or("", |info| info.key)
    }
}

/// What token is wanted.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// Municipality number.
    pub municipality: String,
    /// Who it is for.
    pub role: Role,
    /// Identity number, for a resident; not used for others.
    pub pid: Option<String>,
    /// Now, in seconds since 1970 UTC; the token's and the attest's time.
    pub now_s: i64,
    /// The token's own id.
    pub jti: String,
}

/// The claims of a token.
///
/// # Errors
/// Where the municipality is unknown, or a resident is not named.
pub fn of(request: &TokenRequest) -> Result<Value, IssuerError> {
    let municipality = world::municipality(&request.municipality)
        .ok_or_else(|| IssuerError::Municipality(request.municipality.clone()))?;
    let claims = match (request.role, staff::in_role(request.role.key())) {
        (Role::Innbygger, _) => resident(municipality, request)?,
        (_, Some(staff)) => practitioner(municipality, request, staff),
        (role, None) => {
            let client = municipality.client_id(role.key());
            client_claims(municipality, request, &client, world::KOMMUNE)
        }
    };
    Ok(claims)
}

/// Audience of a municipality: the API's short name.
pub fn audience(municipality: &Municipality) -> String {
    format!("fkj:{}", municipality.number)
}

/// What every token has.
fn common(
    municipality: &Municipality,
    request: &TokenRequest,
    issuer: &str,
    client: &str,
) -> Value {
    let audience = audience(municipality);
    json!({
        "iss": issuer,
        "aud": audience,
        "iat": request.now_s,
        "nbf": request.now_s,
        "exp": request.now_s + LIFETIME,
        "jti": request.jti,
        "client_id": client,
        "scope": [format!("{audience}/api")],
    })
}

fn client_claims(
    municipality: &Municipality,
    request: &TokenRequest,
    client: &str,
    site: &str,
) -> Value {
    let claims = common(municipality, request, HELSEID, client);
    with(
        claims,
        json!({
            "helseid://claims/client/client_name": client,
            "helseid://claims/client/claims/orgnr_parent": municipality.organisation(),
            "helseid://claims/client/claims/orgnr_child": municipality.organisation_of(site),
            "helseid://claims/client/claims/orgnr_supplier": SUPPLIER,
            "helseid://claims/client/claims/client_tenancy": "multi-tenant",
        }),
    )
}

fn practitioner(municipality: &Municipality, request: &TokenRequest, staff: &Staff) -> Value {
    let client = municipality.client_id("referansevisning");
    let claims = client_claims(municipality, request, &client, staff.site);
    let mut person = json!({
        "sub": subject(municipality, staff.role),
        "name": staff.name(),
        "given_name": staff.given,
        "family_name": staff.family,
        "amr": ["pwd"],
        "auth_time": request.now_s,
        "idp": "sandkasse",
        "helseid://claims/identity/pid": staff.number(),
        "helseid://claims/identity/security_level": "4",
        "helseid://claims/identity/assurance_level": "high",
    });
    // Who administers has no care relation to attest.
    if staff.site != world::KOMMUNE {
        let attest = attest(municipality, request, staff);
        person = with(person, json!({ "nhn:tillitsrammeverk:parameters": attest }));
    }
    if let Some(hpr) = staff.hpr {
        person = with(person, json!({ "helseid://claims/hpr/hpr_number": hpr }));
    }
    with(claims, person)
}

/// The subject of the login of somebody at work.
pub fn subject(municipality: &Municipality, role: &str) -> String {
    format!("{}-{role}", municipality.number)
}

/// The attest of the Tillitsrammeverk as HelseID carries it (conventions §6), with its time.
fn attest(municipality: &Municipality, request: &TokenRequest, staff: &Staff) -> Value {
    let code = |code: &str, system: &str| json!({ "code": code, "system": system });
    let unit = |number: &str| json!({ "id": number, "system": system::ENH });
    let site = municipality.site(staff.site);
    let mut practitioner = json!({
        "legal_entity": unit(municipality.organisation()),
        "point_of_care": unit(municipality.organisation_of(staff.site)),
        "department": {
            "id": site.map(|site| municipality.site_id(site)).unwrap_or_default(),
            "system": format!("https://{PLO_EPJ}.sandkasse.fkj.no/id/organisasjon"),
        },
    });
    if let Some(authorization) = staff.authorization {
        let profession = code(authorization, "urn:oid:2.16.578.1.12.4.1.1.9060");
        practitioner = with(practitioner, json!({ "authorization": profession }));
    }
    let (purpose, details) = match staff.site {
        world::CASE_OFFICE => (Purpose::Coordination, "15"),
        world::SHORT_STAY => (Purpose::Treatment, "18"),
        world::LEGEVAKT | world::KAD => (Purpose::Treatment, "25"),
        _ => (Purpose::Treatment, "15"),
    };
    let mut relation = json!({
        "purpose_of_use": code(purpose.code(), purpose::SYSTEM),
        "purpose_of_use_details": code(details, system::SERVICE_TYPE),
        "decision_ref": { "id": format!("{}-{}", staff.role, request.jti), "user_selected": false },
    });
    // Sykepleietjeneste. The others name no service: one of service and details is enough.
    if staff.authorization == Some("SP") {
        let service = code("KP02", "urn:oid:2.16.578.1.12.4.1.1.8663");
        relation = with(relation, json!({ "healthcare_service": service }));
    }
    json!({
        "attestation": { "toa": request.now_s },
        "practitioner": practitioner,
        "care_relationship": relation,
        "patients": [],
    })
}

/// ID-porten's shape: a number but no name.
fn resident(municipality: &Municipality, request: &TokenRequest) -> Result<Value, IssuerError> {
    let pid = request.pid.as_deref().ok_or(IssuerError::NoResident)?;
    let client = municipality.client_id("innbyggersider");
    let claims = common(municipality, request, IDPORTEN, &client);
    Ok(with(
        claims,
        json!({
            "sub": pairwise_subject(municipality, pid),
            "pid": pid,
            "acr": "idporten-loa-high",
            "amr": ["BankID"],
            "client_orgno": municipality.organisation(),
            "token_type": "Bearer",
        }),
    ))
}

/// A subject that does not show the number: the same for the same resident and municipality,
/// different in another. The number is synthetic, so a keyed digest is not needed.
fn pairwise_subject(municipality: &Municipality, number: &str) -> String {
    let path: Vec<u64> = number.bytes().map(u64::from).collect();
    Stream::new(municipality.stream, Topic::Uuid, &path).uuid()
}

fn with(mut claims: Value, more: Value) -> Value {
    if let (Value::Object(claims), Value::Object(more)) = (&mut claims, more) {
        claims.extend(more);
    }
    claims
}
