//! A municipality leaves with everything, and is founded anew from it: the same answers, the same versions, the
//! same log; what was erased stays erased, what is withheld stays withheld, and nothing that was changed is
//! believed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use access::refusal::Rule;
use access::restriction::Against;
use exchange::custody::own_key;
use exchange::departure::found::{Founded, Founding, found as found_anew};
use exchange::departure::manifest::Manifest;
use exchange::departure::read::Export;
use exchange::error::Failure;
use exchange::history::History;
use exchange::tenant::{Environment, Tenant};
use fhir::json;
use ledger::append::Body;
use ledger::crypto::sha256;
use ledger::note::VerifierKey;
use proptest::prelude::*;
use record::decision::{Change, Decision};
use record::entry::Kind;
use record::identity::PersonId;
use tempfile::TempDir;

use crate::control::{ALL, found, wish};
use crate::disposal::{approve, holds, proposed, rule};
use crate::erased_record::erased;
use crate::town::{
    FNR, NOW, Town, case_worker, create, dnr, fnr, patient, pulse, put, resident, system,
};

const NAME: &str = "Særmerkesen";
const RECORD: &str = "Et helt eget kjennetegn";
const WHO: (&str, &str) = ("admin-1", "kommunen bytter leverandør");

/// A town in which most things have happened.
async fn town() -> Town {
    let town = Town::new();
    let plo = system("plo");
    for n in 0..4 {
        let family = if n == 3 { NAME } else { "Vanligsen" };
        let numbers = [(FNR, fnr(n)), (crate::town::DNR, dnr(n))];
        let numbers = numbers.each_ref().map(|(system, number)| (*system, number.as_str()));
        town.create(&plo, patient(&numbers, family)).await;
        town.clock.set(NOW + i64::from(n) * 1_000);
        let event = format!("event-{n}");
        let made = town.create(&plo, pulse(&fnr(n), Some(&event), 71)).await;
        town.one(&plo, put(&made.id, pulse(&fnr(n), None, 72), None)).await.unwrap();
        town.create(&plo, pulse(&fnr(n), None, 90)).await;
    }
    // A person nobody has sent a Patient for, a record that its owner removed, and one that two officers erased.
    town.create(&plo, pulse(&fnr(4), None, 60)).await;
    let gone = town.create(&plo, pulse(&fnr(1), None, 61)).await;
    let removal = exchange::submission::Operation::delete("Observation", gone.id.clone());
    town.one(&plo, removal).await.unwrap();
    let mut noted = pulse(&fnr(2), Some("noted"), 62);
    noted.as_object_mut().unwrap().set("note", json!([{ "text": RECORD }]));
    let noted = town.create(&plo, noted).await;
    erased(&town, &noted).await;
    let person = town.tenant.person(&fnr(3)).unwrap();
    let proposal = proposed(&town, person).await;
    approve(&town, "admin-2", proposal).await.unwrap();
    let me = resident(&fnr(0));
    town.tenant.restrict(&me, &fnr(0), wish(Against::Everyone, ALL)).await.unwrap();
    town.tenant.news2(&case_worker(), town.tenant.person(&fnr(1)).unwrap()).await.unwrap();
    town
}

async fn leave(town: &Town, to: &Path) -> Manifest {
    town.tenant.leave(to, WHO, "fkj test").await.unwrap()
}

fn key(town: &Town) -> VerifierKey {
    town.tenant.audit().verifier_key().unwrap()
}

fn founding<'a>(town: &Town, directory: &'a Path) -> Founding<'a> {
    let environment = Environment { clock: town.clock.clone(), random: town.random.clone() };
    let register = (*town.tenant.register()).clone();
    let (who, why) = WHO;
    Founding { directory, database: None, register, environment, who, why }
}

async fn founded(town: &Town, from: &Path) -> (Town, Founded) {
    let dir = tempfile::tempdir().unwrap();
    let export = Export::open(from, &key(town)).unwrap();
    let random: Arc<dyn ledger::random::Random> = town.random.clone();
    let custody = |folder: &Path| own_key(folder, &random);
    let founding = founding(town, dir.path());
    let (register, environment) = (founding.register.clone(), founding.environment.clone());
    let founded = found_anew(&export, founding, &custody).await.unwrap();
    let tenant = Arc::new(Tenant::open(dir.path(), register, environment).unwrap());
    (Town { tenant, random: town.random.clone(), clock: town.clock.clone(), dir }, founded)
}

/// Every file of a folder, by its name.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut all, mut open) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => open.push(entry.path()),
                false => {
                    let name = entry.path().strip_prefix(root).unwrap().to_owned();
                    drop(all.insert(name, std::fs::read(entry.path()).unwrap()));
                }
            }
        }
    }
    all
}

async fn history(town: &Town) -> String {
    let pairs = vec![("_count".to_owned(), "1000".to_owned())];
    let history = History::read(Some("Observation"), None, &pairs, true).unwrap();
    let past = town.tenant.history(&system("plo"), &history).await.unwrap();
    String::from_utf8(history.bundle(&past, "http://x")).unwrap()
}

