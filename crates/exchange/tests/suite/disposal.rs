//! Erasure, holds and retention: who may, what is left, and that nothing is ever half.

use std::path::Path;
use std::sync::Arc;

use access::refusal::Rule;
use exchange::error::Failure;
use exchange::register::change::Done;
use exchange::tenant::Environment;
use fhir::json;
use fhir::value::Value;
use ledger::append::{Body, Sealing};
use ledger::key_service::FileKey;
use ledger::keys::Keys;
use ledger::ledger::{Ledger, LedgerOptions};
use ledger::random::SystemRandom;
use record::decision::Ground;
use record::entry::Position;
use record::identity::PersonId;
use record::retention::Verdict;
use rusqlite::Connection;
use tempfile::TempDir;
use view::content::Content;

use crate::town::{FNR, NOW, Town, admin, fnr, nurse, officer, patient, pulse, resident, system};

const NAME: &str = "Særmerkesen";
const TEXT: &str = "Helt eget kjennetegn i et notat";
/// 366 days, in milliseconds.
const YEAR: i64 = 366 * 24 * 60 * 60 * 1000;

/// A town with two persons who have a record; the first is the one to erase.
async fn town() -> (Town, PersonId, PersonId) {
    let town = Town::new();
    for (n, name, text) in [(0, NAME, TEXT), (1, "Vanligsen", "noe annet")] {
        let plo = system("plo");
        let mut who = patient(&[(FNR, &fnr(n))], name);
        who.as_object_mut().unwrap().set("deceasedDateTime", "1999-05-01");
        town.create(&plo, who).await;
        let made = town.create(&plo, pulse(&fnr(n), None, 71)).await;
        let mut again = pulse(&fnr(n), None, 72);
        again.as_object_mut().unwrap().set("note", json!([{ "text": text }]));
        town.one(&plo, crate::town::put(&made.id, again, None)).await.unwrap();
        town.tenant.search_as(&nurse(), &fnr(n)).await;
    }
    let person = |n| town.tenant.person(&fnr(n)).unwrap();
    let both = (person(0), person(1));
    (town, both.0, both.1)
}

trait Searches {
    async fn search_as(&self, caller: &access::caller::Caller, number: &str);
}

impl Searches for exchange::tenant::Tenant {
    /// Somebody looks, so that the log has something to keep.
    async fn search_as(&self, caller: &access::caller::Caller, number: &str) {
        let person = self.person(number).unwrap();
        drop(self.news2(caller, person).await);
    }
}

async fn propose(town: &Town, person: PersonId, basis: Ground) -> Result<Done, Failure> {
    town.tenant.propose_erasure(&officer(), person, basis, "ført på feil person".to_owned()).await
}

pub async fn proposed(town: &Town, person: PersonId) -> Position {
    let Done::Proposed(id) = propose(town, person, Ground::WrongPerson).await.unwrap() else {
        return 0;
    };
    id
}

pub async fn approve(town: &Town, who: &str, id: Position) -> Result<Position, Failure> {
    town.tenant.approve(&admin(who), id, "enig".to_owned()).await
}

pub fn rule<T>(result: Result<T, Failure>) -> Option<Rule> {
    result.err().and_then(|failure| failure.refusal()).map(|refusal| refusal.rule)
}

pub fn said<T: std::fmt::Debug>(result: Result<T, Failure>) -> String {
    result.unwrap_err().issues().into_iter().map(|it| it.message).collect()
}

/// The files of a folder, into another that keeps those it has.
pub fn copy(from: &Path, to: &Path, which: impl Fn(&str) -> bool) {
    for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = file.file_name().into_string().unwrap();
        if file.file_type().unwrap().is_file() && !name.ends_with(".lock") && which(&name) {
            std::fs::copy(file.path(), to.join(name)).unwrap();
        }
    }
}

/// Which files of a folder, by name.
pub type Part = fn(&str) -> bool;

