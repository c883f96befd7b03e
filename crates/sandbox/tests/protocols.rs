//! The cases of `cases/oauth`: requests to the stand-ins, each changed in one way, with the answer.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use sandbox::claims::Role;
use sandbox::idp::authorize::{Chosen, Stop};
use sandbox::idp::desk::{Desk, Moment, Posted, Reply};
use sandbox::idp::provider::Provider;
use sandbox::issuer::Issuer;
use serde::Deserialize;
use serde_json::{Map, Value, json};

const ROOT: &str = "https://fkj.example";
const NOW: i64 = 1_763_890_920;
const CLIENT: &str = "utvikler-9901";
const BACK: &str = "https://app.example/back";
/// Of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "about")]
    _about: String,
    issuer: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    what: String,
    /// The request that is changed; what goes before it is as it should be.
    at: String,
    /// Laid over the form, or the query; `null` takes away.
    #[serde(default)]
    form: Map<String, Value>,
    /// Laid over the form of the request before.
    #[serde(default)]
    before: Map<String, Value>,
    #[serde(default)]
    assertion: Change,
    proof: Option<Change>,
    /// Laid over the client's registration.
    #[serde(default)]
    client: Map<String, Value>,
    /// Seconds that pass before the request.
    #[serde(default)]
    later: i64,
    /// The same request is sent again, and the second answer counts.
    #[serde(default)]
    again: bool,
    status: u16,
    error: Option<String>,
    says: Option<String>,
    /// Members of the answer, or claims of the access token.
    #[serde(default)]
    gives: Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Change {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signed_by_another: bool,
    /// Sent as it is.
    raw: Option<String>,
}

struct Key {
    signing: EncodingKey,
    public: Value,
}

impl Key {
    fn new() -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let signing = EncodingKey::from_ec_der(pkcs8.as_ref());
        let public = Jwk::from_encoding_key(&signing, Algorithm::ES256).unwrap();
        Self { signing, public: serde_json::to_value(public).unwrap() }
    }
}

/// A stand-in with a client, and what the client has in its hands.
struct World {
    provider: Provider,
    desk: Desk,
    now: i64,
    count: u64,
    key: Key,
    other: Key,
    proof_key: Key,
}

/// What is answered.
struct Answer {
    status: u16,
    body: Value,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self { status: reply.status, body: reply.body }
    }
}

#[test]
fn helseid() {
    hold("helseid.json");
}

#[test]
fn idporten() {
    hold("idporten.json");
}

#[test]
fn maskinporten() {
    hold("maskinporten.json");
}

#[test]
fn smart() {
    hold("smart.json");
}

fn hold(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases/oauth").join(file);
    let file: File = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let provider = Provider::from_key(&file.issuer).unwrap();
    assert!(file.cases.iter().any(|case| case.status < 300), "there must be a control");
    let wrong: Vec<String> =
        file.cases.iter().filter_map(|case| World::new(provider, case).differs(case)).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), file.cases.len(), wrong.join("\n"));
}

