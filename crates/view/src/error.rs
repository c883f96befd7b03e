//! What can go wrong in the view. No variant carries person data.

/// An error of the view.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite failed.
    #[error("the view's database failed: {0}; delete `view.db` and run `fkj view rebuild`")]
    Storage(#[from] rusqlite::Error),
    /// An entry of the ledger could not be projected.
    #[error("the ledger entry at position {0} cannot be projected; run `fkj ledger verify`")]
    Entry(u64),
    /// The cursor of a paging link is not one of ours.
    #[error("the paging link is not valid; start the search again")]
    Cursor,
}
