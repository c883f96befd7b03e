//! Subscriptions by rest-hook, to a subscriber that is there, that is killed and comes back, and that is dead.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use serde_json::{Value, json};
use support::content::{person, pulse};
use support::{Folder, Server, text};

const BACKPORT: &str = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition";

/// An endpoint that hands over what comes; while it is away it answers 503.
struct Subscriber {
    port: u16,
    away: Arc<AtomicBool>,
    came: mpsc::Receiver<Value>,
}

impl Subscriber {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, away) =
            (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let (told, came) = mpsc::channel();
        let gone = away.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    if let Some(said) = line.to_lowercase().strip_prefix("content-length:") {
                        length = said.trim().parse().unwrap();
                    }
                    if line.trim().is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let is_away = gone.load(Ordering::SeqCst);
                let status = if is_away { "503 Service Unavailable" } else { "200 OK" };
                if !is_away && length > 0 {
                    told.send(serde_json::from_slice(&body).unwrap()).unwrap_or_default();
                }
                let head =
                    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                reader.get_mut().write_all(head.as_bytes()).unwrap_or_default();
            }
        });
        Self { port, away, came }
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// The next notification: its type, and its events by number and focus.
    fn next(&self) -> (String, Vec<(u64, String)>) {
        said(&self.came.recv().unwrap())
    }
}

/// What a notification says.
fn said(bundle: &Value) -> (String, Vec<(u64, String)>) {
    assert_eq!(
        (text(&bundle["resourceType"]), text(&bundle["type"])),
        ("Bundle".into(), "history".into())
    );
    let parameters = bundle["entry"][0]["resource"]["parameter"].as_array().unwrap();
    let named = |name: &str| parameters.iter().find(|it| it["name"] == name);
    let event = |it: &&Value| it["name"] == "notification-event";
    let events = parameters.iter().filter(event).map(|it| {
        let part = |name: &str| it["part"].as_array().unwrap().iter().find(|p| p["name"] == name);
        let number = text(&part("event-number").unwrap()["valueString"]).parse().unwrap();
        let focus =
            part("focus").map_or(String::new(), |p| text(&p["valueReference"]["reference"]));
        (number, focus.rsplit("/fhir/").next().unwrap_or_default().to_owned())
    });
    (text(&named("type").unwrap()["valueCode"]), events.collect())
}

fn subscription(topic: &str, endpoint: &str) -> Value {
    json!({
        "resourceType": "Subscription",
        "meta": { "profile": [format!("{BACKPORT}/backport-subscription")] },
        "status": "requested",
        "reason": "Vaktoversikten hos leverandøren",
        "criteria": format!("https://fkj.no/fhir/SubscriptionTopic/{topic}"),
        "channel": {
            "type": "rest-hook",
            "endpoint": endpoint,
            "payload": "application/fhir+json",
            "_payload": { "extension": [{
                "url": format!("{BACKPORT}/backport-payload-content"),
                "valueCode": "id-only",
            }] },
        },
    })
}

fn recorded(server: &Server, role: &str, pid: &str, day: u32) -> String {
    let at = format!("2026-01-{day:02}");
    let told = server.role(role).post("/9901/fhir/Observation", &pulse(pid, &at, 60 + day));
    format!("Observation/{}", text(&told.expect(201)["id"]))
}

#[test]
fn a_subscriber_that_is_killed_and_comes_back_is_told_of_everything_in_order() {
    let dir = Folder::new();
    let server = Server::demo(&dir, 0);
    let (there, dead) = (Subscriber::new(), Subscriber::new());
    dead.away.store(true, Ordering::SeqCst);
    let vendor = server.role("utvikler");
    // The dead one comes first, and holds up nobody.
    vendor
        .post("/9901/fhir/Subscription", &subscription("measurement", &dead.endpoint()))
        .expect(201);
    let made =
        vendor.post("/9901/fhir/Subscription", &subscription("measurement", &there.endpoint()));
    let id = text(&made.expect(201)["id"]);
    assert_eq!(there.next(), ("handshake".to_owned(), vec![]));
    let pid = person();
    let first = recorded(&server, "utvikler", &pid, 1);
    assert_eq!(there.next(), ("event-notification".to_owned(), vec![(1, first.clone())]));
    // What another system delivers is not the vendor's to hear of, not even as a number.
    recorded(&server, "tavle", &pid, 2);
    let second = recorded(&server, "utvikler", &pid, 3);
    assert_eq!(there.next().1, vec![(2, second.clone())]);
    // The subscriber is away, and then the platform is killed too.
    there.away.store(true, Ordering::SeqCst);
    let third = recorded(&server, "utvikler", &pid, 4);
    let status = format!("/9901/fhir/Subscription/{id}/$status");
    while !vendor.get(&status).text.contains("503") {
        std::thread::yield_now();
    }
    let fourth = recorded(&server, "utvikler", &pid, 5);
    server.kill();
    let server = Server::serve(&dir);
    there.away.store(false, Ordering::SeqCst);
    assert_eq!(there.next().1, vec![(3, third.clone())]);
    assert_eq!(there.next().1, vec![(4, fourth.clone())]);
    // What was told can be asked for again, by its owner.
    let missed =
        format!("/9901/fhir/Subscription/{id}/$events?eventsSinceNumber=2&eventsUntilNumber=3");
    let (kind, events) = said(&server.role("utvikler").get(&missed).expect(200));
    assert_eq!((kind.as_str(), events), ("query-event", vec![(2, second), (3, third)]));
    assert!(matches!(server.role("tavle").get(&missed).status, 403 | 404));
}

#[test]
fn a_subscription_that_cannot_be_is_refused_with_what_to_do() {
    let server = support::shared();
    let good = subscription("measurement", "http://127.0.0.1:9/");
    for (place, value, told) in [
        ("/criteria", json!("https://fkj.no/fhir/SubscriptionTopic/none"), "topic is not known"),
        ("/channel/type", json!("email"), "only `rest-hook`"),
        ("/channel/endpoint", json!("http://vendor.example/"), "must begin with `https://`"),
        ("/channel/endpoint", json!("https://vendor.example/"), "does not name this address"),
        ("/channel/endpoint", json!("http://127.0.0.1:x@vendor.example/"), "does not name this"),
        ("/channel/endpoint", json!("https://127.0.0.1.vendor.example/"), "does not name this"),
        (
            "/channel/_payload/extension/0/valueCode",
            json!("full-resource"),
            "content is never sent",
        ),
    ] {
        let mut wrong = good.clone();
        *wrong.pointer_mut(place).expect(place) = value;
        let answer = server.role("utvikler").post("/9901/fhir/Subscription", &wrong);
        assert!(answer.status == 422 && answer.text.contains(told), "{place}: {}", answer.text);
    }
}
