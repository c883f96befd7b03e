//! Tokens: what each issuer says of whom, in its own claims (conventions §5.1, 5.3 and 6.2).

use serde_json::{Map, Value, json};

use super::authorize::Launched;
use super::client::Client;
use super::desk::{Desk, Moment};
use super::details::{self, ATTEST, Details};
use super::provider::Provider;
use super::refused::Refused;
use crate::claims::{self, Role, TokenRequest, audience};
use crate::staff;

/// Before an organisation number in ISO 6523.
const ORGANISATION: &str = "0192:";

const OF_CLIENT: &str = "helseid://claims/client/claims";

/// Whom a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The client itself.
    System,
    /// Somebody at work.
    Staff(Role),
    /// A resident, by number.
    Resident(String),
}

/// What tokens are given for.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The stand-in.
    pub provider: Provider,
    /// The client's id.
    pub client: String,
    /// The scopes given.
    pub scopes: Vec<String>,
    /// Whom.
    pub who: Who,
    /// What was said of organisations and care relation.
    pub details: Details,
    /// The patient that a SMART app was launched for.
    pub launched: Option<Launched>,
    /// When somebody logged in.
    pub auth_time: i64,
    /// The session, one for each login.
    pub session: String,
    /// `nonce` of the id token.
    pub nonce: Option<String>,
}

const FAILED: Refused = Refused::new("server_error", "the token cannot be made");

