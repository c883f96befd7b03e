//! The phases of a run: fill in bulk, read, search, compose, and take single events, all on the same
//! server, so that everything after the first phase meets a full one.

use std::path::Path;
use std::sync::Mutex;

use sandbox::claims::Role;
use serde_json::{Value, json};

use super::load::{self, Drive, Driven, Request, drive, find, start};
use super::material::{self, Material};
use super::server::{self, KOMMUNE, Server};
use super::{Scale, bare, copied};

/// Connections of the phases of single requests.
const CONNECTIONS: usize = 32;
/// Connections that send Bundles.
const BULK_CONNECTIONS: usize = 4;
/// Most seconds a phase of Bundles takes.
const BULK_SECONDS: f64 = 600.0;
/// Resources in a PMD batch and in a FHIR transaction.
const SIZES: [usize; 2] = [100, 500];

/// Imported resources that bare SQLite takes in a transaction.
const IMPORTED: usize = 1_000;

/// One whole run.
pub fn run(program: &Path, scale: Scale) -> Result<Value, String> {
    let server = Server::start(program, scale.residents, &[])?;
    let material = Material::new(scale, server::now_ms())?;
    let phases = Phases { server, scale, ids: Mutex::default() };
    let doctor = phases.server.token(Role::Legevaktslege)?;
    let vkp = phases.server.token(Role::Vkp)?;
    let bulk = phases.bulk(&material, &vkp)?;
    let import = phases.import(&material, &vkp)?;
    let memory_full = phases.server.memory();
    let reads = phases.reads(&doctor)?;
    let searches = phases.single(&material.searches(&doctor), &has(b"\"mode\":\"match\""))?;
    let (overviews, news2) = phases.services(&material, &doctor)?;
    let sent = material.events(1);
    let creates = material::creates(&sent, &vkp);
    let creates = phases.events(&creates, &sent, &has(b"\"versionId\""))?;
    let sent = material.events(2);
    let events = material::cloud_events(&sent, &vkp);
    let events = phases.events(&events, &sent, &has(b"201 Created"))?;
    let memory = phases.server.memory();
    let disk = phases.server.stop(program)?;
    Ok(json!({
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "patients": scale.residents + scale.measured,
        "single_ingest": creates,
        "cloud_event_ingest": events,
        "bulk_ingest": bulk,
        "import": import,
        "read": reads,
        "patient_search": searches,
        "overview": overviews,
        "news2": news2,
        "memory_mb": { "after_bulk": memory_full, "at_end": memory },
        "disk": disk,
    }))
}

/// An answer must hold this.
fn has(wanted: &'static [u8]) -> impl Fn(&[u8]) -> Result<(), String> + Sync {
    move |body| match find(body, wanted) {
        Some(_) => Ok(()),
        None => Err(format!("an unexpected answer: {}", start(body))),
    }
}

struct Phases {
    server: Server,
    scale: Scale,
    /// Ids of stored Observations.
    ids: Mutex<Vec<String>>,
}

/// Processor time of both sides before a phase.
struct Before {
    server: f64,
    client: f64,
}

impl Phases {
    /// Half of the measurements as PMD batches, half as FHIR transactions, each beside bare SQLite.
    fn bulk(&self, material: &Material, token: &str) -> Result<Value, String> {
        let measurements = material.measurements();
        let (first, second) = measurements.split_at(measurements.len() / 2);
        let [small, large] = SIZES;
        let batches = material::bundles(first, small, "batch", &format!("/{KOMMUNE}/pmd"), token);
        let batches = self.bundles(&batches, first, small)?;
        let path = format!("/{KOMMUNE}/fhir");
        let transactions = material::bundles(second, large, "transaction", &path, token);
        let transactions = self.bundles(&transactions, second, large)?;
        Ok(json!({ "pmd_batch": batches, "fhir_transaction": transactions }))
    }

    fn bundles(
        &self,
        requests: &[Request],
        resources: &[String],
        size: usize,
    ) -> Result<Value, String> {
        let keep = |body: &[u8]| {
            let ids = stored_ids(body);
            let refused = find(body, b"\"outcome\"").is_some();
            if refused || ids.is_empty() {
                return Err(format!("not everything was taken: {}", start(body)));
            }
            self.ids.lock().map_err(|error| error.to_string())?.extend(ids);
            Ok(())
        };
        let how = Drive { connections: BULK_CONNECTIONS, seconds: BULK_SECONDS, again: false };
        let before = self.before();
        let driven = drive(self.server.address, requests, how, &keep)?;
        self.beside_bare(&before, &driven, resources, size)
    }

