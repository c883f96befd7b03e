//! What has happened, newest first: the versions of a type or of everything, under a permit.
//!
//! Positions are dense, so a look is bounded by positions: where the permit does not name a person,
//! windows of the newest positions are walked until a page is full or enough was looked at. A page
//! may so be short and still have a next one.

use access::permit::{Reach, ReadPermit};
use record::entry::Position;
use record::identity::PersonId;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};

use crate::error::Error;
use crate::kinds;
use crate::project::state;
use crate::sql::Piece;
use crate::store::{View, person, position};

/// Positions looked at in one step.
const WINDOW: u64 = 5_000;

/// Steps in one look.
const WINDOWS: usize = 10;

/// A version of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The version: the ledger position.
    pub version: Position,
    /// The resource's type.
    pub kind: &'static str,
    /// Its logical id.
    pub id: String,
    /// Whom it is about.
    pub person: Option<PersonId>,
    /// Whether it is the resource's first version.
    pub first: bool,
}

/// Some of what has happened.
#[derive(Debug, Default)]
pub struct Changes {
    /// The newest first.
    pub changes: Vec<Change>,
    /// Where to go on, if there may be more: before this position.
    pub next: Option<Position>,
}

/// Which versions are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// From this position,
    pub from: Position,
    /// to before this one,
    pub before: Position,
    /// and not followed by another version of the same resource at this position or before.
    pub lasting: Position,
}

impl Span {
    /// The versions of a resource that are in the span, out of all of them, the newest first.
    pub fn of(&self, versions: &[Position]) -> Vec<Position> {
        let followers = std::iter::once(Position::MAX).chain(versions.iter().copied());
        versions
            .iter()
            .zip(followers)
            .filter(|(version, follower)| {
                (self.from..self.before).contains(*version) && *follower > self.lasting
            })
            .map(|(version, _)| *version)
            .collect()
    }
}

impl View {
    /// At most `count` versions of a span, of one type or of all, that the permit opens.
    pub fn changes(
        &self,
        permit: &ReadPermit,
        kind: Option<&str>,
        span: &Span,
        count: usize,
    ) -> Result<Changes, Error> {
        self.with(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            let windowed = !matches!(permit.reach(), Reach::Person(_));
            let mut limits = self.limits(&snapshot, permit)?.open("r");
            if let Some(kind) = kind {
                // The plus keeps SQLite from walking the whole type instead of the window.
                limits.and(Piece::new("+r.kind = ?", [Sql::from(kinds::number(kind))]));
            }
            let newest: i64 = snapshot.query_row(
                "SELECT coalesce(max(value), 0) FROM meta WHERE key = 'position'",
                [],
                |row| row.get(0),
            )?;
            let mut high = span.before.min(newest.unsigned_abs() + 1);
            let lowest = span.from.max(1);
            let mut found = Changes::default();
            for _ in 0..WINDOWS {
                let low = if windowed { high.saturating_sub(WINDOW).max(lowest) } else { lowest };
                if low >= high {
                    return Ok(found);
                }
                let missing = count - found.changes.len();
                let more = between(
                    &snapshot,
                    &limits,
                    windowed,
                    &Span { from: low, before: high, ..*span },
                    missing,
                )?;
                found.changes.extend(more);
                if found.changes.len() == count {
                    found.next = found.changes.last().map(|change| change.version);
                    return Ok(found);
                }
                high = low;
            }
            found.next = Some(high).filter(|next| *next > lowest);
            Ok(found)
        })
    }
}

/// The newest versions of a span.
fn between(
    connection: &Connection,
    limits: &Piece,
    windowed: bool,
    span: &Span,
    count: usize,
) -> Result<Vec<Change>, Error> {
    // A window starts from the versions in it, a person from what there is about the person.
    let earlier = if windowed {
        "version v CROSS JOIN resource r ON r.rid = v.rid"
    } else {
        "resource r CROSS JOIN version v ON v.rid = r.rid"
    };
    let limit = &limits.text;
    // What is current has no follower.
    let follows = if span.lasting > 0 {
        " AND coalesce((SELECT min(f.version) FROM version f
                        WHERE f.rid = v.rid AND f.version > v.version), r.version) > ?"
    } else {
        ""
    };
    let text = format!(
        "SELECT r.version AS version, r.kind, r.id, r.person, r.rid FROM resource r
         WHERE r.version >= ? AND r.version < ? AND r.state <> {derived} AND {limit}
         UNION ALL
         SELECT v.version, r.kind, r.id, r.person, r.rid FROM {earlier}
         WHERE v.version >= ? AND v.version < ? AND {limit}{follows}
         ORDER BY version DESC LIMIT {count}",
        derived = state::DERIVED,
    );
    let number = |at: Position| Sql::from(i64::try_from(at).unwrap_or(i64::MAX));
    let range = [number(span.from), number(span.before)];
    let half = || range.iter().chain(&limits.values);
    let lasting = (span.lasting > 0).then(|| number(span.lasting));
    let values: Vec<&Sql> = half().chain(half()).chain(&lasting).collect();
    let mut select = connection.prepare_cached(&text)?;
    let rows = select.query_map(params_from_iter(values), |row| {
        let version = position(row, 0)?;
        Ok(Change {
            version,
            kind: kinds::name(row.get(1)?),
            id: row.get(2)?,
            person: person(row, 3)?,
            // The number of a row comes from the position that made it.
            first: position(row, 4)? / 2 == version,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
