//! The copy of a resident's information that a person can read, as a PDF in Bokmål: who it is, each kind of
//! information with dated lines, what is withheld, what was asked for, and who has looked.

pub mod sheet;

use exchange::control::Restricted;
use exchange::copy::line::Line;
use exchange::copy::readable::{Readable, Section};
use exchange::rights::list::Listed;
use fluent_bundle::FluentValue;

use self::sheet::{About, Role, Sheet, Unprintable};
use crate::access_log::Look;
use crate::requests;
use crate::restrictions::{Held, Own};
use crate::text;
use crate::time;

/// What the file is called.
pub const FILE: &str = "mine-helseopplysninger.pdf";

/// The document.
///
/// # Errors
/// What cannot be printed.
pub fn pdf(copy: &Readable, units: &[(String, String)]) -> Result<Vec<u8>, Unprintable> {
    let mut sheet = Sheet::default();
    let title = text::get("copy-title");
    sheet.add(Role::Title, title.as_str());
    who(&mut sheet, copy);
    for section in &copy.sections {
        of_category(&mut sheet, section, copy.at);
    }
    restrictions(&mut sheet, &copy.restricted, units, copy.at);
    asked(&mut sheet, &copy.requests);
    looks(&mut sheet, copy);
    sheet.add(Role::Heading, text::get("copy-rights"));
    sheet.add(Role::Text, text::get("copy-rights-text"));
    let name = copy.patient.name.clone().unwrap_or_default();
    let foot = |page: usize, of: usize| {
        let arguments: [(&str, FluentValue<'_>); 3] =
            [("page", page.into()), ("of", of.into()), ("name", name.as_str().into())];
        text::with("copy-foot", &arguments)
    };
    sheet.print(&About { title: &title, made: utc(copy.at), foot: &foot })
}

fn utc(at: i64) -> (u16, u8, u8, u8, u8, u8) {
    let at = time::oslo(at).with_time_zone(jiff::tz::TimeZone::UTC);
    let small = |number: i8| u8::try_from(number).unwrap_or_default();
    let year = u16::try_from(at.year()).unwrap_or_default();
    let (hour, minute, second) = (small(at.hour()), small(at.minute()), small(at.second()));
    (year, small(at.month()), small(at.day()), hour, minute, second)
}

/// A line of what is told by name.
fn named(key: &str, value: &str) -> String {
    format!("{}: {value}", text::get(key))
}

fn who(sheet: &mut Sheet, copy: &Readable) {
    let at = time::moment(copy.at, copy.at).full;
    let arguments: [(&str, FluentValue<'_>); 2] =
        [("municipality", copy.municipality.as_str().into()), ("at", at.as_str().into())];
    sheet.add(Role::Text, text::with("copy-lead", &arguments));
    sheet.add(Role::Heading, text::get("copy-who"));
    let patient = &copy.patient;
    let born = patient.birth_date.as_deref().map(time::day);
    let known = [
        ("copy-name", patient.name.clone()),
        ("copy-number", patient.number.clone()),
        ("copy-born", born),
        ("copy-address", patient.address.clone()),
        ("copy-phone", patient.phone.clone()),
    ];
    let mut is_known = false;
    for (key, value) in known {
        if let Some(value) = value {
            sheet.add(Role::Text, named(key, &value));
            is_known = true;
        }
    }
    if !is_known {
        sheet.add(Role::Text, text::get("copy-unknown"));
    }
    if !copy.incomplete.is_empty() {
        sheet
            .add(Role::Text, text::with("copy-incomplete", &[("n", copy.incomplete.len().into())]));
    }
    if copy.left_out > 0 {
        sheet.add(Role::Text, text::with("copy-left-out", &[("n", copy.left_out.into())]));
    }
    if copy.sections.is_empty() {
        sheet.add(Role::Text, text::get("copy-nothing"));
    }
}

fn of_category(sheet: &mut Sheet, section: &Section, now_ms: i64) {
    sheet.add(Role::Heading, section.category.texts.nb.title.as_str());
    sheet.add(Role::Text, section.category.texts.nb.explanation.as_str());
    if let Some(basis) = section.basis {
        sheet.add(Role::Text, named("copy-basis", &basis.title));
    }
    for line in &section.lines {
        item(sheet, line, now_ms);
    }
}

fn item(sheet: &mut Sheet, line: &Line, now_ms: i64) {
    let kind = || {
        let known = text::find(&format!("kind-{}", line.kind), &[]);
        known.unwrap_or_else(|| line.kind.to_owned())
    };
    let title = line.title.clone().unwrap_or_else(kind);
    let when = line.when.as_deref().map(when);
    sheet.add(Role::Item, when.map_or_else(|| title.clone(), |when| format!("{when}: {title}")));
    for (name, said) in &line.facts {
        let known = text::find(&format!("element-{name}"), &[]);
        sheet.add(Role::Fact, format!("{}: {said}", known.as_deref().unwrap_or(name)));
    }
    let recorded = time::moment(line.recorded, now_ms).full;
    let arguments: [(&str, FluentValue<'_>); 3] = [
        ("owner", line.owner.as_str().into()),
        ("source", line.source.as_str().into()),
        ("at", recorded.as_str().into()),
    ];
    sheet.add(Role::Fact, text::with("copy-from", &arguments));
}

/// A date as people read it; a time by its day and clock in Norway.
fn when(written: &str) -> String {
    match written.parse::<jiff::Timestamp>() {
        Ok(at) => time::moment(at.as_millisecond(), at.as_millisecond()).full,
        Err(_) => time::day(written),
    }
}

fn restrictions(
    sheet: &mut Sheet,
    restricted: &[Restricted],
    units: &[(String, String)],
    now_ms: i64,
) {
    sheet.add(Role::Heading, text::get("restrict-title"));
    if restricted.is_empty() {
        sheet.add(Role::Text, text::get("restrict-none"));
    }
    let own = Own { restricted, units, done: None };
    for it in restricted {
        let held = Held::new(it, own, &[], now_ms);
        sheet.add(Role::Item, named("restrict-from", &held.who));
        sheet.add(Role::Fact, named("restrict-what", &held.what.join("; ")));
        sheet.add(Role::Fact, named("restrict-when", &held.since.full));
        sheet.add(Role::Fact, named("restrict-in-emergency", &held.emergency));
    }
}

fn asked(sheet: &mut Sheet, all: &[Listed]) {
    if all.is_empty() {
        return;
    }
    sheet.add(Role::Heading, text::get("requests-title"));
    for it in all {
        let title = requests::right(it.case.right);
        sheet.add(Role::Item, format!("{}: {title}", time::day(&it.case.received)));
        sheet.add(Role::Fact, it.case.text.as_str());
        sheet.add(Role::Fact, named("requests-status", &requests::status(it.case.status)));
        sheet.add(Role::Fact, named("requests-due", &time::day(&it.case.due)));
        if let Some(reason) = &it.case.reason {
            sheet.add(Role::Fact, named("requests-reason", reason));
        }
    }
}

fn looks(sheet: &mut Sheet, copy: &Readable) {
    let Some(looks) = &copy.looks else { return };
    sheet.add(Role::Heading, text::get("mine-looks"));
    if looks.is_empty() {
        sheet.add(Role::Text, text::get("looks-none"));
    }
    for line in looks {
        let look = Look::new(line, copy.at);
        sheet.add(Role::Item, format!("{}: {}", look.at.full, look.who));
        sheet.add(Role::Fact, look.place.unwrap_or_default());
        sheet.add(Role::Fact, named("look-what", &look.action));
        sheet.add(Role::Fact, named("look-why", &look.purpose));
        let titles: Vec<String> = look.categories.into_iter().map(|it| it.title).collect();
        if !titles.is_empty() {
            sheet.add(Role::Fact, named("look-categories", &titles.join(", ")));
        }
        if let Some(rule) = look.refused {
            sheet.add(Role::Fact, named("look-rule", &rule));
        }
    }
    sheet.add(Role::Text, text::get("looks-not-shown"));
}
