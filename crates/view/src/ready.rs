//! What an entry says, read and indexed: all of the work that needs no look at the view, so that it can
//! be done beside the writing.

use std::borrow::Cow;

use fhir::definitions::resource_kind;
use fhir::instant::format_instant;
use fhir::json;
use fhir::resource::Resource;
use fhir::search::set::Parameters;
use record::entry::{Entry, Kind, Position};
use record::envelope::Envelope;

use crate::content;
use crate::error::Error;
use crate::project::{row_number, state};
use crate::rows::{self, Indexed};
use crate::term::Terms;

/// What indexing goes by.
#[derive(Clone, Copy)]
pub struct By<'a> {
    /// The hashes.
    pub terms: &'a Terms,
    /// The standard parameters.
    pub parameters: &'a Parameters,
}

/// An entry, ready to be written.
pub struct Ready<'a> {
    /// The entry.
    pub entry: Cow<'a, Entry>,
    /// What it says.
    pub said: Said<'a>,
}

/// What an entry says. Nothing is written before all of it is understood.
pub enum Said<'a> {
    /// A resource as its owner recorded it.
    Version(Box<Version>),
    /// A resource removed by its owner.
    Removal {
        /// Its type.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// A resource in no known form, or not what its envelope says.
    Unknown,
    /// The body of what is no resource, or none where it was erased.
    Body(Option<Cow<'a, [u8]>>),
}

/// What the tables hold of a resource.
pub struct Version {
    /// Its type.
    pub kind: &'static str,
    /// Logical id.
    pub id: String,
    /// Its security labels, as bits.
    pub labels: i64,
    /// Its index, for the row that a new resource of this entry gets.
    pub indexed: Indexed,
    /// What is sent of it, packed.
    pub content: Vec<u8>,
}

impl Version {
    /// The resource, read again: few ask for it.
    pub fn resource(&self, position: Position) -> Result<Resource, Error> {
        let broken = || Error::Row(position);
        let json = content::unpack(&self.content).map_err(|_| broken())?;
        let value = json::parse(&json).map_err(|_| broken())?;
        Resource::from_value(value).map_err(|_| broken())
    }
}

impl By<'_> {
    /// Reads an entry and its body, which is none where it was erased.
    pub fn ready<'e>(
        self,
        entry: Cow<'e, Entry>,
        body: Option<Cow<'e, [u8]>>,
    ) -> Result<Ready<'e>, Error> {
        let said = match (entry.kind, body) {
            (Kind::Version | Kind::Removal, Some(body)) => self.said(&entry, &body)?,
            (_, body) => Said::Body(body),
        };
        Ok(Ready { entry, said })
    }

    fn said(self, entry: &Entry, body: &[u8]) -> Result<Said<'static>, Error> {
        let Ok((Envelope { kind, id, .. }, json)) = Envelope::open(body) else {
            return Ok(Said::Unknown);
        };
        let Some(kind) = resource_kind(&kind) else { return Ok(Said::Unknown) };
        if entry.kind == Kind::Removal {
            return Ok(Said::Removal { kind, id });
        }
        let value = json::parse(json).ok();
        let resource = value.and_then(|value| Resource::from_value(value).ok());
        let Some(mut resource) = resource.filter(|resource| resource.kind() == kind) else {
            return Ok(Said::Unknown);
        };
        resource.set_meta(&entry.position.to_string(), &format_instant(entry.recorded_at));
        let version = self.version(entry.position, id, &resource)?;
        Ok(Said::Version(Box::new(version)))
    }

    /// Indexes a resource that an entry brings, and packs it.
    pub fn version(
        self,
        position: Position,
        id: String,
        resource: &Resource,
    ) -> Result<Version, Error> {
        let kind = resource.kind();
        let labels = rows::labels(resource);
        let entries = self.parameters.index(resource);
        let rid = row_number(position, state::LIVE);
        let indexed = rows::index(self.terms, kind, (rid, labels), &entries);
        let content = content::pack(json::print(resource.value()).as_bytes())?;
        Ok(Version { kind, id, labels, indexed, content })
    }
}