    /// What a phase of many resources measured, and how fast bare SQLite and bare PostgreSQL take the same,
    /// `size` of them in a transaction.
    fn beside_bare(
        &self,
        before: &Before,
        driven: &Driven,
        resources: &[String],
        size: usize,
    ) -> Result<Value, String> {
        let per_second = resources.len() as f64 / driven.seconds;
        let directory = tempfile::tempdir_in(server::target()?).map_err(|it| it.to_string())?;
        let mut result = self.told(before, driven, resources.len());
        let bare = bare::inserts(&directory.path().join("bare.db"), resources, size)?;
        let copied = copied::copies(&server::target()?, resources, size)?;
        if let Some(result) = result.as_object_mut() {
            result.remove("per_second");
            result.insert("in_a_transaction".to_owned(), json!(size));
            result.insert("resources_per_second".to_owned(), rounded(per_second));
            result.insert("bare_sqlite_per_second".to_owned(), rounded(bare));
            result.insert("of_bare_sqlite".to_owned(), json!(hundredths(per_second / bare)));
            let copied_of = copied.map(|copied| hundredths(per_second / copied));
            result.insert("bare_postgresql_per_second".to_owned(), json!(copied.map(f64::round)));
            result.insert("of_bare_postgresql".to_owned(), json!(copied_of));
        }
        Ok(result)
    }

    /// A file of measurements, on one connection, beside bare SQLite.
    fn import(&self, material: &Material, token: &str) -> Result<Value, String> {
        let measurements = material.imported();
        let file = [material::import(&measurements, "bench", token)];
        let all = format!("{0} lines: {0} created", measurements.len());
        let check = |body: &[u8]| match find(body, all.as_bytes()) {
            Some(_) => Ok(()),
            None => Err(format!("not everything was imported: {}", start(body))),
        };
        let how = Drive { connections: 1, seconds: BULK_SECONDS, again: false };
        let before = self.before();
        let driven = drive(self.server.address, &file, how, &check)?;
        self.beside_bare(&before, &driven, &measurements, IMPORTED)
    }

    fn reads(&self, token: &str) -> Result<Value, String> {
        let ids = self.ids.lock().map_err(|error| error.to_string())?.clone();
        // Not in the order in which they were stored.
        let step = ids.len() / 7 * 4 + 1;
        let requests: Vec<Request> = (0..ids.len().min(20_000))
            .filter_map(|i| ids.get(i * step % ids.len()))
            .map(|id| {
                load::request("GET", &format!("/{KOMMUNE}/fhir/Observation/{id}"), token, "", b"")
            })
            .collect();
        self.single(&requests, &has(b"\"Observation\""))
    }

    /// `$kommunale-tjenester` and `$news2` of the residents with a whole history.
    fn services(&self, material: &Material, token: &str) -> Result<(Value, Value), String> {
        let mut patients = Vec::new();
        for search in material.patients(token) {
            let answer = load::once(self.server.address, &search)?;
            let bundle: Value = serde_json::from_slice(&answer).map_err(|it| it.to_string())?;
            let id = bundle.pointer("/entry/0/resource/id").and_then(Value::as_str);
            patients.push(id.ok_or("a resident is not found")?.to_owned());
        }
        let of_all = |operation: &str| -> Result<Value, String> {
            let requests: Vec<Request> = patients
                .iter()
                .map(|id| format!("/{KOMMUNE}/fhir/Patient/{id}/${operation}"))
                .map(|path| load::request("GET", &path, token, "", b""))
                .collect();
            self.single(&requests, &has(b"\"parameter\""))
        };
        Ok((of_all("kommunale-tjenester")?, of_all("news2")?))
    }

    /// Single events, each durable before its answer, beside what bare SQLite and PostgreSQL take of the same with
    /// as many in a transaction as there are requests at once: no more of them can share a commit here.
    fn events(
        &self,
        requests: &[Request],
        resources: &[String],
        check: &(dyn Fn(&[u8]) -> Result<(), String> + Sync),
    ) -> Result<Value, String> {
        let how = Drive { connections: CONNECTIONS, seconds: self.scale.seconds, again: false };
        let before = self.before();
        let driven = drive(self.server.address, requests, how, check)?;
        let taken = resources.get(..driven.micros.len()).unwrap_or(resources);
        self.beside_bare(&before, &driven, taken, CONNECTIONS)
    }

    fn single(
        &self,
        requests: &[Request],
        check: &(dyn Fn(&[u8]) -> Result<(), String> + Sync),
    ) -> Result<Value, String> {
        let how = Drive { connections: CONNECTIONS, seconds: self.scale.seconds, again: true };
        let before = self.before();
        let driven = drive(self.server.address, requests, how, check)?;
        let count = driven.micros.len();
        Ok(self.told(&before, &driven, count))
    }

    fn before(&self) -> Before {
        Before { server: self.server.cpu(), client: server::cpu("self") }
    }

    /// What a phase measured; processor time is microseconds for each of `count`.
    fn told(&self, before: &Before, driven: &Driven, count: usize) -> Value {
        let each = |seconds: f64| rounded(seconds * 1e6 / count.max(1) as f64);
        json!({
            "per_second": rounded(driven.per_second()),
            "p50_ms": hundredths(driven.percentile(0.50)),
            "p99_ms": hundredths(driven.percentile(0.99)),
            "count": count,
            "server_cpu_us": each(self.server.cpu() - before.server),
            "client_cpu_us": each(server::cpu("self") - before.client),
        })
    }
}

/// Ids in the locations of a response Bundle.
fn stored_ids(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    text.split("\"location\":\"Observation/")
        .skip(1)
        .filter_map(|rest| rest.split('/').next())
        .map(str::to_owned)
        .collect()
}

fn rounded(value: f64) -> Value {
    json!(value.round() as i64)
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
