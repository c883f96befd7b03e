//! Server-rendered pages: pure functions from answers to HTML, and to PDF where people take a copy with them.
//!
//! Invariants:
//! - No IO, no clock, no HTTP: the time is an argument, `server` does routes and headers.
//! - Every text for people comes from `texts/`, every value is escaped by the template engine.
//! - The pages work under [`assets::CONTENT_SECURITY_POLICY`]: no inline script or style, and no
//!   request to anywhere but the server itself.
//! - A national identity number is never part of an address ([`address`]).

pub mod accesses;
pub mod address;
pub mod admin;
pub mod assets;
pub mod authorize;
pub mod cases;
pub mod chart;
pub mod copy;
pub mod disposal;
pub mod docs;
pub mod innbygger;
pub mod layout;
pub mod legevakt;
pub mod log_analysis;
pub mod notice;
pub mod problem;
pub mod requests;
pub mod restrictions;
pub mod signin;
pub mod tavle;
pub mod text;

mod access_log;
mod news2;
mod patient;
mod services;
mod time;
