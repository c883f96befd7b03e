//! Pages that say no: which rule refused and the way on, or what went wrong.

use access::refusal::Rule;
use askama::Template;

use crate::address;
use crate::layout::{Frame, Session, html};
use crate::text::{self, filters};

/// What went wrong, other than a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Nobody is signed in, or the session has ended.
    SignInNeeded,
    /// The page, or the person, is not there.
    NotFound,
    /// The page is for another role.
    OtherRole,
    /// The form could not be understood.
    BadForm,
    /// The form came from another site's page.
    ForeignForm,
    /// Too much to do at the moment.
    Busy,
    /// The look could not be logged or the data not read, so nothing is shown.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl Problem {
    /// Every problem.
    pub const ALL: [Problem; 8] = [
        Problem::SignInNeeded,
        Problem::NotFound,
        Problem::OtherRole,
        Problem::BadForm,
        Problem::ForeignForm,
        Problem::Busy,
        Problem::Unavailable,
        Problem::Internal,
    ];

    /// Key of its messages.
    pub fn key(self) -> &'static str {
        match self {
            Problem::SignInNeeded => "problem-sign-in",
            Problem::NotFound => "problem-not-found",
            Problem::OtherRole => "problem-other-role",
            Problem::BadForm => "problem-bad-form",
            Problem::ForeignForm => "problem-foreign-form",
            Problem::Busy => "problem-busy",
            Problem::Unavailable => "problem-unavailable",
            Problem::Internal => "problem-internal",
        }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Page<'a> {
    frame: Frame<'a>,
    heading: String,
    explanation: String,
    way_on: String,
    code: Option<&'static str>,
    home: String,
    home_title: String,
}

/// The page of a refusal.
pub fn refused(session: Option<&Session>, rule: Rule) -> String {
    let heading = text::get("refused-title");
    let key = format!("rule-{}", rule.code());
    page(session, heading, &key, Some(rule.code()))
}

/// The page of a problem.
pub fn problem(session: Option<&Session>, problem: Problem) -> String {
    let heading = text::get(&format!("{}.title", problem.key()));
    page(session, heading, problem.key(), None)
}

fn page(
    session: Option<&Session>,
    heading: String,
    key: &str,
    code: Option<&'static str>,
) -> String {
    let area = session.and_then(|session| Some((session, *session.areas.first()?)));
    let (home, home_title) = match area {
        Some((session, area)) => (area.address(&session.number), text::get("problem-home")),
        None => (address::SIGN_IN.to_owned(), text::get("problem-to-sign-in")),
    };
    html(&Page {
        frame: match session {
            Some(session) => Frame::signed_in(heading.clone(), session, None),
            None => Frame::anybody(heading.clone(), false),
        },
        heading,
        explanation: text::get(key),
        way_on: text::get(&format!("{key}.way-on")),
        code,
        home,
        home_title,
    })
}
