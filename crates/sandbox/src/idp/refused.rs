//! What a stand-in refuses, by the codes of OAuth 2.0 and its extensions.

use serde_json::{Value, json};

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// `error`: RFC 6749 §4.1.2.1 and 5.2, RFC 8707 §2, RFC 9396 §5, RFC 9449 §5 and 8.
    pub code: &'static str,
    /// `error_description`: what is wrong and what to do. Repeats nothing that was sent.
    pub description: &'static str,
}

impl Refused {
    /// A refusal.
    pub const fn new(code: &'static str, description: &'static str) -> Self {
        Self { code, description }
    }

    /// `invalid_request`.
    pub const fn request(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }

    /// `invalid_client`.
    pub const fn client(description: &'static str) -> Self {
        Self::new("invalid_client", description)
    }

    /// `invalid_grant`.
    pub const fn grant(description: &'static str) -> Self {
        Self::new("invalid_grant", description)
    }

    /// `invalid_dpop_proof`.
    pub const fn proof(description: &'static str) -> Self {
        Self::new("invalid_dpop_proof", description)
    }

    /// The status of a JSON answer.
    pub fn status(&self) -> u16 {
        match self.code {
            "invalid_client" => 401,
            "temporarily_unavailable" => 503,
            _ => 400,
        }
    }

    /// The body of a JSON answer.
    pub fn body(&self) -> Value {
        json!({ "error": self.code, "error_description": self.description })
    }
}
