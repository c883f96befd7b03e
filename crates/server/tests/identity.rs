//! The cases of `cases/tokens`: tokens and proofs of synthetic issuers, each changed in one way, sent to a
//! running server that takes DPoP in one municipality and Bearer in the other.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use sandbox::claims::{self, Role, TokenRequest};
use sandbox::holder::{Holder, ProofOf};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use support::content::count;
use support::{Folder, Server, now_s};
use ureq::http::Method;

/// A resident of 9901 in every demo.
const RESIDENT: &str = "28894698995";
const PARENT: &str = "helseid://claims/client/claims/orgnr_parent";
const MASKINPORTEN: &str = "https://maskinporten.example/";

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    what: String,
    #[serde(rename = "as", default = "a_system")]
    role: String,
    from: Option<String>,
    #[serde(default)]
    token: Change,
    #[serde(default)]
    proof: Change,
    #[serde(default)]
    send: Send,
    status: u16,
    error: Option<String>,
    says: Option<String>,
}

fn a_system() -> String {
    "utvikler".to_owned()
}

/// What is done to a good token or proof.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    header: Map<String, Value>,
    #[serde(default)]
    claims: Map<String, Value>,
    signed_by: Option<String>,
    raw: Option<String>,
}

/// How they are sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Send {
    to: String,
    scheme: Option<String>,
    method: String,
    path: Option<String>,
    proofs: Option<usize>,
    tokens: usize,
    times: usize,
}

impl Default for Send {
    fn default() -> Self {
        Self {
            to: "9901".to_owned(),
            scheme: None,
            method: "GET".to_owned(),
            path: None,
            proofs: None,
            tokens: 1,
            times: 1,
        }
    }
}

/// Everybody's keys, and where they are used.
struct World {
    server: Server,
    issuer: EcdsaKeyPair,
    issuer_id: String,
    holder: EcdsaKeyPair,
    other: EcdsaKeyPair,
    rsa: RsaKeyPair,
    jwks: Vec<u8>,
}

#[test]
fn access_tokens_where_proofs_are_demanded() {
    hold("tokens.json", &World::shared());
}

#[test]
fn proofs_of_possession() {
    hold("proofs.json", &World::shared());
}

#[test]
fn bearer_tokens_and_callers_of_each_kind_of_issuer() {
    let world = World::shared();
    hold("bearer.json", &world);
    hold("issuers.json", &world);
}

#[test]
fn open_addresses_ask_for_nothing_and_believe_nothing() {
    let world = World::shared();
    let headers = [("authorization", "DPoP hei"), ("dpop", "hei")];
    let answer = world.server.client(None).send(Method::GET, "/9901/fhir/metadata", &headers, None);
    let statement = answer.expect(200);
    let says = statement["rest"][0]["security"]["description"].as_str().unwrap();
    assert!(says.contains("Authorization: DPoP"), "{says}");
    // A municipality written otherwise is the same one, behind the same gate.
    let escaped = world.server.client(None).get("/%39901/fhir/Observation");
    assert_eq!(escaped.status, 401);
    let answer = world.server.client(None).get("/9909/fhir/Observation");
    assert_eq!(answer.status, 404);
}

#[test]
fn serving_for_real_there_are_no_stand_ins() {
    let world = World::shared();
    for path in [
        "/sandkasse/helseid/.well-known/openid-configuration",
        "/sandkasse/smart/jwks",
        "/sandkasse/smart/authorize?client_id=utvikler-9901",
        "/9901/fhir/.well-known/smart-configuration",
    ] {
        assert_eq!(world.server.client(None).get(path).status, 404, "{path}");
    }
    let client = world.server.client(None);
    for path in ["/sandkasse/helseid/token", "/sandkasse/smart/clients", "/sandkasse/smart/launch"]
    {
        let answer = client.send(Method::POST, path, &[], Some(b"grant_type=x".to_vec()));
        assert_eq!(answer.status, 404, "{path}");
    }
}

/// Sends the cases of a file, and tells all that were answered otherwise.
fn hold(file: &str, world: &World) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases/tokens").join(file);
    let file: File = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(file.cases.iter().any(|case| case.status == 200), "there must be a control");
    let wrong: Vec<String> = file.cases.iter().filter_map(|case| world.differs(case)).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), file.cases.len(), wrong.join("\n"));
}

