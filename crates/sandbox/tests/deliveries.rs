//! What the sources send: the same bytes for the same seed, valid R4, nothing from the future.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{HashMap, HashSet};

use aws_lc_rs::digest::{SHA256, digest};
use expect_test::expect;
use record::okt::OktEvent;
use record::service::service_type;
use sandbox::calendar;
use sandbox::delivery::{self, Channel, Delivery, deliveries};
use sandbox::world::{Municipality, municipalities, municipality};
use serde_json::Value;

const NOW: i64 = 1_795_424_400_000;

fn of(municipality: &'static Municipality, seed: u64, patients: u32) -> Vec<Delivery> {
    deliveries(seed, municipality, patients, NOW).collect()
}

/// The resources of a delivery, with the fullUrl where it has one.
fn resources(delivery: &Delivery) -> Vec<(Option<String>, Value)> {
    let body: Value = serde_json::from_str(&delivery.body).unwrap_or_default();
    match delivery.channel {
        Channel::Fhir | Channel::Pmd => body["entry"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|entry| (entry["fullUrl"].as_str().map(str::to_owned), entry["resource"].clone()))
            .collect(),
        Channel::CloudEvent => vec![(None, body["data"].clone())],
        Channel::Okt => Vec::new(),
    }
}

#[test]
fn the_bytes_never_change() {
    let hash = |municipality, seed| {
        let all: String = of(municipality, seed, 40)
            .into_iter()
            .map(|d| format!("{} {:?} {}\n", d.client_id, d.channel, d.body))
            .collect();
        let digest = digest(&SHA256, all.as_bytes());
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let hashes: Vec<String> = municipalities().iter().map(|m| hash(m, 1)).collect();
    expect![[r#"
        56992bec621fcb29c9bf51b547a5b23b75f3f67ede3f33163db04cfa6b6d2cc7
        41c6a7f065736c275bb1e76ee59a2f9d6a94dd2e6b4b2cd4834831c140886c51"#]]
    .assert_eq(&hashes.join("\n"));
    assert_eq!(hash(&municipalities()[0], 1), hashes[0]);
    assert_ne!(hash(&municipalities()[0], 2), hashes[0]);
}

#[test]
fn a_resident_is_the_same_among_many() {
    let municipality = municipality("9901").unwrap();
    let few = of(municipality, 4, 6);
    assert_eq!(of(municipality, 4, 30)[..few.len()], few[..]);
}

#[test]
fn every_resource_is_valid_r4_and_has_its_sources_identifier_once() {
    for municipality in municipalities() {
        let mut seen = HashSet::new();
        for delivery in of(municipality, 8, 150) {
            for (_, resource) in resources(&delivery) {
                let value = fhir::json::parse(resource.to_string().as_bytes()).unwrap();
                let parsed = fhir::resource::Resource::from_value(value).unwrap();
                let issues = fhir::check::check(&parsed);
                assert!(issues.is_empty(), "{issues:?} in {resource}");
                let identifier = &resource["identifier"][0];
                let source =
                    delivery.client_id.trim_end_matches(|c: char| c == '-' || c.is_ascii_digit());
                assert!(identifier["system"].as_str().unwrap().contains(source));
                assert!(seen.insert(identifier.to_string()), "{identifier}");
            }
        }
    }
}

#[test]
fn no_name_of_a_thing_shows_an_identity_number() {
    for delivery in of(&municipalities()[0], 8, 150) {
        let body: Value = serde_json::from_str(&delivery.body).unwrap();
        let mut names: Vec<String> = vec![body["id"].to_string(), body["identifier"].to_string()];
        for (url, resource) in resources(&delivery) {
            names.extend(url);
            names.extend([resource["id"].to_string(), resource["identifier"][0].to_string()]);
        }
        assert!(!names.iter().any(|name| record::identity::contains_number(name)));
    }
}

#[test]
fn nothing_that_happened_lies_in_the_future() {
    let today = calendar::date_of(NOW).to_string();
    let now = calendar::written(NOW);
    for delivery in of(&municipalities()[1], 6, 300) {
        for (_, resource) in resources(&delivery) {
            match resource["resourceType"].as_str().unwrap() {
                "Observation" => {
                    let at: jiff::Timestamp =
                        resource["effectiveDateTime"].as_str().unwrap().parse().unwrap();
                    assert!(at <= now.parse().unwrap());
                }
                "ServiceRequest" => assert!(*resource["authoredOn"].as_str().unwrap() <= *today),
                "EpisodeOfCare" if resource["status"] != "planned" => {
                    assert!(*resource["period"]["start"].as_str().unwrap() <= *today);
                }
                _ => {}
            }
        }
    }
}

#[test]
fn references_of_a_transaction_resolve() {
    let organisations: HashSet<String> = resources(&delivery::organisations(&municipalities()[0]))
        .iter()
        .map(|(_, o)| format!("Organization/{}", o["id"].as_str().unwrap()))
        .collect();
    let mut found = 0;
    for delivery in of(&municipalities()[0], 6, 100) {
        let all = resources(&delivery);
        let urls: HashSet<_> = all.iter().filter_map(|(url, _)| url.clone()).collect();
        for (_, resource) in &all {
            let text = resource.to_string();
            for reference in text.split("\"reference\":\"").skip(1) {
                let target = reference.split('"').next().unwrap();
                assert!(urls.contains(target) || organisations.contains(target), "{target}");
                found += 1;
            }
        }
    }
    assert!(found > 1000);
}

#[test]
fn each_system_uses_its_own_doors_and_none_is_missing() {
    let mut counted: HashMap<(String, Channel), usize> = HashMap::new();
    for delivery in of(&municipalities()[0], 6, 200) {
        *counted.entry((delivery.client_id, delivery.channel)).or_default() += 1;
    }
    let mut count = |source: &str, channel| {
        counted.remove(&(format!("{source}-9901"), channel)).unwrap_or_default()
    };
    assert_eq!(count("plo-epj", Channel::Fhir), 201);
    assert!((60..140).contains(&count("plo-epj", Channel::Okt)));
    assert!(count("tavle", Channel::Pmd) > 400);
    assert!(count("vkp", Channel::CloudEvent) > 100);
    assert!(counted.is_empty(), "{counted:?}");
}

#[test]
fn an_okt_message_is_by_the_contract() {
    for delivery in of(&municipalities()[0], 6, 100) {
        if delivery.channel != Channel::Okt {
            continue;
        }
        let event: OktEvent = serde_json::from_str(&delivery.body).unwrap();
        for message in event.okt_messages {
            let code = message.iplos_code.unwrap();
            assert_eq!(code.iplos_code_value.len(), 2);
            assert!(service_type(&code.iplos_code_value).is_some());
            let extent = message.weekly_extent.unwrap();
            assert!(extent.is_empty() || record::okt::hours_per_week(&extent).is_some());
            assert!(message.service_level.unwrap().contains("Dalfjord kommune"));
        }
    }
}

#[test]
fn a_news2_agrees_with_the_table_and_with_what_was_measured() {
    use record::news2::codes::{Codes, Question};
    use record::news2::parameter::{ByParameter, SpO2Scale};
    use record::news2::received::{Part, Received, compare};
    use record::news2::score::Measurements;
    let codes = Codes::published();
    let question = |concept: &Value| {
        let coding = &concept["coding"][0];
        codes.question(coding["system"].as_str().unwrap(), coding["code"].as_str().unwrap())
    };
    let mut scale_two = 0;
    for delivery in of(&municipalities()[0], 9, 60).iter().filter(|d| d.channel == Channel::Pmd) {
        let all = resources(delivery);
        assert_eq!(all.len(), 8);
        let (_, news2) = all.last().unwrap();
        assert_eq!(question(&news2["code"]), Some(Question::Total));
        assert_eq!(news2["derivedFrom"].as_array().unwrap().len(), 7);
        let mut received = Received {
            total: news2["valueQuantity"]["value"].as_u64().and_then(|n| n.try_into().ok()),
            parameters: ByParameter::from_fn(|_| None),
            ..Received::default()
        };
        for component in news2["component"].as_array().unwrap() {
            let Some(Question::Points(parameter, scale)) = question(&component["code"]) else {
                panic!("not a code of points");
            };
            received.scale = received.scale.or(scale);
            *received.parameters.get_mut(parameter) = Some(Part {
                score: component["valueQuantity"]["value"].as_u64().and_then(|n| n.try_into().ok()),
                band: component["interpretation"][0]["text"].as_str().map(str::to_owned),
            });
        }
        scale_two += usize::from(received.scale == Some(SpO2Scale::Two));
        // Without the measured values the comparison rests on the bands in words.
        let by_words = compare(&received, &Measurements::default());
        assert!(!by_words.differs(), "{by_words:?} in {news2}");
    }
    assert!(scale_two > 20);
}

#[test]
fn live_measurements_rise_and_fall_and_are_never_the_same_resource() {
    let municipality = municipality("9902").unwrap();
    let mut seen = HashSet::new();
    let totals: Vec<u64> = (0..16)
        .map(|step| {
            let at = NOW + i64::try_from(step).unwrap() * 1000;
            let delivery = delivery::live(1, municipality, step, at);
            let (_, news2) = resources(&delivery).pop().unwrap();
            assert!(seen.insert(news2["identifier"].to_string()));
            news2["valueQuantity"]["value"].as_u64().unwrap()
        })
        .collect();
    let (peak, highest) = totals.iter().enumerate().max_by_key(|(_, total)| **total).unwrap();
    assert!((2..=8).contains(&peak) && *highest >= 8, "{totals:?}");
    assert!(totals.last().unwrap() <= &6, "{totals:?}");
}
