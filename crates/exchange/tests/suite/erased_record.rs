//! One record is erased by two officers: nothing of it opens in any file, old copies of the ledger
//! included; everything else about the person is as before; who sends it again is refused.

use std::path::Path;
use std::sync::Arc;

use access::caller::Caller;
use access::refusal::Rule;
use exchange::disposal::record::Asked;
use exchange::error::Failure;
use exchange::history::History;
use exchange::register::change::Done;
use exchange::rights::Wanted;
use exchange::submission::Receipt;
use exchange::tenant::{Environment, Tenant};
use fhir::json;
use fhir::value::Value;
use ledger::body::{self, Belonging};
use ledger::key_service::FileKey;
use ledger::keys::Keys;
use ledger::random::SystemRandom;
use record::decision::Ground;
use record::entry::Position;
use record::identity::PersonId;
use record::rights::Right;

use crate::disposal::{Part, all, folder, holds, of_keys, of_ledger, of_view, rule, said, spoils};
use crate::town::{
    FNR, NOW, Town, admin, case_worker, fnr, officer, patient, pulse, put, resident, system,
};

const FIRST: &str = "Et helt eget kjennetegn";
const SECOND: &str = "Rettet til et annet kjennetegn";
const OTHER: &str = "Notatet som skal stå";

fn noted(number: &str, event: &str, text: &str) -> Value {
    let mut pulse = pulse(number, Some(event), 71);
    pulse.as_object_mut().unwrap().set("note", json!([{ "text": text }]));
    pulse
}

/// A town with a person who has two records; the first, of two versions, is the one to erase.
async fn town() -> (Town, PersonId, Receipt, Receipt) {
    let town = Town::new();
    let plo = system("plo");
    town.create(&plo, patient(&[(FNR, &fnr(0))], "Vanligsen")).await;
    let made = town.create(&plo, noted(&fnr(0), "event-1", FIRST)).await;
    let other = town.create(&plo, noted(&fnr(0), "event-2", OTHER)).await;
    let again = noted(&fnr(0), "event-1", SECOND);
    town.one(&plo, put(&made.id, again, None)).await.unwrap();
    let person = town.tenant.person(&fnr(0)).unwrap();
    (town, person, made, other)
}

fn asked(receipt: &Receipt) -> Asked {
    let record = format!("{}/{}", receipt.kind, receipt.id);
    Asked { record, basis: Ground::WrongPerson, request: None }
}

async fn propose(town: &Town, asked: Asked) -> Result<Done, Failure> {
    town.tenant.propose_record_erasure(&officer(), asked, "ført på feil person".to_owned()).await
}

async fn proposed(town: &Town, asked: Asked) -> Position {
    match propose(town, asked).await.unwrap() {
        Done::Proposed(id) => id,
        _ => 0,
    }
}

async fn approve(town: &Town, who: &str, id: Position) -> Result<Position, Failure> {
    town.tenant.approve(&admin(who), id, "enig".to_owned()).await
}

pub async fn erased(town: &Town, receipt: &Receipt) -> Position {
    let id = proposed(town, asked(receipt)).await;
    approve(town, "admin-2", id).await.unwrap()
}

fn opened(town: &Town, dir: &Path) -> Tenant {
    let (clock, random) = (town.clock.clone(), town.random.clone());
    let register = (*town.tenant.register()).clone();
    Tenant::open(dir, register, Environment { clock, random }).unwrap()
}

