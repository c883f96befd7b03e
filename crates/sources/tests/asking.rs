//! Asking sources: what they answer, and every way in which they do not. Time stands still and is moved.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use record::identity::PersonId;
use sources::answer::{Answer, Why};
use sources::carrier::{Carried, Carrier, Reply, Request, Unreached};
use sources::shape::Question;
use sources::source::{ConfigError, SourceConfig, Sources};

/// A made-up number, of no person.
const NUMBER: &str = "12057900499";

/// What a stand-in does with a question.
#[derive(Clone)]
enum Does {
    Replies(u16, String),
    Breaks,
    Sleeps(u64),
}

struct StandIn {
    does: Mutex<Does>,
    asked: Mutex<Vec<Request>>,
    count: AtomicUsize,
}

impl Carrier for StandIn {
    fn carry(&self, request: Request) -> Carried<'_> {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.asked.lock().push(request);
        let does = self.does.lock().clone();
        Box::pin(async move {
            match does {
                Does::Replies(status, body) => Ok(Reply { status, body: body.into_bytes() }),
                Does::Breaks => Err(Unreached("broken".to_owned())),
                Does::Sleeps(ms) => {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    Err(Unreached("too late to matter".to_owned()))
                }
            }
        })
    }
}

struct Town {
    sources: Sources,
    stand_in: Arc<StandIn>,
    now: AtomicI64,
}

fn config(key: &str, shape: &str) -> SourceConfig {
    SourceConfig {
        key: key.to_owned(),
        shape: shape.to_owned(),
        title: None,
        base: "https://kilde.example/api/".to_owned(),
        deadline_ms: 500,
        at_once: 2,
        headers: Default::default(),
    }
}

fn town(shape: &str, does: Does) -> Town {
    let (asked, count) = (Mutex::default(), AtomicUsize::new(0));
    let stand_in = Arc::new(StandIn { does: Mutex::new(does), asked, count });
    let sources = Sources::new(&[config("k", shape)], stand_in.clone()).unwrap();
    Town { sources, stand_in, now: AtomicI64::new(1_000_000) }
}

