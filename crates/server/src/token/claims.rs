//! Claims of HelseID, ID-porten and Maskinporten to a [`Caller`] (conventions §5.1, 5.3, 6.2).
//!
//! Invariant: the kind of the issuer that signed decides how claims are read, never the claims: ID-porten
//! cannot make a practitioner, nor Maskinporten a person.

use std::sync::Arc;

use access::caller::{Attest, Caller, Party, Practitioner};
use access::scopes::Scopes;
use record::purpose::Purpose;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::token::error::TokenError;

const PID: &str = "helseid://claims/identity/pid";
const SECURITY_LEVEL: &str = "helseid://claims/identity/security_level";
const ASSURANCE_LEVEL: &str = "helseid://claims/identity/assurance_level";
const HPR: &str = "helseid://claims/hpr/hpr_number";
const HPR_DETAILS: &str = "helseid://claims/hpr/hpr_details";
const PARENT: &str = "helseid://claims/client/claims/orgnr_parent";
const CHILD: &str = "helseid://claims/client/claims/orgnr_child";
const SUPPLIER: &str = "helseid://claims/client/claims/orgnr_supplier";
/// Logical id of the Patient that an app was launched for (SMART App Launch §4, as in the token response).
const PATIENT: &str = "patient";
const ATTEST: &str = "nhn:tillitsrammeverk:parameters";

/// Claims that only a person's login gives; without [`PID`] the token is no machine's all the same.
const OF_A_PERSON: [&str; 4] = ["sid", "idp", "auth_time", "name"];
const ABOUT_A_PERSON: [&str; 2] = ["helseid://claims/identity/", "helseid://claims/hpr/"];

/// Levels of ID-porten that open health information: substantial and high (Level4 in old tokens).
const LEVELS: [&str; 3] = ["idporten-loa-substantial", "idporten-loa-high", "Level4"];

/// Before an organisation number in ISO 6523 (conventions §5.3).
const ORGANISATION: &str = "0192:";

/// What an issuer is, and so how its claims are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IssuerKind {
    /// People at work and systems of the health service.
    Helseid,
    /// Residents.
    Idporten,
    /// Systems of any organisation.
    Maskinporten,
}

/// The caller a set of verified claims describes.
///
/// # Errors
/// [`TokenError::Claim`] where they do not say who it is.
pub fn caller(kind: IssuerKind, claims: &Value) -> Result<Caller, TokenError> {
    let client_id = needed(claims, "client_id")?;
    let token_id = text(claims, "jti").unwrap_or_default();
    let (organisation, unit, supplier, party) = match kind {
        IssuerKind::Helseid => {
            let party = at_work(claims, &client_id)?;
            (text(claims, PARENT), text(claims, CHILD), text(claims, SUPPLIER), party)
        }
        IssuerKind::Idporten => (None, None, None, resident(claims)?),
        IssuerKind::Maskinporten => {
            let (consumer, supplier) = parties(claims)?;
            (Some(consumer), None, supplier, Party::System)
        }
    };
    // What scopes and a launch say only ever narrows, so it is believed of any issuer.
    let scopes = Scopes::read(&scopes(claims), text(claims, PATIENT)).map(Arc::new);
    Ok(Caller { client_id, organisation, unit, supplier, token_id, scopes, party })
}

/// HelseID: a person with a number, or a machine with an organisation.
fn at_work(claims: &Value, client_id: &str) -> Result<Party, TokenError> {
    if claims.get(PID).is_some() {
        return Ok(Party::Practitioner(practitioner(claims)?));
    }
    // A person's token without the scope for the number must not pass for a machine's.
    let subject = text(claims, "sub").is_some_and(|subject| subject != client_id);
    let of_a_person = OF_A_PERSON.iter().any(|claim| claims.get(claim).is_some());
    let about_a_person = claims.as_object().is_some_and(|claims| {
        claims.keys().any(|claim| ABOUT_A_PERSON.iter().any(|start| claim.starts_with(start)))
    });
    if subject || of_a_person || about_a_person {
        return Err(TokenError::Claim(PID));
    }
    needed(claims, PARENT)?;
    Ok(Party::System)
}

fn practitioner(claims: &Value) -> Result<Practitioner, TokenError> {
    let pid = needed(claims, PID)?;
    number(&pid, 11).ok_or(TokenError::Claim(PID))?;
    Ok(Practitioner {
        name: text(claims, "name").unwrap_or_default(),
        subject: needed(claims, "sub")?,
        hpr: text(claims, HPR),
        hpr_professions: hpr_professions(claims),
        security_level: security_level(claims),
        attest: attest(claims),
    })
}

/// Professions of the login's HPR details.
fn hpr_professions(claims: &Value) -> Option<Vec<String>> {
    let approvals = claims.get(HPR_DETAILS)?.get("approvals")?.as_array()?;
    Some(approvals.iter().filter_map(|approval| text(approval, "profession")).collect())
}