/// All that opens with the keys of a folder of the bodies that lie in its ledger, whatever the ledger
/// says of them.
fn raw(dir: &Path) -> Vec<u8> {
    let random = Arc::new(SystemRandom);
    let key = FileKey::open(&dir.join("municipality.key"), random.clone()).unwrap();
    let keys = Keys::open(&dir.join("keys.db"), Arc::new(key), random).unwrap();
    let ledger = rusqlite::Connection::open(dir.join("ledger.db")).unwrap();
    let mut select = ledger
        .prepare("SELECT e.person, b.bytes FROM body b JOIN entry e ON e.position = b.position")
        .unwrap();
    let rows = select.query_map([], |row| {
        Ok((row.get::<_, Option<[u8; 16]>>(0)?.map(PersonId), row.get::<_, Vec<u8>>(1)?))
    });
    let mut opened = Vec::new();
    for (person, sealed) in rows.unwrap().map(Result::unwrap) {
        let belonging = Belonging { ledger: "9901/ledger", person };
        let own = keys.ledger_key("9901/ledger").unwrap();
        let persons = person.and_then(|person| keys.data_key(person).ok());
        for key in persons.iter().chain([&own]) {
            opened.extend(body::open(key, belonging, &sealed).unwrap_or_default());
        }
    }
    opened.to_ascii_lowercase()
}

async fn history(town: &Town, caller: &Caller, receipt: &Receipt) -> String {
    let history =
        History::read(Some(receipt.kind), Some(receipt.id.clone()), &Vec::new(), true).unwrap();
    let past = town.tenant.history(caller, &history).await.unwrap();
    String::from_utf8(history.bundle(&past, "http://x")).unwrap()
}

#[tokio::test]
async fn nothing_readable_is_left_of_a_record_that_two_officers_erased() {
    let (town, person, made, other) = town().await;
    let dir = town.dir.path();
    let id = proposed(&town, asked(&made)).await;
    let before = folder(&[(dir, all)]);
    for text in [FIRST, SECOND, OTHER] {
        assert!(holds(&spoils(before.path()), text) && holds(&raw(before.path()), text), "{text}");
    }
    assert_eq!(proposed(&town, asked(&made)).await, id, "asking again is the same question");
    let own = town.tenant.approve(&officer(), id, "enig".to_owned()).await;
    assert_eq!(rule(own), Some(Rule::SecondPerson));
    assert_eq!(rule(approve(&town, "admin-1", id).await), Some(Rule::NoDuty));
    assert!(town.tenant.proposals(&admin("admin-1"), false).await.unwrap().is_empty());
    let at = approve(&town, "admin-2", id).await.unwrap();
    assert!(matches!(approve(&town, "admin-2", id).await, Err(Failure::Gone)));

    // An old copy of the ledger, and of everything, with the keys of now.
    let old_ledger = folder(&[(dir, of_keys), (before.path(), of_ledger)]);
    let now = folder(&[(dir, all)]);
    for text in [FIRST, SECOND] {
        assert!(!holds(&spoils(dir), text), "{text} is left");
        assert!(!holds(&raw(now.path()), text), "{text} opens");
        assert!(!holds(&raw(old_ledger.path()), text), "{text} opens in an old copy");
    }
    assert!(holds(&spoils(dir), OTHER) && holds(&raw(now.path()), OTHER));
    assert!(holds(&spoils(dir), "Vanligsen"));

    // What is read says that it is gone, and no more.
    let plo = system("plo");
    let (kind, own) = (made.kind, made.id.as_str());
    assert!(matches!(town.tenant.read(&plo, kind, own).await, Err(Failure::Erased)));
    for version in [made.version, at] {
        let found = town.tenant.vread(&plo, kind, own, version).await;
        assert!(matches!(found, Err(Failure::Erased)));
    }
    let told = history(&town, &plo, &made).await;
    assert!(told.contains("erased for good") && told.contains("\"total\":1"), "{told}");
    let text = town.tenant.read(&plo, other.kind, &other.id).await.unwrap().body;
    assert!(holds(&text.to_ascii_lowercase(), OTHER));
    let records = town.tenant.erased_records(&officer()).await.unwrap();
    let [fact] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((fact.person, fact.act.position), (person, at));
    assert_eq!(
        (fact.record.as_str(), fact.act.why.as_str()),
        (asked(&made).record.as_str(), "wrong-person")
    );
    let log = town.tenant.audit_records(1, 1_000).unwrap();
    let about = log.iter().filter(|(entry, _)| entry.person == Some(person));
    let actions: Vec<&str> = about.map(|(_, record)| record.action.as_str()).collect();
    assert!(actions.contains(&"admin-erase-record-propose"));
    assert!(actions.contains(&"admin-erase-record"));
}

