//! The analysis of the log of looks: run day by day over the audit ledger, with a work list for the
//! privacy officer, and who has which access for those who lead.
//!
//! The judgement is [`access::vigilance`]'s; here it gets looks and facts, its findings are kept for as
//! long as they may be, and what people conclude is recorded.
//!
//! Invariants:
//! - Purpose: to find looks without need (pasientjournalloven §§16, 22; Normen), nothing else. Findings are
//!   told to the privacy officer, accesses to leaders about their own units; each telling is in the log.
//! - A finding is made from the log and can be made again: it is kept in a sealed file beside the ledgers,
//!   which may be thrown away, and is forgotten after `keep-days`. What was concluded is a decision in the
//!   ledger, which names the finding and no employee.
//! - A day is analysed once, when it is settled. Between pages the analysis rests, so that it takes at most
//!   half of one core, and it never holds a lock that a reader or writer waits for.

pub mod answer;
mod facts;
pub mod kept;
pub mod list;
mod local;
pub mod people;
pub mod review;
mod run;
