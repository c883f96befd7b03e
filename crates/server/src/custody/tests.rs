//! Every provider through one contract, and Vault's by a stand-in that speaks its protocol.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ledger::crypto::Secret;
use ledger::error::Error;
use ledger::key_service::{FileKey, KeyService};
use ledger::random::{Random, SystemRandom};
use ledger::sealed_key::{self, Passphrase};
use serde_json::{Value, json};

use super::config::{KeyConfig, PassphraseFrom, VaultConfig};
use super::vault::Vault;
use super::{Exchanging, held, provider};

fn random() -> Arc<dyn Random> {
    Arc::new(SystemRandom)
}

/// What every key service holds to.
fn keeps_the_contract(service: &dyn KeyService, other: &dyn KeyService) {
    let key = Secret::new([5; 32]);
    let wrapped = service.wrap(&key, b"here").unwrap();
    assert_eq!(service.unwrap(&wrapped, b"here").unwrap().bytes(), key.bytes());
    // Not the key itself, nor twice the same.
    assert!(!wrapped.windows(32).any(|it| it == key.bytes()));
    assert_ne!(service.wrap(&key, b"here").unwrap(), wrapped);
    let refused = |result: Result<Secret, Error>| {
        let error = result.map(drop).unwrap_err();
        assert!(matches!(error, Error::Key { .. }), "{error}");
        error.to_string()
    };
    refused(service.unwrap(&wrapped, b"there"));
    refused(other.unwrap(&wrapped, b"here"));
    refused(service.unwrap(&other.wrap(&key, b"here").unwrap(), b"here"));
    refused(service.unwrap(b"", b"here"));
    for byte in [0, wrapped.len() / 2, wrapped.len() - 1] {
        let mut changed = wrapped.clone();
        changed[byte] ^= 4;
        refused(service.unwrap(&changed, b"here"));
    }
}

fn file_key(dir: &Path, name: &str) -> KeyConfig {
    let path = dir.join(name);
    FileKey::create(&path, random()).unwrap();
    KeyConfig::File { path }
}

fn sealed(dir: &Path, name: &str) -> KeyConfig {
    let (path, file) = (dir.join(name), dir.join(format!("{name}.passphrase")));
    std::fs::write(&file, "en lang nok setning\n").unwrap();
    let passphrase = Passphrase::new(std::fs::read(&file).unwrap());
    sealed_key::create(&path, &passphrase, &SystemRandom).unwrap();
    KeyConfig::SealedFile { path, passphrase: Some(PassphraseFrom::File { file }) }
}

#[test]
fn every_provider_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let open = |config: &KeyConfig| provider(config, &random(), false).unwrap();
    let other = open(&file_key(dir.path(), "other.key"));
    for config in [file_key(dir.path(), "a.key"), sealed(dir.path(), "b.key")] {
        keeps_the_contract(&*open(&config), &*other);
        // Another opening is the same key.
        let wrapped = open(&config).wrap(&Secret::new([1; 32]), b"x").unwrap();
        assert_eq!(open(&config).unwrap(&wrapped, b"x").unwrap().bytes(), &[1; 32]);
    }
    // As a credential or a variable gives it: as it is, or as text.
    for bytes in [vec![3; 32], format!("{}\n", STANDARD.encode([3; 32])).into_bytes()] {
        let key = held(bytes, "fkj-9901", random()).unwrap();
        keeps_the_contract(&key, &*other);
        let same = FileKey::in_memory(Secret::new([3; 32]), random());
        let wrapped = same.wrap(&Secret::new([1; 32]), b"x").unwrap();
        assert_eq!(key.unwrap(&wrapped, b"x").unwrap().bytes(), &[1; 32]);
    }
    let vault = StandIn::start(dir.path());
    keeps_the_contract(&vault.client("one"), &*other);
    keeps_the_contract(&vault.client("one"), &vault.client("two"));
    keeps_the_contract(&*other, &vault.client("one"));
    let exchanging = Exchanging { now: Arc::new(vault.client("one")), before: other.clone() };
    let old = other.wrap(&Secret::new([1; 32]), b"x").unwrap();
    assert_eq!(exchanging.unwrap(&old, b"x").unwrap().bytes(), &[1; 32]);
    let new = exchanging.wrap(&Secret::new([1; 32]), b"x").unwrap();
    assert!(new.starts_with(b"vault:v1:") && exchanging.unwrap(&new, b"x").is_ok());
}

