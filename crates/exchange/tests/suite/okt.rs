//! OKT in and out: the whole list of a person's services, without loss, one list at a time.

use exchange::cloud_event::CloudEvent;
use exchange::submission::Channel;
use fhir::value::Value;
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::sample::select;
use record::okt::{IplosCode, OktEvent, OktMessage};
use record::service;

use crate::town::{FOUNDED, Town, case_worker, fnr, system};

fn message(code: &str, start: &str) -> OktMessage {
    OktMessage {
        start_date: start.to_owned(),
        iplos_code: Some(IplosCode { iplos_code_value: code.to_owned(), ..IplosCode::default() }),
        ..OktMessage::default()
    }
}

fn list(number: &str, codes: &[&str]) -> OktEvent {
    let okt_messages = codes.iter().map(|code| message(code, "2026-01-01")).collect();
    OktEvent { person_identifier: number.to_owned(), okt_messages }
}

async fn codes(town: &Town, number: &str) -> Vec<String> {
    let event = town.tenant.okt_events(&case_worker(), number).await.unwrap();
    let code = |it: OktMessage| it.iplos_code.unwrap().iplos_code_value;
    event.okt_messages.into_iter().map(code).collect()
}

async fn send(town: &Town, event: &OktEvent) {
    town.tenant.submit_okt(&system("plo"), event, None, Channel::Okt).await.unwrap();
}

/// Text as people type it: not blank, which FHIR cannot hold.
fn text() -> impl Strategy<Value = String> {
    "[A-Za-zæøåÆØÅ0-9.,/ -]{0,20}[A-Za-zæøå]"
}

fn dates() -> impl Strategy<Value = (String, Option<String>)> {
    let day = || {
        (2020..2030_u32, 1..13_u32, 1..29_u32).prop_map(|(y, m, d)| format!("{y}-{m:02}-{d:02}"))
    };
    (day(), prop::option::of(prop_oneof![1 => Just(String::new()), 2 => day()])).prop_map(
        |(a, b)| match b {
            Some(b) if !b.is_empty() && b < a => (b, Some(a)),
            other => (a, other),
        },
    )
}

prop_compose! {
    fn iplos()(
        service in select(service::SERVICE_TYPES.to_vec()),
        padded: bool,
        level in prop::option::of(select(vec!["1", "2", ""])),
        parent in prop::option::of(select(vec!["0", "7", ""])),
        description in prop::option::of(prop_oneof![Just(String::new()), text()]),
    ) -> IplosCode {
        IplosCode {
            iplos_code_value: if padded { service::padded(service.code) } else { service.code.to_owned() },
            iplos_code_level: level.map(str::to_owned),
            iplos_parent_code: parent.map(str::to_owned),
            iplos_code_description: description,
        }
    }
}

prop_compose! {
    fn messages()(
        (start_date, end_date) in dates(),
        iplos_code in prop::option::of(iplos()),
        needs_caption: Option<bool>,
        temporary_cessation: Option<bool>,
        service_description in prop::option::of(prop_oneof![Just(String::new()), text()]),
        service_level in prop::option::of(prop_oneof![
            Just(String::new()),
            Just("1.1.2".to_owned()),
            "[1-9](\\.[1-9]){0,3} [A-ZÆØÅ][a-zæøå]{2,8}( - [A-Z][a-z, ]{0,9}[a-z]){0,3}",
        ]),
        stay_type in prop::option::of(select(vec!["", "dagopphold", "korttidsopphold"])),
        weekly_extent in prop::option::of(prop_oneof![
            select(vec!["", "15 timer", "15 minutter", "7.5", "7,5", "0", "etter behov", "007.50"])
                .prop_map(str::to_owned),
            text(),
        ]),
    ) -> OktMessage {
        OktMessage {
            start_date,
            end_date,
            iplos_code,
            needs_caption,
            temporary_cessation,
            service_description,
            service_level,
            stay_type: stay_type.map(str::to_owned),
            weekly_extent,
        }
    }
}

