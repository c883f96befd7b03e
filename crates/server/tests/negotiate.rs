//! The form of answers and of what is sent: formats, packing, methods, and errors in each.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::io::{Read, Write};

use serde_json::{Value, json};
use support::content::{person, pulse};
use support::{Answer, Client, FNR, Server, shared, text};
use ureq::http::Method;

const JSON: &str = "application/fhir+json; charset=utf-8";
const XML: &str = "application/fhir+xml; charset=utf-8";

/// A patient that a source has delivered; its address.
fn patient(source: &Client) -> String {
    let sent = json!({ "resourceType": "Patient", "birthDate": "1947-01-02",
        "name": [{ "family": "Ås & <sønn>", "given": ["Kari"] }],
        "identifier": [{ "system": FNR, "value": person() }] });
    let id = text(&source.post("/9901/fhir/Patient", &sent).expect(201)["id"]);
    format!("/9901/fhir/Patient/{id}")
}

fn value(xml: &str) -> Value {
    let value = fhir::xml::parse(xml.as_bytes()).unwrap();
    serde_json::from_str(&fhir::json::print(&value)).unwrap()
}

/// The headers of an answer and where its text begins, as a line.
fn form(answer: &Answer) -> String {
    let begins: String = answer.text.chars().take(9).collect();
    format!("{} {} {begins}", answer.status, answer.header("content-type"))
}

#[test]
fn the_format_is_the_one_asked_for() {
    let server = shared();
    let source = server.role("plo-epj");
    let at = patient(&source);
    let ok = |kind: &str, begins: &str| format!("200 {kind} {begins}");
    let (json, xml) = (ok(JSON, "{\"resourc"), ok(XML, "<Patient "));
    let no = format!("406 {JSON} {{\"resourc");
    let cases: [(&str, &str, &str); 28] = [
        ("", "", &json),
        ("*/*", "", &json),
        ("application/json", "", &json),
        ("application/fhir+json", "", &json),
        ("text/json", "", &json),
        ("application/fhir+xml", "", &xml),
        ("application/xml", "", &xml),
        ("TEXT/XML", "", &xml),
        ("application/fhir+xml;q=0.5, application/fhir+json;q=0.4", "", &xml),
        ("application/fhir+xml;q=0.5, application/fhir+json", "", &json),
        ("application/fhir+xml, application/fhir+json", "", &json),
        ("application/fhir+json;q=0, */*;q=0.1", "", &xml),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", "", &xml),
        ("text/html, application/*;q=0.3", "", &json),
        ("application/fhir+xml; fhirVersion=4.0", "", &xml),
        ("application/fhir+json; fhirVersion=3.0, application/fhir+xml;q=0.1", "", &xml),
        ("application/fhir+json; fhirVersion=5.0", "", &no),
        ("text/html", "", &no),
        ("application/fhir+turtle", "", &no),
        ("application/fhir+xml;q=0", "", &no),
        ("application/fhir+xml;q=2", "", &no),
        ("", "_format=xml", &xml),
        ("application/fhir+xml", "_format=json", &json),
        ("text/html", "_format=application%2Ffhir%2Bxml", &xml),
        ("", "_format=application/fhir+xml", &xml),
        ("", "_format=text/xml;%20fhirVersion=4.0", &xml),
        ("", "_format=application/fhir%2Bjson;fhirVersion=1.0", &no),
        ("", "_format=html", &no),
    ];
    for (accept, query, expected) in cases {
        let address = if query.is_empty() { at.clone() } else { format!("{at}?{query}") };
        // Without one, this client says `*/*` of its own.
        let headers: &[(&str, &str)] = if accept.is_empty() { &[] } else { &[("accept", accept)] };
        let answer = source.send(Method::GET, &address, headers, None);
        assert_eq!(form(&answer), expected, "accept `{accept}`, query `{query}`");
        assert_eq!(answer.header("vary"), "Accept, Accept-Encoding");
    }
}

#[test]
fn what_is_sent_in_xml_is_what_is_sent_in_json() {
    let server = shared();
    let source = server.role("plo-epj");
    let at = patient(&source);
    let plain = source.get(&at).expect(200);
    let asked = source.send(Method::GET, &at, &[("accept", "application/fhir+xml")], None);
    assert_eq!(value(&asked.text), plain);
    assert_eq!(asked.header("etag"), source.get(&at).header("etag"));
    // Sent back changed, in each of the names of XML.
    for (version, kind) in ["application/fhir+xml; charset=UTF-8", "text/xml", "application/xml"]
        .into_iter()
        .enumerate()
    {
        let sent = asked.text.replace("1947-01-02", &format!("1947-01-0{}", version + 3));
        let headers = [("content-type", kind), ("accept", "application/fhir+xml")];
        let put = source.send(Method::PUT, &at, &headers, Some(sent.into()));
        assert_eq!(form(&put), format!("200 {XML} <Patient "), "{}", put.text);
        assert_eq!(source.get(&at).expect(200)["birthDate"], format!("1947-01-0{}", version + 3));
    }
}