#[test]
fn what_is_missing_is_told_with_what_to_do_and_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let told =
        |config: &KeyConfig| provider(config, &random(), false).map(drop).unwrap_err().to_string();
    let path = dir.path().join("none.key");
    assert!(told(&KeyConfig::File { path: path.clone() }).contains("put back"));
    assert!(!path.exists());
    let name = "FKJ_NO_SUCH_VARIABLE".to_owned();
    assert!(told(&KeyConfig::Environment { name: name.clone() }).contains("FKJ_NO_SUCH_VARIABLE"));
    assert!(told(&KeyConfig::Credential { name }).contains("LoadCredential"));
    let short = held(b"hemmelig".to_vec(), "fkj-9901", random()).map(drop).unwrap_err().to_string();
    assert!(short.contains("openssl rand") && !short.contains("hemmelig"), "{short}");
    let KeyConfig::SealedFile { path, .. } = sealed(dir.path(), "c.key") else { return };
    let file = dir.path().join("wrong");
    std::fs::write(&file, "en annen lang setning").unwrap();
    let wrong = KeyConfig::SealedFile { path, passphrase: Some(PassphraseFrom::File { file }) };
    let wrong = told(&wrong);
    assert!(wrong.contains("does not open") && !wrong.contains("annen"), "{wrong}");
}

/// A stand-in for Vault: keys in versions, a token, and what it can be made to do.
struct StandIn {
    address: String,
    token_file: std::path::PathBuf,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Latest version of every key.
    version: AtomicUsize,
    calls: AtomicUsize,
    does: Mutex<Does>,
    /// Headers and bodies of requests.
    seen: Mutex<Vec<String>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Does {
    #[default]
    Answer,
    Sealed,
    /// Fails so often, and then answers.
    Fail(usize),
    /// Takes requests and says nothing.
    Hang,
    Nonsense,
}

const TOKEN: &str = "hvs.CAESIJ-hemmelig";

impl StandIn {
    fn start(dir: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let token_file = dir.join("vault-token");
        std::fs::write(&token_file, format!("{TOKEN}\n")).unwrap();
        let state = Arc::new(State { version: AtomicUsize::new(1), ..State::default() });
        let served = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = served.clone();
                std::thread::spawn(move || serve(&state, stream));
            }
        });
        Self { address, token_file, state }
    }

    fn config(&self, key: &str) -> VaultConfig {
        VaultConfig {
            address: self.address.clone(),
            key: key.to_owned(),
            token_file: self.token_file.clone(),
            mount: "transit".to_owned(),
            namespace: Some("dalfjord".to_owned()),
        }
    }

    fn client(&self, key: &str) -> Vault {
        Vault::new(&self.config(key)).unwrap()
    }

    fn does(&self, does: Does) {
        *self.state.does.lock().unwrap() = does;
    }
}

/// One connection, request after request.
fn serve(state: &State, stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let header = |name: &str| {
            let line = head.lines().find(|it| it.to_lowercase().starts_with(&format!("{name}:")));
            line.and_then(|it| it.split_once(": ")).map(|it| it.1.to_owned()).unwrap_or_default()
        };
        let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
        reader.read_exact(&mut body).unwrap();
        state.calls.fetch_add(1, Ordering::SeqCst);
        state.seen.lock().unwrap().push(format!("{head}{}", String::from_utf8_lossy(&body)));
        let does = *state.does.lock().unwrap();
        let (status, answer) = match does {
            Does::Hang => {
                // Until the other side has gone.
                let _ = reader.read_to_end(&mut Vec::new());
                return;
            }
            Does::Sealed => (503, json!({ "errors": ["Vault is sealed"] }).to_string()),
            Does::Fail(left) if left > 0 => {
                *state.does.lock().unwrap() = Does::Fail(left - 1);
                (500, json!({ "errors": ["internal error"] }).to_string())
            }
            Does::Nonsense => (200, "<html>".to_owned()),
            _ => {
                let asked: Value = serde_json::from_slice(&body).unwrap();
                let path = head.split(' ').nth(1).unwrap().to_owned();
                let allowed = header("x-vault-token") == TOKEN;
                transit(state, &path, allowed, &header("x-vault-namespace"), &asked)
            }
        };
        let length = answer.len();
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(format!("{head}{answer}").as_bytes()).unwrap();
    }
}

