//! Tokens of the stand-in issuer, verified as an API verifies those of HelseID and ID-porten.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use expect_test::expect;
use jsonwebtoken::jwk::{JwkSet, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use sandbox::claims::{HELSEID, IDPORTEN, Role, RoleKind, TokenRequest, roles};
use sandbox::holder::{Holder, ProofOf};
use sandbox::issuer::{Issuer, IssuerError};
use serde_json::Value;

const NOW: i64 = 1_795_424_400;

fn request(role: Role) -> TokenRequest {
    TokenRequest {
        municipality: "9901".to_owned(),
        role,
        pid: Some("12853800188".to_owned()),
        now_s: NOW,
        jti: "j1".to_owned(),
    }
}

/// Verifies with the key in the file, as another process would.
fn verified(dir: &Path, token: &str, issuer: &str) -> BTreeMap<String, Value> {
    let jwks = std::fs::read_to_string(dir.join("jwks.json")).unwrap_or_default();
    let header = decode_header(token).ok();
    let claims = header.and_then(|header| {
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        let set: JwkSet = serde_json::from_str(&jwks).ok()?;
        let key = DecodingKey::from_jwk(set.find(&header.kid?)?).ok()?;
        let mut validation = Validation::new(Algorithm::ES256);
        // The time in the token is the test's, not the clock's.
        validation.validate_exp = false;
        validation.set_audience(&["fkj:9901"]);
        validation.set_issuer(&[issuer]);
        decode::<BTreeMap<String, Value>>(token, &key, &validation).ok()
    });
    claims.map(|data| data.claims).unwrap_or_default()
}

#[test]
fn every_role_gets_a_token_that_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let issuer = Issuer::create(dir.path()).unwrap();
    for info in roles() {
        let by = if info.kind == RoleKind::Resident { IDPORTEN } else { HELSEID };
        let claims = verified(dir.path(), &issuer.token(&request(info.role)).unwrap(), by);
        assert_eq!(claims["exp"], NOW + 3600, "{}", info.key);
        assert!(claims["aud"].is_string());
        let has_pid = claims.contains_key("helseid://claims/identity/pid");
        assert_eq!(has_pid, info.kind == RoleKind::Practitioner);
        let parent = claims.get("helseid://claims/client/claims/orgnr_parent");
        assert_eq!(parent.is_some(), info.kind != RoleKind::Resident);
        assert_eq!(Role::from_key(info.key), Some(info.role));
    }
}

#[test]
fn a_reopened_issuer_signs_with_the_same_key_and_a_new_one_does_not() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    Issuer::create(dir.path()).unwrap();
    let again = Issuer::open(dir.path()).unwrap();
    let token = again.token(&request(Role::Tavle)).unwrap();
    assert!(!verified(dir.path(), &token, HELSEID).is_empty());
    let stranger = Issuer::create(other.path()).unwrap().token(&request(Role::Tavle)).unwrap();
    assert!(verified(dir.path(), &stranger, HELSEID).is_empty());
    assert!(matches!(Issuer::create(dir.path()), Err(IssuerError::File { .. })));
}

