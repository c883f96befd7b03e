//! What is wrong with a resource or a request, and FHIR's `OperationOutcome` that says so.
//!
//! An issue names the place and what to do. It must never carry a value from the resource, since
//! issues reach logs and other people than the sender.

use crate::json;
use crate::value::Value;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// How serious it is.
    pub severity: Severity,
    /// What sort of fault it is.
    pub code: IssueCode,
    /// FHIRPath of the element, such as `Observation.component[2].valueQuantity`; empty where the
    /// issue has no place.
    pub location: String,
    /// What is wrong and what to do, for people.
    pub message: String,
}

/// How serious an issue is (R4 value set issue-severity).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Information,
    /// Accepted, but should be corrected.
    Warning,
    /// Refused.
    Error,
    /// Refused, and the rest could not be looked at.
    Fatal,
}

impl Severity {
    /// The FHIR code.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Information => "information",
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Fatal => "fatal",
        }
    }
}

macro_rules! issue_codes {
    ($($name:ident $code:literal $meaning:literal)*) => {
        /// What sort of fault an issue is (R4 value set issue-type).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum IssueCode {
            $(#[doc = $meaning] $name,)*
        }

        impl IssueCode {
            /// The FHIR code.
            pub fn as_str(self) -> &'static str {
                match self { $(IssueCode::$name => $code,)* }
            }
        }
    };
}

issue_codes! {
    Invalid "invalid" "The content is not valid."
    Structure "structure" "The structure is wrong: wrong type, unknown element."
    Required "required" "Something required is missing."
    Value "value" "The form of a value is wrong."
    Invariant "invariant" "A rule between elements is broken."
    Security "security" "Refused for reasons of security."
    Login "login" "The caller is not known: log in."
    Unknown "unknown" "The user or system is unknown."
    Expired "expired" "The session has ended: log in anew."
    Forbidden "forbidden" "The caller may not do this."
    Suppressed "suppressed" "Some information is withheld."
    Processing "processing" "The content could not be processed."
    NotSupported "not-supported" "The server does not support this."
    Duplicate "duplicate" "The same exists already."
    MultipleMatches "multiple-matches" "Several match where one was asked for."
    NotFound "not-found" "There is no such thing."
    Deleted "deleted" "It was deleted."
    TooLong "too-long" "The content is too long."
    CodeInvalid "code-invalid" "The code is not one of those allowed."
    Extension "extension" "An extension is unknown or wrong."
    TooCostly "too-costly" "The request asks for too much."
    BusinessRule "business-rule" "A rule of the domain is broken."
    Conflict "conflict" "It collides with another change."
    Transient "transient" "A passing fault: try again."
    LockError "lock-error" "Locked by another."
    NoStore "no-store" "The store does not answer."
    Exception "exception" "A fault in the server."
    Timeout "timeout" "It took too long."
    Incomplete "incomplete" "Not everything could be fetched."
    Throttled "throttled" "Too many requests: slow down."
    Informational "informational" "No fault."
}

impl Issue {
    /// An issue that refuses.
    pub fn error(
        code: IssueCode,
        location: impl Into<String>,
        message: impl Into<String>,
    ) -> Issue {
        let (location, message) = (location.into(), message.into());
        Issue { severity: Severity::Error, code, location, message }
    }

    /// An issue that is kept beside what was accepted.
    pub fn warning(
        code: IssueCode,
        location: impl Into<String>,
        message: impl Into<String>,
    ) -> Issue {
        Issue { severity: Severity::Warning, ..Issue::error(code, location, message) }
    }

    /// Whether the issue refuses.
    pub fn refuses(&self) -> bool {
        self.severity >= Severity::Error
    }
}

/// The issues as an `OperationOutcome`; without issues, one that says all is well, since R4 asks for
/// at least one.
pub fn operation_outcome(issues: &[Issue]) -> Value {
    let mut listed: Vec<Value> = issues.iter().map(outcome_issue).collect();
    if listed.is_empty() {
        listed.push(json!({
            "severity": "information",
            "code": "informational",
            "details": { "text": "no issues" },
        }));
    }
    json!({ "resourceType": "OperationOutcome", "issue": listed })
}

fn outcome_issue(issue: &Issue) -> Value {
    let place = Some(issue.location.as_str()).filter(|place| !place.is_empty());
    json!({
        "severity": issue.severity.as_str(),
        "code": issue.code.as_str(),
        "details": { "text": &issue.message },
        "diagnostics": place.map(|place| format!("{place}: {}", issue.message)),
        "expression": place.map(|place| vec![place]),
    })
}
