//! What other servers have appended of late: what a draft may have been overtaken by.
//!
//! Invariant: every entry after `from` that this writer did not append itself is here.

use record::entry::{Kind, Position};
use record::identity::PersonId;
use std::collections::VecDeque;

/// So many entries are remembered.
const REMEMBERED: usize = 1 << 14;

/// An entry that another server has appended.
#[derive(Clone, Copy)]
pub(crate) struct Foreign {
    pub(crate) position: Position,
    pub(crate) kind: Kind,
    pub(crate) person: Option<PersonId>,
}

impl Foreign {
    /// Whether it says that a person's key is to be destroyed or exchanged.
    pub(crate) fn ends_content(&self) -> bool {
        matches!(self.kind, Kind::Erasure | Kind::Resealing)
    }
}

/// The latest of them, in order.
pub(crate) struct Window {
    from: Position,
    entries: VecDeque<Foreign>,
}

impl Window {
    /// Nothing is remembered of entries up to `from`.
    pub(crate) fn after(from: Position) -> Self {
        Self { from, entries: VecDeque::new() }
    }

    pub(crate) fn add(&mut self, entries: Vec<Foreign>) {
        self.entries.extend(entries);
        while self.entries.len() > REMEMBERED {
            self.from = self.entries.pop_front().map_or(self.from, |oldest| oldest.position);
        }
    }

    /// What has overtaken a draft about `person` that rests on what was there up to `seen`: the last entry about
    /// the same person, or decision. Where it is not remembered so far back, whatever may have.
    pub(crate) fn overtaking(&self, seen: Position, person: Option<PersonId>) -> Option<Position> {
        let mut since = self.entries.iter().rev().take_while(|it| it.position > seen);
        let last = since
            .find(|it| it.kind == Kind::Decision || (it.person == person))
            .map(|it| it.position);
        last.or((seen < self.from).then_some(self.from))
    }
}
