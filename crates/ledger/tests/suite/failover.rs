//! A database's server ends in the middle of appends, and comes back, or another takes its place.

use crate::server::Server;
use crate::town::{Town, draft, options, person};
use ledger::append::{Appended, Draft};
use ledger::chain::entry_hash;
use ledger::error::Category;
use ledger::keys::PersonKey;
use ledger::ledger::Ledger;
use record::entry::{Kind, Position};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// What was acknowledged: event and position.
type Acknowledged = BTreeMap<String, Position>;

/// Appends on both ledgers at once while `disturb` is at work, which is told how many were acknowledged so far.
fn under_load(ledgers: &[&Ledger], disturb: impl FnOnce(&AtomicUsize)) -> Acknowledged {
    let (counted, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let append = |name: String, ledger: &Ledger| {
        let mut acknowledged = Acknowledged::new();
        for number in 0.. {
            if ended.load(Ordering::SeqCst) {
                break;
            }
            let id = format!("{name}-{number}");
            let answer = ledger.append_blocking(vec![draft(&id, None, &id)]);
            // Tried again by the writer or not: it is new, once.
            let is_new = matches!(answer.as_deref(), Ok([Appended::New(_)]));
            if !is_new {
                counted.store(FAILED, Ordering::SeqCst);
            }
            assert!(is_new, "{id}: {answer:?}");
            let answer = answer.unwrap();
            acknowledged.insert(id, answer[0].entry().position);
            let count = |it: usize| (it != FAILED).then(|| it + 1);
            let _ = counted.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count);
        }
        acknowledged
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|thread| {
                let (append, ledger) = (&append, ledgers[thread % ledgers.len()]);
                scope.spawn(move || append(format!("thread {thread}"), ledger))
            })
            .collect();
        disturb(&counted);
        ended.store(true, Ordering::SeqCst);
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// In place of the count, once an append was not answered as it should be.
const FAILED: usize = usize::MAX;

/// Waits until so many more were acknowledged.
fn after(more: usize, counted: &AtomicUsize) {
    let until = counted.load(Ordering::SeqCst).saturating_add(more);
    while counted.load(Ordering::SeqCst) < until {
        std::thread::yield_now();
    }
}

/// Each that was acknowledged is where it was said to be, and nothing else is there.
fn check(ledger: &Ledger, acknowledged: &Acknowledged) {
    let all = ledger.read(1, usize::MAX).unwrap();
    let there: Acknowledged = all
        .iter()
        .map(|it| (it.entry.source_event_id.clone().unwrap(), it.entry.position))
        .collect();
    assert_eq!(all.len(), acknowledged.len());
    assert!(there == *acknowledged);
    assert!(all.windows(2).all(|it| it[1].entry.prev_hash == entry_hash(&it[0].entry)));
    assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
}

#[test]
fn a_server_that_crashes_under_load_loses_nothing_and_doubles_nothing() {
    let Some(server) = Server::start().map(Arc::new) else { return };
    let town = Town::on(server.clone());
    let keys = town.keys();
    let ledgers = [town.open(options(&keys)), town.open(options(&keys))];
    let acknowledged = under_load(&ledgers.each_ref(), |counted| {
        for _ in 0..4 {
            after(40, counted);
            server.crash();
            server.go();
        }
        after(40, counted);
    });
    ledgers.iter().for_each(|ledger| check(ledger, &acknowledged));
    assert!(ledgers.iter().all(|ledger| ledger.condition().is_well()));
}

#[test]
fn a_standby_that_takes_the_place_of_its_server_has_all_that_was_acknowledged() {
    let Some(server) = Server::start().map(Arc::new) else { return };
    let standby = server.standby();
    let town = Town::at(server.clone(), |name, server| {
        format!("host={},{} user=fkj dbname={name}", server.folder(), standby.folder())
    });
    server.wait_for("*");
    let keys = town.keys();
    let about = person(&keys, "01810112345");
    // Has nobody in its memory.
    let unasked = town.keys();
    let ledgers = [town.open(options(&keys)), town.open(options(&keys))];
    let acknowledged = under_load(&ledgers.each_ref(), |counted| {
        after(60, counted);
        server.crash();
        // Who only reads is answered by the standby; who asks for news is told that nobody knows.
        assert!(ledgers[0].read(1, usize::MAX).unwrap().len() >= 60);
        let number = PersonKey { system: "urn:oid:2.16.578.1.12.4.1.4.1", value: "01810112345" };
        assert_eq!(unasked.find(&number).unwrap(), Some(about));
        let unknown = ledgers[1].wait_beyond(0, Duration::ZERO).unwrap_err();
        assert_eq!(unknown.category(), Category::Unavailable);
        standby.promote();
        after(60, counted);
    });
    ledgers.iter().for_each(|ledger| check(ledger, &acknowledged));
    let last = acknowledged.len() as Position;
    assert_eq!(ledgers[1].wait_beyond(0, Duration::ZERO).unwrap(), last);
    let erasure = Draft { kind: Kind::Erasure, ..draft("erased", Some(about), "") };
    ledgers[0].append_blocking(vec![erasure]).unwrap();
    assert!(keys.is_erased(about));
}

#[test]
fn a_commit_that_only_one_server_has_is_not_acknowledged() {
    let Some(server) = Server::start().map(Arc::new) else { return };
    let town = Town::on(server.clone());
    let keys = town.keys();
    let ledger = town.open(options(&keys));
    // A standby that is never there.
    server.wait_for("nobody");
    let waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    let next = |than: &str| {
        let mut looks = (0..1000).map(|_| server.sql("postgres", waiting).trim().to_owned());
        looks.find(|pid| !pid.is_empty() && pid != than)
    };
    std::thread::scope(|scope| {
        let appending = scope.spawn(|| ledger.append_blocking(vec![draft("1", None, "1")]));
        let first = next("").unwrap_or_default();
        server.sql("postgres", &format!("SELECT pg_cancel_backend('0{first}')"));
        // The server says that it is committed, with a warning. The writer makes sure, which waits too.
        let second = next(&first);
        let early = appending.is_finished();
        server.wait_for("");
        assert!(second.is_some() && !early);
        let answer = appending.join().unwrap().unwrap();
        assert!(matches!(answer[..], [Appended::New(_)]));
    });
    assert_eq!(ledger.read(1, 9).unwrap().len(), 1);
    assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
}
