//! How a municipality is, for operators: whether it takes what is sent, whether it answers, and what to do.

use ledger::condition::{Condition, Writing};

use crate::error::Failure;
use crate::tenant::Tenant;

/// How a municipality is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Its clinical ledger.
    pub ledger: Condition,
    /// Its audit ledger: without it nothing is told and nothing is taken.
    pub audit: Condition,
    /// Whether the view follows the ledger; without it nothing is told and nothing is taken.
    pub view_follows: bool,
    /// For how many milliseconds it has not known what the servers that share its ledger have recorded, where
    /// there may be others.
    pub unaware_ms: Option<i64>,
    /// Whether it may answer all the same.
    pub is_aware: bool,
}

impl Health {
    /// Whether there is nothing to do.
    pub fn is_well(self) -> bool {
        self.ledger.is_well() && self.audit.is_well() && self.view_follows && self.is_aware
    }

    /// What is wrong, and what to do, a line each.
    pub fn troubles(self) -> Vec<String> {
        let mut told = Vec::new();
        let refused = |name: &str, condition: Condition, what: &str| {
            let writing = condition.writing;
            (writing != Writing::Open)
                .then(|| format!("{name} {}: {what}; {}", writing.key(), writing.what_to_do()))
        };
        told.extend(refused("ledger", self.ledger, "nothing is taken, what is there is read"));
        told.extend(refused("audit", self.audit, "nothing is told and nothing is taken"));
        for (name, condition) in [("ledger", self.ledger), ("audit", self.audit)] {
            if condition.damaged {
                told.push(format!(
                    "{name} damaged: what can be read is read; run `fkj ledger verify` and restore from a \
                     backup that verifies"
                ));
            }
        }
        if !self.view_follows {
            told.push("view stopped: nothing is told and nothing is taken; restart".to_owned());
        }
        if let Some(age) = self.unaware_ms.filter(|_| !self.is_aware) {
            told.push(format!(
                "unaware of what others have recorded for {} s: nothing is told and nothing is taken; see that the \
                 database can be reached",
                age / 1_000
            ));
        }
        told
    }
}

impl Tenant {
    /// How it is.
    pub fn health(&self) -> Health {
        Health {
            ledger: self.ledger.condition(),
            audit: self.audit.condition(),
            view_follows: self.view_follows(),
            unaware_ms: self.fresh.as_ref().map(|fresh| fresh.age()),
            is_aware: self.fresh.as_ref().is_none_or(|fresh| fresh.is_fresh()),
        }
    }

    /// Takes nothing while fewer bytes than this are free on its disk. The audit ledger goes on, so that what
    /// is there is read.
    pub fn keep_free(&self, bytes: u64) {
        self.ledger.keep_free(bytes);
    }

    /// Whether something can be taken: what cannot be logged is not begun.
    pub(crate) fn check_taking(&self) -> Result<(), Failure> {
        self.check_view()?;
        match self.looks().condition().writing {
            Writing::Stopped => Err(Failure::Stopped),
            _ => Ok(()),
        }
    }
}
