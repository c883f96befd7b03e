//! Emergency access: somebody at work opens one resident's record with a stated reason, for at most
//! eight hours; the resident sees it, and it is reviewed.

/// Longest time an opening runs: eight hours, in milliseconds.
pub const LONGEST: i64 = 8 * 60 * 60 * 1000;

/// One emergency access to one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Its id.
    pub id: String,
    /// Subject of the login of who opened.
    pub subject: String,
    /// Where the stated reason is kept.
    pub reason_ref: String,
    /// From here, milliseconds since 1970.
    pub from: i64,
    /// Until here.
    pub to: i64,
}

impl Opening {
    /// Whether it runs now, for this person at work. Whatever it says, it ends after [`LONGEST`].
    pub fn runs(&self, subject: &str, now: i64) -> bool {
        self.subject == subject
            && self.from <= now
            && now < self.to.min(self.from.saturating_add(LONGEST))
    }
}
