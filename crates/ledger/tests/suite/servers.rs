//! Several servers that share a municipality in a database: each has its own keys and ledgers open.

use crate::server::Server;
use crate::town::{KEYS, NAME, Town, draft, options, person, resealing};
use ledger::append::{Body, Draft, Sealing};
use ledger::error::{Category, Error};
use ledger::keys::rotate::{rotate_in, status_in};
use ledger::keys::{Keys, PersonKey, published::published_in};
use ledger::ledger::{Ledger, LedgerOptions};
use ledger::random::{Random, SystemRandom};
use record::entry::{Kind, Position};
use std::sync::{Arc, Barrier};
use std::time::Duration;

const FNR: &str = "urn:oid:2.16.578.1.12.4.1.4.1";

/// What tells a person's key apart without showing it.
fn mark(keys: &Keys, person: record::identity::PersonId) -> [u8; 16] {
    keys.data_key(person).unwrap().content_mac(&[1; 32])
}

/// The same on as many servers at once.
fn at_once<T: Send>(servers: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(servers);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..servers)
            .map(|number| {
                let (work, barrier) = (&work, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    work(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn servers_that_found_a_municipality_at_once_found_the_same() {
    let Some(town) = Town::in_postgresql() else { return };
    town.service("municipality.key");
    let open = |_| {
        let keys = town.keys();
        let ledger = town.open(options(&keys));
        let audit = town.open(LedgerOptions::new("9999/audit", keys.clone(), Sealing::Ledger));
        ledger.append_blocking(vec![draft("1", None, "one")]).unwrap();
        (keys, ledger, audit)
    };
    let servers = at_once(4, open);
    let secrets = |keys: &Keys| {
        let content = keys.ledger_key(NAME).unwrap().content_mac(&[1; 32]);
        (keys.index_key(), keys.public_key(NAME).unwrap(), content)
    };
    for (keys, ledger, audit) in &servers {
        assert_eq!(secrets(keys), secrets(&servers[0].0));
        assert_eq!(ledger.read(1, 9).unwrap().len(), 1);
        assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
        assert!(audit.verify(|_, _| {}).unwrap().is_sound());
    }
    let published = published_in(town.database(), KEYS, NAME).unwrap();
    assert_eq!(published.head, servers[0].0.public_key(NAME).unwrap());
}

#[test]
fn servers_that_meet_the_same_numbers_at_once_get_the_same_persons_and_keys() {
    let Some(town) = Town::in_postgresql() else { return };
    let servers = [town.keys(), town.keys(), town.keys()];
    let numbers: Vec<String> = (0..120).map(|n| format!("{n:011}")).collect();
    let met = at_once(servers.len(), |server| {
        // Each in another order, and some at a time.
        let mut of: Vec<_> =
            numbers.iter().map(|it| PersonKey { system: FNR, value: it }).collect();
        of.rotate_left(server * 40);
        for some in of.chunks(7) {
            servers[server].resolve(some).unwrap();
        }
        of.rotate_right(server * 40);
        let persons = servers[server].resolve(&of).unwrap();
        let marks: Vec<_> = persons.iter().map(|it| mark(&servers[server], *it)).collect();
        (persons, marks)
    });
    assert!(met.iter().all(|it| *it == met[0]));
    assert_eq!(status_in(town.database(), KEYS).unwrap().persons, numbers.len() as u64);
}

#[test]
fn what_one_server_erases_the_others_neither_take_nor_open() {
    let Some(town) = Town::in_postgresql() else { return };
    let (a, b) = (town.keys(), town.keys());
    let (here, there) = (town.open(options(&a)), town.open(options(&b)));
    let gone = person(&a, "01810112345");
    assert_eq!(person(&b, "01810112345"), gone);
    there.append_blocking(vec![draft("1", Some(gone), "one")]).unwrap();
    let erasure = Draft { kind: Kind::Erasure, ..draft("2", Some(gone), "decided") };
    here.append_blocking(vec![erasure]).unwrap();
    // The other has the key in its memory; its writer meets the erasure before it judges.
    assert!(!b.is_erased(gone));
    let late = there.append_blocking(vec![draft("3", Some(gone), "late")]);
    assert!(matches!(late, Err(Error::Erased)) && b.is_erased(gone));
    assert_eq!(there.body(1).unwrap(), Some(Body::Erased));

    let (one, two) = (town.keys(), town.keys());
    let other = person(&one, "02810112345");
    mark(&two, other);
    one.destroy(other).unwrap();
    assert!(two.data_key(other).is_ok());
    two.refresh(other).unwrap();
    assert!(two.is_erased(other) && matches!(two.data_key(other), Err(Error::Erased)));
    assert!(there.verify(|_, _| {}).unwrap().is_sound());
}

#[test]
fn what_one_server_seals_anew_the_others_read_and_go_on_from() {
    let Some(town) = Town::in_postgresql() else { return };
    let (a, b) = (town.keys(), town.keys());
    let (here, there) = (town.open(options(&a)), town.open(options(&b)));
    let about = person(&a, "01810112345");
    let group = ["1", "2"].map(|id| draft(id, Some(about), id));
    there.append_blocking(group.to_vec()).unwrap();
    here.append_blocking(vec![resealing(about, &[1])]).unwrap();
    let plain = |text: &str| Some(Body::Plain(text.as_bytes().to_vec()));
    // Its key in memory opens nothing any more.
    assert_eq!((there.body(1).unwrap(), there.body(2).unwrap()), (Some(Body::Erased), plain("2")));
    here.append_blocking(vec![draft("3", Some(about), "3")]).unwrap();
    there.append_blocking(vec![draft("4", Some(about), "4")]).unwrap();
    there.append_blocking(vec![resealing(about, &[2])]).unwrap();
    for ledger in [&here, &there] {
        assert_eq!((ledger.body(4).unwrap(), ledger.body(5).unwrap()), (plain("3"), plain("4")));
        assert_eq!(ledger.body(2).unwrap(), Some(Body::Erased));
        assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
    }
    assert_eq!(mark(&a, about), mark(&b, about));
}

#[test]
fn an_exchanged_municipality_key_stops_servers_that_have_the_one_before() {
    let Some(town) = Town::in_postgresql() else { return };
    let before = town.keys();
    let known = person(&before, "01810112345");
    let key = mark(&before, known);
    let (from, to) = (town.service("municipality.key"), town.service("next.key"));
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let mut steps = 0;
    let status =
        rotate_in((town.database(), KEYS), (&from, &to), &random, 7, &mut |_| steps += 1).unwrap();
    assert_eq!((steps, status.persons, status.exchanged), (4, 1, Some(7)));
    let refused = before.resolve(&[PersonKey { system: FNR, value: "02810112345" }]);
    assert!(matches!(refused, Err(Error::Key { .. })));
    assert!(matches!(town.try_keys("municipality.key"), Err(Error::Key { .. })));
    let after = town.try_keys("next.key").unwrap();
    assert_eq!((person(&after, "01810112345"), mark(&after, known)), (known, key));
    person(&after, "02810112345");
}

everywhere! {

#[test]
fn whoever_waits_hears_of_what_is_appended(town: &Town) {
    let keys = town.keys();
    let here = town.open(options(&keys));
    assert_eq!(here.is_shared(), !town.is_in_files());
    let second = here.is_shared().then(|| town.open(options(&keys)));
    let there = second.as_ref().unwrap_or(&here);
    assert_eq!(here.wait_beyond(0, Duration::ZERO).unwrap(), 0);
    // As long as a test may take: it is not the time that ends the waiting.
    let patient = Duration::from_secs(300);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| here.wait_beyond(0, patient).unwrap());
        there.append_blocking(vec![draft("1", None, "1"), draft("2", None, "2")]).unwrap();
        assert_eq!(waiting.join().unwrap(), 2);
    });
    assert_eq!(here.wait_beyond(1, patient).unwrap(), 2);
    assert_eq!(here.wait_beyond(2, Duration::from_millis(5)).unwrap(), 2);
}

}

#[test]
fn a_server_that_cannot_know_says_so_and_hears_again_later() {
    let Some(server) = Server::start().map(Arc::new) else { return };
    let town = Town::on(server.clone());
    let keys = town.keys();
    let ledger = town.open(options(&keys));
    assert_eq!(ledger.wait_beyond(0, Duration::ZERO).unwrap(), 0);
    server.crash();
    let unknown = ledger.wait_beyond(0, Duration::ZERO).unwrap_err();
    assert_eq!(unknown.category(), Category::Unavailable);
    server.go();
    let other = town.open(options(&keys));
    other.append_blocking(vec![draft("1", None, "1")]).unwrap();
    assert_eq!(ledger.wait_beyond(0, Duration::ZERO).unwrap(), 1);
}

#[test]
fn an_erasure_elsewhere_is_carried_out_here_when_it_is_heard_of() {
    let Some(town) = Town::in_postgresql() else { return };
    let (a, b) = (town.keys(), town.keys());
    let (here, there) = (town.open(options(&a)), town.open(options(&b)));
    let gone = person(&a, "01810112345");
    here.append_blocking(vec![draft("1", Some(gone), "one")]).unwrap();
    assert!(matches!(there.body(1).unwrap(), Some(Body::Plain(_))));
    here.append_blocking(vec![Draft { kind: Kind::Erasure, ..draft("2", Some(gone), "") }])
        .unwrap();
    assert_eq!(there.wait_beyond(1, Duration::ZERO).unwrap(), 2);
    assert_eq!(there.body(1).unwrap(), Some(Body::Erased));
}

#[test]
fn no_update_of_one_server_is_lost_to_another() {
    const UPDATES: usize = 25;
    let Some(town) = Town::in_postgresql() else { return };
    let keys = [town.keys(), town.keys(), town.keys()];
    let ledgers = keys.each_ref().map(|keys| town.open(options(keys)));
    let about = person(&keys[0], "01810112345");
    let other = person(&keys[0], "02810112345");
    // Each adds one to the number it read, as a decision would rest on what was read.
    let overtaken = at_once(ledgers.len(), |server| {
        let ledger = &ledgers[server];
        let (mut done, mut overtaken) = (0, 0);
        while done < UPDATES {
            let all = ledger.read(1, usize::MAX).unwrap();
            let seen = Some(all.len() as Position);
            let numbers = all.iter().filter(|it| it.entry.person == Some(about));
            let next = (numbers.count() + 1).to_string();
            let update = |about, id| Draft { source_event_id: id, ..draft("", Some(about), &next) };
            match ledger.append_blocking(vec![Draft { seen, ..update(about, None) }]) {
                Ok(_) => done += 1,
                Err(Error::Overtaken { position }) => {
                    assert!(Some(position) > seen);
                    overtaken += 1;
                }
                Err(error) => panic!("{error}"),
            }
            ledger.append_blocking(vec![update(other, None)]).unwrap();
        }
        overtaken
    });
    let bodies = ledgers[0].by_person(about, None, usize::MAX).unwrap();
    let numbers: Vec<_> = bodies
        .iter()
        .rev()
        .map(|it| match &it.body {
            Body::Plain(text) => String::from_utf8(text.clone()).unwrap().parse::<usize>().unwrap(),
            Body::Erased => panic!("nothing was erased"),
        })
        .collect();
    assert_eq!(numbers, (1..=UPDATES * ledgers.len()).collect::<Vec<_>>());
    assert!(overtaken.iter().sum::<usize>() > 0, "they met");
}

#[test]
fn only_what_a_draft_may_rest_on_overtakes_it() {
    let Some(town) = Town::in_postgresql() else { return };
    let keys = town.keys();
    let (a, b) = (person(&keys, "01810112345"), person(&keys, "02810112345"));
    let (here, there) = (town.open(options(&keys)), town.open(options(&keys)));
    let at = |ledger: &Ledger, seen, id: &str, about| {
        let appended = ledger.append_blocking(vec![Draft { seen, ..draft(id, about, id) }]);
        appended.map(|appended| appended[0].entry().position)
    };
    let overtaken = |answer| match answer {
        Err(Error::Overtaken { position }) => position,
        other => panic!("{other:?}"),
    };
    assert_eq!(at(&there, None, "1", Some(a)).unwrap(), 1);
    assert_eq!(overtaken(at(&here, Some(0), "2", Some(a))), 1);
    // Nothing of its group is kept, nor is it held against anybody else.
    let group = vec![draft("3", Some(b), "3"), Draft { seen: Some(0), ..draft("4", Some(a), "4") }];
    assert_eq!(overtaken(here.append_blocking(group).map(|_| 0)), 1);
    assert_eq!(at(&here, Some(0), "5", Some(b)).unwrap(), 2);
    assert_eq!(at(&here, Some(0), "6", None).unwrap(), 3);
    assert_eq!(at(&here, Some(1), "7", Some(a)).unwrap(), 4);
    // Its own server's entries overtake nothing, and a repeat is a repeat.
    assert_eq!(at(&here, Some(1), "8", Some(a)).unwrap(), 5);
    assert_eq!(at(&here, Some(0), "1", Some(a)).unwrap(), 1);
    let decision = Draft { kind: Kind::Decision, ..draft("9", None, "decided") };
    there.append_blocking(vec![decision]).unwrap();
    assert_eq!(overtaken(at(&here, Some(5), "10", Some(b))), 6);
    assert_eq!(at(&here, Some(6), "10", Some(b)).unwrap(), 7);
    // Who opened later does not know who wrote what was there before.
    let later = town.open(options(&keys));
    assert_eq!(overtaken(at(&later, Some(6), "11", Some(a))), 7);
    assert_eq!(at(&later, Some(7), "11", Some(a)).unwrap(), 8);
}