#[test]
fn bundles_and_forms_are_negotiated_as_well() {
    let server = shared();
    let source = server.role("plo-epj");
    let pid = person();
    let entry = |value| {
        json!({ "resource": pulse(&pid, "2026-01-01T08:00:00Z", value),
        "request": { "method": "POST", "url": "Observation" } })
    };
    let bundle =
        json!({ "resourceType": "Bundle", "type": "batch", "entry": [entry(60), entry(61)] });
    let sent =
        fhir::xml::print(&fhir::json::parse(bundle.to_string().as_bytes()).unwrap()).unwrap();
    let headers = [("content-type", "application/fhir+xml"), ("accept", "application/fhir+xml")];
    let answer = source.send(Method::POST, "/9901/fhir", &headers, Some(sent.into()));
    assert_eq!(value(&answer.text)["entry"].as_array().unwrap().len(), 2);
    let form = format!("patient.identifier={FNR}|{pid}&_format=xml&_pretty=true");
    let found = source.form("/9901/fhir/Observation/_search", &form);
    assert_eq!(found.header("content-type"), XML);
    assert!(found.text.starts_with("<Bundle xmlns=\"http://hl7.org/fhir\">\n  <type value="));
    let found = value(&found.text);
    assert_eq!(found["entry"].as_array().unwrap().len(), 2);
    assert_eq!(found["entry"][0]["resource"]["valueQuantity"]["value"].to_string().len(), 2);
    let pretty = source.get("/9901/fhir/metadata?_pretty=true");
    assert!(pretty.text.starts_with("{\n  \"resourceType\": \"CapabilityStatement\",\n"));
    let metadata = source.get("/9901/fhir/metadata?_format=xml");
    assert_eq!(value(&metadata.text), serde_json::from_str::<Value>(&pretty.text).unwrap());
}

#[test]
fn errors_come_in_the_format_asked_for_and_name_the_place() {
    let server = shared();
    let source = server.role("plo-epj");
    let xml = [("accept", "application/fhir+xml"), ("content-type", "application/fhir+xml")];
    let says = |client: &Client, method: Method, at: &str, body: Option<&str>| {
        let answer = client.send(method, at, &xml, body.map(|it| it.as_bytes().to_vec()));
        assert_eq!(answer.header("content-type"), XML, "{}", answer.text);
        let outcome = value(&answer.text);
        assert_eq!(outcome["resourceType"], "OperationOutcome");
        format!("{} {}", answer.status, support::issue(&outcome))
    };
    let head = "<Patient xmlns='http://hl7.org/fhir'>";
    let unknown = format!("{head}\n<nam/></Patient>");
    let said = says(&source, Method::POST, "/9901/fhir/Patient", Some(&unknown));
    let place = "line 2, column 1: unknown element of Patient: correct the name";
    assert_eq!(said, format!("400 structure|Patient.nam|Patient.nam: {place} {place}"));
    let bomb = format!("<!DOCTYPE a [<!ENTITY b 'b'>]>{head}</Patient>");
    assert!(says(&source, Method::POST, "/9901/fhir/Patient", Some(&bomb)).contains("entities"));
    let nobody = server.client(None);
    assert!(says(&nobody, Method::GET, "/9901/fhir/Patient/1", None).starts_with("401 login"));
    assert!(says(&source, Method::GET, "/9901/fhir/Patient/1", None).starts_with("404 not-found"));
    assert!(says(&source, Method::GET, "/9901/fhir/a/b/c/d", None).starts_with("404 not-found"));
    assert!(
        says(&source, Method::DELETE, "/9901/fhir/metadata", None).starts_with("405 not-supported")
    );
    assert!(
        says(&source, Method::GET, "/9901/fhir/Patient/%ff", None).starts_with("400 structure")
    );
}

#[test]
fn only_fhir_r4_in_utf8_is_taken() {
    let server = shared();
    let source = server.role("plo-epj");
    for (kind, status) in [
        ("application/fhir+json", 400),
        ("application/fhir+json; fhirVersion=\"4.0\"; charset=\"utf-8\"", 400),
        ("application/json", 400),
        ("application/fhir+json; fhirVersion=5.0", 415),
        ("application/fhir+json; charset=latin1", 415),
        ("application/fhir+turtle", 415),
        ("text/plain", 415),
    ] {
        source.post_as("/9901/fhir/Patient", kind, "{}x").issue(status);
    }
}

