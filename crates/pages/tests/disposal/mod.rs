//! The officers' page of preservation and disposal.

use exchange::disposal::fold::{Erased, ErasedRecord, Hold};
use exchange::disposal::overview::{Disposing, Waiting};
use exchange::register::fold::{Act, Proposal};
use pages::layout::Session;
use pages::notice::Notice;
use record::decision::{Change, Ground, Who};
use record::retention::{Clock, Date, Due, Verdict};

use crate::NOW;

/// The officers' page, with something of everything; the texts are these.
pub fn page(session: &Session, text: &str) -> String {
    let who = Who { name: text.to_owned(), subject: Some("s".to_owned()), client: "c".to_owned() };
    let act =
        std::sync::Arc::new(Act { position: 9, at: NOW, who: who.clone(), why: text.to_owned() });
    let person = |n| record::identity::PersonId([n; 16]);
    let due = |class: &str, clock| {
        let since = Date::last_of("2025-02-11");
        since.map(|since| Due { class: class.to_owned(), clock, since })
    };
    let over = |n, due: Option<Due>| due.map(|due| (person(n), Verdict::Over(due)));
    let depot = due("preserve", Clock::LastEntry).map(|due| (person(2), Verdict::Depot(due)));
    let all = [over(1, due("discard", Clock::Death)), depot, over(8, due("discard", Clock::Birth))];
    let basis = Ground::WrongPerson;
    let change = Change::Erase { basis };
    let expires = NOW + 1;
    let proposal =
        Proposal { change, person: Some(person(3)), act: act.clone(), expires, answered: None };
    let waiting = [true, false].map(|may| Waiting {
        id: 5 + u64::from(may),
        person: person(3),
        record: may.then(|| "Observation/0199".to_owned()),
        basis,
        proposal: proposal.clone(),
        may,
    });
    let shown = Disposing {
        due: all.into_iter().flatten().collect(),
        whole: false,
        holds: vec![(4, Hold { person: person(4), act: act.clone(), lifted: None })],
        waiting: waiting.to_vec(),
        erased: vec![Erased {
            person: person(6),
            basis,
            proposed_by: who.clone(),
            act: act.clone(),
        }],
        records: vec![ErasedRecord {
            person: person(7),
            record: "Task/0198".to_owned(),
            basis,
            request: None,
            proposed_by: who,
            act,
        }],
    };
    pages::disposal::render(session, &shown, Some(Notice::Refused(text.to_owned())), NOW)
}

#[test]
fn what_is_kept_and_erased_is_told_with_its_rule_and_no_name() {
    let page = page(&crate::session(), "Kari Nes");
    for said in [
        "Kan kasseres: andre kommunale helse- og omsorgstjenester",
        "Fristen etter dødsfallet løp ut 2025-02-11.",
        "120 år etter fødselen: 2025-02-11.",
        "Bevares: helsestasjon, skolehelsetjeneste",
        "Overlever det til kommunens arkivdepot før noe slettes.",
        "Det er flere enn dem som vises.",
        "Ført på feil person (helsepersonelloven § 43)",
        "Foreslått og bestemt av",
        "01010101010101010101010101010101",
        "Opplysning: Observation/0199",
        "Opplysning: Task/0198",
        "Slett opplysningen for godt",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert_eq!(page.matches("value=\"approve\"").count(), 1, "who proposed does not agree");
    assert!(!page.contains("<script"));
}
