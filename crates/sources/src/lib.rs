//! What others hold about a person: national sources and neighbour municipalities, asked in the shapes that
//! they have published, side by side, each within its own deadline.
//!
//! Invariants. A source at its deadline costs no more than its deadline, and one that has failed again and again
//! is left alone for a while. What a source does not answer is told with the reason and the age of its last
//! answer ([`answer::Silence`]), never as an empty answer. A reply that is not about the person asked for is thrown away
//! whole. Whom may be asked is not decided here, and that somebody was asked is written down by the caller before
//! ([`source::Sources::ask`]). No identity number in an address, an error or a log.

pub mod answer;
mod breaker;
pub mod carrier;
mod memory;
mod reply;
pub mod shape;
pub mod source;
