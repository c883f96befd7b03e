//! Thin events to a real NATS server: everything once by its id, in order, whoever is away or killed, and
//! nothing about anybody. Needs `nats-server` (Debian's package); without it the test says so and is skipped.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::{self, Context};
use futures_util::StreamExt;
use serde_json::Value;
use support::content::{person, pulse};
use support::{FNR, Folder, Server, text};
use ureq::http::Method;

/// A NATS server of this machine that keeps its streams in a folder; killed when dropped.
struct Broker(Child);

impl Broker {
    fn start(folder: &Path, port: u16) -> Option<Self> {
        let mut command = Command::new("nats-server");
        command.args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"]).arg(folder);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let Ok(child) = child else {
            println!("skipped: nats-server is not installed");
            return None;
        };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::yield_now();
        }
        Some(Self(child))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Somebody who wants to know, and remembers at the broker how far they are.
struct Consumer {
    runtime: tokio::runtime::Runtime,
    port: u16,
}

impl Consumer {
    async fn context(&self) -> Context {
        let client = async_nats::connect(format!("127.0.0.1:{}", self.port)).await.unwrap();
        jetstream::new(client)
    }

    /// Reads on until the event about this resource has come; all that came, acknowledged.
    fn until(&self, resource: &str) -> Vec<Value> {
        self.runtime.block_on(async {
            let stream = loop {
                // The platform makes the stream when it first reaches the broker.
                match self.context().await.get_stream("fkj-9901").await {
                    Ok(stream) => break stream,
                    Err(_) => tokio::task::yield_now().await,
                }
            };
            let how = pull::Config {
                durable_name: Some("vendor".to_owned()),
                filter_subject: "fkj.9901.>".to_owned(),
                ack_policy: AckPolicy::Explicit,
                ..pull::Config::default()
            };
            let consumer: PullConsumer =
                stream.get_or_create_consumer("vendor", how).await.unwrap();
            let mut messages = consumer.messages().await.unwrap();
            let mut got = Vec::new();
            loop {
                let message = messages.next().await.unwrap().unwrap();
                let event: Value = serde_json::from_slice(&message.payload).unwrap();
                let headers = message.headers.clone().unwrap();
                assert_eq!(headers.get("Nats-Msg-Id").unwrap().as_str(), text(&event["id"]));
                let category = event.pointer("/data/category").map_or("erased".into(), text);
                assert_eq!(message.subject.as_str(), format!("fkj.9901.{category}"));
                message.double_ack().await.unwrap();
                let is_last = event["subject"] == resource;
                got.push(event);
                if is_last {
                    return got;
                }
            }
        })
    }

    fn kept(&self) -> u64 {
        self.runtime.block_on(async {
            let mut stream = self.context().await.get_stream("fkj-9901").await.unwrap();
            stream.info().await.unwrap().state.messages
        })
    }
}

fn recorded(server: &Server, pid: &str, day: u32) -> String {
    let at = format!("2026-01-{day:02}");
    let told = server.role("tavle").post("/9901/fhir/Observation", &pulse(pid, &at, 60 + day));
    format!("Observation/{}", text(&told.expect(201)["id"]))
}

fn positions(events: &[Value]) -> Vec<u64> {
    events.iter().map(|event| event.pointer("/data/position").unwrap().as_u64().unwrap()).collect()
}

#[test]
fn a_broker_hears_of_everything_once_in_order_and_of_nobody() {
    let (dir, store) = (Folder::new(), tempfile::tempdir().unwrap());
    drop(Server::demo(&dir, 0));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = dir.path().join("fkj.toml");
    let broker = format!("\n[[events]]\nname = \"nats\"\nto = \"nats://127.0.0.1:{port}\"\n");
    std::fs::write(&config, std::fs::read_to_string(&config).unwrap() + &broker).unwrap();
    let server = Server::serve(&dir);
    // The broker is away: the platform goes on, and says so once.
    let pid = person();
    let first = recorded(&server, &pid, 1);
    while !server.log().contains("events do not go out") {
        std::thread::yield_now();
    }
    let Some(broker) = Broker::start(store.path(), port) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let consumer = Consumer { runtime, port };
    let mut got = consumer.until(&first);
    // Whoever is told asks with a token of their own; what is told names nobody.
    let nurse = server.role("sykepleier");
    nurse.get(&format!("/9901/fhir/{first}")).expect(200);
    let asked = format!("identifier={FNR}|{pid}");
    let patients = nurse.form("/9901/fhir/Patient/_search", &asked).matches();
    let said = Value::from(got.clone()).to_string();
    assert!(!said.contains(&pid) && !said.contains(&text(&patients[0]["id"])));
    assert!(!said.contains("8867-4"));
    // The broker is killed, and then the platform, and something is recorded while either is away.
    drop(broker);
    recorded(&server, &pid, 2);
    let _broker = Broker::start(store.path(), port).unwrap();
    let third = recorded(&server, &pid, 3);
    got.extend(consumer.until(&third));
    server.kill();
    let server = Server::serve(&dir);
    let removed = recorded(&server, &pid, 4);
    got.extend(consumer.until(&removed));
    let answer =
        server.role("tavle").send(Method::DELETE, &format!("/9901/fhir/{removed}"), &[], None);
    assert_eq!(answer.status, 204);
    got.extend(consumer.until(&removed));
    assert_eq!(got.last().unwrap()["type"], "no.fkj.resource.removed");
    let seen = positions(&got);
    let distinct: BTreeSet<u64> = seen.iter().copied().collect();
    assert!(seen.is_sorted() && distinct.len() == seen.len(), "each once, in order: {seen:?}");
    // Sent anew from the beginning, nothing is there twice.
    let kept = consumer.kept();
    assert_eq!(kept, seen.len() as u64);
    drop(server);
    std::fs::remove_file(dir.path().join("9901/events-nats.position")).unwrap();
    let server = Server::serve(&dir);
    let last = recorded(&server, &pid, 5);
    assert_eq!(consumer.until(&last).len(), 1);
    assert_eq!(consumer.kept(), kept + 1);
}

#[test]
fn a_broker_that_is_none_is_told_at_the_start() {
    let dir = Folder::new();
    drop(Server::demo(&dir, 0));
    let config = dir.path().join("fkj.toml");
    let whole = std::fs::read_to_string(&config).unwrap();
    for (broker, told) in [
        ("name = \"a\"\nto = \"http://127.0.0.1\"", "tls://host:4222"),
        ("name = \"a\"\nto = \"nats://broker.example:4222\"", "for a broker on this machine"),
        ("name = \"a/b\"\nto = \"tls://broker:4222\"", "a name is letters, digits and `-`"),
        ("name = \"a\"\nto = \"tls://broker:4222\"\nprefix = \"f.k\"", "a prefix is letters"),
    ] {
        std::fs::write(&config, format!("{whole}\n[[events]]\n{broker}\n")).unwrap();
        let ended = Command::new(support::FKJ).arg("serve").arg("--config").arg(&config).output();
        let said = String::from_utf8(ended.unwrap().stderr).unwrap();
        assert!(said.contains(told), "{said}");
    }
}