#[tokio::test]
async fn what_was_erased_is_not_taken_again_and_all_else_is() {
    let (town, _, made, other) = town().await;
    erased(&town, &made).await;
    for town in [&town, &town.opened_again(|| {})] {
        let plo = system("plo");
        let again = town.one(&plo, crate::town::create(noted(&fnr(0), "event-1", FIRST))).await;
        assert!(matches!(again, Err(Failure::Gone)), "the event");
        let again = town.one(&plo, put(&made.id, noted(&fnr(0), "x", FIRST), None)).await;
        assert!(matches!(again, Err(Failure::Erased)), "the id");
        let repeat = town.create(&plo, noted(&fnr(0), "event-2", OTHER)).await;
        assert_eq!((repeat.id.as_str(), repeat.version), (other.id.as_str(), other.version));
        let conflict = town.one(&plo, crate::town::create(noted(&fnr(0), "event-2", "x"))).await;
        assert!(matches!(conflict, Err(Failure::Conflict(_))));
        assert!(matches!(propose(town, asked(&made)).await, Err(Failure::Erased)));
        let worker = case_worker();
        assert!(matches!(
            town.tenant.read(&worker, made.kind, &made.id).await,
            Err(Failure::Erased)
        ));
    }
    town.create(&system("plo"), noted(&fnr(0), "event-3", "noe nytt")).await;
}

/// Whatever file is behind when the process ends, the next opening finishes; a view made anew is the same.
#[tokio::test]
async fn the_next_opening_finishes_what_was_left_undone() {
    let (town, person, made, other) = town().await;
    let dir = town.dir.path();
    let id = proposed(&town, asked(&made)).await;
    let before = folder(&[(dir, all)]);
    approve(&town, "admin-2", id).await.unwrap();
    let decided = town.tenant.decided();
    let whole: [(&str, Part); 5] = [
        ("nothing", |_| false),
        ("keys and view", |name| of_keys(name) || of_view(name)),
        ("the view", of_view),
        ("the keys", of_keys),
        ("the entry is not there", |name| of_keys(name) || of_view(name) || of_ledger(name)),
    ];
    for (what, behind) in whole {
        let crashed = tempfile::tempdir().unwrap();
        crate::disposal::copy(dir, crashed.path(), |name| !behind(name));
        crate::disposal::copy(before.path(), crashed.path(), behind);
        let tenant = opened(&town, crashed.path());
        let (kind, id) = (made.kind, made.id.as_str());
        let read = tenant.read(&system("plo"), kind, id).await;
        let rest = tenant.read(&system("plo"), other.kind, &other.id).await;
        assert!(rest.is_ok(), "{what}");
        let folded = tenant.decided();
        drop(tenant);
        let left = [FIRST, SECOND].into_iter().filter(|it| holds(&spoils(crashed.path()), it));
        if what.starts_with("the entry") {
            assert!(read.is_ok() && folded.disposal.records.is_empty(), "{what}");
            assert_eq!(left.count(), 2);
        } else {
            assert!(matches!(read, Err(Failure::Erased)), "{what}");
            assert_eq!((left.count(), *folded == *decided), (0, true), "{what}");
        }
    }
    // And when the person goes, so does that there was such a record.
    let Done::Proposed(id) = town
        .tenant
        .propose_erasure(&officer(), person, Ground::WrongPerson, "x".to_owned())
        .await
        .unwrap()
    else {
        panic!("a second officer is asked")
    };
    approve(&town, "admin-2", id).await.unwrap();
    assert!(town.tenant.decided().disposal.records.is_empty());
    assert_eq!(*town.opened_again(|| {}).tenant.decided(), *town.tenant.decided());
    assert!(!holds(&spoils(dir), OTHER));
}

