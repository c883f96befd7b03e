//! What is being made in a database, under names that nobody opens, until all of it is there.
//!
//! Invariants: what is finished has its names in one transaction, so that there is never a part of it; one
//! process at a time makes the same; what an ended process left is thrown away by the next.

use super::session::{Session, get};
use super::{Access, Database, schema};
use crate::error::Error;
use std::sync::Arc;

/// Schemas that are being made.
pub struct Unfinished {
    /// Opens what is called so, and nothing else.
    database: Arc<Database>,
    names: Vec<String>,
    /// Holds the lock of who makes it.
    session: Session,
}

impl Unfinished {
    /// Begins to make what will have these names, such as `0301/ledger`; nothing where one of them is there.
    ///
    /// # Errors
    /// [`Error::Locked`] while another process makes the same; [`Error::Database`], [`Error::Unreachable`].
    pub fn begin(database: &Database, names: &[String]) -> Result<Option<Self>, Error> {
        let failed = "beginning to make a municipality in the database";
        let aside = Arc::new(database.aside()?);
        let session = aside.session("pg_catalog", Access::Write)?;
        let finished: Vec<String> =
            names.iter().map(|it| database.schema(it)).collect::<Result<_, _>>()?;
        let begun: Vec<String> =
            names.iter().map(|it| aside.schema(it)).collect::<Result<_, _>>()?;
        let lock = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))";
        let is_alone = session.select(lock, &[&begun.concat()], failed)?;
        if !is_alone.first().map_or(Ok(false), |row| get(row, 0, failed))? {
            return Err(Error::Locked { name: begun.join(", ") });
        }
        let there = "SELECT 1 FROM pg_namespace WHERE nspname::text = ANY($1)";
        if !session.select(there, &[&finished], failed)?.is_empty() {
            return Ok(None);
        }
        session.run(&format!("DROP SCHEMA IF EXISTS {} CASCADE", begun.join(", ")), failed)?;
        Ok(Some(Self { database: aside, names: names.to_vec(), session }))
    }

    /// Where it is made: what is opened here is called unfinished.
    pub fn database(&self) -> &Arc<Database> {
        &self.database
    }

    /// Gives all of it its names. Nothing of it may be open any more.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Unreachable`]: look whether the names are there; if not, it is made anew.
    pub fn finish(self) -> Result<(), Error> {
        let failed = "naming a municipality in the database";
        let mut statements = "BEGIN; ".to_owned();
        for name in &self.names {
            let (begun, finished) = (self.database.schema(name)?, schema::named(FINISHED, name)?);
            statements.push_str(&format!("ALTER SCHEMA {begun} RENAME TO {finished}; "));
        }
        statements.push_str("COMMIT");
        let warnings = self.session.warnings();
        self.session.run(&statements, failed)?;
        match self.session.warnings() == warnings {
            true => Ok(()),
            // It is named, but on one server alone.
            false => Err(Error::Unreachable { what: failed }),
        }
    }
}

/// What the names of schemas begin with.
pub(super) const FINISHED: &str = "fkj";
/// What they begin with until they are finished.
pub(super) const BEGUN: &str = "unfinished";