#[test]
fn methods_are_told() {
    let server = shared();
    let source = server.role("plo-epj");
    let at = patient(&source);
    let (get, head) = (source.get(&at), source.send(Method::HEAD, &at, &[], None));
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    for name in ["etag", "last-modified", "content-type", "content-length", "vary"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    let xml = source.send(Method::HEAD, &at, &[("accept", "application/fhir+xml")], None);
    assert_eq!((xml.header("content-type"), xml.text.as_str()), (XML, ""));
    let options = source.send(Method::OPTIONS, &at, &[], None);
    assert_eq!((options.status, options.text.as_str()), (204, ""));
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        assert!(options.header("allow").contains(method), "{}", options.header("allow"));
    }
    let post = source.send(Method::POST, &at, &[], Some(b"{}".to_vec()));
    assert!(post.issue(405).contains("see `Allow`"));
    assert_eq!(post.header("allow"), options.header("allow"));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    brotli::CompressorReader::new(bytes, 4_096, 9, 22).read_to_end(&mut out).unwrap();
    out
}

fn send_packed(source: &Client, coding: &str, body: Vec<u8>) -> Answer {
    let headers = [("content-type", "application/fhir+json"), ("content-encoding", coding)];
    source.send(Method::POST, "/9901/fhir/Observation", &headers, Some(body))
}

#[test]
fn packed_content_is_unpacked_within_bounds() {
    let server = shared();
    let source = server.role("plo-epj");
    let sent = || pulse(&person(), "2026-01-01T08:00:00Z", 60).to_string().into_bytes();
    for (coding, body) in [
        ("gzip", gzip(&sent())),
        ("x-gzip", gzip(&sent())),
        ("deflate", deflate(&sent())),
        ("br", brotli(&sent())),
        ("identity", sent()),
    ] {
        send_packed(&source, coding, body).expect(201);
    }
    let large = vec![b' '; 11 * 1024 * 1024];
    for (coding, body) in
        [("gzip", gzip(&large)), ("deflate", deflate(&large)), ("br", brotli(&large))]
    {
        assert!(body.len() < 20_000, "{coding} packs blanks well");
        assert!(send_packed(&source, coding, body).issue(413).contains("10 MB"));
    }
    let whole = gzip(&sent());
    send_packed(&source, "gzip", whole[..whole.len() - 9].to_vec()).issue(400);
    send_packed(&source, "gzip", sent()).issue(400);
    send_packed(&source, "br", vec![0x11, 30, 0, 0]).issue(400);
    send_packed(&source, "zstd", sent()).issue(415);
}

/// The raw answer to a request for the CapabilityStatement: headers in lower case, and body.
fn raw(server: &Server, accept_encoding: &str) -> (String, Vec<u8>) {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let request = format!(
        "GET /9901/fhir/metadata HTTP/1.1\r\nhost: a\r\naccept-encoding: {accept_encoding}\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_lowercase();
    (head, answer[end + 4..].to_vec())
}

#[test]
fn long_answers_are_packed_as_asked() {
    let server = shared();
    let (head, plain) = raw(&server, "identity");
    assert!(!head.contains("content-encoding") && plain.len() > 10_000);
    let unpacked = |coding: &str, body: &[u8]| {
        let mut out = Vec::new();
        match coding {
            "gzip" => flate2::read::GzDecoder::new(body).read_to_end(&mut out).unwrap(),
            _ => brotli::Decompressor::new(body, 4_096).read_to_end(&mut out).unwrap(),
        };
        out
    };
    for (asked, coding) in [
        ("gzip", "gzip"),
        ("br", "br"),
        ("gzip, deflate, br", "br"),
        ("br;q=0.1, gzip;q=0.2", "gzip"),
        ("br;q=0, *", "gzip"),
        ("*", "br"),
    ] {
        let (head, body) = raw(&server, asked);
        assert!(head.contains(&format!("content-encoding: {coding}")), "{asked}: {head}");
        assert!(head.contains(&format!("content-length: {}", body.len())));
        assert!(body.len() * 4 < plain.len(), "{} of {}", body.len(), plain.len());
        assert_eq!(unpacked(coding, &body), plain);
    }
    for asked in ["zstd", "gzip;q=0", "", "identity"] {
        assert_eq!(raw(&server, asked).1, plain, "{asked}");
    }
    // A short one is not worth it.
    let mut source = server.role("plo-epj");
    source.token = None;
    let short =
        source.send(Method::GET, "/9901/fhir/Patient/1", &[("accept-encoding", "gzip")], None);
    assert_eq!((short.status, short.header("content-encoding")), (401, ""));
}
