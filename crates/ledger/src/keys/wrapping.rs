//! The key between the municipality's key and everything else in `keys.db`.
//!
//! The key service wraps this one key; under it persons' keys and the ledgers' are wrapped here. So
//! a service elsewhere is called once at an opening, however many persons there are, and exchanging
//! the municipality's key rewrites `keys.db` and not one body.
//!
//! Invariants: all of `keys.db` is wrapped by the one key that stands there, since what is wrapped
//! changes in the same transaction as it. A file from before there was such a key, in which the service wrapped each,
//! becomes one with it in one transaction, when it is first opened.

use super::table::{Table, change};
use crate::crypto::Secret;
use crate::error::Error;
use crate::key_service::{FileKey, KeyService};
use crate::random::Random;
use std::sync::Arc;

/// Where it stands in `meta`.
pub(super) const NAME: &str = "wrapping";
/// What its wrapping is bound to.
const CONTEXT: &[u8] = b"fkj wrapping key v1";
/// Names in `meta` that begin so hold nothing secret.
const IN_THE_CLEAR: [&str; 2] = ["made:", "public:"];
/// Rows read and wrapped anew at a time.
const STEP: usize = 10_000;

/// The key that wraps what is kept, and as `service` wrapped it; made where there is none.
pub(super) fn open(
    table: &mut dyn Table,
    service: &dyn KeyService,
    random: &Arc<dyn Random>,
) -> Result<(FileKey, Vec<u8>), Error> {
    let unwrap = |wrapped: Vec<u8>| {
        let key = service.unwrap(&wrapped, CONTEXT)?;
        Ok((FileKey::in_memory(key, random.clone()), wrapped))
    };
    if let Some(wrapped) = table.meta(NAME)? {
        return unwrap(wrapped);
    }
    change(table, |table| match table.meta(NAME)? {
        // Another server has made it meanwhile.
        Some(wrapped) => unwrap(wrapped),
        None => exchange(table, service, service, random),
    })
}

/// The key that wraps what is kept, where there is one.
pub(super) fn unwrapped(
    table: &mut dyn Table,
    service: &dyn KeyService,
) -> Result<Option<Secret>, Error> {
    table.meta(NAME)?.map(|wrapped| service.unwrap(&wrapped, CONTEXT)).transpose()
}

/// Wraps everything under a new key, and that one by `to`. What is there is wrapped by a key that `from`
/// wraps, or in an older file by `from` itself.
pub(super) fn exchange(
    table: &mut dyn Table,
    from: &dyn KeyService,
    to: &dyn KeyService,
    random: &Arc<dyn Random>,
) -> Result<(FileKey, Vec<u8>), Error> {
    let before = unwrapped(table, from)?.map(|key| FileKey::in_memory(key, random.clone()));
    let before = before.as_ref().map_or(from, |key| key as &dyn KeyService);
    let mut key = Secret::new([0; 32]);
    random.fill(&mut key.0)?;
    let wrapped = to.wrap(&key, CONTEXT)?;
    if to.unwrap(&wrapped, CONTEXT)?.bytes() != key.bytes() {
        return Err(Error::Key { what: "the key service does not give back what it wrapped" });
    }
    let after = FileKey::in_memory(key, random.clone());
    wrap_meta(table, before, &after)?;
    wrap_persons(table, before, &after)?;
    table.put(NAME, &wrapped)?;
    Ok((after, wrapped))
}

fn wrap_meta(
    table: &mut dyn Table,
    before: &dyn KeyService,
    after: &dyn KeyService,
) -> Result<(), Error> {
    let is_wrapped = |name: &str| {
        name != NAME && !IN_THE_CLEAR.iter().any(|beginning| name.starts_with(beginning))
    };
    for (name, wrapped) in table.metas()?.into_iter().filter(|(name, _)| is_wrapped(name)) {
        let key = before.unwrap(&wrapped, name.as_bytes())?;
        table.put(&name, &after.wrap(&key, name.as_bytes())?)?;
    }
    Ok(())
}

fn wrap_persons(
    table: &mut dyn Table,
    before: &dyn KeyService,
    after: &dyn KeyService,
) -> Result<(), Error> {
    let mut last: Vec<u8> = Vec::new();
    loop {
        let mut keys = table.wrapped(&last, STEP)?;
        let Some((newest, _)) = keys.last() else { return Ok(()) };
        last.clone_from(newest);
        for (person, wrapped) in &mut keys {
            *wrapped = after.wrap(&before.unwrap(wrapped, person)?, person)?;
        }
        table.wrap_anew(&keys)?;
    }
}