impl Desk {
    /// An access token, bound to a key where there is one.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub(super) fn access_token(
        &self,
        client: &Client,
        grant: &Grant,
        scopes: &[String],
        thumbprint: Option<&str>,
        moment: &mut Moment<'_>,
    ) -> Result<String, Refused> {
        let mut claims = self.claims(client, grant, moment)?;
        let mut set = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        set("scope", json!(scopes));
        if let Some(launched) = &grant.launched {
            set("patient", json!(launched.patient));
        }
        if let Some(thumbprint) = thumbprint {
            set("cnf", json!({ "jkt": thumbprint }));
            claims.remove("token_type");
        }
        self.issuer.sign("at+jwt", &Value::Object(claims)).map_err(|_| FAILED)
    }

    fn claims(
        &self,
        client: &Client,
        grant: &Grant,
        moment: &mut Moment<'_>,
    ) -> Result<Map<String, Value>, Refused> {
        let (role, pid) = match &grant.who {
            Who::System => (Role::Utvikler, None),
            Who::Staff(role) => (*role, None),
            Who::Resident(pid) => (Role::Innbygger, Some(pid.clone())),
        };
        // An attest is as old as the login, however often the token is made anew.
        let request = TokenRequest {
            municipality: client.municipality.number.to_owned(),
            role,
            pid,
            now_s: grant.auth_time,
            jti: (moment.random)(),
        };
        let Ok(Value::Object(mut claims)) = claims::of(&request) else { return Err(FAILED) };
        let mut set = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        set("iss", json!(grant.provider.issuer(&self.root)));
        set("client_id", json!(client.id));
        for begin in ["iat", "nbf"] {
            set(begin, json!(moment.now_s));
        }
        set("exp", json!(moment.now_s + grant.provider.lifetime()));
        match grant.provider {
            Provider::Idporten => set("client_amr", json!("private_key_jwt")),
            Provider::Helseid | Provider::Smart | Provider::Maskinporten => {
                set("helseid://claims/client/client_name", json!(client.name));
                set(&format!("{OF_CLIENT}/orgnr_supplier"), json!(client.supplier));
                set(&format!("{OF_CLIENT}/client_tenancy"), json!(client.tenancy.key()));
                let method = if client.public { "none" } else { "private_key_jwt" };
                set("helseid://claims/client/amr", json!(method));
                if grant.who != Who::System {
                    set("sid", json!(grant.session));
                }
            }
        }
        if grant.provider == Provider::Helseid {
            of_details(&mut claims, grant, moment.now_s);
        }
        Ok(claims)
    }

    /// A token of Maskinporten: no person, and the consumer that the client acts for.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub(super) fn organisation_token(
        &self,
        client: &Client,
        asked: &Organisation<'_>,
        thumbprint: Option<&str>,
        moment: &mut Moment<'_>,
    ) -> Result<String, Refused> {
        let organisation = |number: &str| json!({ "authority": "iso6523-actorid-upis", "ID": format!("{ORGANISATION}{number}") });
        let issuer = Provider::Maskinporten.issuer(&self.root);
        let mut claims = json!({
            "iss": issuer,
            "scope": asked.scope,
            "client_id": client.id,
            "client_amr": "private_key_jwt",
            "token_type": "Bearer",
            "iat": moment.now_s,
            "exp": moment.now_s + Provider::Maskinporten.lifetime(),
            "jti": (moment.random)(),
            "consumer": organisation(asked.consumer.unwrap_or(&client.supplier)),
        });
        if let Some(claims) = claims.as_object_mut() {
            if asked.consumer.is_some() {
                claims.insert("supplier".to_owned(), organisation(&client.supplier));
                claims.insert("delegation_source".to_owned(), json!(issuer));
            }
            if let Some(resource) = asked.resource {
                claims.insert("aud".to_owned(), json!(resource));
            }
            if let Some(thumbprint) = thumbprint {
                claims.insert("cnf".to_owned(), json!({ "jkt": thumbprint }));
                claims.insert("token_type".to_owned(), json!("DPoP"));
            }
        }
        self.issuer.sign("JWT", &claims).map_err(|_| FAILED)
    }

    /// An id token (OpenID Connect Core §2).
    ///
    /// # Errors
    /// Where it cannot be made.
    pub(super) fn id_token(
        &self,
        client: &Client,
        grant: &Grant,
        moment: &mut Moment<'_>,
    ) -> Result<String, Refused> {
        let all = self.claims(client, grant, moment)?;
        let mut claims = json!({
            "iss": grant.provider.issuer(&self.root),
            "aud": client.id,
            "iat": moment.now_s,
            "exp": moment.now_s + grant.provider.lifetime(),
            "sid": grant.session,
            "auth_time": grant.auth_time,
        });
        if let Some(claims) = claims.as_object_mut() {
            let own: &[&str] = match grant.provider {
                Provider::Idporten => &["sub", "pid", "acr", "amr"],
                _ => &["sub", "name", "given_name", "family_name", "amr", "idp"],
            };
            for name in own {
                claims.extend(all.get(*name).map(|value| ((*name).to_owned(), value.clone())));
            }
            claims.extend(grant.nonce.iter().map(|nonce| ("nonce".to_owned(), json!(nonce))));
            if grant.provider == Provider::Idporten {
                claims.insert("locale".to_owned(), json!("nb"));
            }
            if grant.scopes.iter().any(|scope| scope == "fhirUser")
                && let Who::Staff(role) = &grant.who
            {
                let base = format!("{}/{}/fhir", self.root, client.municipality.number);
                let user = format!("{base}/Practitioner/{}", role.key());
                claims.insert("fhirUser".to_owned(), json!(user));
            }
        }
        self.issuer.sign("JWT", &claims).map_err(|_| FAILED)
    }

    /// `aud` of the tokens that a client gets.
    pub(super) fn audience(client: &Client) -> String {
        audience(client.municipality)
    }
}

/// What a system asks of Maskinporten.
pub(super) struct Organisation<'a> {
    pub scope: &'a str,
    /// The organisation that has delegated to the client's.
    pub consumer: Option<&'a str>,
    pub resource: Option<&'a str>,
}

/// HelseID says what the client said, and of the login what is known of it; nothing else.
fn of_details(claims: &mut Map<String, Value>, grant: &Grant, now_s: i64) {
    claims.remove(ATTEST);
    let child = format!("{OF_CLIENT}/orgnr_child");
    claims.remove(&child);
    if let Some((parent, unit)) = &grant.details.organisations {
        claims.insert(format!("{OF_CLIENT}/orgnr_parent"), json!(parent));
        claims.extend(unit.as_ref().map(|unit| (child, json!(unit))));
    }
    if let (Some(attest), Who::Staff(role)) = (&grant.details.attest, &grant.who)
        && let Some(staff) = staff::in_role(role.key())
    {
        claims.insert(ATTEST.to_owned(), details::filled(attest, staff, now_s));
    }
}
