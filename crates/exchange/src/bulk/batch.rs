//! Lines that may be recorded together: read, and parted where one must wait for another.
//!
//! Invariants: lines stand in the order of the file, each in one batch; a batch brings a resource
//! once, and a person's Patient once.

use std::collections::HashSet;

use fhir::definitions::resource_kind;
use fhir::issue::{Issue, IssueCode};
use fhir::json;
use record::identity::Strictness;

use crate::error::Failure;
use crate::naming;
use crate::submission::Operation;
use crate::whom::{self, Subject};

/// Lines recorded together, and what others must know of them.
#[derive(Default)]
pub(super) struct Batch {
    /// How many lines of the file it is, blank ones too.
    pub lines: u64,
    /// What is asked for, each with its line.
    pub operations: Vec<(u64, Operation)>,
    /// Lines that could not be read.
    pub refused: Vec<(u64, Failure)>,
    /// What it brings.
    pub names: Names,
    /// What it refers to.
    refers: HashSet<String>,
}

/// What a batch brings.
#[derive(Default)]
pub(super) struct Names {
    /// Resources, persons with a Patient, and events.
    known: HashSet<String>,
    /// Whether it brings Patients: whoever comes later may mean them, be it by number.
    patients: bool,
}

impl Batch {
    /// Whether what this batch does may hang on what that one brings.
    pub(super) fn awaits(&self, other: &Names) -> bool {
        let mut known = self.names.known.iter().chain(&self.refers);
        other.patients || known.any(|name| other.known.contains(name))
    }

    /// Whether the batch already brings what the operation brings.
    fn brings(&self, operation: &Operation) -> bool {
        brings(operation).iter().any(|name| self.names.known.contains(name))
    }

    fn take(&mut self, line: u64, operation: Operation) {
        self.names.known.extend(brings(&operation));
        self.names.patients |= operation.kind == "Patient";
        self.refers.extend(refers(&operation));
        self.operations.push((line, operation));
    }
}

/// Reads lines, the first of which has this number, of the import with this name.
///
/// Lines that were recorded when the connection broke, before it was written how far the import was,
/// come again: a new resource that nothing else names is named after its line, so that it is not made
/// twice.
pub(super) fn read(lines: Vec<Vec<u8>>, first: u64, import: &str) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut batch = Batch::default();
    for (line, text) in (first..).zip(lines) {
        // A blank line is no resource and no fault.
        if !text.iter().all(u8::is_ascii_whitespace) {
            match operation(&text, || format!("import:{import}#{line}")) {
                Ok(operation) => {
                    if batch.brings(&operation) {
                        batches.push(std::mem::take(&mut batch));
                    }
                    batch.take(line, operation);
                }
                Err(failure) => batch.refused.push((line, failure)),
            }
        }
        batch.lines += 1;
    }
    batches.push(batch);
    batches
}

fn operation(text: &[u8], name: impl Fn() -> String) -> Result<Operation, Failure> {
    let wrong = |code, location: &str, text: String| {
        Failure::Malformed(vec![Issue::error(code, location, text)])
    };
    let value = json::parse(text).map_err(|error| {
        let text = format!("column {}: {}", error.column, error.message);
        wrong(IssueCode::Structure, "", text)
    })?;
    let kind = value.text("resourceType").and_then(resource_kind).ok_or_else(|| {
        let text = "name a resource type of FHIR R4".to_owned();
        wrong(IssueCode::Structure, "resourceType", text)
    })?;
    if let Some(id) = value.text("id").map(str::to_owned) {
        return Ok(Operation::update(kind, id, value, None));
    }
    let named = kind == "Patient" || naming::event_id(kind, &value).is_some();
    let mut operation = Operation::create(kind, value);
    operation.event_id = (!named).then(name);
    Ok(operation)
}

/// Of what a batch may bring one only.
fn brings(operation: &Operation) -> Vec<String> {
    let Some(value) = &operation.resource else { return Vec::new() };
    if let Some(id) = &operation.id {
        let own = std::iter::once(format!("{}/{id}", operation.kind));
        return own.chain(numbers(operation)).collect();
    }
    let event = naming::event_id(operation.kind, value).filter(|_| operation.kind != "Patient");
    event.into_iter().chain(numbers(operation)).collect()
}

/// The numbers of a Patient: a source has one Patient for a person.
fn numbers(operation: &Operation) -> impl Iterator<Item = String> {
    let patient = operation.resource.as_ref().filter(|_| operation.kind == "Patient");
    let identifiers = patient.map(|it| it.items("identifier")).unwrap_or_default();
    let numbers = identifiers.iter().filter_map(|it| it.text("value"));
    numbers.map(|number| format!("#{number}"))
}

/// The resources by which it says whom it is about.
fn refers(operation: &Operation) -> Vec<String> {
    let Some(value) = operation.resource.as_ref().filter(|_| operation.kind != "Patient") else {
        return Vec::new();
    };
    // Numbers are checked where the resource is; here they name nobody.
    let named = whom::named(operation.kind, value, None, Strictness::Lenient).unwrap_or_default();
    let name = |subject| match subject {
        Subject::Patient(id) => Some(format!("Patient/{id}")),
        Subject::Record(kind, id) => Some(format!("{kind}/{id}")),
        Subject::Number(..) | Subject::FullUrl(_) => None,
    };
    named.persons.into_iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(lines: &[&str]) -> Vec<Batch> {
        read(lines.iter().map(|line| line.as_bytes().to_vec()).collect(), 1, "test")
    }

    fn shape(batches: &[Batch]) -> Vec<(u64, usize, usize)> {
        let of = |it: &Batch| (it.lines, it.operations.len(), it.refused.len());
        batches.iter().map(of).collect()
    }

    #[test]
    fn a_resource_that_comes_again_begins_a_batch() {
        let a = r#"{"resourceType":"Device","id":"a"}"#;
        let b = r#"{"resourceType":"Device","id":"b"}"#;
        let found = batches(&[a, "", b, "{", a, b]);
        assert_eq!(shape(&found), [(4, 2, 1), (2, 2, 0)]);
        let lines: Vec<u64> = found[1].operations.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [5, 6]);
        assert!(found[1].awaits(&found[0].names));
    }

    #[test]
    fn a_persons_patient_stands_once_in_a_batch() {
        let patient = r#"{"resourceType":"Patient","identifier":[{"system":"x","value":"1"}]}"#;
        assert_eq!(shape(&batches(&[patient, patient])), [(1, 1, 0), (1, 1, 0)]);
    }

    #[test]
    fn whoever_refers_waits_and_nobody_else() {
        let device = batches(&[r#"{"resourceType":"Device","id":"a"}"#]);
        let observed = batches(&[
            r#"{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/p"}}"#,
        ]);
        let told =
            batches(&[r#"{"resourceType":"Provenance","target":[{"reference":"Observation/o"}]}"#]);
        let patient = batches(&[r#"{"resourceType":"Patient","id":"p"}"#]);
        assert!(told[0].awaits(&observed[0].names));
        assert!(!observed[0].awaits(&device[0].names));
        assert!(!observed[0].awaits(&told[0].names));
        assert!(device[0].awaits(&patient[0].names));
    }
}
