//! The named points of an append where a crash would be seen differently: a crash test ends the
//! process there. What is visible after each is written in the crate's documentation.

/// A point on the way of a batch to disk, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Point {
    /// The writer took the batch from the queue.
    Taken,
    /// The bodies are in the transaction.
    Bodies,
    /// The entries are in the transaction, with the subtrees they complete.
    Entries,
    /// The signed head is in the transaction.
    Head,
    /// The checkpoint, where one was due, is in the transaction.
    Checkpoint,
    /// The transaction is on disk.
    Committed,
    /// The keys of the persons whom the batch erased, if any, are destroyed.
    Destroyed,
    /// The projector has got the batch.
    Handed,
    /// The appenders have their answers.
    Answered,
}

impl Point {
    /// Every point, in order.
    pub const ALL: [Point; 9] = [
        Point::Taken,
        Point::Bodies,
        Point::Entries,
        Point::Head,
        Point::Checkpoint,
        Point::Committed,
        Point::Destroyed,
        Point::Handed,
        Point::Answered,
    ];
}

/// Told when the writer passes a [`Point`].
pub trait Faults: Send + Sync {
    /// The writer is at `point`.
    fn at(&self, point: Point);
}

/// Nothing happens: what every product use has.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFaults;

impl Faults for NoFaults {
    fn at(&self, _point: Point) {}
}
