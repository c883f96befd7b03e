//! What became of a form, told on the page that it stands on.

/// What became of the form that was sent.
#[derive(Clone, Debug)]
pub enum Notice {
    /// It is recorded.
    Done,
    /// It was refused; why.
    Refused(String),
}
