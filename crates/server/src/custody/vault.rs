//! A municipality's key in HashiCorp Vault: the secrets engine `transit`, by its HTTP API
//! (`POST /v1/transit/encrypt/:name` and `…/decrypt/:name`). The key never leaves Vault; what comes back is
//! `vault:vN:…`, where `N` is the version of the key, so that a key rotated in Vault opens what was
//! wrapped before.
//!
//! Called once at an opening and a few times at an exchange. Over TLS with the machine's roots; in the clear only to an agent
//! on this machine. Redirects are not followed.

use std::path::PathBuf;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, Uri};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use ledger::crypto::Secret;
use ledger::error::Error;
use ledger::key_service::KeyService;
use serde_json::{Value, json};

use super::config::VaultConfig;
use crate::command::Failed;
use crate::https::{Bounds, Https, HttpsError};

const BOUNDS: Bounds = Bounds { patience: Duration::from_secs(5), answer: 64 * 1024 };
/// Pauses before it is tried again, where trying again may help.
const AGAIN: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(1)];
/// What everything that Vault wraps begins with.
const BEGINNING: &[u8] = b"vault:v";

/// A key in Vault.
pub struct Vault {
    address: Uri,
    key: String,
    mount: String,
    namespace: Option<String>,
    token_file: PathBuf,
    bounds: Bounds,
}

impl Vault {
    /// The key that a configuration names. Nothing is called yet.
    ///
    /// # Errors
    /// An address or name that cannot be used.
    pub fn new(config: &VaultConfig) -> Result<Self, Failed> {
        let no = |what: &str| Failed::from(format!("Vault at `{}`: {what}", config.address));
        let address: Uri = config.address.parse().map_err(|_| no("this is no address"))?;
        match Https::to(&address) {
            Ok(_) if address.path() == "/" => {}
            Ok(_) | Err(HttpsError::Address) => {
                return Err(no(
                    "write it as https://host:port; http is for an agent on this machine only",
                ));
            }
            Err(error) => return Err(no(&error.to_string())),
        }
        let is_plain = |name: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
            !name.is_empty() && name.bytes().all(plain) && !name.contains("..")
        };
        if !is_plain(&config.mount) || !is_plain(&config.key) || config.key.contains('/') {
            return Err(no("names of key and mount are letters, digits, `-`, `_` and `.`"));
        }
        Ok(Self {
            address,
            key: config.key.clone(),
            mount: config.mount.trim_matches('/').to_owned(),
            namespace: config.namespace.clone(),
            token_file: config.token_file.clone(),
            bounds: BOUNDS,
        })
    }

    #[cfg(test)]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { bounds: Bounds { patience, ..self.bounds }, ..self }
    }

    /// Asks `verb` of the key; answers one text of `data`.
    fn ask(&self, verb: &str, asked: &Value, wanted: &str) -> Result<String, Error> {
        // A thread of its own: whoever opens a municipality may be serving others at the same time.
        let answer = std::thread::scope(|scope| {
            scope.spawn(|| self.ask_again(verb, &asked.to_string())).join()
        });
        let answer = answer.unwrap_or(Err(failed("the call to Vault ended")))?;
        let text = answer.pointer(&format!("/data/{wanted}")).and_then(Value::as_str);
        text.map(str::to_owned).ok_or(failed("Vault answers as no secrets engine `transit` does"))
    }

    fn ask_again(&self, verb: &str, asked: &str) -> Result<Value, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|_| failed("the call to Vault could not be begun"))?;
        runtime.block_on(async {
            let mut pauses = AGAIN.iter();
            loop {
                let told = match self.once(verb, asked).await {
                    Ok((StatusCode::OK, answer)) => return Ok(answer),
                    Ok((status, _)) => {
                        tracing::warn!(%status, verb, "Vault refuses");
                        refusal(status)
                    }
                    Err(error) => {
                        tracing::warn!(verb, "Vault cannot be asked: {error}");
                        (failed("Vault cannot be asked; see the log, and that it is up"), true)
                    }
                };
                match (told, pauses.next()) {
                    ((_, true), Some(pause)) => tokio::time::sleep(*pause).await,
                    ((error, _), _) => return Err(error),
                }
            }
        })
    }

    async fn once(&self, verb: &str, asked: &str) -> Result<(StatusCode, Value), Failed> {
        let token = std::fs::read_to_string(&self.token_file)
            .map_err(|error| format!("`{}`: {error}", self.token_file.display()))?;
        let base = self.address.to_string();
        let address =
            format!("{}/v1/{}/{verb}/{}", base.trim_end_matches('/'), self.mount, self.key);
        let mut request = Request::post(address)
            .header("x-vault-token", token.trim())
            .header("x-vault-request", "true")
            .header("content-type", "application/json");
        if let Some(namespace) = &self.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        // The library's own words could hold the token.
        let request = request
            .body(Full::new(Bytes::from(asked.to_owned())))
            .map_err(|_| "the token or namespace cannot stand in a header")?;
        // Made for each call: a connection that is kept ends with the runtime it was made in.
        let (status, body) = Https::to(&self.address)?.ask(request, self.bounds).await?;
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }
}

impl KeyService for Vault {
    fn wrap(&self, key: &Secret, context: &[u8]) -> Result<Vec<u8>, Error> {
        let context = STANDARD.encode(context);
        let plain = STANDARD.encode(key.bytes());
        // `context` for a key that is derived, `associated_data` for any other.
        let asked = json!({ "plaintext": plain, "context": context, "associated_data": context });
        let wrapped = self.ask("encrypt", &asked, "ciphertext")?.into_bytes();
        match wrapped.starts_with(BEGINNING) {
            true => Ok(wrapped),
            false => Err(failed("Vault answers as no secrets engine `transit` does")),
        }
    }

    fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Secret, Error> {
        let text = std::str::from_utf8(wrapped).ok().filter(|_| wrapped.starts_with(BEGINNING));
        let text = text.ok_or(failed("what is in keys.db was not wrapped by Vault"))?;
        let context = STANDARD.encode(context);
        let asked = json!({ "ciphertext": text, "context": context, "associated_data": context });
        let plain = self.ask("decrypt", &asked, "plaintext")?;
        let key = STANDARD.decode(plain).ok().and_then(|key| Secret::parse(&key));
        key.ok_or(failed("what Vault unwrapped is no key of 32 bytes"))
    }
}

const fn failed(what: &'static str) -> Error {
    Error::Key { what }
}

/// What a status means, and whether trying again may help.
fn refusal(status: StatusCode) -> (Error, bool) {
    match status.as_u16() {
        400 => (
            failed(
                "Vault does not take what is in keys.db: it was wrapped by another key, or by a version of it that is no longer allowed",
            ),
            false,
        ),
        403 => (
            failed(
                "Vault refuses the token: see that the token file holds a valid one, whose policy lets it update `encrypt` and `decrypt` of the key",
            ),
            false,
        ),
        404 => (failed("Vault has no such secrets engine; see `mount` and `namespace`"), false),
        503 => (failed("Vault is sealed or in maintenance: unseal it, and start again"), true),
        429 | 500..=599 => (failed("Vault is out of order; see the log"), true),
        _ => (failed("Vault answers with a status that it should not; see the log"), false),
    }
}
