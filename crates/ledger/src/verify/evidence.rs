//! What is verified, as it is stored: rows as lenient as their columns, since any of them may be damaged.

use super::{Report, What};
use crate::error::Error;
use crate::storage::Ended;
use crate::store;
use record::entry::Position;
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;

/// An entry with what the indexes say of it, and its body.
pub(crate) struct Row {
    pub(crate) position: i64,
    pub(crate) event: Option<Vec<u8>>,
    pub(crate) person: Option<Vec<u8>>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) body: Option<Vec<u8>>,
}

/// A head or checkpoint.
pub(crate) struct SignedRow {
    pub(crate) position: i64,
    pub(crate) hash: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// What a body must hash to since a resealing, or nothing where it is erased; and the resealing.
pub(crate) type Named = (Option<Vec<u8>>, Position);

/// By level and number, what is kept of a tree.
pub(crate) type KeptTree = BTreeMap<(i64, i64), Vec<u8>>;

/// One consistent state of a ledger. What an older version did not keep is nothing.
pub(crate) trait Evidence {
    /// Adds what is wrong with tables, indexes and the file.
    fn form(&self, report: &mut Report) -> Result<(), Error>;
    /// Position of the last entry.
    fn last(&self) -> Result<Position, Error>;
    /// The head.
    fn head(&self) -> Result<Option<SignedRow>, Error>;
    /// Signed positions of the chain.
    fn checkpoints(&self) -> Result<Vec<SignedRow>, Error>;
    /// Position and person of the entries of a kind.
    fn ended(&self, kind: Ended) -> Result<Option<BTreeMap<i64, Vec<u8>>>, Error>;
    /// What is kept of the tree.
    fn tree(&self) -> Result<Option<KeptTree>, Error>;
    /// Signed checkpoints of the tree by size.
    fn notes(&self) -> Result<BTreeMap<i64, Vec<u8>>, Error>;
    /// What is repeated of resealings.
    fn resealed(&self) -> Result<Vec<(i64, Named)>, Error>;
    /// The sealed body at a position.
    fn body(&self, position: Position) -> Result<Option<Vec<u8>>, Error>;
    /// Tells every entry, in order.
    fn rows(&self, each: &mut dyn FnMut(Row)) -> Result<(), Error>;
    /// Positions of bodies without an entry.
    fn strays(&self) -> Result<Vec<i64>, Error>;
}

const FAILED: &str = "reading what is verified";

impl Evidence for Connection {
    fn form(&self, report: &mut Report) -> Result<(), Error> {
        check_schema(self, report)
            .and_then(|()| check_file(self, report))
            .map_err(Error::storage(FAILED))
    }

    fn last(&self) -> Result<Position, Error> {
        self.query_row("SELECT coalesce(max(position), 0) FROM entry", [], |row| row.get(0))
            .map_err(Error::storage(FAILED))
    }

    fn head(&self) -> Result<Option<SignedRow>, Error> {
        self.query_row("SELECT position, hash, signature FROM head", [], signed_row)
            .optional()
            .map_err(Error::storage(FAILED))
    }

    fn checkpoints(&self) -> Result<Vec<SignedRow>, Error> {
        self.prepare("SELECT position, hash, signature FROM checkpoint")
            .and_then(|mut select| select.query_map([], signed_row)?.collect())
            .map_err(Error::storage(FAILED))
    }

    fn ended(&self, kind: Ended) -> Result<Option<BTreeMap<i64, Vec<u8>>>, Error> {
        let (table, select) = match kind {
            Ended::Erasures => ("erasure", "SELECT position, person FROM erasure"),
            Ended::Resealings => ("resealing", "SELECT position, person FROM resealing"),
        };
        let read = || -> rusqlite::Result<_> {
            if !self.table_exists(None, table)? {
                return Ok(None);
            }
            let mut select = self.prepare(select)?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_, _>>().map(Some)
        };
        read().map_err(Error::storage(FAILED))
    }