/// The secrets engine: a key per name and version, bound to the associated data.
fn transit(
    state: &State,
    path: &str,
    allowed: bool,
    namespace: &str,
    asked: &Value,
) -> (u16, String) {
    let errors = |status: u16, told: &str| (status, json!({ "errors": [told] }).to_string());
    if !allowed {
        return errors(403, "permission denied");
    }
    let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    let ["transit", verb, name] = parts[..] else { return errors(404, "no handler for route") };
    if namespace != "dalfjord" {
        return errors(404, "no handler for route");
    }
    let key = |version: usize| {
        let secret = ledger::crypto::sha256(&[name.as_bytes(), &version.to_be_bytes()]);
        FileKey::in_memory(Secret::new(secret), random())
    };
    let bytes = |name: &str| STANDARD.decode(asked[name].as_str().unwrap_or_default()).unwrap();
    let data = bytes("associated_data");
    assert_eq!(bytes("context"), data);
    let latest = state.version.load(Ordering::SeqCst);
    let answer = match verb {
        "encrypt" => {
            let plain = Secret::parse(&bytes("plaintext")).unwrap();
            let sealed = STANDARD.encode(key(latest).wrap(&plain, &data).unwrap());
            json!({ "ciphertext": format!("vault:v{latest}:{sealed}"), "key_version": latest })
        }
        "decrypt" => {
            let text = asked["ciphertext"].as_str().unwrap_or_default();
            let opened = text.strip_prefix("vault:v").and_then(|it| it.split_once(':'));
            let opened = opened.and_then(|(version, sealed)| {
                let version: usize = version.parse().ok().filter(|it| (1..=latest).contains(it))?;
                key(version).unwrap(&STANDARD.decode(sealed).ok()?, &data).ok()
            });
            let Some(plain) = opened else {
                return errors(400, "cipher: message authentication failed");
            };
            json!({ "plaintext": STANDARD.encode(plain.bytes()) })
        }
        _ => return errors(404, "no handler for route"),
    };
    (200, json!({ "request_id": "0", "lease_duration": 0, "data": answer }).to_string())
}

#[test]
fn vault_is_spoken_to_as_its_protocol_says_and_each_failure_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let stand_in = StandIn::start(dir.path());
    let vault = stand_in.client("fkj-9901").with_patience(Duration::from_millis(400));
    let key = Secret::new([5; 32]);
    let wrapped = vault.wrap(&key, b"here").unwrap();
    assert!(wrapped.starts_with(b"vault:v1:"));
    let seen = stand_in.state.seen.lock().unwrap().join("");
    assert!(seen.starts_with("POST /v1/transit/encrypt/fkj-9901 HTTP/1.1"), "{seen}");
    // Rotated in Vault: what was wrapped before opens, what is wrapped now is newer.
    stand_in.state.version.store(2, Ordering::SeqCst);
    assert_eq!(vault.unwrap(&wrapped, b"here").unwrap().bytes(), key.bytes());
    assert!(vault.wrap(&key, b"here").unwrap().starts_with(b"vault:v2:"));
    // What Vault did not wrap is not sent to it.
    let calls = stand_in.state.calls.load(Ordering::SeqCst);
    assert!(vault.unwrap(&[7; 60], b"here").is_err());
    assert_eq!(stand_in.state.calls.load(Ordering::SeqCst), calls);
    // A short trouble is got over.
    stand_in.does(Does::Fail(2));
    assert_eq!(vault.unwrap(&wrapped, b"here").unwrap().bytes(), key.bytes());
    let told = |vault: &Vault| vault.unwrap(&wrapped, b"here").map(drop).unwrap_err().to_string();
    for (does, says) in [
        (Does::Sealed, "unseal"),
        (Does::Hang, "cannot be asked"),
        (Does::Nonsense, "no secrets engine"),
        (Does::Fail(9), "out of order"),
    ] {
        stand_in.does(does);
        let told = told(&vault);
        assert!(told.contains(says) && !told.contains(TOKEN), "{told}");
    }
    stand_in.does(Does::Answer);
    let other = stand_in.client("fkj-9902");
    assert!(told(&other).contains("another key"));
    let mut config = stand_in.config("fkj-9901");
    config.mount = "secret".to_owned();
    assert!(told(&Vault::new(&config).unwrap()).contains("`mount`"));
    std::fs::write(&stand_in.token_file, "hvs.utdatert").unwrap();
    let refused = told(&vault);
    assert!(refused.contains("token") && !refused.contains("utdatert"), "{refused}");
    let gone = VaultConfig { address: "http://127.0.0.1:1".to_owned(), ..stand_in.config("x") };
    assert!(told(&Vault::new(&gone).unwrap()).contains("cannot be asked"));
    for address in ["http://vault.example:8200", "ftp://127.0.0.1", "https://x/v1", "vault"] {
        let config = VaultConfig { address: address.to_owned(), ..stand_in.config("x") };
        assert!(Vault::new(&config).is_err(), "{address}");
    }
}
