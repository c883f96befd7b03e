//! The emergency clinic: find a patient by identity number and see the municipal services at a
//! glance.

use askama::Template;
use exchange::answer::{News2, Overview};
use record::identity::IdentityError;

use crate::address;
use crate::chart::Period;
use crate::layout::{Alert, Area, Frame, Session, html};
use crate::news2::summary::{self, Summary};
use crate::patient::Patient;
use crate::services::Service;
use crate::text::{self, filters};

/// Field of the identity number in the form that posts to [`address::LEGEVAKT`].
pub const NUMBER_FIELD: &str = "number";

#[derive(Template)]
#[template(path = "legevakt_find.html")]
struct Find<'a> {
    frame: Frame<'a>,
    action: String,
    problem: Option<&'static str>,
}

/// The form, with what was wrong with the number given.
pub fn find(session: &Session, problem: Option<IdentityError>) -> String {
    html(&Find {
        frame: Frame::signed_in(text::get("find-title"), session, Some(Area::Legevakt)),
        action: address::legevakt(&session.number),
        problem: problem.map(number_problem),
    })
}

/// Key of the message about a number that was not accepted.
pub fn number_problem(problem: IdentityError) -> &'static str {
    match problem {
        IdentityError::NotElevenDigits => "number-not-eleven",
        IdentityError::NotADate => "number-not-a-date",
        IdentityError::CheckDigits => "number-check-digits",
        IdentityError::SyntheticRefused => "number-synthetic",
        IdentityError::RealRefused => "number-real",
    }
}

#[derive(Template)]
#[template(path = "legevakt_patient.html")]
struct Page<'a> {
    frame: Frame<'a>,
    find: String,
    patient: Patient,
    incomplete: Option<Alert>,
    active: Vec<Service>,
    ended: Vec<Service>,
    news2: Option<Measured>,
}

/// The box about NEWS2; shown only to roles that may read measurements.
struct Measured {
    summary: Option<Summary>,
    incomplete: Option<Alert>,
    chart: String,
}

/// The patient's page at `now_ms`; `news2` is absent for a role that may not read it.
pub fn patient(
    session: &Session,
    overview: &Overview,
    news2: Option<&News2>,
    now_ms: i64,
) -> String {
    let patient = Patient::new(&overview.patient, now_ms);
    let services = |lines: &[exchange::answer::ServiceLine]| {
        lines.iter().map(|line| Service::new(line, now_ms, 3)).collect()
    };
    html(&Page {
        frame: Frame::signed_in(patient.name.clone(), session, Some(Area::Legevakt)),
        find: address::legevakt(&session.number),
        patient,
        incomplete: Alert::incomplete(&overview.incomplete),
        active: services(&overview.active),
        ended: services(&overview.ended),
        news2: news2.map(|news2| Measured {
            summary: summary::summary(&news2.course, now_ms),
            incomplete: Alert::incomplete(&news2.incomplete),
            chart: address::chart(&session.number, news2.patient.person, Period::Week),
        }),
    })
}
