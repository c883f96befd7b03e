//! Keys that rotate, an issuer that is down, and proofs used twice at two servers, with a clock that the
//! test sets and an issuer on the loopback address.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ledger::clock::FixedClock;
use parking_lot::Mutex;
use sandbox::holder::{Holder, ProofOf};
use serde_json::{Value, json};

use super::claims::IssuerKind;
use super::error::{ProofError, TokenError};
use super::fetch::{Discovery, Source};
use super::keys::{KeyRing, MAX_AGE, PAUSE, TRUSTED_FOR};
use super::nonce::Nonces;
use super::replay::{Memory, Replay};
use super::replay_file::Shared;
use super::verify::{Demands, TrustedIssuer, Verifier};
use super::{address, claims, proof};
use crate::config::Scheme;

/// 2026-11-23T00:00:00Z, in milliseconds.
const NOW: i64 = 1_795_392_000_000;
const ADDRESS: &str = "https://fkj.example/9901/fhir/Observation";

/// An issuer on the loopback address: its keys can be changed, it can be down, and it counts.
struct Issuer {
    name: String,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    keys: Mutex<Vec<Value>>,
    says: Mutex<Option<String>>,
    down: Mutex<bool>,
    fetched: AtomicUsize,
}

impl Issuer {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let name = format!("http://{}", listener.local_addr().unwrap());
        let told = Arc::new(Told::default());
        let (about, keys, own) = (told.clone(), told.clone(), name.clone());
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(move || async move {
                    let issuer = about.says.lock().clone().unwrap_or(own.clone());
                    Json(json!({ "issuer": issuer, "jwks_uri": format!("{own}/jwks") }))
                }),
            )
            .route(
                "/jwks",
                get(move || async move {
                    keys.fetched.fetch_add(1, Ordering::SeqCst);
                    if *keys.down.lock() {
                        return Err(StatusCode::SERVICE_UNAVAILABLE);
                    }
                    Ok(Json(json!({ "keys": keys.keys.lock().clone() })))
                }),
            );
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { name, told }
    }

    /// Publishes these keys and no others.
    fn publish(&self, keys: &[&Signer]) {
        *self.told.keys.lock() = keys.iter().map(|key| key.public()).collect();
    }

    fn fetched(&self) -> usize {
        self.told.fetched.load(Ordering::SeqCst)
    }

    fn token(&self, key: &Signer, more: Value) -> String {
        let seconds = NOW / 1000;
        let mut claims = json!({
            "iss": self.name, "aud": "fkj:9901", "scope": "fkj:9901/api", "client_id": "vendor",
            "nbf": seconds, "exp": seconds + 1_000_000, "jti": "t",
            "helseid://claims/client/claims/orgnr_parent": "310487570",
        });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::ES256) };
        encode(&header, &claims, &key.key).unwrap()
    }
}

struct Signer {
    id: String,
    key: EncodingKey,
}

impl Signer {
    fn new(id: &str) -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        Self { id: id.to_owned(), key: EncodingKey::from_ec_der(pkcs8.as_ref()) }
    }

    fn public(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, Algorithm::ES256).unwrap();
        jwk.common.key_id = Some(self.id.clone());
        serde_json::to_value(jwk).unwrap()
    }
}

/// A server's verifier, with its clock.
struct Site {
    verifier: Verifier,
    clock: Arc<FixedClock>,
    scheme: Scheme,
}

impl Site {
    fn new(issuer: &Issuer, scheme: Scheme, replay: Box<dyn Replay>) -> Self {
        let clock = Arc::new(FixedClock::new(NOW));
        let discovery = Discovery::new(&issuer.name, IssuerKind::Helseid).unwrap();
        let source = Source::Discovery(Box::new(discovery));
        let keys = Arc::new(KeyRing::new(issuer.name.clone(), source, clock.clone()).unwrap());
        let trusted = TrustedIssuer { name: issuer.name.clone(), kind: IssuerKind::Helseid, keys };
        let nonces = Nonces::new(&[7; 32]);
        let verifier = Verifier::new(vec![trusted], replay, nonces, clock.clone());
        Self { verifier, clock, scheme }
    }

