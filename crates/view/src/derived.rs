//! The Patient that is derived for a person whom no source has sent one for, so that the person can be
//! found: from how another resource names its patient.

use fhir::resource::Resource;
use fhir::value::Value;
use record::about::{Elements, elements};

/// The identifier by which a resource names its patient: of a participant only where it says that
/// it is one.
pub(crate) fn patient_identifier(resource: &Resource) -> Option<&Value> {
    let Elements { subjects, participants, .. } = elements(resource.kind());
    let of = |path: &str, is_patient: fn(Option<&str>) -> bool| {
        let references = resource.value().all_at(path).into_iter();
        let mut patients = references.filter(|it| is_patient(it.text("type")));
        patients.find_map(|reference| reference.get("identifier"))
    };
    let subject = |kind: Option<&str>| kind.is_none_or(|kind| kind == "Patient");
    let subject = subjects.iter().find_map(|path| of(path, subject));
    subject.or_else(|| participants.iter().find_map(|path| of(path, |it| it == Some("Patient"))))
}

/// A Patient that no source has sent.
pub(crate) fn derived_patient(id: &str, identifier: &Value) -> Value {
    fhir::json!({
        "resourceType": "Patient",
        "id": id,
        "identifier": [identifier],
    })
}
