//! `fkj ledger verify`.

use std::process::ExitCode;

use crate::command::register::open;
use crate::command::{Failed, Place};

/// Verifies both ledgers of each municipality; fails where anything is wrong.
pub fn verify(place: &Place) -> Result<ExitCode, Failed> {
    let mut sound = true;
    for municipality in place.municipalities()? {
        let number = &municipality.number;
        let tenant = open(&municipality)?;
        for (name, ledger) in [("ledger", tenant.ledger()), ("audit", tenant.audit())] {
            let report = ledger.verify(|_, _| {})?;
            for fault in &report.faults {
                println!(
                    "{number}/{name}, position {}: {}; {}",
                    fault.position,
                    fault.what,
                    fault.what.what_to_do()
                );
            }
            if report.faults.is_empty() {
                println!("{number}/{name}: {} entries, the chain is whole", report.entries);
            } else {
                println!("{number}/{name}: {} faults; restore from backup", report.faults.len());
                sound = false;
            }
        }
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
