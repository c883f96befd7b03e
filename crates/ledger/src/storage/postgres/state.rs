//! One consistent state of a schema, to be verified.

use crate::database::session::{Session, get};
use crate::error::Error;
use crate::storage::{Ended, Reading, sql};
use crate::verify::Report;
use crate::verify::evidence::{Evidence, KeptTree, Named, Row, SignedRow};
use record::entry::Position;
use std::collections::BTreeMap;

const FAILED: &str = "reading what is verified";

/// Entries read at once.
const STEP: i64 = 1024;

/// A session within a transaction that sees one state until it ends.
pub(super) struct State(Session);

impl State {
    pub(super) fn begin(session: Session) -> Result<Self, Error> {
        let begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";
        session.run(begin, FAILED)?;
        Ok(Self(session))
    }

    fn all(&self, sql: &'static str) -> Result<Vec<tokio_postgres::Row>, Error> {
        self.0.select(sql, &[], FAILED)
    }
}

impl Evidence for State {
    /// The server answers for its files and its catalogue; `pg_amcheck` and page checksums look at them.
    fn form(&self, _report: &mut Report) -> Result<(), Error> {
        Ok(())
    }

    fn last(&self) -> Result<Position, Error> {
        Reading::last(&self.0)
    }

    fn head(&self) -> Result<Option<SignedRow>, Error> {
        let rows = self.all("SELECT position, hash, signature FROM head")?;
        rows.first().map(signed).transpose()
    }

    fn checkpoints(&self) -> Result<Vec<SignedRow>, Error> {
        let rows = self.all("SELECT position, hash, signature FROM checkpoint")?;
        rows.iter().map(signed).collect()
    }

    fn ended(&self, kind: Ended) -> Result<Option<BTreeMap<i64, Vec<u8>>>, Error> {
        let rows = self.all(match kind {
            Ended::Erasures => "SELECT position, person FROM erasure",
            Ended::Resealings => "SELECT position, person FROM resealing",
        })?;
        rows.iter()
            .map(|row| Ok((get(row, 0, FAILED)?, get(row, 1, FAILED)?)))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn tree(&self) -> Result<Option<KeptTree>, Error> {
        let rows = self.all("SELECT level, number, hash FROM tree")?;
        let kept = |row: &tokio_postgres::Row| {
            let place = (i64::from(get::<i32>(row, 0, FAILED)?), get(row, 1, FAILED)?);
            Ok((place, get(row, 2, FAILED)?))
        };
        rows.iter().map(kept).collect::<Result<_, _>>().map(Some)
    }

    fn notes(&self) -> Result<BTreeMap<i64, Vec<u8>>, Error> {
        let rows = self.all("SELECT size, bytes FROM note")?;
        rows.iter().map(|row| Ok((get(row, 0, FAILED)?, get(row, 1, FAILED)?))).collect()
    }

    fn resealed(&self) -> Result<Vec<(i64, Named)>, Error> {
        let rows = self.all("SELECT position, hash, resealing FROM resealed")?;
        let named = |row: &tokio_postgres::Row| {
            let resealing = u64::try_from(get::<i64>(row, 2, FAILED)?).unwrap_or(0);
            Ok((get(row, 0, FAILED)?, (get(row, 1, FAILED)?, resealing)))
        };
        rows.iter().map(named).collect()
    }

    fn body(&self, position: Position) -> Result<Option<Vec<u8>>, Error> {
        let select = "SELECT bytes FROM body WHERE position = $1";
        let rows = self.0.select(select, &[&sql(position)], FAILED)?;
        rows.first().map(|row| get(row, 0, FAILED)).transpose()
    }

    fn rows(&self, each: &mut dyn FnMut(Row)) -> Result<(), Error> {
        let select = "SELECT e.position, e.event, e.person, e.bytes, b.bytes FROM entry e
             LEFT JOIN body b ON b.position = e.position
             WHERE e.position > $1 ORDER BY e.position LIMIT $2";
        let mut after = i64::MIN;
        loop {
            let rows = self.0.select(select, &[&after, &STEP], FAILED)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = get(last, 0, FAILED)?;
            for row in &rows {
                each(Row {
                    position: get(row, 0, FAILED)?,
                    event: get(row, 1, FAILED)?,
                    person: get(row, 2, FAILED)?,
                    bytes: get(row, 3, FAILED)?,
                    body: get(row, 4, FAILED)?,
                });
            }
        }
    }

    fn strays(&self) -> Result<Vec<i64>, Error> {
        let rows = self.all(
            "SELECT b.position FROM body b LEFT JOIN entry e ON e.position = b.position
             WHERE e.position IS NULL ORDER BY b.position",
        )?;
        rows.iter().map(|row| get(row, 0, FAILED)).collect()
    }
}

fn signed(row: &tokio_postgres::Row) -> Result<SignedRow, Error> {
    let (position, hash) = (get(row, 0, FAILED)?, get(row, 1, FAILED)?);
    Ok(SignedRow { position, hash, signature: get(row, 2, FAILED)? })
}