#[test]
fn only_the_owner_can_read_the_private_key() {
    let dir = tempfile::tempdir().unwrap();
    Issuer::create(dir.path()).unwrap();
    let mode = std::fs::metadata(dir.path().join("issuer.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let jwks = std::fs::read_to_string(dir.path().join("jwks.json")).unwrap();
    assert!(!jwks.contains("\"d\""));
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let issuer = Issuer::create(dir.path()).unwrap();
    let nobody = TokenRequest { pid: None, ..request(Role::Innbygger) };
    assert!(matches!(issuer.token(&nobody), Err(IssuerError::NoResident)));
    let elsewhere = TokenRequest { municipality: "0301".to_owned(), ..request(Role::Vkp) };
    assert!(matches!(issuer.token(&elsewhere), Err(IssuerError::Municipality(_))));
}

#[test]
#[expect(clippy::too_many_lines, reason = "two whole tokens")]
fn the_claims_have_the_names_of_helseid_and_idporten() {
    let claims = |role| {
        let claims = sandbox::claims::of(&request(role)).unwrap();
        serde_json::to_string_pretty(&claims).unwrap()
    };
    expect![[r#"
        {
          "iss": "https://helseid.sandkasse.fkj.no",
          "aud": "fkj:9901",
          "iat": 1795424400,
          "nbf": 1795424400,
          "exp": 1795428000,
          "jti": "j1",
          "client_id": "referansevisning-9901",
          "scope": [
            "fkj:9901/api"
          ],
          "helseid://claims/client/client_name": "referansevisning-9901",
          "helseid://claims/client/claims/orgnr_parent": "310526010",
          "helseid://claims/client/claims/orgnr_child": "310462810",
          "helseid://claims/client/claims/orgnr_supplier": "310487570",
          "helseid://claims/client/claims/client_tenancy": "multi-tenant",
          "sub": "9901-sykepleier",
          "name": "Jonas Hellebust",
          "given_name": "Jonas",
          "family_name": "Hellebust",
          "amr": [
            "pwd"
          ],
          "auth_time": 1795424400,
          "idp": "sandkasse",
          "helseid://claims/identity/pid": "05899100117",
          "helseid://claims/identity/security_level": "4",
          "helseid://claims/identity/assurance_level": "high",
          "nhn:tillitsrammeverk:parameters": {
            "attestation": {
              "toa": 1795424400
            },
            "practitioner": {
              "legal_entity": {
                "id": "310526010",
                "system": "urn:oid:2.16.578.1.12.4.1.4.101"
              },
              "point_of_care": {
                "id": "310462810",
                "system": "urn:oid:2.16.578.1.12.4.1.4.101"
              },
              "department": {
                "id": "9901-kad",
                "system": "https://plo-epj.sandkasse.fkj.no/id/organisasjon"
              },
              "authorization": {
                "code": "SP",
                "system": "urn:oid:2.16.578.1.12.4.1.1.9060"
              }
            },
            "care_relationship": {
              "purpose_of_use": {
                "code": "TREAT",
                "system": "urn:oid:2.16.840.1.113883.1.11.20448"
              },
              "purpose_of_use_details": {
                "code": "25",
                "system": "urn:oid:2.16.578.1.12.4.1.1.9151"
              },
              "decision_ref": {
                "id": "sykepleier-j1",
                "user_selected": false
              },
              "healthcare_service": {
                "code": "KP02",
                "system": "urn:oid:2.16.578.1.12.4.1.1.8663"
              }
            },
            "patients": []
          },
          "helseid://claims/hpr/hpr_number": "222900029"
        }"#]]
    .assert_eq(&claims(Role::Sykepleier));
    expect![[r#"
        {
          "iss": "https://helseid.sandkasse.fkj.no",
          "aud": "fkj:9901",
          "iat": 1795424400,
          "nbf": 1795424400,
          "exp": 1795428000,
          "jti": "j1",
          "client_id": "plo-epj-9901",
          "scope": [
            "fkj:9901/api"
          ],
          "helseid://claims/client/client_name": "plo-epj-9901",
          "helseid://claims/client/claims/orgnr_parent": "310526010",
          "helseid://claims/client/claims/orgnr_child": "310526010",
          "helseid://claims/client/claims/orgnr_supplier": "310487570",
          "helseid://claims/client/claims/client_tenancy": "multi-tenant"
        }"#]]
    .assert_eq(&claims(Role::PloEpj));
    expect![[r#"
        {
          "iss": "https://idporten.sandkasse.fkj.no",
          "aud": "fkj:9901",
          "iat": 1795424400,
          "nbf": 1795424400,
          "exp": 1795428000,
          "jti": "j1",
          "client_id": "innbyggersider-9901",
          "scope": [
            "fkj:9901/api"
          ],
          "sub": "d71830c4-7cbd-8d55-92fb-02183fac5101",
          "pid": "12853800188",
          "acr": "idporten-loa-high",
          "amr": [
            "BankID"
          ],
          "client_orgno": "310526010",
          "token_type": "Bearer"
        }"#]]
    .assert_eq(&claims(Role::Innbygger));
}

#[test]
fn a_bound_token_names_the_key_whose_proofs_verify() {
    let dir = tempfile::tempdir().unwrap();
    let issuer = Issuer::create(dir.path()).unwrap();
    let holder = Holder::new().unwrap();
    let thumbprint = holder.thumbprint().unwrap();
    let token = issuer.bound_token(&request(Role::Utvikler), &thumbprint).unwrap();
    assert_eq!(verified(dir.path(), &token, HELSEID)["cnf"]["jkt"], thumbprint.as_str());
    let address = "https://fkj.example/9901/fhir/Patient?_count=1";
    let of = ProofOf { method: "GET", address, token: &token, now_s: NOW, jti: "p1" };
    let proof = holder.proof(&of).unwrap();
    let jwk = decode_header(&proof).unwrap().jwk.unwrap();
    assert_eq!(jwk.thumbprint(ThumbprintHash::SHA256).unwrap(), thumbprint);
    let mut validation = Validation::new(Algorithm::ES256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    let key = DecodingKey::from_jwk(&jwk).unwrap();
    let claims = decode::<Value>(&proof, &key, &validation).unwrap().claims;
    assert_eq!(claims["htu"], "https://fkj.example/9901/fhir/Patient");
    assert_eq!(claims["htm"], "GET");
}