    fn tree(&self) -> Result<Option<KeptTree>, Error> {
        let read = || -> rusqlite::Result<_> {
            // Before its first opening by version 2, a ledger has no tree.
            if !self.table_exists(None, "tree")? {
                return Ok(None);
            }
            let mut select = self.prepare("SELECT level, number, hash FROM tree")?;
            let kept = select.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
            kept.collect::<Result<_, _>>().map(Some)
        };
        read().map_err(Error::storage(FAILED))
    }

    fn notes(&self) -> Result<BTreeMap<i64, Vec<u8>>, Error> {
        self.prepare("SELECT size, bytes FROM note")
            .and_then(|mut select| {
                select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
            })
            .map_err(Error::storage(FAILED))
    }

    fn resealed(&self) -> Result<Vec<(i64, Named)>, Error> {
        let read = || -> rusqlite::Result<_> {
            if !self.table_exists(None, "resealed")? {
                return Ok(Vec::new());
            }
            let mut select = self.prepare("SELECT position, hash, resealing FROM resealed")?;
            let row = |row: &rusqlite::Row<'_>| {
                let resealing: i64 = row.get(2)?;
                Ok((row.get(0)?, (row.get(1)?, u64::try_from(resealing).unwrap_or(0))))
            };
            select.query_map([], row)?.collect()
        };
        read().map_err(Error::storage(FAILED))
    }

    fn body(&self, position: Position) -> Result<Option<Vec<u8>>, Error> {
        self.prepare_cached("SELECT bytes FROM body WHERE position = ?1")
            .and_then(|mut select| select.query_row([position], |row| row.get(0)).optional())
            .map_err(Error::storage(FAILED))
    }

    fn rows(&self, each: &mut dyn FnMut(Row)) -> Result<(), Error> {
        let mut read = || -> rusqlite::Result<()> {
            let mut select = self.prepare(
                "SELECT e.position, e.event, e.person, e.bytes, b.bytes FROM entry e
                 LEFT JOIN body b ON b.position = e.position ORDER BY e.position",
            )?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                each(Row {
                    position: row.get(0)?,
                    event: row.get(1)?,
                    person: row.get(2)?,
                    bytes: row.get(3)?,
                    body: row.get(4)?,
                });
            }
            Ok(())
        };
        read().map_err(Error::storage(FAILED))
    }

    fn strays(&self) -> Result<Vec<i64>, Error> {
        self.prepare("SELECT position FROM body WHERE position NOT IN (SELECT position FROM entry)")
            .and_then(|mut select| select.query_map([], |row| row.get(0))?.collect())
            .map_err(Error::storage(FAILED))
    }
}

fn signed_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<SignedRow> {
    Ok(SignedRow { position: row.get(0)?, hash: row.get(1)?, signature: row.get(2)? })
}

fn check_schema(connection: &Connection, report: &mut Report) -> rusqlite::Result<()> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let found: Vec<String> = connection
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let version = number("user_version")?;
    let tree = if version == 1 { "" } else { store::TREE_SCHEMA };
    let erasure = if version < 3 { "" } else { store::ERASURE_SCHEMA };
    let resealing = if version < 4 { "" } else { store::RESEALING_SCHEMA };
    let is = |index: &str| {
        let schema = [store::LEDGER_SCHEMA, index, tree, erasure, resealing].concat();
        let all: Vec<&str> =
            schema.split(';').map(str::trim).filter(|sql| !sql.is_empty()).collect();
        found == all
    };
    if !(is("") || is(store::PERSON_INDEX))
        || number("application_id")? != store::LEDGER
        || !(1..=4).contains(&version)
    {
        report.add(0, What::Schema);
    }
    Ok(())
}

fn check_file(connection: &Connection, report: &mut Report) -> rusqlite::Result<()> {
    let mut check = connection.prepare("PRAGMA integrity_check(100)")?;
    for words in check.query_map([], |row| row.get::<_, String>(0))? {
        let words = words?;
        if words != "ok" {
            report.add(0, What::File(words));
        }
    }
    Ok(())
}
