//! A look as it was asked for, through an address or in a Bundle: read, vread, history or search,
//! perhaps only of what is newer than the caller has (R4 http, conditional read).

use access::caller::Caller;
use fhir::issue::IssueCode;
use fhir::query::Query;
use fhir::resource::is_id;
use fhir::subset::Subset;
use record::entry::Position;

use crate::bundle::version;
use crate::error::Failure;
use crate::history::History;
use crate::read::known_kind;
use crate::searchset::{Pairs, Place, Search, narrowed, subset};
use crate::tenant::Tenant;

/// What is asked for.
pub struct Look(What);

enum What {
    Resource {
        kind: &'static str,
        id: String,
        version: Option<Position>,
        subset: Option<Subset>,
        unless: Unless,
    },
    History(History),
    Search(Box<Search>),
}

/// What the caller has already.
#[derive(Clone, Debug, Default)]
pub struct Unless {
    /// `If-None-Match`.
    pub none_match: Option<String>,
    /// `If-Modified-Since`, milliseconds since 1970.
    pub modified_since: Option<i64>,
}

/// What was found.
pub enum Seen {
    /// A version of a resource, printed.
    Resource {
        /// Position in the ledger.
        version: Position,
        /// When it was recorded, milliseconds since 1970.
        updated: i64,
        /// The content.
        body: Vec<u8>,
    },
    /// The version that the caller has.
    Unmodified {
        /// Position in the ledger.
        version: Position,
        /// When it was recorded, milliseconds since 1970.
        updated: i64,
    },
    /// A searchset or history, printed.
    Bundle(Vec<u8>),
}

impl Look {
    /// The current version of a resource, or the one named.
    pub fn resource(
        kind: &'static str,
        id: String,
        version: Option<Position>,
        pairs: &Pairs,
        unless: Unless,
    ) -> Result<Self, Failure> {
        let is_about_form = |name: &str| matches!(name, "_summary" | "_elements");
        let form: Pairs = pairs.iter().filter(|(name, _)| is_about_form(name)).cloned().collect();
        let query = Query::parse(kind, &form).map_err(Failure::Malformed)?;
        let subset = subset(query.summary, &query.elements);
        Ok(Self(What::Resource { kind, id, version, subset, unless }))
    }

    /// A history.
    pub fn history(history: History) -> Self {
        Self(What::History(history))
    }

    /// A search.
    pub fn search(search: Search) -> Self {
        Self(What::Search(Box::new(search)))
    }

    /// What an address relative to the base asks for, such as `Patient/1` or `Observation?code=…`.
    pub fn at(url: &str, unless: Unless, strict: bool) -> Result<Self, Failure> {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let pairs: Pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let history = |kind, id| History::read(kind, id, &pairs, strict).map(Self::history);
        let id = |id: &str| is_id(id).then(|| id.to_owned()).ok_or(Failure::NotFound);
        match path.trim_matches('/').split('/').collect::<Vec<_>>().as_slice() {
            ["_history"] => history(None, None),
            [kind, "_history"] => history(Some(known_kind(kind)?), None),
            [kind, of, "_history"] => history(Some(known_kind(kind)?), Some(id(of)?)),
            [kind, of, "_history", version] => {
                let version = version.parse().map_err(|_| Failure::NotFound)?;
                Self::resource(known_kind(kind)?, id(of)?, Some(version), &pairs, unless)
            }
            [""] => Ok(Self::search(Search::new(Place::System, pairs, strict))),
            [kind] => {
                let place = Place::Type(known_kind(kind)?);
                Ok(Self::search(Search::new(place, pairs, strict)))
            }
            [kind, of] if !of.starts_with(['_', '$']) => {
                Self::resource(known_kind(kind)?, id(of)?, None, &pairs, unless)
            }
            [kind, of, within] if !within.starts_with(['_', '$']) => {
                let place = Place::compartment(kind, of, within)?;
                Ok(Self::search(Search::new(place, pairs, strict)))
            }
            _ => Err(Failure::malformed(
                IssueCode::NotSupported,
                "",
                "an entry may read, vread, search or ask for a history; send other requests \
                 by themselves",
            )),
        }
    }
}

impl Unless {
    /// Whether the caller has this version. `If-None-Match` goes before `If-Modified-Since` (RFC
    /// 9110 §13.1.3), whose seconds hide what came later within one.
    fn has(&self, current: Position, updated: i64) -> bool {
        match (&self.none_match, self.modified_since) {
            (Some(tags), _) => {
                tags.split(',').any(|tag| tag.trim() == "*" || version(tag) == Some(current))
            }
            (None, Some(since)) => updated.div_euclid(1000) <= since.div_euclid(1000),
            (None, None) => false,
        }
    }
}

impl Tenant {
    /// Carries out a look. `base` is the address of the door.
    pub async fn look(&self, caller: &Caller, look: Look, base: &str) -> Result<Seen, Failure> {
        let (version, updated, body, subset, unless) = match look.0 {
            What::History(history) => {
                let past = self.history(caller, &history).await?;
                return Ok(Seen::Bundle(history.bundle(&past, base)));
            }
            What::Search(search) => {
                return search.run(self, caller, base).await.map(Seen::Bundle);
            }
            What::Resource { kind, id, version: None, subset, unless } => {
                let stored = self.read(caller, kind, &id).await?;
                (stored.version, stored.updated, stored.body, subset, unless)
            }
            What::Resource { kind, id, version: Some(version), subset, unless } => {
                let found = self.vread(caller, kind, &id, version).await?;
                let body = found.body.ok_or(Failure::Removed(version))?;
                (version, found.updated, body, subset, unless)
            }
        };
        if unless.has(version, updated) {
            return Ok(Seen::Unmodified { version, updated });
        }
        let body = match subset {
            Some(subset) => narrowed(&body, &subset),
            None => body,
        };
        Ok(Seen::Resource { version, updated, body })
    }
}