#[tokio::test]
async fn only_what_may_be_erased_alone_is_and_a_hold_refuses() {
    let (town, person, made, _) = town().await;
    let of = |record: String| Asked { record, basis: Ground::WrongPerson, request: None };
    let patient = of(format!("Patient/{person}"));
    assert!(said(propose(&town, patient).await).contains("whom everything is about"));
    assert!(matches!(
        propose(&town, of("Observation/no".to_owned())).await,
        Err(Failure::Unknown(_))
    ));
    assert!(said(propose(&town, of("Observation".to_owned())).await).contains("type/id"));
    let early = Asked { basis: Ground::RetentionEnded, ..asked(&made) };
    assert!(said(propose(&town, early.clone()).await).contains("has not run"));
    let stranger = |caller: Caller| {
        let tenant = town.tenant.clone();
        let asked = asked(&made);
        async move { tenant.propose_record_erasure(&caller, asked, "x".to_owned()).await }
    };
    for caller in [admin("admin-1"), resident(&fnr(0)), system("plo"), case_worker()] {
        assert_eq!(rule(stranger(caller).await), Some(Rule::NoDuty));
    }
    let hold = town.tenant.hold(&officer(), person, "tilsynssak".to_owned()).await.unwrap();
    assert!(said(propose(&town, asked(&made)).await).contains("hold"));
    town.tenant.release(&officer(), hold, "avgjort".to_owned()).await.unwrap();
    let id = proposed(&town, asked(&made)).await;
    let hold = town.tenant.hold(&officer(), person, "tilsynssak".to_owned()).await.unwrap();
    assert!(said(approve(&town, "admin-2", id).await).contains("hold"));
    town.tenant.release(&officer(), hold, "avgjort".to_owned()).await.unwrap();
    // Another version came meanwhile: it goes with the rest.
    let third = noted(&fnr(0), "x", "Enda et kjennetegn");
    town.one(&system("plo"), put(&made.id, third, None)).await.unwrap();
    approve(&town, "admin-2", id).await.unwrap();
    assert!(!holds(&spoils(town.dir.path()), "Enda et kjennetegn"));
    // Time alone is a ground as well, when it has run: not for a living person's only because of this.
    town.clock.set(NOW + 1);
    assert!(matches!(propose(&town, early).await, Err(Failure::Erased)));
}

#[tokio::test]
async fn the_request_that_is_answered_is_kept_with_the_act() {
    let (town, person, made, other) = town().await;
    let ask = async |right| {
        let item = Some((made.kind.to_owned(), made.id.clone()));
        let wanted = Wanted { right, item, text: "Ta det bort".to_owned() };
        town.tenant.ask(&resident(&fnr(0)), &person.to_string(), wanted).await.unwrap()
    };
    let (deletion, insight) = (ask(Right::Erasure).await, ask(Right::Copy).await);
    let with = |request: &str| Asked {
        request: Some(request.to_owned()),
        basis: Ground::OnRequest,
        ..asked(&made)
    };
    for wrong in [insight.id.as_str(), other.id.as_str(), "no-such"] {
        assert!(said(propose(&town, with(wrong)).await).contains("no request"), "{wrong}");
    }
    let id = proposed(&town, with(&deletion.id)).await;
    approve(&town, "admin-2", id).await.unwrap();
    let records = town.tenant.erased_records(&officer()).await.unwrap();
    assert_eq!(records[0].request.as_deref(), Some(deletion.id.as_str()));
    // Requests themselves stay.
    let own = Asked { record: format!("Task/{}", deletion.id), ..asked(&made) };
    assert!(said(propose(&town, own).await).contains("asked for"));
    assert!(town.tenant.read(&resident(&fnr(0)), "Task", &deletion.id).await.is_ok());
}