fn persons(town: &Town) -> Vec<Option<PersonId>> {
    (0..5).map(|n| town.tenant.person(&fnr(n)).ok()).collect()
}

#[tokio::test]
async fn a_municipality_leaves_and_is_founded_anew_with_everything() {
    let town = town().await;
    let place = tempfile::tempdir().unwrap();
    let (first, second) = (place.path().join("first"), place.path().join("second"));
    let manifest = leave(&town, &first).await;
    let (anew, told) = founded(&town, &first).await;
    let [ledger, audit] = manifest.ledgers.as_slice() else {
        return assert_eq!(manifest.ledgers.len(), 2);
    };
    assert_eq!((told.entries, told.looks), (ledger.entries, audit.entries));
    // Whoever was erased is nobody's any more; all others are who they were, also by their other numbers.
    let before = persons(&town);
    assert_eq!(persons(&anew)[..3], before[..3]);
    assert_eq!(persons(&anew)[4], before[4]);
    assert_eq!(anew.tenant.person(&dnr(1)).ok(), before[1]);
    assert_eq!(history(&anew).await, history(&town).await);
    // What is withheld is withheld, and lifted by whom it is about.
    assert_eq!((found(&town).await, found(&anew).await), (0, 0));
    let me = resident(&fnr(0));
    let [mine] =
        anew.tenant.restrictions(&me, before[0].unwrap()).await.unwrap().try_into().unwrap();
    anew.tenant.lift(&me, &mine.restriction.id).await.unwrap();
    assert_eq!(found(&anew).await, 2);
    // The resident sees who looked before the move.
    let log = |town: &Town| {
        let records = town.tenant.audit_records(1, 10_000).unwrap();
        let looks = records.into_iter().filter(|(entry, _)| entry.position <= audit.entries);
        looks.map(|(entry, record)| (entry.recorded_at, entry.person, record)).collect::<Vec<_>>()
    };
    assert_eq!(log(&anew), log(&town));
    for ledger in [anew.tenant.ledger(), anew.tenant.audit()] {
        assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
    }
    // The two chains are tied: the first decision of its own holds where the others ended.
    let own = anew.tenant.ledger().record(ledger.entries + 1).unwrap().unwrap();
    let Body::Plain(body) = own.body else { return assert_eq!(own.entry.kind, Kind::Decision) };
    let digest = sha256(&[&std::fs::read(first.join("manifest.json")).unwrap()]);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let Change::Continues { export, checkpoints, .. } = Decision::open(&body).unwrap().change
    else {
        return assert_eq!(own.entry.position, 0);
    };
    assert_eq!(
        (export, &checkpoints[0], &checkpoints[1]),
        (digest, &ledger.checkpoint, &audit.checkpoint)
    );
    drop(leave(&anew, &second).await);
    let (was, is) = (files(&first), files(&second));
    let own = ["ledger", "manifest.json", "manifest.note", "register.toml"];
    for (name, content) in &was {
        let grows =
            ["decisions.ndjson", "audit/AuditEvent.ndjson"].contains(&name.to_str().unwrap());
        let moved = name.starts_with("current")
            || name.starts_with("history")
            || name.starts_with("deleted.ndjson");
        match is.get(name) {
            _ if own.iter().any(|it| name.starts_with(it)) => {}
            Some(later) if grows => assert!(later.starts_with(content), "{name:?}"),
            // The restriction that was lifted above.
            Some(later) if moved && name.ends_with("Consent.ndjson") => assert!(later != content),
            later if name.ends_with("Consent.ndjson") => assert!(later.is_none(), "{name:?}"),
            later => assert_eq!(later, Some(content), "{name:?}"),
        }
    }
}

#[tokio::test]
async fn what_was_erased_is_told_as_erased_and_comes_back_nowhere() {
    let town = town().await;
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("9901");
    let manifest = leave(&town, &to).await;
    // Four versions of the erased person's and what was proposed, and the one record.
    assert_eq!(manifest.ledgers[0].erased, 6);
    for (name, content) in files(&to) {
        for text in [NAME, RECORD, &fnr(3), &dnr(3)] {
            assert!(!holds(&content, text), "{name:?} holds {text}");
        }
    }
    let (anew, _) = founded(&town, &to).await;
    let erased = |town: &Town| {
        let records = town.tenant.ledger().read(1, 10_000).unwrap();
        let erased = records.into_iter().filter(|it| it.body == Body::Erased);
        erased.map(|it| it.entry.position).collect::<Vec<_>>()
    };
    assert_eq!(erased(&anew), erased(&town));
    // The record's own event is not taken again.
    let again = anew.one(&system("plo"), create(pulse(&fnr(2), Some("noted"), 62))).await;
    assert!(matches!(again, Err(Failure::Gone | Failure::Erased)), "{again:?}");
}

