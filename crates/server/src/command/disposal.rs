//! `fkj disposal`: what an operator must know of erasures and of time that has run. The server must not be
//! running; while it is, the admin API tells the same. Nothing is erased here: that takes two officers.

use exchange::disposal::answer;

use crate::command::register::open;
use crate::command::{Failed, Place};

/// Prints erasures, the newest first: a copy of `keys.db` from before one of them still opens what it was
/// about.
pub fn erasures(place: &Place) -> Result<(), Failed> {
    for municipality in place.municipalities()? {
        let decided = open(&municipality)?.decided();
        let erased: Vec<_> = decided.disposal.erased.values().rev().cloned().collect();
        let records: Vec<_> = decided.disposal.records.values().rev().cloned().collect();
        println!("{}", serde_json::to_string_pretty(&answer::erasures(&erased, &records))?);
    }
    Ok(())
}

/// Prints persons whose information has been kept long enough.
pub fn due(place: &Place) -> Result<(), Failed> {
    for municipality in place.municipalities()? {
        let (due, whole) = open(&municipality)?.due()?;
        println!("{}", serde_json::to_string_pretty(&answer::due(&due, whole))?);
    }
    Ok(())
}