/// Level of the login, 0 where it is not told. Of the two ways to tell it the lower counts.
fn security_level(claims: &Value) -> u8 {
    let level = text(claims, SECURITY_LEVEL).map(|level| level.parse().unwrap_or(0));
    let assurance = text(claims, ASSURANCE_LEVEL).map(|level| match level.as_str() {
        "high" => 4,
        "substantial" => 3,
        "low" => 2,
        _ => 0,
    });
    level.into_iter().chain(assurance).min().unwrap_or(0)
}

/// ID-porten: a resident, by number.
fn resident(claims: &Value) -> Result<Party, TokenError> {
    let pid = needed(claims, "pid")?;
    let number = number(&pid, 11).ok_or(TokenError::Claim("pid"))?.to_owned();
    let level = needed(claims, "acr")?;
    if !LEVELS.contains(&level.as_str()) {
        return Err(TokenError::Level);
    }
    Ok(Party::Resident { number, name: text(claims, "name").unwrap_or_default() })
}

/// Maskinporten: the organisation that consumes the API, and the supplier that acts for it, if one does.
fn parties(claims: &Value) -> Result<(String, Option<String>), TokenError> {
    if claims.get("pid").is_some() {
        return Err(TokenError::Claim("consumer"));
    }
    let supplier = match claims.get("supplier") {
        Some(supplier) => Some(organisation(supplier).ok_or(TokenError::Claim("supplier"))?),
        None => None,
    };
    let consumer = claims.get("consumer").and_then(organisation);
    Ok((consumer.ok_or(TokenError::Claim("consumer"))?, supplier))
}

/// The nine digits of an organisation in ISO 6523.
fn organisation(holder: &Value) -> Option<String> {
    if holder.get("authority")?.as_str()? != "iso6523-actorid-upis" {
        return None;
    }
    let id = holder.get("ID")?.as_str()?.strip_prefix(ORGANISATION)?;
    number(id, 9).map(str::to_owned)
}

fn number(text: &str, digits: usize) -> Option<&str> {
    Some(text).filter(|it| it.len() == digits && it.bytes().all(|byte| byte.is_ascii_digit()))
}

fn needed(claims: &Value, name: &'static str) -> Result<String, TokenError> {
    text(claims, name).filter(|text| !text.is_empty()).ok_or(TokenError::Claim(name))
}

/// The attest. HelseID writes `care_relationship`, the specification `care_relation` (C5).
fn attest(claims: &Value) -> Option<Attest> {
    let attest = claims.get(ATTEST)?;
    let relation = attest.get("care_relationship").or_else(|| attest.get("care_relation"))?;
    let practitioner = attest.get("practitioner")?;
    let id = |name: &str| text(practitioner.get(name)?, "id");
    let code = |holder: &Value, name: &str| text(holder.get(name)?, "code");
    let legal_entity = id("legal_entity")?;
    let decision = relation.get("decision_ref")?;
    // HelseID's form has no time of its own: the attest is as old as the token.
    let made =
        attest.pointer("/attestation/toa").or_else(|| claims.get("iat")).and_then(Value::as_i64)?;
    Some(Attest {
        made_at: made.saturating_mul(1000),
        authorization: code(practitioner, "authorization"),
        point_of_care: id("point_of_care").unwrap_or_else(|| legal_entity.clone()),
        legal_entity,
        department: id("department").map(String::into_boxed_str),
        healthcare_service: service(relation).map(String::into_boxed_str),
        purpose: Purpose::from_code(&code(relation, "purpose_of_use")?)?,
        purpose_details: code(relation, "purpose_of_use_details"),
        decision_ref: text(decision, "id")?,
        user_selected: decision.get("user_selected").and_then(Value::as_bool).unwrap_or(false),
        names_another: [("identifier", PID), ("hpr_nr", HPR)].into_iter().any(|(named, login)| {
            practitioner.get(named).is_some() && id(named) != text(claims, login)
        }),
        patients: patients(attest),
    })
}

/// Numbers of the patients that the attest names. HelseID's form tells only where they are cared
/// for; the specification's names them.
fn patients(attest: &Value) -> Vec<String> {
    let named = |patient: &Value| text(patient.get("identifier")?, "id");
    attest
        .get("patients")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(named)
        .collect()
}

/// The healthcare service, `system|code`.
fn service(relation: &Value) -> Option<String> {
    let service = relation.get("healthcare_service")?;
    let system = text(service, "system").unwrap_or_default();
    Some(format!("{system}|{}", text(service, "code")?))
}

/// The scopes, as a list or as words.
pub fn scopes(claims: &Value) -> Vec<String> {
    match claims.get("scope") {
        Some(Value::String(words)) => words.split(' ').map(str::to_owned).collect(),
        Some(Value::Array(all)) => {
            all.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn text(holder: &Value, name: &str) -> Option<String> {
    match holder.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
