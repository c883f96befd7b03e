//! Schemas of a database: their names, and how each is brought up to the version of this program.

use super::session::{Session, get};
use super::{Access, Database};
use crate::error::Error;

/// The schema that is for `name`: `fkj_0301_ledger` for `0301/ledger` after `fkj`.
pub(super) fn named(prefix: &str, name: &str) -> Result<String, Error> {
    let plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
    let is_name = name.chars().all(|it| plain(it) || it == '/') && name.len() <= 48;
    match is_name {
        true => Ok(format!("{prefix}_{}", name.replace('/', "_"))),
        false => Err(Error::Key {
            what: "what is kept in a database is named with small letters, digits and `/`",
        }),
    }
}

/// Makes the schema, or brings it up to the last of `versions`: what each adds to the one before. One server at a
/// time does so. Answers the session it used.
pub(crate) fn set_up(
    database: &Database,
    schema: &str,
    versions: &[&str],
) -> Result<Session, Error> {
    let failed = "setting up a schema in the database";
    let session = database.session(schema, Access::Write)?;
    session.run(
        &format!(
            "BEGIN; {} CREATE SCHEMA IF NOT EXISTS {schema};
             CREATE TABLE IF NOT EXISTS version(number integer NOT NULL);",
            alone(schema)
        ),
        failed,
    )?;
    let rows = session.select("SELECT coalesce(max(number), 0) FROM version", &[], failed)?;
    let version = rows.first().map_or(Ok(0), |row| get::<i32>(row, 0, failed))?;
    let Some(missing) = usize::try_from(version).ok().and_then(|it| versions.get(it..)) else {
        let what = "the schema is of a newer version than this program";
        return Err(Error::Corrupt { position: 0, what });
    };
    let newest = versions.len();
    session.run(
        &format!(
            "{} DELETE FROM version; INSERT INTO version VALUES ({newest}); COMMIT",
            missing.concat()
        ),
        failed,
    )?;
    Ok(session)
}

/// Holds whoever else sends this for the same schema back until the transaction ends.
pub(crate) fn alone(schema: &str) -> String {
    format!("SELECT pg_advisory_xact_lock(hashtextextended('{schema}', 0));")
}
