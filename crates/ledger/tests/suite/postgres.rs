//! What only a database does: several servers append to one ledger, and it is another machine that fails.

use crate::server::Server;
use crate::town::{Town, draft, options, person};
use ledger::append::Appended;
use ledger::chain::entry_hash;
use record::entry::Position;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    let ledger = town.open(options(&keys));
    for id in ["1", "2", "3"] {
        ledger.append_blocking(vec![draft(id, None, id)]).unwrap();
    }
    server.crash();
    assert!(ledger.append_blocking(vec![draft("4", None, "4")]).is_err());
    assert!(ledger.read(1, 9).is_err());
    server.go();
    // The same ledger connects again, and takes what was not acknowledged.
    let group = ["1", "2", "3", "4"].map(|id| draft(id, None, id)).to_vec();
    let answer = ledger.append_blocking(group).unwrap();
    let positions: Vec<_> = answer.iter().map(|it| it.entry().position).collect();
    assert_eq!(positions, [1, 2, 3, 4]);
    assert_eq!(ledger.read(1, 9).unwrap().len(), 4);
    assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
}