#[tokio::test]
async fn what_is_sent_again_after_the_move_is_known_again() {
    let town = town().await;
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("9901");
    drop(leave(&town, &to).await);
    let (anew, _) = founded(&town, &to).await;
    let sent = || create(pulse(&fnr(1), Some("event-1"), 71));
    let before = town.one(&system("plo"), sent()).await.unwrap();
    let after = anew.one(&system("plo"), sent()).await.unwrap();
    assert_eq!((after.id, after.version, after.result), (before.id, before.version, before.result));
    let other = anew.one(&system("plo"), create(pulse(&fnr(1), Some("event-1"), 99))).await;
    assert!(matches!(other, Err(Failure::Conflict(_))));
}

/// What was done to a file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Flipped(usize),
    Cut(usize),
    LineGone(usize),
    LineTwice(usize),
    Missing,
    Added,
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<usize>;
    prop_oneof![
        4 => at().prop_map(Damage::Flipped),
        2 => at().prop_map(Damage::Cut),
        2 => at().prop_map(Damage::LineGone),
        2 => at().prop_map(Damage::LineTwice),
        1 => Just(Damage::Missing),
        1 => Just(Damage::Added),
    ]
}

fn spoil(path: &Path, damage: Damage) {
    let mut content = std::fs::read(path).unwrap();
    let mut lines: Vec<&[u8]> = content.split_inclusive(|it| *it == b'\n').collect();
    let (size, count) = (content.len(), lines.len());
    match damage {
        Damage::Flipped(at) => *content.get_mut(at % size).unwrap() ^= 1,
        Damage::Cut(at) => content.truncate(at % size),
        Damage::LineGone(at) => {
            lines.remove(at % count);
            content = lines.concat();
        }
        Damage::LineTwice(at) => {
            lines.insert(at % count, lines.get(at % count).unwrap());
            content = lines.concat();
        }
        Damage::Missing => return std::fs::remove_file(path).unwrap(),
        Damage::Added => return std::fs::write(path.with_extension("added"), b"{}\n").unwrap(),
    }
    std::fs::write(path, content).unwrap();
}

#[test]
fn any_change_of_any_file_is_refused_by_name_and_nothing_is_founded() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let town = runtime.block_on(town());
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("9901");
    runtime.block_on(leave(&town, &to));
    let whole = files(&to);
    let names: Vec<&PathBuf> = whole.keys().collect();
    let random: Arc<dyn ledger::random::Random> = town.random.clone();
    proptest!(ProptestConfig::with_cases(200), |(which in 0..names.len(), damage in damage())| {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in &whole {
            std::fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
            std::fs::write(dir.path().join(name), content).unwrap();
        }
        let name = names[which];
        spoil(&dir.path().join(name), damage);
        let anew: TempDir = tempfile::tempdir().unwrap();
        let directory = anew.path().join("9901");
        let refused = match Export::open(dir.path(), &key(&town)) {
            Ok(export) => {
                let custody = |folder: &Path| own_key(folder, &random);
                let founding = founding(&town, &directory);
                runtime.block_on(found_anew(&export, founding, &custody)).err()
            }
            Err(failure) => Some(failure),
        };
        let Some(Failure::Export(flaw)) = refused else {
            return Err(TestCaseError::fail(format!("{name:?} {damage:?}: {refused:?}")));
        };
        // Named is the file, or one that says what it should be.
        prop_assert!(whole.contains_key(Path::new(&flaw.file)) || flaw.file.ends_with(".added"), "{}", flaw);
        prop_assert!(std::fs::read_dir(anew.path()).unwrap().next().is_none());
    });
}

#[tokio::test]
async fn only_who_may_leaves_and_only_the_municipalitys_own_key_opens() {
    let (town, other) = (town().await, Town::new());
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("9901");
    let stranger = town.tenant.leave(&to, ("stranger", "hvorfor ikke"), "fkj").await;
    assert_eq!(rule(stranger), Some(Rule::NoDuty));
    assert!(!to.exists());
    drop(leave(&town, &to).await);
    let again = town.tenant.leave(&to, WHO, "fkj").await;
    assert!(again.is_err_and(|it| it.to_string().contains("already")));
    let mut of_other = key(&town);
    of_other.key[0] ^= 1;
    for key in [of_other, VerifierKey { origin: "fkj.no/9902/audit".to_owned(), ..key(&town) }] {
        assert!(matches!(Export::open(&to, &key), Err(Failure::Export(_))));
    }
    // A folder that holds something is left alone.
    let export = Export::open(&to, &key(&town)).unwrap();
    let random: Arc<dyn ledger::random::Random> = other.random.clone();
    let custody = |folder: &Path| own_key(folder, &random);
    let there = files(other.dir.path());
    let refused = found_anew(&export, founding(&town, other.dir.path()), &custody).await;
    assert!(refused.is_err_and(|it| it.to_string().contains("holds something already")));
    assert_eq!(files(other.dir.path()), there);
}
