//! The exchanges of `cases/http`, sent to a running server: what a vendor may rely on, one file for
//! each behaviour. The format is described in `cases/http/README.md`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod exchange;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use exchange::{Exchange, Pattern, Variables};
use support::content::{count, person};
use support::{Client, Server, shared};
use ureq::http::Method;

const BASE: &str = "/9901/fhir/";

/// How often work that goes on is asked for.
const MOST_TRIES: usize = 10_000;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases/http");
    let listed = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        listed.filter(|path| path.extension().is_some_and(|it| it == "http")).collect();
    files.sort();
    files
}

#[test]
fn every_exchange_goes_as_written() {
    let server = shared();
    let files = cases();
    assert!(files.len() > 2, "cases/http has exchanges");
    let mut failures = Vec::new();
    let mut sent = 0;
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let exchanges = exchange::parse(&fs::read_to_string(file).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut variables = Variables(BTreeMap::from([
            ("unique".to_owned(), format!("case-{}", count())),
            ("fnr".to_owned(), person()),
            ("fnr2".to_owned(), person()),
            ("base".to_owned(), format!("http://127.0.0.1:{}/9901/fhir", server.port)),
            ("root".to_owned(), format!("http://127.0.0.1:{}/9901", server.port)),
        ]));
        for exchange in &exchanges {
            sent += 1;
            if let Err(error) = play(&server, exchange, &mut variables) {
                failures.push(format!("{name}: {}: {error}", exchange.title));
                break;
            }
        }
    }
    println!("{sent} exchanges of {} files", files.len());
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn client(server: &Server, role: &str) -> Client {
    if role == "nobody" { server.client(None) } else { server.role(role) }
}

/// Sends the request and compares the answer.
fn play(server: &Server, exchange: &Exchange, variables: &mut Variables) -> Result<(), String> {
    let path = variables.fill(&exchange.path)?;
    let origin = format!("http://127.0.0.1:{}/", server.port);
    let path = match path.strip_prefix(&origin) {
        Some(whole) => format!("/{whole}"),
        None => format!("{BASE}{}", path.trim_start_matches('/')),
    };
    let headers = exchange
        .headers
        .iter()
        .map(|(name, value)| Ok((name.as_str(), variables.fill(value)?)))
        .collect::<Result<Vec<_>, String>>()?;
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = match &exchange.body {
        Some(body) => Some(variables.fill(body)?.into_bytes()),
        None => None,
    };
    let method: Method = exchange.method.parse().map_err(|_| "no such method".to_owned())?;
    let client = client(server, &exchange.role);
    let mut answer = client.send(method.clone(), &path, &headers, body.clone());
    for _ in 0..MOST_TRIES {
        // Work that goes on is asked for again.
        if answer.status != 202 || exchange.status == 202 || method != Method::GET {
            break;
        }
        answer = client.send(method.clone(), &path, &headers, body.clone());
    }
    let told = |why: String| format!("{why}\nthe answer was {} {}", answer.status, answer.text);
    if answer.status != exchange.status {
        return Err(told(format!("expected {}", exchange.status)));
    }
    for (name, expected) in &exchange.expected_headers {
        let found = answer.headers.get(name).map(|value| value.to_str().unwrap());
        Pattern(expected).header(found, variables).map_err(|why| told(format!("{name}: {why}")))?;
    }
    match &exchange.expected_body {
        Some(expected) => Pattern(expected).body(&answer.text, variables).map_err(told),
        None => Ok(()),
    }
}

#[test]
fn a_wrong_answer_is_noticed() {
    let text = "About.\n\n### One\nGET Patient/1\nAs: nobody\n\nHTTP 200\nETag: W/\"{{v=*}}\"\n\n\
                {\"a\": [1, \"<more>\"], \"b\": \"<absent>\", \"c\": \"x*{{v}}\"}\n";
    let exchanges = exchange::parse(text).unwrap();
    let expected = exchanges[0].expected_body.as_deref().unwrap();
    let compare = |body: &str| {
        let mut variables = Variables(BTreeMap::from([("v".to_owned(), "7".to_owned())]));
        Pattern(expected).body(body, &mut variables).is_ok()
    };
    assert!(compare(r#"{"a": [1, 2], "c": "xyz7", "d": 1}"#));
    assert!(!compare(r#"{"a": [2, 1], "c": "xyz7"}"#));
    assert!(!compare(r#"{"a": [], "c": "xyz7"}"#));
    assert!(!compare(r#"{"a": [1], "b": 1, "c": "xyz7"}"#));
    assert!(!compare(r#"{"a": [1], "c": "xyz8"}"#));
    assert!(!compare(r#"{"a": [1]}"#));
}
