//! Access tokens: only what the trusted issuer signed, for this municipality and now, opens.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use jsonwebtoken::{Algorithm, EncodingKey, Header, decode_header, encode};
use serde_json::{Value, json};
use support::{FNR, Server, now_s, shared};

/// `{"alg":"none","typ":"at+jwt"}`.
const ALG_NONE: &str = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";

/// What is done to the claims.
type Change<'a> = &'a dyn Fn(&mut Value);

fn issuer_key(server: &Server) -> EncodingKey {
    let der = std::fs::read(server.dir.path().join("sandbox/issuer.key")).unwrap();
    EncodingKey::from_ec_der(&der)
}

fn foreign_key() -> EncodingKey {
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let key = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
    EncodingKey::from_ec_der(key.as_ref())
}

/// Header and claims of a token that opens.
fn genuine(server: &Server) -> (String, Header, Value) {
    let token = server.token("9901", "legevaktslege", None);
    let header = decode_header(&token).unwrap();
    let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(&token).unwrap().claims;
    (token, header, claims)
}

/// The status, and what is told.
fn ask(server: &Server, token: Option<String>) -> (u16, String) {
    let search = format!("identifier={FNR}|28894698995");
    let answer = server.client(token).form("/9901/fhir/Patient/_search", &search);
    if answer.status == 401 {
        assert!(answer.header("www-authenticate").starts_with("Bearer realm=\"fkj:9901\""));
        let code = answer.issue(401);
        assert!(code.starts_with("login||") || code.starts_with("expired||"), "{}", answer.text);
    }
    (answer.status, answer.text)
}

#[test]
fn a_changed_or_unsigned_token_opens_nothing() {
    let server = shared();
    let (token, header, claims) = genuine(&server);
    assert_eq!(ask(&server, Some(token.clone())).0, 200);
    let parts: Vec<&str> = token.split('.').collect();
    let other = server.token("9901", "plo-epj", None);
    let theirs: Vec<&str> = other.split('.').collect();
    let swapped = [parts[0], theirs[1], parts[2]].join(".");
    let mut last = parts[2].to_owned();
    let flipped = if last.pop() == Some('A') { 'Q' } else { 'A' };
    let bent = [parts[0], parts[1], &format!("{last}{flipped}")].join(".");
    let hmac = Header { kid: header.kid.clone(), typ: header.typ.clone(), ..Header::default() };
    let public = std::fs::read(server.dir.path().join("sandbox/jwks.json")).unwrap();
    let forged = encode(&hmac, &claims, &EncodingKey::from_secret(&public)).unwrap();
    let unknown = Header { kid: Some("another".to_owned()), ..header.clone() };
    for (what, token) in [
        ("no token", None),
        ("no JWT", Some("hei".to_owned())),
        ("claims of another token", Some(swapped)),
        ("a changed signature", Some(bent)),
        ("no signature", Some(format!("{}.{}.", parts[0], parts[1]))),
        ("alg none", Some(format!("{ALG_NONE}.{}.", parts[1]))),
        ("HMAC with the public key", Some(forged)),
        ("a foreign key", Some(encode(&header, &claims, &foreign_key()).unwrap())),
        ("an unknown key", Some(encode(&unknown, &claims, &foreign_key()).unwrap())),
    ] {
        let (status, told) = ask(&server, token);
        assert_eq!(status, 401, "{what}: {told}");
    }
}

#[test]
fn issuer_audience_time_and_caller_must_all_be_right() {
    let server = shared();
    let (_, header, claims) = genuine(&server);
    let key = issuer_key(&server);
    let send = |header: &Header, change: Change<'_>| {
        let mut changed = claims.clone();
        change(&mut changed);
        ask(&server, Some(encode(header, &changed, &key).unwrap()))
    };
    assert_eq!(send(&header, &|_| {}).0, 200);
    let now = now_s();
    let cases: [(&str, Change<'_>, &str); 10] = [
        ("issuer", &|it| it["iss"] = json!("https://helseid.example"), "issuer"),
        ("no issuer", &|it| drop(it.as_object_mut().unwrap().remove("iss")), "issuer"),
        ("audience", &|it| it["aud"] = json!("fkj:9902"), "another API"),
        ("two audiences", &|it| it["aud"] = json!(["fkj:9901", "fkj:9902"]), "another API"),
        ("no audience", &|it| drop(it.as_object_mut().unwrap().remove("aud")), "another API"),
        ("expired", &|it| it["exp"] = json!(now - 60), "expired"),
        ("no expiry", &|it| drop(it.as_object_mut().unwrap().remove("exp")), "`exp`"),
        ("early", &|it| it["nbf"] = json!(now + 600), "not valid yet"),
        ("bound to a key", &|it| it["cnf"] = json!({ "jkt": "x" }), "bound to a key"),
        ("nobody", &|it| drop(it.as_object_mut().unwrap().remove("client_id")), "`client_id`"),
    ];
    for (what, change, expected) in cases {
        let (status, told) = send(&header, change);
        assert_eq!(status, 401, "{what}: {told}");
        assert!(told.contains(expected), "{what}: {told}");
    }
    let id_token = Header { typ: Some("logout+jwt".to_owned()), ..header.clone() };
    assert_eq!(send(&id_token, &|_| {}).0, 401);
    assert_eq!(header.alg, Algorithm::ES256);
}

#[test]
fn a_token_may_open_the_door_and_still_not_say_enough() {
    const LEVEL: &str = "helseid://claims/identity/security_level";
    const PARENT: &str = "helseid://claims/client/claims/orgnr_parent";
    const ATTEST: &str = "nhn:tillitsrammeverk:parameters";
    let server = shared();
    let (_, header, claims) = genuine(&server);
    let key = issuer_key(&server);
    let at = |path: &'static str| format!("/{}{path}", ATTEST.replace('/', "~1"));
    let cases: [(&str, Change<'_>); 8] = [
        ("weak-login", &|it| it[LEVEL] = json!("3")),
        ("other-municipality", &|it| it[PARENT] = json!("999977774")),
        ("no-attest", &|it| drop(it.as_object_mut().unwrap().remove(ATTEST))),
        ("attestation_has_expired", &|it| {
            *it.pointer_mut(&at("/attestation/toa")).unwrap() = json!(now_s() - 3700);
        }),
        ("attest-contradicts", &|it| {
            *it.pointer_mut(&at("/practitioner/legal_entity/id")).unwrap() = json!("999977774");
        }),
        ("purpose-inactive", &|it| {
            let place = at("/care_relationship/purpose_of_use/code");
            *it.pointer_mut(&place).unwrap() = json!("BTG");
        }),
        ("no-role", &|it| {
            *it.pointer_mut(&at("/practitioner/authorization/code")).unwrap() = json!("PS");
        }),
        ("unknown-unit", &|it| {
            *it.pointer_mut(&at("/practitioner/point_of_care/id")).unwrap() = json!("999977774");
            it["helseid://claims/client/claims/orgnr_child"] = json!("999977774");
        }),
    ];
    for (rule, change) in cases {
        let mut changed = claims.clone();
        change(&mut changed);
        let client = server.client(Some(encode(&header, &changed, &key).unwrap()));
        let search = format!("identifier={FNR}|28894698995");
        let answer = client.form("/9901/fhir/Patient/_search", &search);
        assert_eq!(answer.rule(), rule);
    }
}
