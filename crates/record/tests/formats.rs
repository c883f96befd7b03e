//! Services, the catalogue, and the frozen formats of entries and bodies.

use std::collections::BTreeSet;

use proptest::prelude::*;
use record::catalogue::{ACCESS, Catalogue};
use record::decision::{Decision, NotADecision, Part};
use record::entry::{Entry, Kind, NotAnEntry};
use record::envelope::Envelope;
use record::identity::PersonId;
use record::okt::hours_per_week;
use record::purpose::Purpose;
use record::{service, system};

#[test]
fn a_service_code_is_the_same_padded_or_not() {
    for known in &service::SERVICE_TYPES {
        let padded = service::padded(known.code);
        assert_eq!(padded.len(), 2);
        for text in [known.code, &padded] {
            assert_eq!(service::service_type(text), Some(known));
            assert_eq!(system::canonical_code(system::SERVICE_TYPE, text), known.code);
        }
        assert_eq!(system::canonical_code(system::LOINC, &padded), padded);
    }
    for unused in ["0", "00", "", "10", "12", "13", "16", "30", "1x", " 1"] {
        assert_eq!(service::service_type(unused), None, "`{unused}` is not in use");
    }
}

#[test]
fn hours_are_read_where_the_text_means_hours() {
    let table = [
        ("15 timer", Some(15.0)),
        ("6 timer", Some(6.0)),
        ("15 minutter", Some(0.25)),
        ("90 min.", Some(1.5)),
        ("7.5", Some(7.5)),
        ("7,5 t/uke", Some(7.5)),
        (" 1 TIME ", Some(1.0)),
        ("0", Some(0.0)),
        ("168", Some(168.0)),
        ("169", None),
        ("", None),
        ("-1", None),
        ("1e3", None),
        ("inf", None),
        ("1.2.3", None),
        ("5 timer per dag", None),
        ("etter behov", None),
        (".", None),
    ];
    for (text, hours) in table {
        assert_eq!(hours_per_week(text), hours, "`{text}`");
    }
}

const ABOUT_NOBODY: [&str; 8] = [
    "organisation",
    "schedules",
    "groups",
    "technical",
    "products",
    "terminology",
    "definitions",
    "knowledge",
];

#[test]
fn the_catalogue_claims_each_shape_once_and_says_the_truth() {
    let catalogue = Catalogue::get();
    for category in &catalogue.categories {
        assert_eq!(
            catalogue.category(&category.key).unwrap().texts.nb.title,
            category.texts.nb.title
        );
        assert!(!category.texts.nb.title.is_empty() && !category.texts.nb.explanation.is_empty());
        for shape in &category.shapes {
            let codes: Vec<&str> = shape.category.as_deref().into_iter().collect();
            let found = catalogue.classify(&shape.kind, &codes).unwrap();
            assert_eq!(found.key, category.key, "{} is claimed twice", shape.kind);
            assert!(catalogue.of_type(&shape.kind).any(|of| of.key == category.key));
        }
    }
    let about_nobody = catalogue.categories.iter().filter(|category| !category.about_person);
    let keys: Vec<&str> = about_nobody.map(|category| category.key.as_str()).collect();
    assert_eq!(keys, ABOUT_NOBODY);
    assert!(!catalogue.category(ACCESS).unwrap().shareable);
    assert_eq!(catalogue.classify("Consent", &["vital-signs"]).unwrap().key, "consents");
    assert!(catalogue.classify("Visit", &["vital-signs"]).is_none());
    assert!(catalogue.category("").is_none());
}

#[test]
fn a_purpose_reads_back_by_its_code() {
    for purpose in Purpose::ALL {
        assert_eq!(Purpose::from_code(purpose.code()), Some(purpose));
        assert_eq!(purpose.to_string(), purpose.code());
    }
    assert_eq!(Purpose::from_code("treat"), None);
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(Kind::ALL.to_vec())
}

prop_compose! {
    fn entry()(
        position: u64,
        recorded_at: i64,
        kind in kind(),
        (source, owner, category) in ("\\PC{0,20}", "[0-9]{9}", "[a-z-]{0,20}"),
        source_event_id in prop::option::of("\\PC{0,40}"),
        person in prop::option::of(any::<[u8; 16]>()),
        content_mac: [u8; 16],
        hashes: [[u8; 32]; 2],
    ) -> Entry {
        Entry {
            position,
            recorded_at,
            kind,
            source,
            source_event_id,
            owner,
            person: person.map(PersonId),
            category,
            content_mac,
            body_hash: hashes[0],
            prev_hash: hashes[1],
        }
    }
}