fn new_key() -> EcdsaKeyPair {
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let key = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref()).unwrap()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn ec_jwk(key: &EcdsaKeyPair) -> Value {
    // An uncompressed point: a byte, x, y.
    let point = key.public_key().as_ref();
    json!({ "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..65]) })
}

fn rsa_jwk(key: &RsaKeyPair) -> Value {
    let public = key.public_key();
    let part = |bytes: &[u8]| encode(bytes);
    json!({
        "kty": "RSA",
        "n": part(public.modulus().big_endian_without_leading_zero()),
        "e": part(public.exponent().big_endian_without_leading_zero()),
    })
}

fn ec_signature(key: &EcdsaKeyPair, signed: &str) -> Vec<u8> {
    key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap().as_ref().to_vec()
}

fn thumbprint(jwk: &Value) -> String {
    let jwk: Jwk = serde_json::from_value(jwk.clone()).unwrap();
    jwk.thumbprint(ThumbprintHash::SHA256).unwrap()
}

impl World {
    /// The one that all tests share; the last to let it go ends it.
    fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<World>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let world = Arc::new(Self::new());
            *shared = Arc::downgrade(&world);
            world
        })
    }

    fn new() -> Self {
        let dir = Folder::new();
        drop(Server::demo(&dir, 0));
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let sandbox = dir.path().join("sandbox");
        let (algorithm, pkcs8) =
            (&ECDSA_P256_SHA256_FIXED_SIGNING, std::fs::read(sandbox.join("issuer.key")).unwrap());
        let issuer = EcdsaKeyPair::from_pkcs8(algorithm, &pkcs8).unwrap();
        let mut world_jwks: Value =
            serde_json::from_slice(&std::fs::read(sandbox.join("jwks.json")).unwrap()).unwrap();
        let issuer_id = world_jwks["keys"][0]["kid"].as_str().unwrap().to_owned();
        let mut public = rsa_jwk(&rsa);
        public["kid"] = json!("rsa");
        // A key of a kind that nobody here knows must not hide the others.
        let unknown = json!({ "kty": "AKP", "alg": "ML-DSA-44", "kid": "new", "pub": "AAAA" });
        world_jwks["keys"].as_array_mut().unwrap().extend([unknown, public]);
        let jwks = serde_json::to_vec(&world_jwks).unwrap();
        std::fs::write(sandbox.join("jwks.json"), &jwks).unwrap();
        let path = dir.path().join("fkj.toml");
        // The first municipality by default demands proofs; the second says that it takes Bearer.
        let config = std::fs::read_to_string(&path).unwrap();
        let config = config.replacen("tokens = \"bearer\"\n", "", 1);
        let maskinporten = format!(
            "\n[[issuers]]\nname = \"{MASKINPORTEN}\"\nkind = \"maskinporten\"\n\
             jwks_file = \"sandbox/jwks.json\"\n"
        );
        std::fs::write(&path, config + &maskinporten).unwrap();
        let (holder, other) = (new_key(), new_key());
        Self { server: Server::serve(&dir), issuer, issuer_id, holder, other, rsa, jwks }
    }

    /// What is told instead of what should be; `None` where the case holds.
    fn differs(&self, case: &Case) -> Option<String> {
        let send = &case.send;
        let path = send.path.clone().unwrap_or_else(|| match case.role.as_str() {
            "legevaktslege" => "/9901/fhir/Patient/_search".to_owned(),
            _ => format!("/{}/fhir/Observation", send.to),
        });
        let form = path.ends_with("_search");
        let method = if form { "POST" } else { &send.method };
        let token = self.token(case);
        let address = self.server.client(None).at(&path);
        let proofs = send.proofs.unwrap_or(usize::from(send.to == "9901"));
        let proof = self.proof(case, method, &address, &token);
        let own = if send.to == "9901" { "DPoP" } else { "Bearer" };
        let authorization = format!("{} {token}", send.scheme.as_deref().unwrap_or(own));
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        headers.extend((0..send.tokens).map(|_| ("authorization", authorization.as_str())));
        headers.extend((0..proofs).map(|_| ("dpop", proof.as_str())));
        let body = form.then(|| match case.role.as_str() {
            "legevaktslege" => format!("identifier={}|{RESIDENT}", support::FNR).into_bytes(),
            _ => Vec::new(),
        });
        let client = self.server.client(None);
        let method: Method = method.parse().unwrap();
        let mut answer = client.send(method.clone(), &path, &headers, body.clone());
        for _ in 1..send.times {
            assert_eq!(answer.status, 200, "{}: the first time it opens", case.what);
            answer = client.send(method.clone(), &path, &headers, body.clone());
        }
        let challenge = answer.header("www-authenticate");
        let told = challenge.split("error=\"").nth(1).and_then(|rest| rest.split('"').next());
        let named = case.says.as_deref().unwrap_or_default();
        let holds = answer.status == case.status
            && told == case.error.as_deref()
            && answer.text.contains(named)
            && (answer.status != 401 || challenge.starts_with(own))
            && (answer.status != 401 || own != "DPoP" || challenge.contains("algs=\"ES256 "));
        let text: String = answer.text.chars().take(300).collect();
        (!holds).then(|| format!("{}: {} {challenge} {text}", case.what, answer.status))
    }

    fn token(&self, case: &Case) -> String {
        let to = case.send.to.as_str();
        let request = TokenRequest {
            municipality: to.to_owned(),
            role: Role::from_key(&case.role).unwrap(),
            pid: None,
            now_s: now_s(),
            jti: format!("token-{}", count()),
        };
        let mut claims = claims::of(&request).unwrap();
        let named = [
            ("{client}", claims["client_id"].as_str().unwrap().to_owned()),
            ("{organisation}", claims[PARENT].as_str().unwrap().to_owned()),
            ("{resident}", RESIDENT.to_owned()),
        ];
        if case.from.is_some() && case.role == a_system() {
            // Of HelseID's claims only what every issuer writes.
            let common = ["aud", "iat", "nbf", "exp", "jti", "scope"];
            claims.as_object_mut().unwrap().retain(|name, _| common.contains(&name.as_str()));
        }
        if to == "9901" {
            claims["cnf"] = json!({ "jkt": thumbprint(&ec_jwk(&self.holder)) });
        }
        let header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": self.issuer_id });
        self.compose([header, claims], &case.token, &self.issuer, &named)
    }

    fn proof(&self, case: &Case, method: &str, address: &str, token: &str) -> String {
        let jti = format!("proof-{}", count());
        let claims = Holder::claims(&ProofOf { method, address, token, now_s: now_s(), jti: &jti });
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": ec_jwk(&self.holder) });
        let host = format!("127.0.0.1:{}", self.server.port);
        let named = [
            ("{base}", format!("http://{host}")),
            ("{UPPER}", format!("HTTP://{host}")),
            ("{https}", format!("https://{host}")),
            ("{user}", format!("http://user@{host}")),
        ];
        self.compose([header, claims], &case.proof, &self.holder, &named)
    }

    /// A JWT with a change, signed by its own key unless the change says otherwise.
    fn compose(
        &self,
        parts: [Value; 2],
        change: &Change,
        own: &EcdsaKeyPair,
        named: &[(&str, String)],
    ) -> String {
        if let Some(raw) = &change.raw {
            return raw.clone();
        }
        let [mut header, mut claims] = parts;
        for (part, changes) in [(&mut header, &change.header), (&mut claims, &change.claims)] {
            for (name, value) in changes {
                match self.meant(value) {
                    Value::Null => drop(part.as_object_mut().unwrap().remove(name)),
                    value => part[name] = value,
                }
            }
        }
        let written =
            named.iter().fold(claims.to_string(), |text, (name, value)| text.replace(name, value));
        let signed = format!("{}.{}", encode(header.to_string()), encode(written));
        let signature = match change.signed_by.as_deref() {
            None => ec_signature(own, &signed),
            Some("other") => ec_signature(&self.other, &signed),
            Some("nothing") => Vec::new(),
            Some("secret") => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &self.jwks);
                hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
            Some("rsa") => self.rsa_signature(header["alg"] == "PS256", &signed),
            Some(name) => panic!("no key {name}"),
        };
        format!("{signed}.{}", encode(signature))
    }

    /// A value of a case, with what it names put in.
    fn meant(&self, value: &Value) -> Value {
        let Some(members) = value.as_object() else { return value.clone() };
        if let Some(seconds) = members.get("seconds") {
            return json!(now_s() + seconds.as_i64().unwrap());
        }
        if let Some(name) = members.get("key") {
            let mut jwk = match name.as_str().unwrap() {
                "holder" => ec_jwk(&self.holder),
                "other" => ec_jwk(&self.other),
                "rsa" => rsa_jwk(&self.rsa),
                name => panic!("no key {name}"),
            };
            let with = members.get("with").and_then(Value::as_object).cloned();
            jwk.as_object_mut().unwrap().extend(with.unwrap_or_default());
            return jwk;
        }
        if let Some(key) = members.get("thumbprint") {
            return json!(thumbprint(&self.meant(key)));
        }
        members.iter().map(|(name, value)| (name.clone(), self.meant(value))).collect()
    }

    fn rsa_signature(&self, pss: bool, signed: &str) -> Vec<u8> {
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        let padding: &dyn RsaEncoding = if pss { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        self.rsa.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        signature
    }
}
