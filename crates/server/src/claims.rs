//! Claims of HelseID, ID-porten and Maskinporten to a [`Caller`] (conventions §5.1, 5.3, 6.2).

use access::caller::{Attest, Caller, Party, Practitioner};
use record::purpose::Purpose;
use serde_json::Value;

const PID: &str = "helseid://claims/identity/pid";
const SECURITY_LEVEL: &str = "helseid://claims/identity/security_level";
const HPR: &str = "helseid://claims/hpr/hpr_number";
const PARENT: &str = "helseid://claims/client/claims/orgnr_parent";
const CHILD: &str = "helseid://claims/client/claims/orgnr_child";
const ATTEST: &str = "nhn:tillitsrammeverk:parameters";

/// The caller a set of verified claims describes; `None` where they do not say who it is.
pub fn caller(claims: &Value) -> Option<Caller> {
    let client_id = text(claims, "client_id")?;
    let token_id = text(claims, "jti").unwrap_or_default();
    let organisation = text(claims, PARENT);
    let unit = text(claims, CHILD);
    let party = if claims.get(PID).is_some() {
        Party::Practitioner(practitioner(claims)?)
    } else if let Some(number) = text(claims, "pid") {
        // ID-porten: only level substantial and high open health information.
        let level = text(claims, "acr")?;
        if !matches!(level.as_str(), "idporten-loa-substantial" | "idporten-loa-high" | "Level4") {
            return None;
        }
        let name = text(claims, "name").unwrap_or_default();
        Party::Resident { number, name }
    } else {
        organisation.as_ref()?;
        Party::System
    };
    Some(Caller { client_id, organisation, unit, token_id, party })
}

fn practitioner(claims: &Value) -> Option<Practitioner> {
    Some(Practitioner {
        name: text(claims, "name").unwrap_or_default(),
        subject: text(claims, "sub")?,
        hpr: text(claims, HPR),
        security_level: text(claims, SECURITY_LEVEL).and_then(|it| it.parse().ok()).unwrap_or(0),
        attest: attest(claims),
    })
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
        purpose: Purpose::from_code(&code(relation, "purpose_of_use")?)?,
        purpose_details: code(relation, "purpose_of_use_details"),
        decision_ref: text(decision, "id")?,
        user_selected: decision.get("user_selected").and_then(Value::as_bool).unwrap_or(false),
    })
}

fn text(holder: &Value, name: &str) -> Option<String> {
    match holder.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