    fn bearer(issuer: &Issuer) -> Self {
        Self::new(issuer, Scheme::Bearer, Box::new(Memory::default()))
    }

    async fn ask(&self, token: &str, proof: Option<&str>) -> Result<(), TokenError> {
        let mut headers = HeaderMap::new();
        let sent = format!("{} {token}", self.scheme.name());
        headers.insert("authorization", HeaderValue::from_str(&sent).unwrap());
        if let Some(proof) = proof {
            headers.insert(proof::HEADER, HeaderValue::from_str(proof).unwrap());
        }
        let demands = Demands {
            audience: "fkj:9901".to_owned(),
            scopes: vec!["fkj:9901/api".to_owned()],
            scheme: self.scheme,
            nonce: false,
        };
        self.verifier.admit(&headers, &Method::GET, ADDRESS, &demands).await
    }
}

const NO_KEYS: Result<(), TokenError> =
    Err(TokenError::Unavailable("the keys of the token's issuer cannot be fetched"));

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let (issuer, old, new) = (Issuer::start().await, Signer::new("old"), Signer::new("new"));
    issuer.publish(&[&old]);
    let site = Site::bearer(&issuer);
    assert_eq!(site.ask(&issuer.token(&old, json!({})), None).await, Ok(()));
    issuer.publish(&[&old, &new]);
    site.clock.set(NOW + PAUSE);
    assert_eq!(site.ask(&issuer.token(&new, json!({})), None).await, Ok(()));
    assert_eq!(site.ask(&issuer.token(&old, json!({})), None).await, Ok(()));
    assert_eq!(issuer.fetched(), 2);
}

#[tokio::test]
async fn a_key_that_is_withdrawn_opens_nothing_more_not_even_with_a_token_seen_before() {
    let (issuer, old, new) = (Issuer::start().await, Signer::new("old"), Signer::new("new"));
    issuer.publish(&[&old]);
    let site = Site::bearer(&issuer);
    let seen = issuer.token(&old, json!({}));
    assert_eq!(site.ask(&seen, None).await, Ok(()));
    issuer.publish(&[&new]);
    site.clock.set(NOW + MAX_AGE);
    // What is told is that the keys are old; they are fetched meanwhile.
    assert_eq!(site.ask(&seen, None).await, Ok(()));
    site.verifier.warm().await;
    assert_eq!(site.ask(&seen, None).await, Err(TokenError::Key));
    assert_eq!(site.ask(&issuer.token(&new, json!({})), None).await, Ok(()));
}

#[tokio::test]
async fn the_last_known_keys_are_kept_while_the_issuer_is_down_for_a_day() {
    let (issuer, key) = (Issuer::start().await, Signer::new("a"));
    issuer.publish(&[&key]);
    let site = Site::bearer(&issuer);
    assert_eq!(site.ask(&issuer.token(&key, json!({})), None).await, Ok(()));
    *issuer.told.down.lock() = true;
    let token = |hour: i64| issuer.token(&key, json!({ "jti": hour.to_string() }));
    for hour in [1, 12, 23] {
        site.clock.set(NOW + hour * 3_600_000);
        assert_eq!(site.ask(&token(hour), None).await, Ok(()), "{hour} h");
    }
    site.clock.set(NOW + TRUSTED_FOR);
    assert_eq!(site.ask(&token(24), None).await, NO_KEYS);
    *issuer.told.down.lock() = false;
    site.clock.set(NOW + TRUSTED_FOR + PAUSE);
    assert_eq!(site.ask(&token(24), None).await, Ok(()));
}

#[tokio::test]
async fn a_storm_of_unknown_keys_asks_the_issuer_once_in_a_while() {
    let (issuer, key) = (Issuer::start().await, Signer::new("a"));
    issuer.publish(&[&key]);
    let site = Site::bearer(&issuer);
    site.verifier.warm().await;
    for round in 0..4 {
        site.clock.set(NOW + round * PAUSE);
        let strangers: Vec<String> = (0..50)
            .map(|at| issuer.token(&Signer::new(&format!("{round}-{at}")), json!({})))
            .collect();
        let asked = strangers.iter().map(|token| site.ask(token, None));
        for answer in futures_util::future::join_all(asked).await {
            assert_eq!(answer, Err(TokenError::Key));
        }
        assert_eq!(site.ask(&issuer.token(&key, json!({})), None).await, Ok(()));
    }
    assert_eq!(issuer.fetched(), 4, "one to begin with, and one for each pause that went by");
}

