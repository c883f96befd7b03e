//! The clients a stand-in knows: one for each system instance and municipality, with the public keys that
//! its vendor has registered.

use std::collections::HashMap;

use serde_json::Value;

use super::provider::Provider;
use super::refused::Refused;
use super::scope;
use crate::claims::SUPPLIER;
use crate::register::{PLO_EPJ, TAVLE, UTVIKLER, VKP};
use crate::world::{Municipality, municipalities};

/// Most clients, registered ones among them.
const MOST: usize = 1_000;

/// How a client is bound to organisations (HelseID's tenancy).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenancy {
    /// Only its own organisation's units.
    Single,
    /// Units of every organisation it runs the system for.
    Multi,
}

impl Tenancy {
    /// As HelseID writes it.
    pub fn key(self) -> &'static str {
        match self {
            Tenancy::Single => "single-tenant",
            Tenancy::Multi => "multi-tenant",
        }
    }
}

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Public keys, as JWKs; none until its vendor registers some.
    pub keys: Vec<Value>,
    /// Where people may be sent back to, letter by letter.
    pub redirects: Vec<String>,
    /// Grants it may use.
    pub grants: Vec<String>,
    /// Scopes it may have; a SMART app besides any scope of resources.
    pub scopes: Vec<String>,
    /// The municipality it is for.
    pub municipality: &'static Municipality,
    /// How it is bound to organisations.
    pub tenancy: Tenancy,
    /// Organisation number of the vendor that runs it.
    pub supplier: String,
    /// Whether it has no keys of its own, as an app in a browser (RFC 6749 §2.1).
    pub public: bool,
    /// Whether it must have its tokens bound to a key (RFC 9449 §5.2).
    pub bound: bool,
}

/// The clients of all stand-ins.
pub struct Clients {
    known: HashMap<(Provider, String), Client>,
}

impl Default for Clients {
    /// The systems of the sandbox, without keys.
    fn default() -> Self {
        let mut known = HashMap::new();
        for municipality in municipalities() {
            for source in [PLO_EPJ, TAVLE, VKP, UTVIKLER] {
                for provider in Provider::ALL {
                    let client =
                        Client::new(provider, municipality.client_id(source), municipality);
                    known.insert((provider, client.id.clone()), client);
                }
            }
        }
        Self { known }
    }
}

impl Client {
    /// A client with everything that its stand-in gives, but no keys and no place to send people to.
    pub fn new(provider: Provider, id: String, municipality: &'static Municipality) -> Self {
        Self {
            name: id.clone(),
            id,
            keys: Vec::new(),
            redirects: Vec::new(),
            grants: provider.grants().iter().map(|&grant| grant.to_owned()).collect(),
            scopes: scope::of_client(provider, municipality),
            municipality,
            tenancy: Tenancy::Multi,
            supplier: SUPPLIER.to_owned(),
            public: false,
            bound: false,
        }
    }

    /// Whether it may use a grant.
    pub fn may(&self, grant: &str) -> bool {
        self.grants.iter().any(|own| own == grant)
    }
}

impl Clients {
    /// The client with this id.
    pub fn get(&self, provider: Provider, id: &str) -> Option<&Client> {
        self.known.get(&(provider, id.to_owned()))
    }

    /// Keeps a client, in the place of one with the same id.
    ///
    /// # Errors
    /// Where there is no room for another.
    pub fn keep(&mut self, provider: Provider, client: Client) -> Result<(), Refused> {
        let name = (provider, client.id.clone());
        if self.known.len() >= MOST && !self.known.contains_key(&name) {
            let full = "there are too many clients; start the demo anew, or use one of its own";
            return Err(Refused::new("temporarily_unavailable", full));
        }
        self.known.insert(name, client);
        Ok(())
    }
}
