//! What a resident withholds, through the public doors: in force when it is answered, also after
//! `kill -9`, and open again when it is taken back.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::content::{person, pulse, withholding};
use support::{Client, FNR, Folder, Server, text};
use ureq::http::Method;

/// A Consent that withholds measurements from the nurse with this HPR number.
fn blocking(pid: &str, hpr: &str) -> Value {
    let mut consent = withholding(pid);
    consent["provision"]["actor"] = json!([{
        "role": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
            "code": "PRCP",
        }] },
        "reference": { "identifier": {
            "system": "urn:oid:2.16.578.1.12.4.1.4.4",
            "value": hpr,
        } },
    }]);
    consent
}

/// How many measurements somebody finds of a person.
fn found(reader: &Client, pid: &str) -> usize {
    let form = format!("patient.identifier={FNR}%7C{pid}");
    let answer = reader.form("/9901/fhir/Observation/_search", &form);
    match answer.status {
        403 => 0,
        _ => answer.matches().len(),
    }
}

#[test]
fn a_block_holds_when_it_is_answered_and_through_kill_until_it_is_lifted() {
    let dir = Folder::new();
    let pid = person();
    let (doctor, hpr) = ("legevaktslege", "222900011");
    let mut server = Server::demo(&dir, 0);
    for beats in [61, 62] {
        let sent = pulse(&pid, "2026-01-05", beats);
        server.role("plo-epj").post("/9901/fhir/Observation", &sent).expect(201);
    }
    assert_eq!(found(&server.role(doctor), &pid), 2);
    for _ in 0..2 {
        let block = blocking(&pid, hpr);
        let kept = server.resident(&pid).post("/9901/fhir/Consent", &block).expect(201);
        assert_eq!(found(&server.role(doctor), &pid), 0, "after the answer");
        assert_eq!(found(&server.role("plo-epj"), &pid), 2, "the source sees its own");
        assert_eq!(found(&server.resident(&pid), &pid), 2, "and the resident");
        server.kill();
        server = Server::demo(&dir, 0);
        assert_eq!(found(&server.role(doctor), &pid), 0, "after kill -9");
        let address = format!("/9901/fhir/Consent/{}", text(&kept["id"]));
        let other = server.resident(&person()).send(Method::DELETE, &address, &[], None);
        assert_eq!(other.status, 403);
        let lifted = server.resident(&pid).send(Method::DELETE, &address, &[], None);
        assert_eq!(lifted.status, 204);
        assert_eq!(found(&server.role(doctor), &pid), 2, "when it is lifted");
    }
    // What a resident may record is that, and nothing else.
    let own = server.resident(&pid).post("/9901/fhir/Observation", &pulse(&pid, "2026-01-05", 1));
    assert_eq!(own.status, 403);
}

#[test]
fn pvk_answers_in_its_own_shape() {
    let server = support::shared();
    let (pid, source) = (person(), server.role("utvikler"));
    let base = "/9901/personvern/Personverninnstillinger";
    let guid = "4f0c7c1e-6a55-4a0b-9a6e-0d8f6e2b7a02";
    let named = json!({ "innbyggerFnr": pid, "definisjonGuid": guid, "partKode": "fkj" });
    let check = || source.post(&format!("{base}/SjekkInnbyggersPiStatus/v2"), &named).expect(200);
    assert_eq!(check()["aktiv"], false);
    let mut wanted = named.clone();
    wanted["typePi"] = json!("reservasjon");
    wanted["aktiv"] = json!(true);
    let set = |wanted: &Value| {
        source.post(&format!("{base}/SettInnbyggersPersonvernInnstilling/v2"), wanted)
    };
    assert_eq!(set(&wanted).expect(200), json!({ "returKode": "ok", "instansEndret": "endret" }));
    assert_eq!(set(&wanted).expect(200)["instansEndret"], "ikkeEndret");
    assert_eq!(
        (check()["aktiv"].clone(), check()["sekvensnummer"].clone()),
        (json!(true), json!(1))
    );
    let part = json!({ "innbyggerFnr": pid, "partKode": "fkj" });
    let all = source.post(&format!("{base}/HentInnbyggersPiForPart/v2"), &part).expect(200);
    let on = all["personvernInnstillinger"].as_array().unwrap().iter();
    assert_eq!(on.filter(|setting| setting["aktiv"] == true).count(), 1);
    let query = format!("?definisjonGuid={guid}&partKode=fkj&pagingReference=0");
    let active = source.get(&format!("{base}/HentInnbyggereAktivePiForDefinisjon/v2{query}"));
    let active = active.expect(200);
    assert_eq!(active["pagingReference"], 0);
    let of = active["personvernInnstillinger"].as_array().unwrap().iter();
    assert!(of.map(|setting| &setting["innbyggerFnr"]).any(|it| it == &json!(pid)));
    wanted["typePi"] = json!("samtykke");
    assert_eq!(set(&wanted).status, 422);
    assert_eq!(
        server
            .role("legevaktslege")
            .post(&format!("{base}/SjekkInnbyggersPiStatus/v2"), &named)
            .status,
        403
    );
}
