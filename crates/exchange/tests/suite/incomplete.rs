//! A poison entry stops nobody, and the answers that miss it say so.

use exchange::answer::Incomplete;
use exchange::error::Failure;
use exchange::searchset::{Place, Search};
use ledger::append::Draft;
use record::entry::Kind;

use crate::town::{MUNICIPALITY, Town, case_worker, fnr, pulse, system};

#[tokio::test]
async fn a_poison_entry_is_an_explicit_incomplete_and_the_municipality_goes_on() {
    let town = Town::new();
    let plo = system("plo");
    town.create(&plo, pulse(&fnr(0), None, 70)).await;
    let person = town.tenant.person(&fnr(0)).unwrap();
    let poison = Draft {
        seen: None,
        kind: Kind::Version,
        source: "plo".to_owned(),
        source_event_id: None,
        owner: MUNICIPALITY.to_owned(),
        person: Some(person),
        category: "services".to_owned(),
        fingerprint: [0; 32],
        body: b"written by a version to come".to_vec(),
    };
    let position = town.tenant.ledger().append(vec![poison]).await.unwrap()[0].entry().position;
    let after = town.create(&plo, pulse(&fnr(1), None, 80)).await;
    assert!(after.visible && town.tenant.visible() == after.version, "the view goes on");
    let overview = town.tenant.overview(&case_worker(), person).await.unwrap();
    assert_eq!(overview.incomplete, [Incomplete::Record { position }]);
    let okt = town.tenant.okt_status(&case_worker(), &fnr(0)).await;
    assert!(matches!(okt, Err(Failure::Unavailable(_))), "OKT has no way to say incomplete");
    let measured = town.tenant.news2(&case_worker(), person).await.unwrap();
    assert_eq!(measured.incomplete, [], "measurements are all there");
    let outcome = async |kind, number: String| {
        let pairs = vec![("patient.identifier".to_owned(), number)];
        let search = Search::new(Place::Type(kind), pairs, true);
        let bundle = search.run(&town.tenant, &case_worker(), "http://x").await.unwrap();
        String::from_utf8(bundle).unwrap()
    };
    let told = outcome("EpisodeOfCare", fnr(0)).await;
    assert!(told.contains("\"incomplete\"") && told.contains(&format!("position {position}")));
    assert!(!outcome("Observation", fnr(0)).await.contains("incomplete"));
    let other = town.tenant.person(&fnr(1)).unwrap();
    assert_eq!(town.tenant.overview(&case_worker(), other).await.unwrap().incomplete, []);
}
