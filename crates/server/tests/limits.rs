//! What asks for too much, or is made to hurt, is answered with a clear refusal, and others are
//! answered meanwhile.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use support::content::{person, pulse};
use support::{Client, Server, shared, text};
use ureq::http::Method;

/// What is sent, and what it is answered with.
struct Case {
    name: &'static str,
    send: Send,
    /// The statuses that will do.
    status: &'static [u16],
    /// The code of the first issue; empty where the answer is no refusal.
    code: &'static str,
}

enum Send {
    /// A search by form, below the base.
    Form(&'static str, String),
    /// A search by address.
    Get(String),
    /// A resource or Bundle.
    Post(&'static str, Vec<u8>),
    /// A patch of a resource of the caller's.
    Patch(&'static str, Vec<u8>),
}

fn form(name: &'static str, form: impl Into<String>, status: u16, code: &'static str) -> Case {
    let status: &[u16] = if status == 200 { &[200] } else { &[400] };
    Case { name, send: Send::Form("Observation/_search", form.into()), status, code }
}

fn repeated(part: &str, times: usize, separator: &str) -> String {
    vec![part; times].join(separator)
}

fn searches() -> Vec<Case> {
    let chain = format!("{}.code=a", repeated("has-member:Observation", 50, "."));
    let has = format!("{}_id=a", repeated("_has:Observation:has-member:", 50, ""));
    let brackets = format!("_filter={}status eq final{}", "(".repeat(5_000), ")".repeat(5_000));
    let hostile = format!("value-string:contains={}%21", "a".repeat(50_000));
    let patterns = "value-string=(a%2B)%2B%24&_count=0";
    let includes = repeated("_revinclude:iterate=*", 30, "&");
    let words = format!("_content={}", repeated("a", 20_000, "+"));
    vec![
        form("a million parameters", repeated("a=b", 1_000_000, "&"), 400, "too-costly"),
        form("a long value", format!("code={}", "9".repeat(100_000)), 400, "too-costly"),
        form(
            "thousands of alternatives",
            format!("code={}", repeated("1", 5_000, ",")),
            400,
            "too-costly",
        ),
        form("a chain of fifty", chain, 400, "too-costly"),
        form("fifty that refer to each other", has, 400, "too-costly"),
        form("brackets in brackets", brackets, 400, "too-costly"),
        form("a thousand includes", repeated("_include=*", 101, "&"), 400, "too-costly"),
        form(
            "many keys of an order",
            format!("_sort={}", repeated("date", 9, ",")),
            400,
            "too-costly",
        ),
        form("a page beyond all numbers", "_count=99999999999999999999", 400, "value"),
        form("a huge page is a large one", "_count=4294967295&code=none", 200, ""),
        form("what hurts a pattern", hostile, 200, ""),
        form("a pattern is no pattern", patterns, 200, ""),
        form("many words", words, 200, ""),
        form(
            "everything that refers to everything",
            format!("code=8867-4&{includes}&_count=1000"),
            200,
            "",
        ),
        form("a number beyond all", format!("value-quantity=1e{}", "9".repeat(400)), 400, "value"),
        form("a year beyond all", format!("date=ge{}", "9".repeat(400)), 400, "value"),
        form("broken percent encodings", "%zz=%&code=%e2%28%a1&status=%ff%fe", 200, ""),
        form("a zero byte", "code=a%00b", 200, ""),
        form("a cursor that is none", format!("_cursor={}", "f".repeat(60_000)), 400, "invalid"),
        Case {
            name: "a long address",
            send: Send::Get(format!("Observation?code={}", "9".repeat(60_000))),
            status: &[200, 400, 414],
            code: "",
        },
        Case {
            name: "every type at once",
            send: Send::Get("?_content=a&_total=accurate&_count=1000".to_owned()),
            status: &[200, 400],
            code: "",
        },
    ]
}

fn post(name: &'static str, body: impl Into<Vec<u8>>, status: &'static [u16]) -> Case {
    Case { name, send: Send::Post("Observation", body.into()), status, code: "" }
}

fn contents() -> Vec<Case> {
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let array = |item: &str, times: usize| {
        let items = repeated(item, times, ",");
        format!("{{\"resourceType\":\"Observation\",\"status\":\"final\",\"note\":[{items}]}}")
    };
    let entries = |entry: &str, kind: &str| {
        let entries = repeated(entry, 100_000, ",");
        format!("{{\"resourceType\":\"Bundle\",\"type\":\"{kind}\",\"entry\":[{entries}]}}")
    };
    let bundle = |name, body: String| Case {
        name,
        send: Send::Post("", body.into()),
        status: &[400, 413, 422],
        code: "",
    };
    let empty = entries("{}", "transaction");
    let removals =
        entries("{\"request\":{\"method\":\"DELETE\",\"url\":\"Observation/a\"}}", "transaction");
    let looks = entries("{\"request\":{\"method\":\"GET\",\"url\":\"Observation\"}}", "batch");
    vec![
        post("deep arrays", deep("[", "]"), &[400]),
        post("deep objects", deep("{\"a\":", "1}"), &[400]),
        post("deep XML is no JSON", deep("<a>", "</a>"), &[400]),
        post("a huge array of nothing", array("{}", 500_000), &[400, 422]),
        post("a huge array of faults", array("{\"colour\":1}", 200_000), &[400, 422]),
        post(
            "the same name twice",
            "{\"resourceType\":\"Observation\",\"status\":\"a\",\"status\":\"b\"}",
            &[400],
        ),
        post("half a letter", "{\"resourceType\":\"Observation\",\"status\":\"\\ud800\"}", &[400]),
        post("no letters", b"{\"resourceType\":\"\xff\xfe\"}".to_vec(), &[400]),
        post(
            "a long number",
            format!(
                "{{\"resourceType\":\"Observation\",\"valueInteger\":{}}}",
                "9".repeat(100_000)
            ),
            &[400, 422],
        ),
        bundle("a hundred thousand empty entries", empty),
        bundle("a hundred thousand removals of one", removals),
        bundle("a hundred thousand searches", looks),
    ]
}

fn patches() -> Vec<Case> {
    let patch = |name, kind, body: String| Case {
        name,
        send: Send::Patch(kind, body.into()),
        status: &[400, 422],
        code: "",
    };
    let doubling = |times| {
        let copy = "{\"op\":\"copy\",\"from\":\"/note\",\"path\":\"/note/0/extension\"}";
        format!("[{}]", repeated(copy, times, ","))
    };
    let path = |expression: &str| {
        json!({ "resourceType": "Parameters", "parameter": [{ "name": "operation", "part": [
            { "name": "type", "valueCode": "delete" },
            { "name": "path", "valueString": expression },
        ] }] })
        .to_string()
    };
    let fhirpath = "application/fhir+json";
    let product = repeated("select(%resource.descendants())", 12, ".");
    vec![
        patch("copies of copies", "application/json-patch+json", doubling(40)),
        patch("a hundred thousand operations", "application/json-patch+json", doubling(100_000)),
        patch("a deep expression", fhirpath, path(&"(".repeat(50_000))),
        patch(
            "an expression that multiplies",
            fhirpath,
            path(&format!("Observation.where({product}.count() > 0).note")),
        ),
        // A pattern takes time in proportion to the text.
        Case {
            status: &[200],
            ..patch(
                "a pattern that is slow elsewhere",
                fhirpath,
                path("Observation.where('aaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$')).note"),
            )
        },
    ]
}

fn send(client: &Client, send: &Send, own: &str) -> support::Answer {
    match send {
        Send::Form(path, form) => client.form(&format!("/9901/fhir/{path}"), form),
        Send::Get(path) => client.get(&format!("/9901/fhir/{path}")),
        Send::Post(path, body) => {
            client.post_as(&format!("/9901/fhir/{path}"), "application/fhir+json", body.clone())
        }
        Send::Patch(kind, body) => {
            let path = format!("/9901/fhir/Observation/{own}");
            client.send(Method::PATCH, &path, &[("content-type", kind)], Some(body.clone()))
        }
    }
}

/// Ends the other caller, also where a case fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Sends each case while another caller goes on; tells what was answered otherwise than it should be.
fn hold(cases: &[Case]) {
    let server = shared();
    let source = server.role("utvikler");
    let mut own = pulse(&person(), "2026-01-01", 60);
    own["note"] = json!([{ "text": "a" }]);
    let own = text(&source.post("/9901/fhir/Observation", &own).expect(201)["id"]);
    let over = AtomicBool::new(false);
    let (mut wrong, answered) = std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let (mut answered, other) = (0_u32, server.role("plo-epj"));
            loop {
                let done = over.load(Ordering::SeqCst);
                other.get("/9901/fhir/Organization?_id=9901-sone-1").expect(200);
                answered += 1;
                if done {
                    return answered;
                }
            }
        });
        let _over = Over(&over);
        let wrong = cases.iter().filter_map(|case| told(&source, case, &own)).collect::<Vec<_>>();
        over.store(true, Ordering::SeqCst);
        (wrong, other.join().unwrap())
    });
    if answered == 0 {
        wrong.push("nobody else was answered".to_owned());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn told(source: &Client, case: &Case, own: &str) -> Option<String> {
    let answer = send(source, &case.send, own);
    let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    let refused = answer.status != 200;
    let issue = &body["issue"][0];
    let clear = !refused
        || answer.status == 414
        || (issue["severity"] == "error" && issue["details"]["text"] != Value::Null);
    let right = case.code.is_empty() || issue["code"] == case.code;
    if case.status.contains(&answer.status) && clear && right {
        return None;
    }
    let start: String = answer.text.chars().take(300).collect();
    Some(format!("{}: {} {start}", case.name, answer.status))
}

#[test]
fn searches_are_bounded() {
    hold(&searches());
}

#[test]
fn contents_are_bounded() {
    hold(&contents());
}

#[test]
fn patches_are_bounded() {
    hold(&patches());
}

/// Sends bytes as they are, and gives the status.
fn raw(server: &Server, head: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.write_all(head).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn requests_that_are_none_are_refused() {
    let server = shared();
    let long = "a".repeat(2_000_000);
    let cases: [(&str, Vec<u8>); 3] = [
        ("an address beyond all", format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n").into()),
        ("bytes in an address", b"GET /9901/fhir/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("no request", b"\x00\x01\x02\r\n\r\n".to_vec()),
    ];
    for (name, head) in cases {
        let status = raw(&server, &head);
        assert!(status.starts_with("HTTP/1.1 4"), "{name}: {status}");
        assert!(server.role("plo-epj").get("/9901/fhir/metadata").status == 200);
    }
}
