//! The flows of one municipality: submit, read, compose, audit.
//!
//! [`tenant::Tenant`] owns the ledgers, keys, view and register of one municipality; nothing here or
//! below takes a municipality number. HTTP is somebody else's.
//!
//! - In: [`submission`] says what somebody wants recorded, [`bundle`], [`okt`] and [`cloud_event`]
//!   make it from what each door takes, [`naming`] says what it is, [`whom`] whom it is about, and
//!   [`tenant::Tenant::submit`] carries it out.
//! - Out: [`read`] for resources and searches, printed by [`searchset`]; [`overview`] and [`board`]
//!   for the information services, composed by [`services`] and [`vitals`] into the values of
//!   [`answer`], printed as FHIR by [`mod@print`]; [`oversikt`] puts everything together for a situation, with
//!   what others hold.
//! - The resident's own: [`control`], said as Consents, which [`consent`] reads and prints; [`pvk`] is
//!   Helsenorge's shape of the same. [`copy`] is what the resident gets a copy of, [`rights`] what the
//!   resident asks for and how it is answered.
//! - To whoever wants to know that something happened: [`news`], without content, and [`subscription`], by topic.
//! - Both, much at once: [`bulk`]. What has a `$`: [`operation`].
//! - All of it, for a municipality that leaves, and back: [`departure`].
//! - [`rules`] is what a resource must be, by R4 and by the Norwegian profiles.
//! - [`audit`] is what the audit ledger holds of both, [`audit_event`] and [`audit_search`] show it as
//!   FHIR, [`proof`] proves it, and [`vigilance`] looks into it for what nobody needed.
//!
//! Invariants: nothing is read or recorded without a permit; a refusal and a look are in the audit
//! ledger before the answer leaves; what is acknowledged is on disk; what cannot be read is told.

pub mod answer;
pub mod answered;
pub mod audit;
pub mod audit_event;
pub mod audit_search;
pub mod board;
pub mod bulk;
pub mod bundle;
pub mod carry_out;
pub mod cloud_event;
pub mod coded;
pub mod consent;
pub mod control;
pub mod copy;
pub mod criteria;
pub mod custody;
pub mod departure;
pub mod disposal;
pub mod error;
pub mod health;
pub mod history;
pub mod look;
pub mod naming;
pub mod news;
pub mod okt;
pub mod operation;
pub mod origin;
pub mod oversikt;
pub mod overview;
pub mod power;
pub mod print;
pub mod proof;
pub mod pvk;
pub mod read;
pub mod register;
pub mod rights;
pub mod rules;
pub mod searchset;
pub mod services;
pub mod standing;
pub mod submission;
pub mod subscription;
pub mod tenant;
pub mod vigilance;
pub mod vitals;
pub mod whom;

mod added;
mod again;
mod connect;
mod locks;
mod looks;
mod okt_flow;
mod person;
mod prepare;
mod projection;
mod scopes;
mod settle;
mod stand;
mod stores;
mod submit;
mod tail;
