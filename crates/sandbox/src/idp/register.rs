//! `POST clients`: a vendor registers a client, or keys for one of the sandbox's own (RFC 7591).

use access::scopes::{Scope, is_about_resources};
use serde_json::{Value, json};

use super::client::{Client, Tenancy};
use super::desk::{Desk, Moment, Reply};
use super::jwt::PRIVATE;
use super::provider::Provider;
use super::refused::Refused;
use crate::world;

/// Most keys, addresses or grants of a client.
const MOST: usize = 10;

/// Longest text, in bytes.
const LONGEST: usize = 500;

const fn wrong(description: &'static str) -> Refused {
    Refused::new("invalid_client_metadata", description)
}

impl Desk {
    /// Registers a client; the answer is what was registered.
    pub fn register(&mut self, provider: Provider, body: &Value, moment: &mut Moment<'_>) -> Reply {
        match self.registered(provider, body, moment) {
            Ok(body) => Reply { status: 201, body, nonce: None },
            Err(refused) => Reply { status: refused.status(), body: refused.body(), nonce: None },
        }
    }

    fn registered(
        &mut self,
        provider: Provider,
        body: &Value,
        moment: &mut Moment<'_>,
    ) -> Result<Value, Refused> {
        let mut client = match text(body, "client_id")? {
            Some(id) => {
                let known = self.client(provider, id).cloned();
                known.ok_or(wrong("client_id is not known; leave it out for a new client"))?
            }
            None => {
                let number = text(body, "kommune")?.unwrap_or_default();
                let municipality = world::municipality(number);
                let municipality = municipality.ok_or(wrong("`kommune` must be 9901 or 9902"))?;
                let id = municipality.client_id(&format!("klient-{}", (moment.random)()));
                Client::new(provider, id, municipality)
            }
        };
        if let Some(name) = text(body, "client_name")? {
            client.name = name.to_owned();
        }
        client.public = match text(body, "token_endpoint_auth_method")? {
            Some("none") if provider == Provider::Smart => true,
            None | Some("private_key_jwt") => false,
            Some("none") if provider == Provider::Maskinporten => false,
            Some(_) => return Err(wrong("token_endpoint_auth_method must be private_key_jwt")),
        };
        if let Some(set) = body.get("jwks") {
            client.keys = keys(set)?;
        }
        if !client.public && client.keys.is_empty() {
            return Err(wrong("`jwks` must hold a public key"));
        }
        if body.get("redirect_uris").is_some() {
            client.redirects = list(body, "redirect_uris")?;
            if !client.redirects.iter().all(|address| is_address(address)) {
                let told = "a redirect_uri is https, or http on this machine, without fragment";
                return Err(Refused::new("invalid_redirect_uri", told));
            }
        }
        if body.get("grant_types").is_some() {
            client.grants = list(body, "grant_types")?;
            if !client.grants.iter().all(|grant| provider.grants().contains(&grant.as_str())) {
                return Err(wrong("grant_types holds a grant that this issuer does not have"));
            }
        }
        if let Some(scopes) = text(body, "scope")? {
            let asked: Vec<String> = scopes.split(' ').map(str::to_owned).collect();
            let own = Client::new(provider, String::new(), client.municipality).scopes;
            let app = provider == Provider::Smart;
            let known = |scope: &String| {
                own.contains(scope)
                    || (app && is_about_resources(scope) && Scope::parse(scope).is_some())
            };
            if !asked.iter().all(known) {
                return Err(wrong("`scope` holds a scope that such a client cannot have"));
            }
            client.scopes = asked;
        }
        if text(body, "client_tenancy")? == Some(Tenancy::Single.key()) {
            client.tenancy = Tenancy::Single;
        }
        client.bound = body.get("dpop_bound_access_tokens") == Some(&json!(true));
        self.clients.keep(provider, client.clone())?;
        Ok(told(&client))
    }
}

fn told(client: &Client) -> Value {
    json!({
        "client_id": client.id,
        "client_name": client.name,
        "kommune": client.municipality.number,
        "jwks": { "keys": client.keys },
        "redirect_uris": client.redirects,
        "grant_types": client.grants,
        "scope": client.scopes.join(" "),
        "client_tenancy": client.tenancy.key(),
        "token_endpoint_auth_method": if client.public { "none" } else { "private_key_jwt" },
        "dpop_bound_access_tokens": client.bound,
    })
}

fn text<'a>(body: &'a Value, name: &str) -> Result<Option<&'a str>, Refused> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= LONGEST * MOST => Ok(Some(text)),
        Some(_) => Err(wrong("a member is no text, or too long")),
    }
}

fn list(body: &Value, name: &str) -> Result<Vec<String>, Refused> {
    let all = body.get(name).and_then(Value::as_array).filter(|all| all.len() <= MOST);
    let texts = all.and_then(|all| {
        let text = |it: &Value| it.as_str().filter(|it| it.len() <= LONGEST).map(str::to_owned);
        all.iter().map(text).collect::<Option<Vec<String>>>()
    });
    texts.ok_or(wrong("a member is no list of at most ten texts"))
}

fn keys(set: &Value) -> Result<Vec<Value>, Refused> {
    let keys = set.get("keys").and_then(Value::as_array);
    let keys = keys.filter(|keys| (1..=MOST).contains(&keys.len()));
    let keys = keys.ok_or(wrong("`jwks` must hold one to ten keys"))?;
    let private = |key: &Value| PRIVATE.iter().any(|member| key.get(member).is_some());
    if keys.iter().any(private) {
        return Err(wrong(
            "`jwks` holds a private key; make a new one and send its public part only",
        ));
    }
    let fits = |key: &Value| {
        let kind = key.get("kty").and_then(Value::as_str);
        matches!(kind, Some("EC" | "RSA")) && key.to_string().len() <= LONGEST * 4
    };
    if !keys.iter().all(fits) {
        return Err(wrong("a key must be EC or RSA"));
    }
    Ok(keys.clone())
}

/// An address that people may be sent back to: no other scheme, no user, no fragment.
fn is_address(text: &str) -> bool {
    let rest = match text.split_once("://") {
        Some(("https", rest)) => rest,
        Some(("http", rest)) => {
            let host = rest.split(['/', '?', ':']).next().unwrap_or_default();
            if !matches!(host, "localhost" | "127.0.0.1") && !rest.starts_with("[::1]") {
                return false;
            }
            rest
        }
        _ => return false,
    };
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    !rest.is_empty() && plain && !text.contains(['#', '@', '"', '\'', '<', '>', '\\', ';', ','])
}