/// The contract lets the server fill in the title of a code that came without one.
fn enriched(mut event: OktEvent) -> OktEvent {
    for code in event.okt_messages.iter_mut().filter_map(|it| it.iplos_code.as_mut()) {
        let title = service::service_type(&code.iplos_code_value).unwrap().title;
        code.iplos_code_description.get_or_insert_with(|| title.to_owned());
    }
    event
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn what_is_sent_is_what_is_told(
        lists in prop::collection::vec(prop::collection::vec(messages(), 1..12), 16),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let told: Result<(), TestCaseError> = runtime.block_on(async {
            let town = Town::new();
            // Each person gets a list, and then another one instead.
            for (n, okt_messages) in (0..8).cycle().zip(lists) {
                let event = OktEvent { person_identifier: fnr(n), okt_messages };
                send(&town, &event).await;
                let told = town.tenant.okt_events(&case_worker(), &fnr(n)).await.unwrap();
                prop_assert_eq!(told, enriched(event));
            }
            Ok(())
        });
        told?;
    }
}

#[tokio::test]
async fn a_list_replaces_the_sources_own_list_only() {
    let town = Town::new();
    let number = fnr(0);
    send(&town, &list(&number, &["02", "15", "06"])).await;
    let lab = system("lab");
    let other = list(&number, &["05"]);
    town.tenant.submit_okt(&lab, &other, None, Channel::Okt).await.unwrap();
    assert_eq!(codes(&town, &number).await, ["05", "02", "15", "06"], "by source");
    let end = town.end();
    send(&town, &list(&number, &["02", "15", "06"])).await;
    assert_eq!(town.end(), end, "the same list again is no news");
    send(&town, &list(&number, &["15"])).await;
    assert_eq!(codes(&town, &number).await, ["05", "15"]);
    send(&town, &list(&number, &["15", "02"])).await;
    assert_eq!(codes(&town, &number).await, ["05", "15", "02"], "what was removed may come again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_lists_one_stands_whole() {
    let town = Town::new();
    let number = fnr(0);
    let lists = [["01", "02", "03"], ["03", "04", "05"], ["05", "06", "07"]];
    for _ in 0..5 {
        let events = lists.map(|codes| list(&number, &codes));
        join_all(events.iter().map(|event| send(&town, event))).await;
        let told = codes(&town, &number).await;
        assert!(lists.iter().any(|codes| told == *codes), "{told:?} is no one's list");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_long_lists_at_once_never_wait_for_each_other_for_ever() {
    let town = Town::new();
    let all: Vec<&str> = service::SERVICE_TYPES.iter().map(|service| service.code).collect();
    let events: Vec<OktEvent> = (0..60).map(|n| list(&fnr(n), &all)).collect();
    join_all(events.iter().map(|event| send(&town, event))).await;
    assert_eq!(town.end(), 60 * all.len() as u64);
}

#[tokio::test]
async fn an_old_list_that_comes_again_does_not_take_newer_services_away() {
    let town = Town::new();
    let number = fnr(0);
    let send = async |id: &str, codes: &[&str]| {
        let data = serde_json::to_vec(&list(&number, codes)).unwrap();
        let data: Value = fhir::json::parse(&data).unwrap();
        let text = |text: &str| Some(text.to_owned());
        let event = CloudEvent::new(text(id), text("/plo"), text("okt"), None, data).unwrap();
        town.tenant.submit_event(&system("plo"), event).await.unwrap()
    };
    send("1", &["02"]).await;
    send("2", &["15"]).await;
    let end = town.end();
    let again = send("1", &["02"]).await;
    assert!(again.iter().all(|receipt| receipt.as_ref().unwrap().version == FOUNDED + 1));
    assert_eq!((town.end(), codes(&town, &number).await), (end, vec!["15".to_owned()]));
}