#[tokio::test]
async fn an_issuer_that_never_answered_or_is_another_makes_nobody_known() {
    let (issuer, key) = (Issuer::start().await, Signer::new("a"));
    issuer.publish(&[&key]);
    *issuer.told.says.lock() = Some(format!("{}/", issuer.name));
    let site = Site::bearer(&issuer);
    assert_eq!(site.ask(&issuer.token(&key, json!({})), None).await, NO_KEYS);
    *issuer.told.says.lock() = None;
    site.clock.set(NOW + PAUSE);
    assert_eq!(site.ask(&issuer.token(&key, json!({})), None).await, Ok(()));
    for far in ["http://issuer.example", "ftp://127.0.0.1", "issuer"] {
        assert!(Discovery::new(far, IssuerKind::Helseid).is_err(), "{far}");
    }
}

/// A client with a bound token, and its proofs.
struct Client {
    holder: Holder,
    token: String,
}

impl Client {
    fn new(issuer: &Issuer, key: &Signer) -> Self {
        let holder = Holder::new().unwrap();
        let cnf = json!({ "cnf": { "jkt": holder.thumbprint().unwrap() } });
        Self { token: issuer.token(key, cnf), holder }
    }

    fn proof(&self, now_ms: i64, jti: &str) -> String {
        let (method, token, now_s) = ("GET", self.token.as_str(), now_ms / 1000);
        self.holder.proof(&ProofOf { method, address: ADDRESS, token, now_s, jti }).unwrap()
    }
}

const REPLAYED: Result<(), TokenError> = Err(TokenError::Proof(ProofError::Replayed));

