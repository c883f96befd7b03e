//! The header `Prefer` (RFC 7240; R4 http, `return` and `handling`; R4 async).

use axum::http::HeaderMap;
use exchange::carry_out::Return;

/// What the caller prefers. Unknown preferences are passed over, as RFC 7240 asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::routes) struct Prefer {
    /// `return=…`.
    pub(in crate::routes) returned: Option<Return>,
    /// `handling=strict`: refuse what is not supported.
    pub(in crate::routes) strict: bool,
    /// `handling=lenient`: leave out what is not supported, where that would refuse otherwise.
    pub(in crate::routes) lenient: bool,
    /// `respond-async`: the answer may come later.
    pub(in crate::routes) later: bool,
    /// `position=…`: the answer is to hold everything up to this position of the ledger, which is the version that a
    /// change was answered with, perhaps by another server.
    pub(in crate::routes) position: Option<u64>,
}

impl Prefer {
    pub(in crate::routes) fn of(headers: &HeaderMap) -> Self {
        let mut prefer = Self::default();
        let lines = headers.get_all("prefer").iter().filter_map(|line| line.to_str().ok());
        for preference in lines.flat_map(|line| line.split([',', ';'])) {
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            match (name.trim(), value.trim().trim_matches('"')) {
                ("return", "minimal") => prefer.returned = Some(Return::Minimal),
                ("return", "representation") => prefer.returned = Some(Return::Representation),
                ("return", "OperationOutcome") => prefer.returned = Some(Return::Outcome),
                ("handling", "strict") => prefer.strict = true,
                ("handling", "lenient") => prefer.lenient = true,
                ("respond-async", _) => prefer.later = true,
                ("position", position) => prefer.position = position.parse().ok(),
                _ => {}
            }
        }
        prefer
    }
}
