//! What a resident may ask for, and how a request goes: the steps from asked to answered, and when the
//! answer is due (GDPR art. 12, 15–17 and 20; pbrl. §§ 5-1 to 5-3; hpl. §§ 42 and 43).
//!
//! Invariant: what is answered stays answered; nobody but who asked takes a request back.

/// System of the codes of [`Right`], in `Task.code`.
pub const SYSTEM: &str = "https://fkj.no/fhir/CodeSystem/rights-request";

/// What the catalogue calls requests among the shapes of a category.
pub const SHAPE: &str = "rights-request";

/// Months from receipt within which a request is answered (GDPR art. 12 no. 3).
pub const MONTHS: u32 = 1;

/// Months that it may be put off, once, with a reason that is told.
pub const MORE_MONTHS: u32 = 2;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// A copy, sent in another way than by the page (pbrl. § 5-1, GDPR art. 15).
    Copy,
    /// That something is corrected (hpl. § 42, GDPR art. 16).
    Rectification,
    /// That something is deleted (hpl. § 43, GDPR art. 17).
    Erasure,
    /// What was given by consent or contract, for use elsewhere (GDPR art. 20).
    Portability,
    /// To be told how information is used (GDPR art. 13 to 15).
    Information,
}

impl Right {
    /// Every right.
    pub const ALL: [Right; 5] =
        [Right::Rectification, Right::Erasure, Right::Copy, Right::Portability, Right::Information];

    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Right::Copy => "copy",
            Right::Rectification => "rectification",
            Right::Erasure => "erasure",
            Right::Portability => "portability",
            Right::Information => "information",
        }
    }

    /// The right with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.code() == code)
    }

    /// Whether it is answered by giving a copy out.
    pub fn is_of_copy(self) -> bool {
        matches!(self, Right::Copy | Right::Portability)
    }
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Asked.
    Requested,
    /// Whoever is to answer has seen it.
    Received,
    /// It is taken on.
    Accepted,
    /// Somebody works on it.
    InProgress,
    /// It is done.
    Completed,
    /// It was refused, with a reason.
    Rejected,
    /// Whoever asked took it back.
    Withdrawn,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 7] = [
        Status::Requested,
        Status::Received,
        Status::Accepted,
        Status::InProgress,
        Status::Completed,
        Status::Rejected,
        Status::Withdrawn,
    ];

    /// As `Task.status` has it.
    pub fn code(self) -> &'static str {
        match self {
            Status::Requested => "requested",
            Status::Received => "received",
            Status::Accepted => "accepted",
            Status::InProgress => "in-progress",
            Status::Completed => "completed",
            Status::Rejected => "rejected",
            Status::Withdrawn => "cancelled",
        }
    }

    /// The status with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// Whether an answer is still due.
    pub fn is_open(self) -> bool {
        !matches!(self, Status::Completed | Status::Rejected | Status::Withdrawn)
    }

    /// What a step leads to; nothing where it cannot be taken from here.
    pub fn after(self, step: Step) -> Option<Self> {
        match (self, step) {
            (Status::Requested, Step::Receive) => Some(Status::Received),
            (Status::Requested | Status::Received, Step::Accept) => Some(Status::Accepted),
            (Status::Received | Status::Accepted, Step::Start) => Some(Status::InProgress),
            (Status::InProgress, Step::Complete) => Some(Status::Completed),
            (open, Step::Reject) if open.is_open() => Some(Status::Rejected),
            (open, Step::Withdraw) if open.is_open() => Some(Status::Withdrawn),
            (open, Step::Extend) if open.is_open() => Some(open),
            _ => None,
        }
    }
}

/// What somebody does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Tells that it has arrived.
    Receive,
    /// Takes it on.
    Accept,
    /// Begins.
    Start,
    /// Puts the answer off, once.
    Extend,
    /// Is done.
    Complete,
    /// Refuses.
    Reject,
    /// Takes it back.
    Withdraw,
}

impl Step {
    /// Every step.
    pub const ALL: [Step; 7] = [
        Step::Receive,
        Step::Accept,
        Step::Start,
        Step::Extend,
        Step::Complete,
        Step::Reject,
        Step::Withdraw,
    ];

    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Step::Receive => "receive",
            Step::Accept => "accept",
            Step::Start => "start",
            Step::Extend => "extend",
            Step::Complete => "complete",
            Step::Reject => "reject",
            Step::Withdraw => "withdraw",
        }
    }

    /// The step with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.code() == code)
    }

    /// Whether it takes a reason, which whoever asked is told.
    pub fn needs_reason(self) -> bool {
        matches!(self, Step::Extend | Step::Reject)
    }

    /// Whether it is for who asked, and not for who answers.
    pub fn is_the_residents(self) -> bool {
        self == Step::Withdraw
    }
}

/// The day so many months after a day, both `YYYY-MM-DD`; the month's last where it has no such day
/// (Regulation (EEC, Euratom) 1182/71 art. 3). Nothing for what is no day.
pub fn months_after(day: &str, months: u32) -> Option<String> {
    let mut parts = day.splitn(3, '-');
    let year: u32 = parts.next()?.parse().ok()?;
    let month: u32 = parts.next()?.parse().ok().filter(|month| (1..=12).contains(month))?;
    let date: u32 = parts.next()?.parse().ok().filter(|date| (1..=31).contains(date))?;
    let all = year.checked_mul(12)?.checked_add(month - 1)?.checked_add(months)?;
    let (year, month) = (all / 12, all % 12 + 1);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    Some(format!("{year:04}-{month:02}-{:02}", date.min(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_on_the_same_day_or_the_last() {
        let after = |day, months| months_after(day, months).unwrap();
        assert_eq!(after("2026-03-02", 1), "2026-04-02");
        assert_eq!(after("2026-01-31", 1), "2026-02-28");
        assert_eq!(after("2028-01-31", 1), "2028-02-29");
        assert_eq!(after("2026-11-30", 3), "2027-02-28");
        assert_eq!(after("2026-12-31", 1), "2027-01-31");
        assert_eq!(months_after("2026-13-01", 1), None);
        assert_eq!(months_after("i dag", 1), None);
    }
}
