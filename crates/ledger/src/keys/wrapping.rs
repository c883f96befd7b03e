//! The key between the municipality's key and everything else in `keys.db`.
//!
//! The key service wraps this one key; under it persons' keys and the ledgers' are wrapped here. So
//! a service elsewhere is called once at an opening, however many persons there are, and exchanging
//! the municipality's key rewrites `keys.db` and not one body.
//!
//! Invariants: all of `keys.db` is wrapped by the one key that stands there, since what is wrapped
//! changes in the same transaction as it. A file from before there was such a key, in which the service wrapped each,
//! becomes one with it in one transaction, when it is first opened.

use super::{begin, meta};
use crate::crypto::Secret;
use crate::error::Error;
use crate::key_service::{FileKey, KeyService};
use crate::random::Random;
use rusqlite::{Connection, Transaction, params};
use std::sync::Arc;

/// Where it stands in `meta`.
const NAME: &str = "wrapping";
/// What its wrapping is bound to.
const CONTEXT: &[u8] = b"fkj wrapping key v1";
/// Names in `meta` that begin so hold nothing secret.
const IN_THE_CLEAR: [&str; 2] = ["made:", "public:"];
/// Rows read and wrapped anew at a time.
const STEP: usize = 10_000;

/// The key that wraps what is in `keys.db`; made where there is none.
pub(super) fn open(
    connection: &mut Connection,
    service: &dyn KeyService,
    random: &Arc<dyn Random>,
) -> Result<FileKey, Error> {
    if let Some(wrapped) = meta(connection, NAME)? {
        return Ok(FileKey::in_memory(service.unwrap(&wrapped, CONTEXT)?, random.clone()));
    }
    let failed = "wrapping keys.db under one key";
    let tx = begin(connection, failed)?;
    let key = exchange(&tx, service, service, random)?;
    tx.commit().map_err(Error::storage(failed))?;
    Ok(key)
}

/// The key that wraps what is in `keys.db`, where there is one.
pub(super) fn unwrapped(
    connection: &Connection,
    service: &dyn KeyService,
) -> Result<Option<Secret>, Error> {
    meta(connection, NAME)?.map(|wrapped| service.unwrap(&wrapped, CONTEXT)).transpose()
}

/// Wraps everything under a new key, and that one by `to`. What is there is wrapped by a key that `from`
/// wraps, or in an older file by `from` itself.
pub(super) fn exchange(
    tx: &Transaction<'_>,
    from: &dyn KeyService,
    to: &dyn KeyService,
    random: &Arc<dyn Random>,
) -> Result<FileKey, Error> {
    let before = unwrapped(tx, from)?.map(|key| FileKey::in_memory(key, random.clone()));
    let before = before.as_ref().map_or(from, |key| key as &dyn KeyService);
    let mut key = Secret::new([0; 32]);
    random.fill(&mut key.0)?;
    let wrapped = to.wrap(&key, CONTEXT)?;
    if to.unwrap(&wrapped, CONTEXT)?.bytes() != key.bytes() {
        return Err(Error::Key { what: "the key service does not give back what it wrapped" });
    }
    let after = FileKey::in_memory(key, random.clone());
    wrap_meta(tx, before, &after)?;
    wrap_persons(tx, before, &after)?;
    tx.execute(
        "INSERT INTO meta(name, value) VALUES (?1, ?2)
         ON CONFLICT(name) DO UPDATE SET value = excluded.value",
        params![NAME, wrapped],
    )
    .map_err(Error::storage("keeping the key of keys.db"))?;
    Ok(after)
}

fn wrap_meta(
    tx: &Transaction<'_>,
    before: &dyn KeyService,
    after: &dyn KeyService,
) -> Result<(), Error> {
    let failed = "wrapping the ledgers' keys anew";
    let rows: Vec<(String, Vec<u8>)> = tx
        .prepare("SELECT name, value FROM meta")
        .and_then(|mut select| {
            select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .map_err(Error::storage(failed))?;
    let is_wrapped = |name: &str| {
        name != NAME && !IN_THE_CLEAR.iter().any(|beginning| name.starts_with(beginning))
    };
    for (name, wrapped) in rows.into_iter().filter(|(name, _)| is_wrapped(name)) {
        let key = before.unwrap(&wrapped, name.as_bytes())?;
        let wrapped = after.wrap(&key, name.as_bytes())?;
        tx.execute("UPDATE meta SET value = ?2 WHERE name = ?1", params![name, wrapped])
            .map_err(Error::storage(failed))?;
    }
    Ok(())
}

fn wrap_persons(
    tx: &Transaction<'_>,
    before: &dyn KeyService,
    after: &dyn KeyService,
) -> Result<(), Error> {
    let failed = "wrapping persons' keys anew";
    let mut last: Vec<u8> = Vec::new();
    loop {
        let rows: Vec<(Vec<u8>, Vec<u8>)> = tx
            .prepare_cached(
                "SELECT id, wrapped FROM person WHERE id > ?1 AND wrapped IS NOT NULL
                 ORDER BY id LIMIT ?2",
            )
            .and_then(|mut select| {
                let rows =
                    select.query_map(params![last, STEP], |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect()
            })
            .map_err(Error::storage(failed))?;
        let Some((newest, _)) = rows.last() else { return Ok(()) };
        last.clone_from(newest);
        for (id, wrapped) in &rows {
            let key = before.unwrap(wrapped, id)?;
            let wrapped = after.wrap(&key, id)?;
            tx.prepare_cached("UPDATE person SET wrapped = ?2 WHERE id = ?1")
                .and_then(|mut update| update.execute(params![id, wrapped]))
                .map_err(Error::storage(failed))?;
        }
    }
}