proptest! {
    #[test]
    fn an_entry_reads_back_and_nothing_else_does(
        entry in entry(),
        cut in any::<prop::sample::Index>(),
        more in prop::collection::vec(any::<u8>(), 1..9),
    ) {
        let bytes = entry.canonical();
        prop_assert_eq!(Entry::from_canonical(&bytes), Ok(entry));
        let cut = &bytes[..cut.index(bytes.len())];
        prop_assert_eq!(Entry::from_canonical(cut), Err(NotAnEntry));
        let longer = [bytes, more].concat();
        prop_assert_eq!(Entry::from_canonical(&longer), Err(NotAnEntry));
    }

    #[test]
    fn two_entries_never_share_bytes(one in entry(), other in entry()) {
        prop_assert_eq!(one == other, one.canonical() == other.canonical());
    }

    #[test]
    fn any_bytes_are_an_entry_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut framed = b"FKJ1".to_vec();
        framed.extend(bytes);
        if let Ok(entry) = Entry::from_canonical(&framed) {
            prop_assert_eq!(entry.canonical(), framed);
        }
    }

    #[test]
    fn a_body_reads_back(
        (kind, id, channel) in ("\\PC{0,12}", "[A-Za-z0-9.-]{1,64}", "[a-z]{1,8}"),
        occurred: i64,
        warnings in prop::collection::vec("\\PC{0,40}", 0..3),
        resource in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let envelope = Envelope { v: Envelope::VERSION, kind, id, occurred, channel, warnings };
        let sealed = envelope.seal(&resource);
        let (opened, rest) = Envelope::open(&sealed).unwrap();
        prop_assert_eq!(opened, envelope);
        prop_assert_eq!(rest, resource.as_slice());
    }
}

#[test]
fn an_unknown_body_is_refused() {
    let envelope = Envelope {
        v: Envelope::VERSION + 1,
        kind: "Patient".to_owned(),
        id: "1".to_owned(),
        occurred: 0,
        channel: "fhir".to_owned(),
        warnings: Vec::new(),
    };
    assert!(Envelope::open(&envelope.seal(b"{}")).is_err(), "a version from the future");
    for bytes in [&b""[..], b"\n", b"{}\n{}", b"{\"v\":1}", b"\xff\n{}"] {
        assert!(Envelope::open(bytes).is_err());
    }
}

const ENVELOPES: &str = include_str!("../../../cases/formats/v1/envelope.txt");

#[test]
fn bodies_of_version_1_decode_and_encode() {
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let mut seen = 0;
    for block in ENVELOPES.split("\n\n") {
        let of = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        let (Some(envelope), Some(resource), Some(body)) =
            (of("envelope: "), of("resource: "), of("body: "))
        else {
            continue;
        };
        let envelope: Envelope = serde_json::from_str(envelope).unwrap();
        let sealed = envelope.seal(resource.as_bytes());
        assert_eq!(hex(&sealed), body);
        assert_eq!(Envelope::open(&sealed).unwrap(), (envelope, resource.as_bytes()));
        seen += 1;
    }
    assert_eq!(seen, 5);
}

const DECISIONS: &str = include_str!("../../../cases/formats/v1/decision.txt");

#[test]
fn decisions_of_version_1_decode_and_encode() {
    let mut kinds = BTreeSet::new();
    let lines: Vec<_> =
        DECISIONS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    for line in &lines {
        let decision = Decision::open(line.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(decision.seal()).unwrap(), *line);
        let body: serde_json::Value = serde_json::from_str(line).unwrap();
        kinds.insert(body["change"]["type"].as_str().unwrap().to_owned());
        // What a newer version adds, anywhere, is not passed over.
        let newer = line.replacen("\"type\":\"", "\"newer\":1,\"type\":\"", 1);
        assert_eq!(Decision::open(newer.as_bytes()), Err(NotADecision), "{newer}");
        let newer = line.replacen("\"change\":{\"type\":\"", "\"change\":{\"type\":\"newer-", 1);
        assert_eq!(Decision::open(newer.as_bytes()), Err(NotADecision), "{newer}");
        let newer = line.replacen("\"v\":1", "\"v\":2", 1);
        assert_eq!(Decision::open(newer.as_bytes()), Err(NotADecision), "{newer}");
    }
    let all = "approve certify continues end erase erased hand-over hold open propose put record-erased reject release represent \
               represent-end review settle several";
    assert_eq!(kinds.into_iter().collect::<Vec<_>>().join(" "), all);
    for bytes in [&b""[..], b"{}", b"null", b"\xff"] {
        assert_eq!(Decision::open(bytes), Err(NotADecision));
    }
}

#[test]
fn a_part_reads_back_by_its_name() {
    for part in Part::ALL {
        assert_eq!(Part::from_name(part.name()), Some(part));
        assert_eq!(serde_json::to_value(part).unwrap(), part.name());
    }
    assert_eq!(Part::from_name("Unit"), None);
}
