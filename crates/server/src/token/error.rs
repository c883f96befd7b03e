//! Why a caller was not let in: what is wrong and what to do. Never carries a token or a part of one.

use crate::config::Scheme;

/// Why a token was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is none.
    #[error("send an access token in the header Authorization, as {}", .0.name())]
    Missing(Scheme),
    /// It is sent in another way than this API is configured for.
    #[error("this API takes access tokens as {} only; send it so", .0.name())]
    Scheme(Scheme),
    /// It cannot be read as a JWT.
    #[error(
        "the access token is not a signed JWT of type at+jwt or JWT; send the issuer's access token unchanged"
    )]
    Malformed,
    /// The algorithm is not allowed.
    #[error("the access token must be signed with RS, PS or ES, 256 to 512 bits")]
    Algorithm,
    /// No issuer with this name is configured.
    #[error("the issuer of the access token is not trusted here; ask the issuer this API names")]
    Issuer,
    /// No such key.
    #[error("the access token is signed with a key the issuer has not published; get a new token")]
    Key,
    /// The signature does not verify.
    #[error("the signature of the access token is not valid; send it unchanged")]
    Signature,
    /// For another API.
    #[error(
        "the access token is for another API or municipality; get one with this audience alone"
    )]
    Audience,
    /// No longer valid.
    #[error("the access token has expired; get a new one")]
    Expired,
    /// Not yet valid.
    #[error("the access token is not valid yet; check the clocks")]
    NotYet,
    /// A token bound to a key may not be used as a plain bearer token.
    #[error(
        "the access token is bound to a key and cannot be used as Bearer; get one without `cnf`"
    )]
    Bound,
    /// A token bound to no key, where proofs are demanded.
    #[error(
        "the access token is not bound to a DPoP key (`cnf.jkt`); send a proof when getting it"
    )]
    Unbound,
    /// A claim that is needed is missing or not as its issuer writes it.
    #[error("the access token lacks `{0}`, or it cannot be read; ask the issuer for it")]
    Claim(&'static str),
    /// A resident's login that is too weak for health information.
    #[error("the login behind the access token is too weak; log in at level substantial or high")]
    Level,
    /// It does not hold a scope of this API.
    #[error("the access token lacks the scope of this API; get one with it")]
    Scope,
    /// The proof of possession is not right.
    #[error("{0}")]
    Proof(ProofError),
    /// Nothing is known to be wrong with the token, but it cannot be checked.
    #[error("{0}; try again shortly")]
    Unavailable(&'static str),
}

/// What is wrong with a DPoP proof (RFC 9449 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// None, or several.
    #[error("send exactly one header DPoP with a proof")]
    Count,
    /// Not a JWT.
    #[error("the DPoP proof is not a signed JWT")]
    Malformed,
    /// Another kind of JWT.
    #[error("the DPoP proof must have the type dpop+jwt")]
    Type,
    /// Symmetric, none, or unknown.
    #[error("the DPoP proof must be signed with RS, PS or ES, by the algorithm that fits its key")]
    Algorithm,
    /// No key, or one that cannot be used.
    #[error("the DPoP proof must hold the public key in `jwk`, RSA, P-256 or P-384")]
    Key,
    /// The private key was sent.
    #[error(
        "the DPoP proof holds a private or symmetric key; make a new key and send its public part only"
    )]
    PrivateKey,
    /// The signature does not verify.
    #[error("the signature of the DPoP proof is not valid")]
    Signature,
    /// Another key than the token is bound to.
    #[error("the DPoP proof is made with another key than the access token is bound to")]
    OtherKey,
    /// `htm`.
    #[error("the DPoP proof is for another method; `htm` must be the request's")]
    Method,
    /// `htu`.
    #[error(
        "the DPoP proof is for another address; `htu` must be the public address of the request without query"
    )]
    Address,
    /// `iat`.
    #[error(
        "the DPoP proof is too old or from the future; make one for each request and check the clocks"
    )]
    Time,
    /// `ath`.
    #[error("the DPoP proof is not for this access token; `ath` must be its SHA-256, base64url")]
    Token,
    /// `jti`.
    #[error("the DPoP proof must have an id of its own, `jti`, of 1 to 256 characters")]
    Id,
    /// `nonce`.
    #[error(
        "the DPoP proof must hold the `nonce` that the header DPoP-Nonce gives; make one with it"
    )]
    Nonce,
    /// Used before.
    #[error("the DPoP proof has been used before; make one for each request")]
    Replayed,
}

impl TokenError {
    /// `error` of the challenge (RFC 6750 §3.1, RFC 9449 §7.1); none where nothing was sent.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            TokenError::Missing(_) | TokenError::Unavailable(_) => None,
            TokenError::Proof(ProofError::Nonce) => Some("use_dpop_nonce"),
            TokenError::Proof(_) => Some("invalid_dpop_proof"),
            TokenError::Scope => Some("insufficient_scope"),
            _ => Some("invalid_token"),
        }
    }
}

impl From<ProofError> for TokenError {
    fn from(error: ProofError) -> Self {
        TokenError::Proof(error)
    }
}