impl Town {
    async fn ask(&self, categories: &[&'static str]) -> Vec<Answer> {
        let question = Question {
            number: NUMBER.to_owned(),
            purpose: "TREAT".to_owned(),
            profession: Some("LE".to_owned()),
            request: "question-1".to_owned(),
        };
        let person = PersonId::parse("00000000000040008000000000000001").unwrap();
        self.sources.ask(person, &question, categories, &|| self.now.load(Ordering::Relaxed)).await
    }

    async fn why(&self, categories: &[&'static str]) -> Why {
        self.ask(categories).await.remove(0).outcome.unwrap_err().why
    }

    fn does(&self, does: Does) {
        *self.stand_in.does.lock() = does;
    }
}

fn searchset(resources: &[&str]) -> String {
    let entries: Vec<_> = resources.iter().map(|it| format!("{{\"resource\":{it}}}")).collect();
    let entry = if entries.is_empty() {
        String::new()
    } else {
        format!(",\"entry\":[{}]", entries.join(","))
    };
    format!("{{\"resourceType\":\"Bundle\",\"type\":\"searchset\"{entry}}}")
}

fn observation(number: &str) -> String {
    format!(
        "{{\"resourceType\":\"Observation\",\"id\":\"o\",\"status\":\"final\",\"code\":{{\"text\":\"puls\"}},\
         \"subject\":{{\"identifier\":{{\"system\":\"urn:oid:2.16.578.1.12.4.1.4.1\",\"value\":\"{number}\"}}}}}}"
    )
}

fn outcome(code: &str, detail: &str) -> String {
    format!(
        "{{\"resourceType\":\"OperationOutcome\",\"issue\":[{{\"severity\":\"error\",\"code\":\"{code}\",\
         \"details\":{{\"coding\":[{{\"system\":\"http://nhn.no/fhir/nilar/CodeSystem/pvk-outcome-cs\",\
         \"code\":\"{detail}\"}}]}}}}]}}"
    )
}

const MEASUREMENTS: &[&str] = &["measurements"];

#[tokio::test(start_paused = true)]
async fn a_source_is_asked_in_its_shape_and_no_address_names_the_person() {
    let town = town("pps", Does::Replies(200, searchset(&[])));
    let answers = town.ask(&["results"]).await;
    assert_eq!(answers.len(), 1);
    assert!(answers[0].outcome.as_ref().unwrap().items.is_empty());
    let asked = town.stand_in.asked.lock()[0].clone();
    assert_eq!(asked.url, "https://kilde.example/api/DiagnosticReport/_search");
    let header = |name: &str| {
        asked.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    };
    assert_eq!(header("person-id"), Some(NUMBER));
    assert_eq!(header("access-basis"), Some("UNNTAK"));
    assert_eq!(header("requester-hpr-role"), Some("LE"));
    assert!(!asked.form.unwrap().contains(NUMBER), "NILAR takes the person from the header");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_about_what_was_not_opened() {
    let town = town("pps", Does::Replies(200, searchset(&[])));
    assert!(town.ask(MEASUREMENTS).await.is_empty());
    assert_eq!(town.stand_in.count.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_used_is_counted_and_the_rest_is_told() {
    let patient = "{\"resourceType\":\"Patient\",\"id\":\"p\"}";
    let broken = "{\"resourceType\":\"Observation\",\"id\":\"b\",\"status\":\"maybe\",\"code\":{}}";
    let body = searchset(&[&observation(NUMBER), patient, broken]);
    let town = town("pmd", Does::Replies(200, body));
    let found = town.ask(MEASUREMENTS).await.remove(0).outcome.unwrap();
    assert_eq!((found.items.len(), found.unusable, found.at), (1, 2, 1_000_000));
}

#[tokio::test(start_paused = true)]
async fn every_fault_has_its_own_word() {
    let whole = searchset(&[&observation(NUMBER)]);
    let truncated = whole.chars().take(whole.len() / 2).collect();
    let cases = [
        (Does::Replies(500, "oops".to_owned()), "failed"),
        (Does::Replies(403, outcome("forbidden", "x")), "refused"),
        (Does::Replies(403, outcome("forbidden", "General")), "withheld"),
        (Does::Replies(200, truncated), "garbled"),
        (Does::Replies(200, "{\"resourceType\":\"Patient\"}".to_owned()), "garbled"),
        (Does::Replies(200, searchset(&[&observation("13057900498")])), "wrong-person"),
        (Does::Breaks, "unreached"),
        (Does::Sleeps(10_000), "late"),
    ];
    for (does, code) in cases {
        assert_eq!(town("pmd", does).why(MEASUREMENTS).await.code(), code);
    }
    let town = town("pmd", Does::Replies(404, outcome("not-found", "x")));
    assert!(town.ask(MEASUREMENTS).await.remove(0).outcome.unwrap().items.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_source_at_its_deadline_costs_its_deadline() {
    let town = town("pmd", Does::Sleeps(60_000));
    let before = tokio::time::Instant::now();
    assert_eq!(town.why(MEASUREMENTS).await, Why::Late(500));
    assert_eq!(before.elapsed(), Duration::from_millis(500));
}

#[tokio::test(start_paused = true)]
async fn a_silent_source_tells_when_it_last_answered() {
    let town = town("pmd", Does::Replies(200, searchset(&[])));
    town.ask(MEASUREMENTS).await;
    town.now.store(5_000_000, Ordering::Relaxed);
    town.does(Does::Replies(500, String::new()));
    let silence = town.ask(MEASUREMENTS).await.remove(0).outcome.unwrap_err();
    assert_eq!((silence.why, silence.last), (Why::Failed(500), Some(1_000_000)));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_again_and_again_rests_and_comes_back() {
    let town = town("pmd", Does::Replies(500, String::new()));
    for _ in 0..5 {
        assert_eq!(town.why(MEASUREMENTS).await, Why::Failed(500));
    }
    let asked = town.stand_in.count.load(Ordering::Relaxed);
    assert_eq!(town.why(MEASUREMENTS).await, Why::Resting(31));
    assert_eq!(town.stand_in.count.load(Ordering::Relaxed), asked, "nobody asked it");
    town.does(Does::Replies(200, searchset(&[])));
    town.now.fetch_add(30_000, Ordering::Relaxed);
    assert!(town.ask(MEASUREMENTS).await.remove(0).outcome.is_ok());
    assert!(town.ask(MEASUREMENTS).await.remove(0).outcome.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_nobody_answered_is_asked_once_more_and_what_failed_is_not() {
    for (does, times) in [
        (Does::Breaks, 2),
        (Does::Replies(503, String::new()), 2),
        (Does::Replies(500, String::new()), 1),
    ] {
        let town = town("pmd", does);
        town.why(MEASUREMENTS).await;
        assert_eq!(town.stand_in.count.load(Ordering::Relaxed), times);
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_questions_than_it_takes_are_on_their_way() {
    let town = Arc::new(town("pmd", Does::Sleeps(400)));
    let ask = || {
        let town = town.clone();
        tokio::spawn(async move { town.why(MEASUREMENTS).await.code() })
    };
    let (first, second) = (ask(), ask());
    tokio::task::yield_now().await;
    assert_eq!(ask().await.unwrap(), "busy");
    assert_eq!([first.await.unwrap(), second.await.unwrap()], ["late", "late"]);
}

#[test]
fn a_wrong_configuration_says_what_is_wrong() {
    let none = || {
        let (asked, count) = (Mutex::default(), AtomicUsize::new(0));
        Arc::new(StandIn { does: Mutex::new(Does::Breaks), asked, count })
    };
    let error = |configs: &[SourceConfig]| Sources::new(configs, none()).err().unwrap();
    assert!(matches!(error(&[config("k", "x")]), ConfigError::Shape { .. }));
    assert_eq!(
        error(&[config("k", "pps"), config("k", "pmd")]),
        ConfigError::Twice("k".to_owned())
    );
    let endless = SourceConfig { deadline_ms: 60_000, ..config("k", "pps") };
    assert_eq!(error(&[endless]), ConfigError::Bounds("k".to_owned()));
}