pub fn folder(parts: &[(&Path, Part)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    parts.iter().for_each(|(from, which)| copy(from, dir.path(), which));
    dir
}

pub fn all(_: &str) -> bool {
    true
}

pub fn of_keys(name: &str) -> bool {
    name.starts_with("keys.db") || name == "municipality.key"
}

pub fn of_ledger(name: &str) -> bool {
    name.starts_with("ledger.db")
}

pub fn of_view(name: &str) -> bool {
    name.starts_with("view.db")
}

/// All bytes that somebody gets out of a folder who has it and the municipality's key: the files as they
/// are, what the view has packed, and everything in the ledgers that opens.
pub fn spoils(dir: &Path) -> Vec<u8> {
    let own = folder(&[(dir, all)]);
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(own.path()).unwrap() {
        bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    bytes.extend(unpacked(&own.path().join("view.db")));
    let random = Arc::new(SystemRandom);
    let key = FileKey::open(&own.path().join("municipality.key"), random.clone()).unwrap();
    let keys = Arc::new(Keys::open(&own.path().join("keys.db"), Arc::new(key), random).unwrap());
    for (name, sealing) in [("ledger", Sealing::PerPerson), ("audit", Sealing::Ledger)] {
        let options = LedgerOptions::new(format!("9901/{name}"), keys.clone(), sealing);
        let ledger = Ledger::open(&own.path().join(format!("{name}.db")), options).unwrap();
        assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
        for record in ledger.read(1, usize::MAX).unwrap() {
            if let Body::Plain(body) = record.body {
                bytes.extend(body);
            }
        }
    }
    bytes.to_ascii_lowercase()
}

/// What the view has of resources, as it is sent.
fn unpacked(view: &Path) -> Vec<u8> {
    let view = Connection::open(view).unwrap();
    let Ok(mut select) = view.prepare("SELECT body FROM content") else { return Vec::new() };
    let bodies = select.query_map([], |row| row.get(0)).unwrap();
    bodies.flat_map(|body| body.map(|Content(json)| json).unwrap()).collect()
}

pub fn holds(bytes: &[u8], text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// What is known of the person, that must not be found.
fn secrets() -> [String; 4] {
    [NAME.to_owned(), TEXT.to_owned(), fnr(0), "ført på feil person".to_owned()]
}

#[tokio::test]
async fn nothing_readable_is_left_of_whom_two_officers_erased() {
    let (town, person, other) = town().await;
    let dir = town.dir.path();
    let id = proposed(&town, person).await;
    let before = folder(&[(dir, all)]);
    for secret in secrets() {
        assert!(holds(&spoils(before.path()), &secret), "{secret} is there to be found");
    }
    // Neither alone, nor without the duty; asking again is the same question.
    assert_eq!(proposed(&town, person).await, id);
    let own = town.tenant.approve(&officer(), id, "enig".to_owned()).await;
    assert_eq!(rule(own), Some(Rule::SecondPerson));
    assert_eq!(rule(approve(&town, "admin-1", id).await), Some(Rule::NoDuty));
    let shown = town.tenant.proposals(&admin("admin-1"), false).await.unwrap();
    assert!(shown.is_empty(), "what is proposed about persons is not for everybody");
    assert!(matches!(approve(&town, "admin-2", id + 99).await, Err(Failure::NotFound)));

    let at = approve(&town, "admin-2", id).await.unwrap();
    assert!(matches!(approve(&town, "admin-2", id).await, Err(Failure::NotFound)));
    for secret in secrets() {
        assert!(!holds(&spoils(dir), &secret), "{secret} is left");
        // An old copy of everything, with the keys of now.
        let old = folder(&[(before.path(), all), (dir, of_keys)]);
        drop(std::fs::remove_file(old.path().join("view.db")));
        drop(std::fs::remove_file(old.path().join("view.db-wal")));
        assert!(!holds(&spoils(old.path()), &secret), "{secret} is left in an old copy");
    }
    // The other is as before; of the one there is only the fact.
    assert!(holds(&spoils(dir), &fnr(1)) && holds(&spoils(dir), "Vanligsen"));
    let erased = town.tenant.erasures(&officer()).await.unwrap();
    assert_eq!(erased.len(), 1);
    assert_eq!((erased[0].person, erased[0].act.position), (person, at));
    assert_eq!(erased[0].act.who.name, "Forvalter admin-2");
    assert_eq!(erased[0].act.why, "wrong-person");
    let log = town.tenant.audit_records(1, 1_000).unwrap();
    let about = log.iter().filter(|(entry, _)| entry.person == Some(person));
    let actions: Vec<&str> = about.map(|(_, record)| record.action.as_str()).collect();
    assert!(actions.contains(&"admin-erase-propose") && actions.contains(&"admin-erase"));
    assert!(actions.len() > 2, "who looked is kept: {actions:?}");
    // Nothing more is taken for the one; the other goes on.
    let more = town.one(&system("plo"), crate::town::create(pulse(&fnr(0), None, 73))).await;
    assert!(matches!(more, Err(Failure::Gone)));
    town.create(&system("plo"), pulse(&fnr(1), None, 73)).await;
    assert!(matches!(propose(&town, person, Ground::OnRequest).await, Err(Failure::Gone)));
    assert!(propose(&town, other, Ground::OnRequest).await.is_ok());
}

/// A restriction goes with the person, and so does what was decided about them.
#[tokio::test]
async fn what_the_person_had_decided_is_folded_away_at_once_and_after_a_restart() {
    let (town, person, _) = town().await;
    let hold = town.tenant.hold(&officer(), person, "tilsynssak".to_owned()).await.unwrap();
    town.tenant.release(&admin("admin-2"), hold, "saken er slutt".to_owned()).await.unwrap();
    town.tenant.hand_over(&officer(), person, "2026/1".to_owned(), "x".to_owned()).await.unwrap();
    let id = proposed(&town, person).await;
    town.tenant.reject(&admin("admin-2"), id, "ikke nå".to_owned()).await.unwrap();
    let id = proposed(&town, person).await;
    approve(&town, "admin-2", id).await.unwrap();
    let decided = town.tenant.decided();
    assert!(decided.proposals.is_empty() && decided.disposal.holds.is_empty());
    assert!(decided.disposal.handed_over.is_empty());
    let again = town.opened_again(|| {});
    assert_eq!(*again.tenant.decided(), *decided);
    let anew = folder(&[(town.dir.path(), |name| !of_view(name))]);
    let (clock, random) = (town.clock.clone(), town.random.clone());
    let environment = Environment { clock, random };
    let register = (*town.tenant.register()).clone();
    let rebuilt = exchange::tenant::Tenant::open(anew.path(), register, environment).unwrap();
    assert_eq!(*rebuilt.decided(), *decided);
}

/// Whatever file is behind when the process ends, the next opening finishes.
#[tokio::test]
async fn an_erasure_is_finished_by_the_next_opening_whatever_was_left_undone() {
    let (town, person, _) = town().await;
    let dir = town.dir.path();
    let id = proposed(&town, person).await;
    let before = folder(&[(dir, all)]);
    approve(&town, "admin-2", id).await.unwrap();
    let behind: [(&str, Part); 4] = [
        ("keys and view", |name| of_keys(name) || of_view(name)),
        ("the view", of_view),
        ("the keys", of_keys),
        ("the entry is not there", |name| of_keys(name) || of_view(name) || of_ledger(name)),
    ];
    for (what, part) in behind {
        let crashed = tempfile::tempdir().unwrap();
        copy(dir, crashed.path(), |name| !part(name));
        copy(before.path(), crashed.path(), part);
        let (clock, random) = (town.clock.clone(), town.random.clone());
        let register = (*town.tenant.register()).clone();
        let environment = Environment { clock, random };
        let opened = exchange::tenant::Tenant::open(crashed.path(), register, environment).unwrap();
        let erased = opened.decided().disposal.erased.len();
        let patients = opened.news2(&nurse(), person).await;
        drop(opened);
        let left = secrets().into_iter().filter(|it| holds(&spoils(crashed.path()), it)).count();
        if what.starts_with("the entry") {
            assert_eq!((erased, left), (0, 4), "{what}: nothing was done");
            assert!(patients.is_ok());
        } else {
            assert_eq!((erased, left), (1, 0), "{what}");
        }
    }
}

#[tokio::test]
async fn a_hold_refuses_erasure_until_it_is_lifted() {
    let (town, person, other) = town().await;
    let why = || "krav om innsyn er ikke avgjort".to_owned();
    assert_eq!(rule(town.tenant.hold(&admin("admin-1"), person, why()).await), Some(Rule::NoDuty));
    assert_eq!(rule(town.tenant.hold(&resident(&fnr(0)), person, why()).await), Some(Rule::NoDuty));
    let id = proposed(&town, person).await;
    let hold = town.tenant.hold(&officer(), person, why()).await.unwrap();
    assert!(said(approve(&town, "admin-2", id).await).contains("hold"));
    assert!(said(propose(&town, person, Ground::OnRequest).await).contains("hold"));
    assert!(propose(&town, other, Ground::OnRequest).await.is_ok());
    let town = town.opened_again(|| {});
    assert!(said(approve(&town, "admin-2", id).await).contains("hold"));
    assert_eq!(town.tenant.holds(&officer(), false).await.unwrap()[0].0, hold);
    town.tenant.release(&admin("admin-2"), hold, why()).await.unwrap();
    let twice = town.tenant.release(&admin("admin-2"), hold, why()).await;
    assert!(matches!(twice, Err(Failure::Gone)));
    assert!(town.tenant.holds(&officer(), false).await.unwrap().is_empty());
    assert_eq!(town.tenant.holds(&officer(), true).await.unwrap().len(), 1);
    approve(&town, "admin-2", id).await.unwrap();
}

fn service(number: &str, system: &str, code: &str) -> Value {
    json!({
        "resourceType": "EpisodeOfCare", "status": "finished",
        "patient": { "type": "Patient", "identifier": { "system": FNR, "value": number } },
        "type": [{ "coding": [{ "system": system, "code": code }] }],
        "managingOrganization": { "identifier": {
            "system": "urn:oid:2.16.578.1.12.4.1.4.101", "value": crate::town::MUNICIPALITY } },
        "period": { "start": "1998-01-01", "end": "1999-05-01" },
    })
}

#[tokio::test]
async fn whose_time_has_run_is_proposed_and_erased_only_by_two_officers() {
    let (town, person, other) = town().await;
    let oslo = "https://finnkode.helsedirektoratet.no/adm/collections/9151";
    town.create(&system("plo"), service(&fnr(0), oslo, "15")).await;
    let clinic = "urn:oid:2.16.578.1.12.4.1.1.8663";
    town.create(&system("plo"), service(&fnr(1), clinic, "KF01")).await;
    let due = async || town.tenant.retention(&officer()).await.unwrap().0;
    assert!(due().await.is_empty());
    assert!(said(propose(&town, person, Ground::RetentionEnded).await).contains("has not run"));
    assert_eq!(rule(town.tenant.retention(&admin("admin-1")).await), Some(Rule::NoDuty));
    town.clock.set(NOW + 10 * YEAR);
    let found = due().await;
    let of = |person: PersonId| found.iter().find(|(it, _)| *it == person).unwrap().1.clone();
    assert!(matches!(of(person), Verdict::Over(it) if it.class == "discard"));
    assert!(matches!(of(other), Verdict::Depot(it) if it.class == "preserve"));
    assert_eq!(found.len(), 2);
    // Nothing happens by itself, and what is preserved goes to the depot first.
    assert!(said(propose(&town, other, Ground::RetentionEnded).await).contains("depot"));
    let handed = ("depot 2036/17".to_owned(), "overlevert".to_owned());
    town.tenant.hand_over(&officer(), other, handed.0, handed.1).await.unwrap();
    assert!(propose(&town, other, Ground::RetentionEnded).await.is_ok());
    let hold = town.tenant.hold(&officer(), person, "erstatningssak".to_owned()).await.unwrap();
    assert_eq!(due().await.len(), 1);
    town.tenant.release(&officer(), hold, "avgjort".to_owned()).await.unwrap();
    let Done::Proposed(id) = propose(&town, person, Ground::RetentionEnded).await.unwrap() else {
        panic!("a second officer is asked")
    };
    // Something is recorded meanwhile: it is judged anew.
    town.create(&system("plo"), pulse(&fnr(0), None, 70)).await;
    assert!(said(approve(&town, "admin-2", id).await).contains("has not run"));
    town.clock.set(NOW + 21 * YEAR);
    let Done::Proposed(id) = propose(&town, person, Ground::RetentionEnded).await.unwrap() else {
        panic!("a second officer is asked")
    };
    approve(&town, "admin-2", id).await.unwrap();
    assert_eq!(due().await.len(), 1);
}
