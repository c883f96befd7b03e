//! A request as a `Task`.
//!
//! | Of the request | In the Task |
//! |---|---|
//! | which right | `code`, of [`SYSTEM`] |
//! | what it is about | `focus`; nothing where it is about more than one resource |
//! | in whose words | `description` |
//! | whom it is about | `for` |
//! | who asked, who answers | `requester`, `owner` |
//! | received, due | `restriction.period` |
//! | where it is, and why | `status`, `statusReason` |
//! | each step: who, when, why | `note`, one for each |
//! | the version that corrects | `output` |

use fhir::instant::{format_instant, range};
use fhir::json;
use fhir::value::{Object, Value};
use record::rights::{MONTHS, MORE_MONTHS, Right, SYSTEM, Status, Step, months_after};
use record::system::ENH;

use crate::control::system_of;

/// A request to record.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Which right.
    pub right: Right,
    /// Type and id of the one resource it is about.
    pub item: Option<(&'a str, &'a str)>,
    /// In the resident's words.
    pub text: &'a str,
    /// The resident's number, or else the id of a Patient.
    pub patient: Result<&'a str, &'a str>,
    /// Name of whoever asks.
    pub by: &'a str,
    /// Whether that is the resident, or somebody who represents the resident.
    pub by_resident: bool,
    /// Organisation number of whoever answers.
    pub owner: &'a str,
    /// What that organisation is called.
    pub owner_name: Option<&'a str>,
    /// When, milliseconds since 1970.
    pub at: i64,
    /// The day in Norway, `YYYY-MM-DD`.
    pub today: &'a str,
}

/// A step that was taken.
#[derive(Clone, Copy, Debug)]
pub struct Noted<'a> {
    /// Which.
    pub step: Step,
    /// Where it leads.
    pub then: Status,
    /// Why, or what was done.
    pub reason: Option<&'a str>,
    /// Name of who took it.
    pub by: &'a str,
    /// When, milliseconds since 1970.
    pub at: i64,
    /// The version that corrects, as a reference.
    pub output: Option<&'a str>,
    /// The day it was received, `YYYY-MM-DD`.
    pub received: &'a str,
}

/// A request, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Which right.
    pub right: Right,
    /// Where it is.
    pub status: Status,
    /// Type and id of the one resource it is about.
    pub item: Option<(String, String)>,
    /// In the resident's words.
    pub text: String,
    /// Who answers.
    pub owner: String,
    /// When it was asked, milliseconds since 1970.
    pub authored: i64,
    /// The day it was received, `YYYY-MM-DD`.
    pub received: String,
    /// The last day to answer, `YYYY-MM-DD`.
    pub due: String,
    /// Whether the answer has been put off.
    pub extended: bool,
    /// The last reason given.
    pub reason: Option<String>,
    /// Each step: when, who, and what is said of it.
    pub steps: Vec<(String, String, String)>,
}

impl Case {
    /// Whether the answer is late on a day, `YYYY-MM-DD`.
    pub fn is_overdue(&self, today: &str) -> bool {
        self.status.is_open() && self.due.as_str() < today
    }
}

/// The right that a Task is a request about; nothing where it is another Task.
pub fn of(task: &Value) -> Option<Right> {
    let codings = task.get("code").map(|code| code.items("coding")).unwrap_or_default();
    let own = codings.iter().find(|coding| coding.text("system") == Some(SYSTEM))?;
    Right::from_code(own.text("code")?)
}

/// The Task of a new request.
pub fn asked(asked: &Asked<'_>) -> Value {
    let at = format_instant(asked.at);
    let due = months_after(asked.today, MONTHS).unwrap_or_default();
    let patient = match asked.patient {
        Ok(number) => json!({ "identifier": { "system": system_of(number), "value": number } }),
        Err(id) => json!({ "reference": format!("Patient/{id}") }),
    };
    let by = (!asked.by.is_empty()).then_some(asked.by);
    let requester = match (asked.by_resident, by) {
        (true, None) => patient.clone(),
        (true, Some(by)) | (false, Some(by)) => json!({ "display": by }),
        (false, None) => patient.clone(),
    };
    json!({
        "resourceType": "Task",
        "status": Status::Requested.code(),
        "intent": "order",
        "priority": "routine",
        "code": { "coding": [{ "system": SYSTEM, "code": asked.right.code() }] },
        "description": asked.text,
        "focus": asked.item.map(|(kind, id)| json!({ "reference": format!("{kind}/{id}") })),
        "for": patient,
        "authoredOn": at.as_str(),
        "lastModified": at,
        "requester": requester,
        "owner": {
            "type": "Organization",
            "identifier": { "system": ENH, "value": asked.owner },
            "display": asked.owner_name,
        },
        "restriction": { "period": { "start": asked.today, "end": due } },
    })
}

/// Takes a step: status, reason, deadline, and a note of who did what and when.
pub fn advance(task: &mut Value, noted: &Noted<'_>) {
    let at = format_instant(noted.at);
    let said = match noted.reason {
        Some(reason) => format!("{}: {reason}", noted.step.code()),
        None => noted.step.code().to_owned(),
    };
    // A resident's login tells no name.
    let by = (!noted.by.is_empty()).then_some(noted.by);
    let note = json!({ "authorString": by, "time": at.as_str(), "text": said });
    let mut notes = task.items("note").to_vec();
    notes.push(note);
    let Some(object) = task.as_object_mut() else { return };
    object.remove("meta");
    object.set("status", noted.then.code());
    object.set("lastModified", at);
    object.set("note", Value::Array(notes));
    match noted.reason {
        Some(reason) => object.set("statusReason", json!({ "text": reason })),
        None => drop(object.remove("statusReason")),
    }
    if noted.step == Step::Extend {
        extend(object, noted.received);
    }
    if let Some(reference) = noted.output {
        let output = json!([{
            "type": { "text": "Rettet versjon" },
            "valueReference": { "reference": reference },
        }]);
        object.set("output", output);
    }
}

/// Puts the deadline off: to so many months after receipt.
fn extend(task: &mut Object, received: &str) {
    let due = months_after(received, MONTHS + MORE_MONTHS).unwrap_or_default();
    task.set("restriction", json!({ "period": { "start": received, "end": due } }));
}

/// Reads a request back; nothing where the Task is none.
pub fn read(task: &Value) -> Option<Case> {
    let right = of(task)?;
    let period = task.get("restriction")?.get("period")?;
    let received = period.text("start")?.to_owned();
    let due = period.text("end")?.to_owned();
    let authored = task.text("authoredOn").and_then(range).map(|(low, _)| low)?;
    let item = task.get("focus").and_then(|focus| focus.text("reference")?.split_once('/'));
    let owner = task.get("owner")?;
    let number = owner.get("identifier").and_then(|it| it.text("value")).unwrap_or_default();
    let note = |note: &Value| {
        let text = |name| note.text(name).unwrap_or_default().to_owned();
        (text("time"), text("authorString"), text("text"))
    };
    Some(Case {
        right,
        status: Status::from_code(task.text("status")?)?,
        item: item.map(|(kind, id)| (kind.to_owned(), id.to_owned())),
        text: task.text("description").unwrap_or_default().to_owned(),
        owner: owner.text("display").unwrap_or(number).to_owned(),
        authored,
        extended: months_after(&received, MONTHS).is_some_and(|first| first != due),
        received,
        due,
        reason: task.get("statusReason").and_then(|it| it.text("text")).map(str::to_owned),
        steps: task.items("note").iter().map(note).collect(),
    })
}
