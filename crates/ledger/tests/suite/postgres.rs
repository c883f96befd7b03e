//! What only a database does: several servers append to one ledger, and it is another machine that fails.

use crate::server::Server;
use crate::town::{Town, draft, keys, options, person, resealing};
use ledger::append::{Appended, Body};
use ledger::chain::entry_hash;
use ledger::condition::Writing;
use ledger::database::Database;
use ledger::error::{Category, Error};
use ledger::ledger::{Ledger, LedgerOptions};
use record::entry::Position;
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tempfile::tempdir;

/// Events that each writer sends; the other sends half of them too.
const EVENTS: usize = 120;

#[test]
fn several_writers_keep_one_chain_and_each_event_once() {
    let Some(town) = Town::in_postgresql() else { return };
    let keys = town.keys();
    let about = person(&keys, "01810112345");
    let ledgers = [town.open(options(&keys)), town.open(options(&keys)), town.open(options(&keys))];
    let answers: Vec<BTreeMap<usize, (Position, bool)>> = std::thread::scope(|scope| {
        let threads: Vec<_> = ledgers
            .iter()
            .enumerate()
            .map(|(number, ledger)| {
                scope.spawn(move || {
                    let first = number * EVENTS / 2;
                    (first..first + EVENTS)
                        .map(|event| {
                            let id = event.to_string();
                            let group = vec![draft(&id, Some(about), &id)];
                            let answer = ledger.append_blocking(group).unwrap();
                            let is_new = matches!(answer[0], Appended::New(_));
                            (event, (answer[0].entry().position, is_new))
                        })
                        .collect()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });

    let all = ledgers[0].read(1, usize::MAX).unwrap();
    let ids: BTreeSet<_> = all.iter().map(|it| it.entry.source_event_id.clone().unwrap()).collect();
    assert_eq!((all.len(), ids.len()), (EVENTS * 2, EVENTS * 2));
    assert!(all.windows(2).all(|it| it[1].entry.prev_hash == entry_hash(&it[0].entry)));
    for (event, (position, _)) in answers.iter().flatten() {
        let at = &all[usize::try_from(*position).unwrap() - 1].entry;
        assert_eq!(at.source_event_id, Some(event.to_string()));
    }
    let new = answers.iter().flatten().filter(|(_, (_, is_new))| *is_new).count();
    assert_eq!(new, EVENTS * 2);
    for ledger in &ledgers {
        assert_eq!(ledger.head().unwrap().position, all.len() as Position);
        assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
    }
}

#[test]
fn what_was_acknowledged_is_there_after_the_server_crashed() {
    let Some(server) = Server::start().map(Arc::new) else { return };
    let town = Town::on(server.clone());
    let keys = town.keys();
    let patience = Duration::ZERO;
    let ledger = town.open(LedgerOptions { patience, ..options(&keys) });
    for id in ["1", "2", "3"] {
        ledger.append_blocking(vec![draft(id, None, id)]).unwrap();
    }
    server.crash();
    let unknown = ledger.append_blocking(vec![draft("4", None, "4")]).unwrap_err();
    assert_eq!(unknown.category(), Category::Unavailable);
    assert_eq!(ledger.condition().writing, Writing::Away);
    assert!(ledger.read(1, 9).is_err());
    server.go();
    // The same ledger connects again, and takes what was not acknowledged.
    let group = ["1", "2", "3", "4"].map(|id| draft(id, None, id)).to_vec();
    let answer = ledger.append_blocking(group).unwrap();
    let positions: Vec<_> = answer.iter().map(|it| it.entry().position).collect();
    assert_eq!(positions, [1, 2, 3, 4]);
    assert_eq!(ledger.read(1, 9).unwrap().len(), 4);
    assert!(ledger.condition().is_well());
    assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
}

#[test]
fn a_server_is_spoken_to_by_tls_and_only_with_a_certificate_that_is_trusted() {
    let Some(server) = Server::start() else { return };
    let free = || TcpListener::bind("localhost:0").unwrap().local_addr().unwrap().port();
    let port = free();
    let certificate = server.listen(port);
    let dir = tempdir().unwrap();
    let keys = keys(dir.path());
    let open = |host: &str, roots: &[u8]| {
        let url = format!("host={host} port={port} user=fkj dbname=postgres");
        Ledger::open_in(&Arc::new(Database::new(&url, None, Some(roots)).unwrap()), options(&keys))
    };
    let ledger = open("localhost", &certificate).unwrap();
    ledger.append_blocking(vec![draft("1", None, "one")]).unwrap();
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'fkj'";
    assert_eq!(server.sql_at(port, "postgres", encrypted).trim(), "t");
    // Another name than the certificate's, and another authority.
    assert!(matches!(open("127.0.0.1", &certificate), Err(Error::Database { .. })));
    let other = Server::start().unwrap().listen(free());
    assert!(matches!(open("localhost", &other), Err(Error::Database { .. })));
    assert!(matches!(Database::new("host=localhost", None, Some(b"none")), Err(Error::Key { .. })));
}

#[test]
fn a_record_is_erased_and_the_rest_of_the_person_stays() {
    let Some(town) = Town::in_postgresql() else { return };
    let keys = town.keys();
    let (a, b) = (person(&keys, "01810112345"), person(&keys, "02810112345"));
    let ledger = town.open(options(&keys));
    let group = [("1", a), ("2", b), ("3", a)].map(|(id, about)| draft(id, Some(about), id));
    ledger.append_blocking(group.to_vec()).unwrap();
    ledger.append_blocking(vec![resealing(a, &[1])]).unwrap();
    let again = ledger.append_blocking(vec![draft("1", Some(a), "1")]);
    assert!(matches!(again, Err(Error::Erased)));
    let check = |ledger: &Ledger| {
        let bodies: Vec<_> = ledger.read(1, 3).unwrap().into_iter().map(|it| it.body).collect();
        let plain = |text: &str| Body::Plain(text.as_bytes().to_vec());
        assert_eq!(bodies, [Body::Erased, plain("2"), plain("3")]);
        assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
    };
    check(&ledger);
    drop(ledger);
    check(&town.open(options(&keys)));
}
