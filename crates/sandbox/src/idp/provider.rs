//! Which stand-in, and what it says of itself (OpenID Connect Discovery 1.0, RFC 8414).

use serde_json::{Value, json};

/// A stand-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// People at work and systems.
    Helseid,
    /// Residents.
    Idporten,
    /// Systems of any organisation.
    Maskinporten,
    /// The municipality's own authorization server, which launches SMART apps for people at work.
    Smart,
}

/// Signature algorithms of assertions and proofs.
pub const ALGORITHMS: [&str; 8] =
    ["ES256", "ES384", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];

/// Grant of a code.
pub const CODE: &str = "authorization_code";
/// Grant of a refresh token.
pub const REFRESH: &str = "refresh_token";
/// Grant of a system on its own behalf.
pub const CLIENT: &str = "client_credentials";
/// Grant of a token for another (RFC 8693).
pub const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// Grant of Maskinporten (RFC 7523 §2.1).
pub const JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

impl Provider {
    /// Every stand-in.
    pub const ALL: [Provider; 4] =
        [Provider::Helseid, Provider::Idporten, Provider::Maskinporten, Provider::Smart];

    /// Its name in addresses.
    pub fn key(self) -> &'static str {
        match self {
            Provider::Helseid => "helseid",
            Provider::Idporten => "idporten",
            Provider::Maskinporten => "maskinporten",
            Provider::Smart => "smart",
        }
    }

    /// The stand-in with this name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.key() == key)
    }

    /// Where it is, without a slash at the end. `root` is the start of the server's addresses.
    pub fn address(self, root: &str) -> String {
        format!("{root}/sandkasse/{}", self.key())
    }

    /// Its `iss`. Maskinporten's ends in a slash (conventions §5.3).
    pub fn issuer(self, root: &str) -> String {
        let address = self.address(root);
        if self == Provider::Maskinporten { format!("{address}/") } else { address }
    }

    /// How long its access tokens are good, in seconds.
    pub fn lifetime(self) -> i64 {
        match self {
            Provider::Helseid | Provider::Idporten => 600,
            Provider::Maskinporten => 120,
            Provider::Smart => 3600,
        }
    }

    /// The grants that it gives tokens for.
    pub fn grants(self) -> &'static [&'static str] {
        match self {
            Provider::Helseid => &[CODE, REFRESH, CLIENT, EXCHANGE],
            Provider::Idporten => &[CODE, REFRESH],
            Provider::Maskinporten => &[JWT],
            Provider::Smart => &[CODE, REFRESH, CLIENT],
        }
    }

    /// Whether people log in to it.
    pub fn has_people(self) -> bool {
        self != Provider::Maskinporten
    }

    /// Its metadata.
    pub fn metadata(self, root: &str) -> Value {
        let address = self.address(root);
        let mut about = json!({
            "issuer": self.issuer(root),
            "jwks_uri": format!("{address}/jwks"),
            "token_endpoint": format!("{address}/token"),
            "registration_endpoint": format!("{address}/clients"),
            "grant_types_supported": self.grants(),
            "dpop_signing_alg_values_supported": ALGORITHMS,
            "scopes_supported": super::scope::supported(self),
        });
        let more = if self.has_people() { self.of_people(&address) } else { json!({}) };
        let methods = match self {
            Provider::Smart => json!(["private_key_jwt", "none"]),
            Provider::Helseid | Provider::Idporten => json!(["private_key_jwt"]),
            // The assertion of the grant says who it is.
            Provider::Maskinporten => json!(["none"]),
        };
        let details = match self {
            Provider::Helseid => json!({
                "authorization_details_types_supported": super::details::TYPES,
            }),
            _ => json!({}),
        };
        let auth = json!({
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        });
        if let Value::Object(about) = &mut about {
            for part in [more, details, auth] {
                if let Value::Object(part) = part {
                    about.extend(part);
                }
            }
        }
        about
    }

    fn of_people(self, address: &str) -> Value {
        json!({
            "authorization_endpoint": format!("{address}/authorize"),
            "pushed_authorization_request_endpoint": format!("{address}/par"),
            "require_pushed_authorization_requests": self == Provider::Helseid,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "subject_types_supported": [if self == Provider::Idporten { "pairwise" } else { "public" }],
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_parameter_supported": false,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
        })
    }
}
