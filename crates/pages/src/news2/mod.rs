//! NEWS2 in words and signs, for every page that shows it.

pub(crate) mod sparkline;
pub(crate) mod summary;
pub(crate) mod words;
