//! The stand-ins' authorization page: an app asks, and whoever comes chooses who to be, and where the app
//! needs it a patient.
//!
//! The form posts to [`address::AUTHORIZE`] with `request` and `person`; for a resident `number` may take the
//! place of `person`, and for an app that needs a patient `number` is the patient's.

use askama::Template;

use crate::address;
use crate::layout::{Frame, html};
use crate::signin::Choice;
use crate::text::{self, filters};

/// Field of the request that waits.
pub const REQUEST_FIELD: &str = "request";
/// Field of the chosen person: a role, or a resident's number.
pub const PERSON_FIELD: &str = "person";
/// Field of a typed identity number.
pub const NUMBER_FIELD: &str = "number";
/// Field of the button that declines.
pub const DECLINE_FIELD: &str = "decline";

/// What is asked.
#[derive(Clone, Debug)]
pub struct Authorize {
    /// Name of the stand-in in its address, such as `helseid`.
    pub issuer: String,
    /// Name of the request that waits.
    pub request: String,
    /// What the app is called.
    pub app: String,
    /// Name of the municipality.
    pub municipality: String,
    /// The scopes the app gets.
    pub scopes: Vec<String>,
    /// Who one can be.
    pub people: Vec<Choice>,
    /// What the typed number is for.
    pub number: Number,
    /// Why the last attempt did not work.
    pub problem: Option<Problem>,
}

/// What a typed number is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Nothing: there is no field.
    None,
    /// A resident who is not on the list.
    Resident,
    /// The patient that the app is opened on.
    Patient,
}

/// Why it did not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Nobody is chosen.
    NoPerson,
    /// A patient is needed.
    NoPatient,
    /// The number is not that of a synthetic person the municipality knows.
    UnknownNumber,
    /// The person chosen may not open this patient.
    NotForPerson,
    /// The app, or the address it wants people sent to, is not registered; nobody is sent anywhere.
    UnknownApp,
    /// The request is not known, or too old.
    TooLate,
}

impl Problem {
    /// Every problem.
    pub const ALL: [Problem; 6] = [
        Problem::NoPerson,
        Problem::NoPatient,
        Problem::UnknownNumber,
        Problem::NotForPerson,
        Problem::UnknownApp,
        Problem::TooLate,
    ];

    /// Key of its message.
    pub fn key(self) -> &'static str {
        match self {
            Problem::NoPerson => "authorize-no-person",
            Problem::NoPatient => "authorize-no-patient",
            Problem::UnknownNumber => "signin-unknown-number",
            Problem::NotForPerson => "authorize-not-for-person",
            Problem::UnknownApp => "authorize-unknown-app",
            Problem::TooLate => "authorize-too-late",
        }
    }
}

#[derive(Template)]
#[template(path = "authorize.html")]
struct Page<'a> {
    frame: Frame<'a>,
    asked: &'a Authorize,
    action: String,
}

#[derive(Template)]
#[template(path = "authorize_stopped.html")]
struct Stopped<'a> {
    frame: Frame<'a>,
    problem: Problem,
    detail: Option<&'a str>,
}

/// The page.
pub fn render(asked: &Authorize) -> String {
    let frame = Frame::anybody(text::get("authorize-title"), true);
    html(&Page { frame, asked, action: address::authorize(&asked.issuer) })
}

/// The page where it ends: the app must begin again. `detail` is for its developer.
pub fn stopped(problem: Problem, detail: Option<&str>) -> String {
    let frame = Frame::anybody(text::get("authorize-stopped"), true);
    html(&Stopped { frame, problem, detail })
}
