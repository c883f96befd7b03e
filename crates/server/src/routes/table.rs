//! The one table of addresses. What is not here is not served; what is here is told of in the
//! CapabilityStatement, the OpenAPI document, `docs/api.md` and on the page where calls are tried.

mod admin;
mod bulk;
mod disposal;
mod doors;
mod fhir;
mod log;
mod operations;
pub mod parameters;
mod platform;
mod rights;
mod sandbox;

use super::endpoint::{Caller, Endpoint};
use crate::web;

/// Endpoints that belong together.
pub struct Section {
    /// Key of its texts on the page, and its tag in the OpenAPI document.
    pub id: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Its rows.
    pub endpoints: &'static [Endpoint],
}

/// Everything served.
pub static TABLE: [Section; 14] = [
    Section {
        id: "fhir",
        about: "FHIR R4: one resource, search and history",
        endpoints: fhir::ROWS,
    },
    Section {
        id: "operations",
        about: "Operations of FHIR: records, codes, validation",
        endpoints: operations::ROWS,
    },
    Section {
        id: "rights",
        about: "What residents have a right to: a copy, and to ask for more",
        endpoints: rights::ROWS,
    },
    Section { id: "bulk", about: "Much at once: bulk export and import", endpoints: bulk::ROWS },
    Section { id: "okt", about: "Norsk helsenett's OKT contract", endpoints: doors::OKT },
    Section { id: "pmd", about: "Norsk helsenett's PMD contract", endpoints: doors::PMD },
    Section { id: "pvk", about: "Settings of privacy, in PVK's shape", endpoints: doors::PVK },
    Section { id: "events", about: "CloudEvents 1.0", endpoints: doors::EVENTS },
    Section {
        id: "admin",
        about: "The municipality's own register, and who may",
        endpoints: admin::ROWS,
    },
    Section {
        id: "disposal",
        about: "Preservation and disposal: what must be kept, and the erasure of a person or a record",
        endpoints: disposal::ROWS,
    },
    Section {
        id: "log",
        about: "The log: who has looked, and proofs that nobody bent it",
        endpoints: log::ROWS,
    },
    Section { id: "platform", about: "About the platform itself", endpoints: platform::ROWS },
    Section {
        id: "sandbox",
        about: "A demo's stand-ins for HelseID, ID-porten, Maskinporten and a SMART authorization server",
        endpoints: sandbox::ROWS,
    },
    Section { id: "pages", about: "Pages for people", endpoints: web::ROWS },
];

/// Every row.
pub fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    TABLE.iter().flat_map(|section| section.endpoints)
}

/// Systems deliver.
const SYSTEMS: &[Caller] = &[Caller::System];

/// People: whom the log is about, and who looks after it.
const PEOPLE: &[Caller] = &[Caller::Practitioner, Caller::Resident];

/// Those who see whatever is their own: what a system delivered, what is about a resident.
const KEEPERS: &[Caller] = &[Caller::System, Caller::Resident];

/// Whoever may read something.
const READERS: &[Caller] = &[Caller::System, Caller::Practitioner, Caller::Resident];

#[cfg(test)]
mod tests;
