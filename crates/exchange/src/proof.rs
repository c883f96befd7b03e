//! Proofs about the ledgers, for those outside: signed checkpoints, that an entry is in one, and that one
//! is the beginning of another.
//!
//! Invariant: checkpoints and what connects them say how much was recorded and nothing of what, so they
//! are for everybody; an entry's proof shows the entry, and is for whoever may see that.

use access::caller::Caller;
use fhir::issue::IssueCode;
use ledger::ledger::Ledger;
use ledger::merkle::Hash;
use record::catalogue::ACCESS;
use record::entry::Position;

use crate::audit::Deed;
use crate::error::Failure;
use crate::tenant::Tenant;

/// Which of a municipality's ledgers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Log {
    /// Who looked, recorded and was refused.
    Audit,
    /// The clinical facts.
    Clinical,
}

impl Log {
    /// Both.
    pub const ALL: [Log; 2] = [Log::Audit, Log::Clinical];

    /// Key, as addresses and commands have it.
    pub fn key(self) -> &'static str {
        match self {
            Log::Audit => "audit",
            Log::Clinical => "clinical",
        }
    }

    /// The log with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|log| log.key() == key)
    }
}

impl Tenant {
    /// One of the ledgers.
    pub fn log(&self, log: Log) -> &Ledger {
        match log {
            Log::Audit => &self.audit,
            Log::Clinical => &self.ledger,
        }
    }

    /// The signed checkpoint of exactly this size, or the latest.
    ///
    /// # Errors
    /// [`Failure::NotFound`] where there is none.
    pub fn checkpoint(&self, log: Log, size: Option<Position>) -> Result<String, Failure> {
        self.log(log).checkpoint(size)?.ok_or(Failure::NotFound)
    }

    /// The public key of a log's checkpoints, as C2SP writes it.
    ///
    /// # Errors
    /// Where the key cannot be used.
    pub fn checkpoint_key(&self, log: Log) -> Result<String, Failure> {
        Ok(self.log(log).verifier_key()?.to_string())
    }

    /// The proof that the first `from` entries are the beginning of the first `to`.
    ///
    /// # Errors
    /// [`Failure::NotFound`] where there are not so many.
    pub fn consistency(
        &self,
        log: Log,
        from: Position,
        to: Position,
    ) -> Result<Vec<Hash>, Failure> {
        if from > to {
            let what = "`from` is the smaller size, `to` the larger";
            return Err(Failure::malformed(IssueCode::Invalid, "from", what));
        }
        self.log(log).consistency(from, to)?.ok_or(Failure::NotFound)
    }

    /// An entry with the proof that it is in the checkpoint of `size`, or in one that is signed now.
    ///
    /// # Errors
    /// [`Failure::Refused`] for all but residents and privacy officers; [`Failure::NotFound`] where
    /// there is no such entry, it is about somebody else than the resident, or the checkpoint does not
    /// reach it.
    pub async fn prove(
        &self,
        caller: &Caller,
        log: Log,
        position: Position,
        size: Option<Position>,
    ) -> Result<String, Failure> {
        let ledger = self.log(log);
        let person = ledger.record(position)?.and_then(|record| record.entry.person);
        let categories = &[ACCESS];
        let deed =
            Deed { action: "log-proof", person, categories, resources: 1, ..Deed::default() };
        let proof = async {
            if size.is_none() {
                ledger.sign_checkpoint().await?;
            }
            let proof = ledger.proof(position, size)?.ok_or(Failure::NotFound)?;
            Ok(proof.to_string())
        };
        self.show_entry(caller, &deed, proof).await
    }
}
