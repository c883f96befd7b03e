//! Keyed hashes of what is searched exactly.
//!
//! The same functions serve indexing and querying, so that systems with several URIs and codes
//! with several spellings meet (conventions §0).

use std::hash::Hasher;

use fhir::query::{SystemMatch, TokenMatch};
use record::system;
use siphasher::sip::SipHasher13;

/// Hashes under the municipality's index key.
#[derive(Clone, Copy)]
pub struct Terms {
    key: [u8; 16],
}

/// A value and its system as the `term` table holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// Hash of the code, reference or URI.
    pub value: i64,
    /// Hash of the system; 0 for none.
    pub system: i64,
}

/// A term to look for; any system where none is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sought {
    /// Hash of the code, reference or URI.
    pub value: i64,
    /// Hash of the system, where it counts.
    pub system: Option<i64>,
}

impl Terms {
    /// With the key of the municipality's index.
    pub fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// A coded value.
    pub fn token(&self, system: Option<&str>, code: &str) -> Term {
        let canonical = system::canonical(system.unwrap_or_default());
        let code = system::canonical_code(&canonical, code);
        Term { value: self.hash(b't', code), system: self.system(system) }
    }

    /// What to look for where a token with a code is asked for; nothing without a code.
    pub fn sought(&self, token: &TokenMatch) -> Vec<Sought> {
        let Some(code) = token.code.as_deref() else { return Vec::new() };
        let one = |system: Option<&str>, counts: bool| {
            let Term { value, system } = self.token(system, code);
            Sought { value, system: counts.then_some(system) }
        };
        match &token.system {
            SystemMatch::Is(system) => vec![one(Some(system), true)],
            SystemMatch::Absent => vec![one(None, true)],
            SystemMatch::Any => {
                let plain = one(None, false);
                // `02` is also `2`, but only in kodeverk 9151.
                let service = one(Some(system::SERVICE_TYPE), true);
                if service.value == plain.value { vec![plain] } else { vec![plain, service] }
            }
        }
    }

    /// A reference to a resource, and the resource itself.
    pub fn reference(&self, kind: &str, id: &str) -> i64 {
        self.hash(b'r', &format!("{kind}/{id}"))
    }

    /// A reference by identifier.
    pub fn logical(&self, system: Option<&str>, value: &str) -> Term {
        Term { value: self.hash(b'l', value), system: self.system(system) }
    }

    /// What to look for where a reference by identifier is asked for; nothing without a value.
    pub fn sought_logical(&self, token: &TokenMatch) -> Vec<Sought> {
        let Some(value) = token.code.as_deref() else { return Vec::new() };
        let system = match &token.system {
            SystemMatch::Is(system) => Some(self.system(Some(system))),
            SystemMatch::Absent => Some(0),
            SystemMatch::Any => None,
        };
        vec![Sought { value: self.logical(None, value).value, system }]
    }

    /// A URI.
    pub fn uri(&self, uri: &str) -> i64 {
        self.hash(b'u', uri)
    }

    /// A canonical unit; never 0, which stands for "as written".
    pub fn unit(&self, unit: &str) -> i64 {
        self.hash(b'q', unit) | 1
    }

    /// A code and the unit of what is measured under it, in one. `unit` is [`Terms::unit`] or 0.
    pub fn measured(&self, code: i64, unit: i64) -> i64 {
        self.hash(b'm', &format!("{code} {unit}"))
    }

    /// The shape of rows with a text in common. 48 bits tell the few thousand of them apart.
    pub fn shape(&self, text: &str) -> i64 {
        self.hash(b'h', text) & 0xffff_ffff_ffff
    }

    /// A system; 0 for none.
    pub fn system(&self, system: Option<&str>) -> i64 {
        match system {
            // 31 bits tell the few systems of one code apart and take half the space.
            Some(system) if !system.is_empty() => {
                self.hash(b's', &system::canonical(system)) & 0x7fff_ffff
            }
            _ => 0,
        }
    }

    fn hash(&self, namespace: u8, text: &str) -> i64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_u8(namespace);
        hasher.write(text.as_bytes());
        i64::from_ne_bytes(hasher.finish().to_ne_bytes())
    }
}
