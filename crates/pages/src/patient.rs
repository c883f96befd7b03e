//! Who the patient is, at the top of a page.

use askama::Template;
use exchange::answer::PatientHeader;

use crate::text::{self, filters};
use crate::time;

/// The view of a [`PatientHeader`].
#[derive(Template)]
#[template(path = "patient.html")]
pub(crate) struct Patient {
    pub name: String,
    number: Option<String>,
    born: Option<String>,
    gender: Option<String>,
    address: Option<String>,
    phone: Option<Phone>,
}

/// A telephone number to show and to ring.
pub(crate) struct Phone {
    /// For `tel:`: digits and a leading plus.
    pub dial: String,
    /// As written by the source.
    pub text: String,
}

impl Patient {
    /// The header as seen at `now_ms`.
    pub fn new(header: &PatientHeader, now_ms: i64) -> Self {
        Self {
            name: name(header),
            number: header.number.as_deref().map(grouped),
            born: header.birth_date.as_deref().map(|date| born(date, now_ms)),
            gender: header
                .gender
                .as_deref()
                .and_then(|gender| text::find(&format!("gender-{gender}"), &[])),
            address: header.address.clone(),
            phone: header.phone.as_deref().map(Phone::new),
        }
    }
}

impl Phone {
    /// A number as a source wrote it.
    pub fn new(written: &str) -> Self {
        let dial = written.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        Self { dial, text: written.to_owned() }
    }
}

/// The patient's name, or words for not knowing it.
pub(crate) fn name(header: &PatientHeader) -> String {
    header.name.clone().unwrap_or_else(|| text::get("patient-unnamed"))
}

/// Age in words.
pub(crate) fn age(header: &PatientHeader, now_ms: i64) -> Option<String> {
    let years = time::age(header.birth_date.as_deref()?, now_ms)?;
    Some(text::with("age", &[("n", years.into())]))
}

fn born(date: &str, now_ms: i64) -> String {
    match time::age(date, now_ms) {
        Some(years) => {
            let age = text::with("age", &[("n", years.into())]);
            format!("{} ({age})", time::day(date))
        }
        None => time::day(date),
    }
}

/// An identity number as people read it: six digits and five.
fn grouped(number: &str) -> String {
    match number.split_at_checked(6) {
        Some((date, rest)) if number.len() == 11 => format!("{date} {rest}"),
        _ => number.to_owned(),
    }
}
