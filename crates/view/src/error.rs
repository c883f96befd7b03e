//! What can go wrong in the view. No variant carries person data.

/// An error of the view.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite failed.
    #[error("the view's database failed: {0}; delete `view.db` and run `fkj view rebuild`")]
    Storage(#[from] rusqlite::Error),
    /// A row does not hold what the projector wrote. The ledger is not touched by this.
    #[error(
        "the view's row of position {0} is damaged; delete `view.db` and run `fkj view rebuild`"
    )]
    Row(u64),
    /// A resource could not be packed.
    #[error("the view cannot pack a resource: {0}; restart the server")]
    Packing(#[source] std::io::Error),
    /// A file of the view could not be put in place.
    #[error("the view's file cannot be put in place: {0}; check the disk and the folder's rights")]
    File(#[source] std::io::Error),
    /// The cursor of a paging link is not one of ours.
    #[error("the paging link is not valid; start the search again")]
    Cursor,
    /// A search would take more work than one request may.
    #[error(
        "the search is too costly: narrow it by a patient, a code or a period, or sort by `date` \
         or `_lastUpdated`"
    )]
    TooCostly,
    /// A search asks for something that only another part of the platform could have put in codes.
    #[error("the search names a value set or code system that is not known here")]
    UnknownCodes,
    /// A search goes from one resource to another by an added parameter that has no index yet.
    #[error(
        "a chain, `_has` or include follows an added search parameter that is not indexed yet; \
         try again in a while"
    )]
    NoIndex,
}

impl Error {
    /// What was broken off at the limit is too costly, wherever it was.
    pub(crate) fn of_search(self) -> Self {
        match self {
            Error::Storage(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) =>
            {
                Error::TooCostly
            }
            other => other,
        }
    }
}
