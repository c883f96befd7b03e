//! A batch as it is sent: by columns, one statement for each table whatever its size.

use crate::reseal::Fate;
use crate::storage::{Write, sql};
use record::entry::Kind;
use tokio_postgres::types::ToSql;

/// A batch by columns, as the server takes it.
#[derive(Default)]
pub(super) struct Columns<'a> {
    positions: Vec<i64>,
    events: Vec<Option<&'a [u8]>>,
    persons: Vec<Option<&'a [u8]>>,
    entries: Vec<&'a [u8]>,
    bodies: Vec<&'a [u8]>,
    /// Positions and persons of erasures, and of resealings.
    ended: [(Vec<i64>, Vec<&'a [u8]>); 2],
    checkpoints: (Vec<i64>, Vec<&'a [u8]>, Vec<&'a [u8]>),
    subtrees: (Vec<i32>, Vec<i64>, Vec<&'a [u8]>),
    note: (i64, &'a [u8]),
    head: (i64, &'a [u8], &'a [u8]),
    replaced: Replaced<'a>,
}

/// By which resealing, which bodies, and their bytes and hashes since.
#[derive(Default)]
struct Replaced<'a> {
    resealing: i64,
    positions: Vec<i64>,
    bodies: Vec<Option<&'a [u8]>>,
    hashes: Vec<Option<&'a [u8]>>,
}

/// A statement with its parameters.
pub(super) type Change<'a> = (&'static str, Vec<&'a (dyn ToSql + Sync)>);

impl<'a> Columns<'a> {
    pub(super) fn of(write: &'a Write) -> Self {
        let mut columns = Self::default();
        for row in &write.rows {
            let position = sql(row.position);
            let person = row.person.as_ref().map(|person| &person.0[..]);
            columns.positions.push(position);
            columns.events.push(row.event.as_ref().map(|key| &key[..]));
            columns.persons.push(person);
            columns.entries.push(&row.bytes);
            columns.bodies.push(&row.body);
            let [erasures, resealings] = &mut columns.ended;
            let ended = match row.kind {
                Kind::Erasure => erasures,
                Kind::Resealing => resealings,
                _ => continue,
            };
            if let Some(person) = person {
                ended.0.push(position);
                ended.1.push(person);
            }
        }
        for signed in &write.checkpoints {
            columns.checkpoints.0.push(sql(signed.position));
            columns.checkpoints.1.push(&signed.hash);
            columns.checkpoints.2.push(&signed.signature);
        }
        for (level, number, hash) in &write.subtrees {
            columns.subtrees.0.push(level.cast_signed());
            columns.subtrees.1.push(sql(*number));
            columns.subtrees.2.push(hash);
        }
        if let Some((size, note)) = &write.note {
            columns.note = (sql(*size), note.as_bytes());
        }
        columns.head = (sql(write.head.position), &write.head.hash, &write.head.signature);
        if let Some((resealing, bodies)) = &write.replaced {
            columns.replaced.resealing = sql(*resealing);
            for (position, fate) in bodies {
                columns.replaced.positions.push(sql(*position));
                columns.replaced.bodies.push(match fate {
                    Fate::Erased => None,
                    Fate::Resealed(sealed, _) => Some(sealed),
                });
                columns.replaced.hashes.push(fate.hash().map(|hash| &hash[..]));
            }
        }
        columns
    }

    /// What is sent, in order: bodies before entries, the head last.
    pub(super) fn changes(&self, write: &Write) -> Vec<Change<'_>> {
        let mut changes = self.replacing(write);
        if !write.rows.is_empty() {
            changes.push((
                "INSERT INTO body(position, bytes) SELECT * FROM unnest($1::bigint[], $2::bytea[])",
                vec![&self.positions, &self.bodies],
            ));
            changes.push((
                "INSERT INTO entry(position, event, person, bytes)
                 SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bytea[])",
                vec![&self.positions, &self.events, &self.persons, &self.entries],
            ));
        }
        let [erasures, resealings] = &self.ended;
        if !erasures.0.is_empty() {
            changes.push((
                "INSERT INTO erasure(position, person) SELECT * FROM unnest($1::bigint[], $2::bytea[])",
                vec![&erasures.0, &erasures.1],
            ));
        }
        if !resealings.0.is_empty() {
            changes.push((
                "INSERT INTO resealing(position, person) SELECT * FROM unnest($1::bigint[], $2::bytea[])",
                vec![&resealings.0, &resealings.1],
            ));
        }
        if !write.subtrees.is_empty() {
            let (levels, numbers, hashes) = &self.subtrees;
            changes.push((
                "INSERT INTO tree(level, number, hash) SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bytea[])",
                vec![levels, numbers, hashes],
            ));
        }
        if !write.checkpoints.is_empty() {
            let (positions, hashes, signatures) = &self.checkpoints;
            changes.push((
                "INSERT INTO checkpoint(position, hash, signature) SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[])",
                vec![positions, hashes, signatures],
            ));
        }
        if write.note.is_some() {
            changes.push((
                "INSERT INTO note(size, bytes) VALUES ($1, $2)",
                vec![&self.note.0, &self.note.1],
            ));
        }
        changes.push((
            "UPDATE head SET position = $1, hash = $2, signature = $3 WHERE id = 1",
            vec![&self.head.0, &self.head.1, &self.head.2],
        ));
        changes
    }

    /// What is done to earlier bodies.
    fn replacing(&self, write: &Write) -> Vec<Change<'_>> {
        let mut changes: Vec<Change<'_>> = Vec::new();
        let Replaced { resealing, positions, bodies, hashes } = &self.replaced;
        if write.replaced.is_some() {
            changes.push((
                "UPDATE body SET bytes = n.bytes FROM unnest($1::bigint[], $2::bytea[]) AS n(position, bytes)
                 WHERE body.position = n.position AND n.bytes IS NOT NULL",
                vec![positions, bodies],
            ));
            changes.push((
                "DELETE FROM body USING unnest($1::bigint[], $2::bytea[]) AS n(position, bytes)
                 WHERE body.position = n.position AND n.bytes IS NULL",
                vec![positions, bodies],
            ));
            changes.push((
                "INSERT INTO resealed(position, hash, resealing)
                 SELECT n.position, n.hash, $3 FROM unnest($1::bigint[], $2::bytea[]) AS n(position, hash)
                 ON CONFLICT (position) DO UPDATE SET hash = excluded.hash, resealing = excluded.resealing",
                vec![positions, hashes, resealing],
            ));
        }
        changes
    }
}