fn two_servers(issuer: &Issuer, file: &Path) -> [Site; 2] {
    let site = || Site::new(issuer, Scheme::Dpop, Box::new(Shared::open(file).unwrap()));
    [site(), site()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_opens_once_at_all_servers_that_share_the_file() {
    let (issuer, key) = (Issuer::start().await, Signer::new("a"));
    issuer.publish(&[&key]);
    let dir = tempfile::tempdir().unwrap();
    let [one, other] = two_servers(&issuer, &dir.path().join("proofs.db"));
    let client = Client::new(&issuer, &key);
    for round in 0..20 {
        let proof = client.proof(NOW, &format!("p{round}"));
        let (first, second) = tokio::join!(
            one.ask(&client.token, Some(&proof)),
            other.ask(&client.token, Some(&proof))
        );
        let opened = [&first, &second].iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(opened, 1, "{first:?} {second:?}");
        assert!(first == REPLAYED || second == REPLAYED);
    }
}

#[tokio::test]
async fn a_proof_is_remembered_for_as_long_as_it_could_be_used_and_not_for_ever() {
    let (issuer, key) = (Issuer::start().await, Signer::new("a"));
    issuer.publish(&[&key]);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("proofs.db");
    let in_file: Box<dyn Replay> = Box::new(Shared::open(&file).unwrap());
    for replay in [in_file, Box::new(Memory::default())] {
        let site = Site::new(&issuer, Scheme::Dpop, replay);
        let client = Client::new(&issuer, &key);
        // Made by a clock five seconds fast: right for twenty seconds.
        let proof = client.proof(NOW + 5000, "p");
        assert_eq!(site.ask(&client.token, Some(&proof)).await, Ok(()));
        for seconds in 0..=20 {
            site.clock.set(NOW + seconds * 1000);
            assert_eq!(site.ask(&client.token, Some(&proof)).await, REPLAYED, "{seconds} s");
        }
        site.clock.set(NOW + 21_000);
        let late = site.ask(&client.token, Some(&proof)).await;
        assert_eq!(late, Err(TokenError::Proof(ProofError::Time)));
        for seconds in 0..200 {
            let now = NOW + 30_000 + seconds * 1000;
            site.clock.set(now);
            let proof = client.proof(now, &seconds.to_string());
            assert_eq!(site.ask(&client.token, Some(&proof)).await, Ok(()));
        }
    }
    let count = "SELECT count(*) FROM proof";
    let file = rusqlite::Connection::open(file).unwrap();
    let kept: i64 = file.query_row(count, [], |row| row.get(0)).unwrap();
    assert!(kept < 40, "of 201 proofs {kept} are kept");
}

#[tokio::test]
async fn where_proofs_cannot_be_remembered_nobody_is_let_in() {
    let (issuer, key) = (Issuer::start().await, Signer::new("a"));
    issuer.publish(&[&key]);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("proofs.db");
    let site = Site::new(&issuer, Scheme::Dpop, Box::new(Shared::open(&file).unwrap()));
    let locking = rusqlite::Connection::open(&file).unwrap();
    locking.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let client = Client::new(&issuer, &key);
    let answer = site.ask(&client.token, Some(&client.proof(NOW, "p"))).await;
    let refused = TokenError::Unavailable("the memory of DPoP proofs does not answer");
    assert_eq!(answer, Err(refused));
}

#[test]
fn the_supplier_is_told_beside_whom_it_acts_for() {
    let number =
        |id: &str| json!({ "authority": "iso6523-actorid-upis", "ID": format!("0192:{id}") });
    let claims = json!({
        "client_id": "c", "consumer": number("310526010"), "supplier": number("310487570"),
    });
    let caller = claims::caller(IssuerKind::Maskinporten, &claims).unwrap();
    assert_eq!(caller.organisation.as_deref(), Some("310526010"));
    assert_eq!(caller.supplier.as_deref(), Some("310487570"));
    let claims = json!({
        "client_id": "c",
        "helseid://claims/client/claims/orgnr_parent": "310526010",
        "helseid://claims/client/claims/orgnr_supplier": "310487570",
        "scope": ["system/Observation.rs"],
    });
    let caller = claims::caller(IssuerKind::Helseid, &claims).unwrap();
    assert_eq!(caller.supplier.as_deref(), Some("310487570"));
    assert!(caller.scopes.is_some());
}

#[test]
fn a_nonce_is_good_for_its_minute_and_the_next_at_every_server_with_the_secret() {
    let [one, other, stranger] = [[7; 32], [7; 32], [8; 32]].map(|secret| Nonces::new(&secret));
    let nonce = one.current(600);
    for (now, good) in [(600, true), (659, true), (719, true), (720, false), (540, false)] {
        assert_eq!(other.knows(&nonce, now), good, "{now}");
    }
    assert!(!stranger.knows(&nonce, 600) && !one.knows("", 600));
}

#[test]
fn servers_that_share_a_file_share_the_secret_of_nonces() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("proofs.db");
    let first = Shared::open(&file).unwrap().secret(&[1; 32]).unwrap();
    assert_eq!(Shared::open(&file).unwrap().secret(&[2; 32]).unwrap(), first);
}

#[test]
fn addresses_are_compared_after_normalisation() {
    let base = "https://fkj.example/a/b";
    for same in [
        "HTTPS://FKJ.example/a/b",
        "https://fkj.example:443/a/b",
        "https://fkj.example:/a/b",
        "https://fkj.example/a/b?x=1",
        "https://fkj.example/%61/%62",
        "https://fkj.example/x/../a/./b",
    ] {
        assert_eq!(address::normal(same).as_deref(), Some(base), "{same}");
    }
    assert_eq!(address::normal("http://h").as_deref(), Some("http://h/"));
    assert_eq!(address::normal("http://h:80/%c3%a5").as_deref(), Some("http://h/%C3%A5"));
    assert_eq!(address::normal("http://h/a/..").as_deref(), Some("http://h/"));
    assert_eq!(address::normal("http://h/../../a/.").as_deref(), Some("http://h/a/"));
    for other in ["https://fkj.example/a/b/", "http://fkj.example/a/b", "https://fkj.example/a%2Fb"]
    {
        assert_ne!(address::normal(other).as_deref(), Some(base), "{other}");
    }
    for none in
        ["", "/a", "fkj.example/a", "ftp://h/a", "http://u@h/a", "http://h/%4", "http://h/%+1"]
    {
        assert_eq!(address::normal(none), None, "{none}");
    }
}
