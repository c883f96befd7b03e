//! Keyed hashes of what is searched exactly.
//!
//! The same functions serve indexing and querying, so that systems with several URIs and codes
//! with several spellings meet (conventions §0).

use std::hash::Hasher;

use record::system;
use siphasher::sip::SipHasher13;

/// Hashes under the municipality's index key.
#[derive(Clone, Copy)]
pub struct Terms {
    key: [u8; 16],
}

/// A value and its system as the `term` table holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// Hash of the code, reference or URI.
    pub value: i64,
    /// Hash of the system; 0 for none.
    pub system: i64,
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

    /// A reference to a resource.
    pub fn reference(&self, kind: &str, id: &str) -> Term {
        Term { value: self.hash(b'r', &format!("{kind}/{id}")), system: 0 }
    }

    /// A reference by identifier.
    pub fn logical(&self, system: Option<&str>, value: &str) -> Term {
        Term { value: self.hash(b'l', value), system: self.system(system) }
    }

    /// A URI.
    pub fn uri(&self, uri: &str) -> Term {
        Term { value: self.hash(b'u', uri), system: 0 }
    }

    /// A system; 0 for none.
    pub fn system(&self, system: Option<&str>) -> i64 {
        match system {
            // 32 bits tell the few systems of one code apart and take half the space.
            Some(system) if !system.is_empty() => {
                self.hash(b's', &system::canonical(system)) & 0xffff_ffff
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