impl World {
    fn new(provider: Provider, case: &Case) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let desk = Desk::new(ROOT, Arc::new(Issuer::create(dir.path()).unwrap()), &[7; 32]);
        let (key, other, proof_key) = (Key::new(), Key::new(), Key::new());
        let mut world = Self { provider, desk, now: NOW, count: 0, key, other, proof_key };
        let mut client = json!({ "client_id": CLIENT, "jwks": { "keys": [world.key.public] } });
        if provider.has_people() {
            client["redirect_uris"] = json!([BACK]);
        }
        lay(client.as_object_mut().unwrap(), &case.client);
        let reply = world.at(|desk, moment| desk.register(provider, &client, moment));
        if case.at != "clients" {
            assert_eq!(reply.status, 201, "{}: {}", case.what, reply.body);
        }
        world
    }

    fn at<T>(&mut self, act: impl FnOnce(&mut Desk, &mut Moment<'_>) -> T) -> T {
        let (count, now_s) = (&mut self.count, self.now);
        let mut random = || {
            *count += 1;
            format!("random-{count}")
        };
        act(&mut self.desk, &mut Moment { now_s, random: &mut random })
    }

    fn differs(mut self, case: &Case) -> Option<String> {
        let answer = self.answer(case);
        let member = |name: &str| answer.body.get(name).and_then(Value::as_str).unwrap_or_default();
        let claims = claims(member("access_token"));
        let given = case.gives.iter().all(|(name, value)| {
            let own = answer.body.get(name).or_else(|| claims.get(name));
            if value.is_null() { own.is_none() } else { own == Some(value) }
        });
        let error = Some(member("error")).filter(|error| !error.is_empty());
        let says = case.says.as_deref().unwrap_or_default();
        let holds = answer.status == case.status
            && error == case.error.as_deref()
            && member("error_description").contains(says)
            && given;
        (!holds).then(|| format!("{}: {} {} {claims}", case.what, answer.status, answer.body))
    }

    fn answer(&mut self, case: &Case) -> Answer {
        match case.at.as_str() {
            "clients" => {
                let mut client =
                    json!({ "client_id": CLIENT, "jwks": { "keys": [self.key.public] } });
                lay(client.as_object_mut().unwrap(), &case.client);
                let provider = self.provider;
                self.at(|desk, moment| desk.register(provider, &client, moment)).into()
            }
            "par" => {
                let form = self.asking();
                self.post("par", form, case)
            }
            "authorize" => self.asked(case),
            "code" => {
                let form = self.with_code(&case.before);
                self.post("token", form, case)
            }
            "refresh" => {
                let form = self.with_code(&case.before);
                let before = self.post_well("token", form);
                let form = pairs(json!({
                    "grant_type": "refresh_token", "refresh_token": before["refresh_token"],
                }));
                self.post("token", form, case)
            }
            "exchange" => {
                let form = self.with_code(&case.before);
                let before = self.post_well("token", form);
                let form = pairs(json!({
                    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                    "subject_token": before["access_token"],
                    "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
                    "scope": "fkj:9901/api",
                }));
                self.post("token", form, case)
            }
            "client" => {
                let scope = match self.provider {
                    Provider::Smart => "system/Observation.rs",
                    _ => "fkj:9901/api",
                };
                let form = pairs(json!({ "grant_type": "client_credentials", "scope": scope }));
                self.post("token", form, case)
            }
            "jwt" => self.post("token", Map::new(), case),
            "launch" => {
                let form = pairs(json!({ "patient": "p-1" }));
                self.post("launch", form, case)
            }
            other => panic!("`{other}` is no request"),
        }
    }

    fn asked(&mut self, case: &Case) -> Answer {
        let mut query = self.asked_for(&case.before);
        lay(&mut query, &case.form);
        self.now += case.later;
        if case.again {
            drop(self.authorize(&query));
        }
        match self.authorize(&query) {
            Ok(_) => Answer { status: 200, body: json!({}) },
            Err(Stop::Page(refused)) => Answer { status: 400, body: refused.body() },
            Err(Stop::Redirect(address)) => told(&address),
        }
    }

    /// What a client asks of the authorization endpoint.
    fn asking(&mut self) -> Map<String, Value> {
        let scope = match self.provider {
            Provider::Smart => {
                "launch/patient patient/Observation.rs offline_access openid fhirUser"
            }
            _ => "openid fkj:9901/api offline_access",
        };
        let mut asking = pairs(json!({
            "response_type": "code", "client_id": CLIENT, "redirect_uri": BACK, "scope": scope,
            "state": "s", "nonce": "n", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        }));
        if self.provider == Provider::Smart {
            asking.insert("aud".to_owned(), json!(format!("{ROOT}/9901/fhir")));
        }
        asking
    }

    /// The query of the authorization endpoint.
    fn asked_for(&mut self, before: &Map<String, Value>) -> Map<String, Value> {
        let mut asking = self.asking();
        lay(&mut asking, before);
        if asking.get("launch") == Some(&json!("new")) {
            let launched =
                self.post_well("launch", pairs(json!({ "patient": "p-1", "encounter": "e-1" })));
            asking.insert("launch".to_owned(), launched["launch"].clone());
        }
        if self.provider == Provider::Smart {
            return asking;
        }
        let pushed = self.post_well("par", asking);
        pairs(json!({ "client_id": CLIENT, "request_uri": pushed["request_uri"] }))
    }

    fn authorize(&mut self, query: &Map<String, Value>) -> Result<String, Stop> {
        let (query, provider) = (form(query), self.provider);
        self.at(|desk, moment| desk.authorize(provider, &query, moment))
    }

    /// The form of a token for a code that somebody's login gave.
    fn with_code(&mut self, before: &Map<String, Value>) -> Map<String, Value> {
        let query = self.asked_for(before);
        let waiting = self.authorize(&query).unwrap();
        let resident = self.provider == Provider::Idporten;
        let chosen = Chosen {
            role: if resident { Role::Innbygger } else { Role::Legevaktslege },
            pid: resident.then(|| "28894698995".to_owned()),
            patient: (self.provider == Provider::Smart).then(|| "p-1".to_owned()),
        };
        let back = self.at(|desk, moment| desk.choose(&waiting, &chosen, moment)).unwrap();
        let answer = told(&back);
        assert_eq!(answer.body["state"], "s");
        assert_eq!(answer.body["iss"], self.provider.issuer(ROOT));
        pairs(json!({
            "grant_type": "authorization_code", "code": answer.body["code"],
            "redirect_uri": BACK, "code_verifier": VERIFIER,
        }))
    }

    fn post_well(&mut self, endpoint: &str, form: Map<String, Value>) -> Value {
        let case: Case =
            serde_json::from_value(json!({ "what": "", "at": "", "status": 200 })).unwrap();
        let answer = self.post(endpoint, form, &case);
        assert!(answer.status < 300, "{endpoint}: {}", answer.body);
        answer.body
    }

    fn post(&mut self, endpoint: &str, mut sent: Map<String, Value>, case: &Case) -> Answer {
        self.now += case.later;
        let assertion = self.assertion(&case.assertion);
        if self.provider == Provider::Maskinporten {
            sent.insert(
                "grant_type".to_owned(),
                json!("urn:ietf:params:oauth:grant-type:jwt-bearer"),
            );
            sent.insert("assertion".to_owned(), json!(assertion));
        } else {
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            sent.insert("client_assertion_type".to_owned(), json!(kind));
            sent.insert("client_assertion".to_owned(), json!(assertion));
        }
        lay(&mut sent, &case.form);
        let proof = case.proof.as_ref().map(|change| self.proof(endpoint, change));
        let mut answer = self.sent(endpoint, &sent, proof.as_deref());
        if case.again {
            assert!(answer.status < 300, "{}: the first time it opens: {}", case.what, answer.body);
            // What is tried again is what is judged, and not the assertion that goes with it.
            if case.assertion.claims.get("jti").is_none() && self.provider != Provider::Maskinporten
            {
                sent.insert("client_assertion".to_owned(), json!(self.assertion(&case.assertion)));
            }
            answer = self.sent(endpoint, &sent, proof.as_deref());
        }
        answer
    }

    fn sent(&mut self, endpoint: &str, sent: &Map<String, Value>, proof: Option<&str>) -> Answer {
        let form = form(sent);
        let proofs: Vec<&str> = proof.into_iter().flat_map(|it| it.split('+')).collect();
        let (provider, posted) = (self.provider, Posted { form: &form, proofs: &proofs });
        self.at(|desk, moment| match endpoint {
            "par" => desk.push(provider, &posted, moment),
            "launch" => desk.launch(&posted, moment),
            _ => desk.token(provider, &posted, moment),
        })
        .into()
    }

    fn assertion(&mut self, change: &Change) -> String {
        self.count += 1;
        let mut claims = json!({
            "iss": CLIENT, "sub": CLIENT, "aud": self.provider.issuer(ROOT), "iat": self.now,
            "nbf": self.now, "exp": self.now + 30, "jti": format!("a-{}", self.count),
        });
        if self.provider == Provider::Maskinporten {
            claims["scope"] = json!("fkj:9901/api");
            claims["resource"] = json!("fkj:9901");
        }
        let header = json!({ "typ": "client-authentication+jwt", "alg": "ES256" });
        self.compose([header, claims], change, &self.key)
    }

    /// A proof with the nonce that the stand-in gives.
    fn proof(&mut self, endpoint: &str, change: &Change) -> String {
        let form = form(&pairs(json!({ "grant_type": "client_credentials" })));
        let posted = Posted { form: &form, proofs: &["x"] };
        let provider = self.provider;
        let nonce = self.at(|desk, moment| desk.token(provider, &posted, moment)).nonce.unwrap();
        self.count += 1;
        let claims = json!({
            "jti": format!("p-{}", self.count), "htm": "POST", "iat": self.now, "nonce": nonce,
            "htu": format!("{}/{endpoint}", self.provider.address(ROOT)),
        });
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.proof_key.public });
        self.compose([header, claims], change, &self.proof_key)
    }

    fn compose(&self, parts: [Value; 2], change: &Change, own: &Key) -> String {
        if let Some(raw) = &change.raw {
            return raw.clone();
        }
        let [mut header, mut claims] = parts;
        lay(header.as_object_mut().unwrap(), &change.header);
        let mut changes = change.claims.clone();
        for value in changes.values_mut() {
            if let Some(seconds) = value.get("seconds").and_then(Value::as_i64) {
                *value = json!(self.now + seconds);
            }
        }
        lay(claims.as_object_mut().unwrap(), &changes);
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let key = if change.signed_by_another { &self.other } else { own };
        let signature = crypto::sign(signed.as_bytes(), &key.signing, Algorithm::ES256).unwrap();
        format!("{signed}.{signature}")
    }
}

fn pairs(object: Value) -> Map<String, Value> {
    object.as_object().unwrap().clone()
}

fn lay(over: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (name, value) in changes {
        if value.is_null() {
            over.remove(name);
        } else {
            over.insert(name.clone(), value.clone());
        }
    }
}

/// As a form has it: a list is a parameter that stands several times, an object is JSON.
fn form(object: &Map<String, Value>) -> Vec<(String, String)> {
    let mut form = Vec::new();
    for (name, value) in object {
        match value {
            Value::String(text) => form.push((name.clone(), text.clone())),
            Value::Array(all) if all.iter().all(Value::is_string) => {
                form.extend(all.iter().map(|it| (name.clone(), it.as_str().unwrap().to_owned())));
            }
            other => form.push((name.clone(), other.to_string())),
        }
    }
    form
}

/// The parameters that somebody is sent back with, to the client's own address.
fn told(address: &str) -> Answer {
    let query = address.strip_prefix(&format!("{BACK}?")).unwrap();
    let all: Map<String, Value> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, it)| (name.into_owned(), json!(it)))
        .collect();
    Answer { status: 302, body: Value::Object(all) }
}

fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    claims.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}
