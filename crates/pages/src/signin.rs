//! The demo's sign-in: choose a municipality and who to be.
//!
//! The form posts to [`address::SIGN_IN`] with `municipality` and `role`, and for a resident
//! `resident` or, typed, `number`.

use askama::Template;

use crate::address;
use crate::layout::{Frame, html};
use crate::text::{self, filters};

/// Field of the chosen municipality.
pub const MUNICIPALITY_FIELD: &str = "municipality";
/// Field of the chosen role.
pub const ROLE_FIELD: &str = "role";
/// Field of the chosen resident.
pub const RESIDENT_FIELD: &str = "resident";
/// Field of a typed identity number; goes before the chosen resident unless empty.
pub const NUMBER_FIELD: &str = "number";

/// What can be chosen.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Municipalities.
    pub municipalities: Vec<Choice>,
    /// Roles; the one with the value [`RESIDENT_ROLE`] asks for a resident.
    pub roles: Vec<Choice>,
    /// Residents with a story. The value is posted, never put in an address.
    pub residents: Vec<Choice>,
    /// Why the last attempt did not work.
    pub problem: Option<Problem>,
}

/// The role of a resident.
pub const RESIDENT_ROLE: &str = "innbygger";

/// One choice.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What it is called.
    pub title: String,
    /// What it means to choose it; may be empty.
    pub hint: String,
}

/// Why signing in did not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Municipality or role is not chosen.
    NotChosen,
    /// A resident needs a person or a number.
    NoResident,
    /// The number is not that of a synthetic person the municipality knows.
    UnknownNumber,
}

impl Problem {
    /// Every problem.
    pub const ALL: [Problem; 3] = [Problem::NotChosen, Problem::NoResident, Problem::UnknownNumber];

    /// Key of its message.
    pub fn key(self) -> &'static str {
        match self {
            Problem::NotChosen => "signin-not-chosen",
            Problem::NoResident => "signin-no-resident",
            Problem::UnknownNumber => "signin-unknown-number",
        }
    }
}

#[derive(Template)]
#[template(path = "signin.html")]
struct Page<'a> {
    frame: Frame<'a>,
    choices: &'a SignIn,
}

/// The page.
pub fn render(choices: &SignIn) -> String {
    html(&Page { frame: Frame::anybody(text::get("signin-title"), true), choices })
}
