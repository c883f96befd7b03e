//! A real `fkj` on a free port, clients with the tokens of the sandbox's roles, and synthetic
//! people for tests that talk HTTP.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod content;
pub mod disk;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::time::{SystemTime, UNIX_EPOCH};

use sandbox::claims::{Role, TokenRequest};
use sandbox::issuer::Issuer;
use serde_json::Value;
use tempfile::TempDir;
use ureq::http::{HeaderMap, Method, Request};

use content::count;

pub const FNR: &str = "urn:oid:2.16.578.1.12.4.1.4.1";
pub const FKJ: &str = env!("CARGO_BIN_EXE_fkj");

/// A running `fkj`; killed when dropped.
pub struct Server {
    child: Mutex<Child>,
    pub port: u16,
    pub dir: Arc<Folder>,
    log: Arc<Mutex<String>>,
}

/// A demo's folder, removed when dropped.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(TempDir::new().unwrap()))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// The server that the tests of one file share; the last one to let it go ends it.
pub fn shared() -> Arc<Server> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(Server::demo(&Folder::new(), 0));
        *shared = Arc::downgrade(&server);
        server
    })
}

impl Server {
    /// `fkj demo` in a folder.
    pub fn demo(dir: &Arc<Folder>, patients: u32) -> Self {
        Self::demo_with(dir, patients, &[])
    }

    /// `fkj demo` in a folder, with further arguments.
    pub fn demo_with(dir: &Arc<Folder>, patients: u32, further: &[&str]) -> Self {
        let port = free_port();
        let mut command = Command::new(FKJ);
        command.arg("demo").arg("--dir").arg(dir.path());
        command.args(["--listen", &format!("127.0.0.1:{port}"), "--live", "0"]);
        command.args(["--patients", &patients.to_string()]).args(further);
        Self::start(command, port, dir, "Open http")
    }

    /// `fkj demo` in a folder, with these variables.
    pub fn demo_on(dir: &Arc<Folder>, patients: u32, variables: &[(&str, PathBuf)]) -> Self {
        let port = free_port();
        let mut command = Command::new(FKJ);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.arg("demo").arg("--dir").arg(dir.path());
        command.args(["--listen", &format!("127.0.0.1:{port}"), "--live", "0"]);
        command.args(["--patients", &patients.to_string()]);
        Self::start(command, port, dir, "Open http")
    }

    /// `fkj serve` with the configuration of a demo's folder.
    pub fn serve(dir: &Arc<Folder>) -> Self {
        Self::serve_by(dir, Command::new(FKJ))
    }

    /// The same where no file may grow beyond so many kilobytes: as on a full disk, a write fails.
    pub fn limited(dir: &Arc<Folder>, kilobytes: u32) -> Self {
        let mut command = Command::new("bash");
        let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" \"$@\"");
        command.args(["-c", &script, FKJ]);
        Self::serve_by(dir, command)
    }

    /// The same with these variables; what it said, where it ended before it was ready.
    pub fn try_serve(dir: &Arc<Folder>, variables: &[(&str, PathBuf)]) -> Result<Self, String> {
        let mut command = Command::new(FKJ);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        Self::try_serve_by(dir, command)
    }

    fn serve_by(dir: &Arc<Folder>, command: Command) -> Self {
        Self::try_serve_by(dir, command).expect("fkj serves")
    }

    fn try_serve_by(dir: &Arc<Folder>, mut command: Command) -> Result<Self, String> {
        let port = free_port();
        let path = dir.path().join("fkj.toml");
        let is_address = |line: &&str| line.starts_with("listen") || line.starts_with("public_url");
        let config = std::fs::read_to_string(&path).unwrap();
        let rest: Vec<&str> = config.lines().filter(|line| !is_address(line)).collect();
        let address = format!("127.0.0.1:{port}");
        let head = format!("listen = \"{address}\"\npublic_url = \"http://{address}\"\n");
        std::fs::write(&path, head + &rest.join("\n")).unwrap();
        command.arg("serve").arg("--config").arg(path);
        Self::try_start(command, port, dir, "fkj serves on")
    }

    fn start(command: Command, port: u16, dir: &Arc<Folder>, ready: &'static str) -> Self {
        Self::try_start(command, port, dir, ready).expect("fkj serves")
    }

    fn try_start(
        mut command: Command,
        port: u16,
        dir: &Arc<Folder>,
        ready: &'static str,
    ) -> Result<Self, String> {
        command.env("FKJ_LOG", "debug").stderr(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let (told, tells) = mpsc::channel();
        let said = log.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                said.lock().unwrap().push_str(&format!("{line}\n"));
                if line.contains(ready) {
                    told.send(()).unwrap_or_default();
                }
            }
        });
        let server = Self { child: Mutex::new(child), port, dir: dir.clone(), log };
        match tells.recv() {
            Ok(()) => Ok(server),
            Err(_) => Err(format!("fkj ended before it was ready: {}", server.log())),
        }
    }

    /// What it has said and logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Kills it without warning, as `kill -9` does.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        drop(child.kill());
        drop(child.wait());
    }

    /// Stops it as an operator does: what has begun is finished.
    pub fn stop(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        assert!(told.unwrap().success() && child.wait().unwrap().success(), "{}", self.log());
    }

    /// A client with the token of a role in 9901.
    pub fn role(&self, role: &str) -> Client {
        self.client(Some(self.token("9901", role, None)))
    }

    /// A client with the token of a resident of 9901.
    pub fn resident(&self, pid: &str) -> Client {
        self.client(Some(self.token("9901", "innbygger", Some(pid))))
    }

    /// A client with this token, or none.
    pub fn client(&self, token: Option<String>) -> Client {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false);
        let base = format!("http://127.0.0.1:{}", self.port);
        Client { agent: config.build().new_agent(), base, token }
    }

    pub fn token(&self, municipality: &str, role: &str, pid: Option<&str>) -> String {
        let issuer = Issuer::open(&self.dir.path().join("sandbox")).unwrap();
        let request = TokenRequest {
            municipality: municipality.to_owned(),
            role: Role::from_key(role).unwrap(),
            pid: pid.map(str::to_owned),
            now_s: now_s(),
            jti: format!("test-{}", count()),
        };
        issuer.token(&request).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a command of `fkj` on a folder.
pub fn fkj(command: &[&str], dir: &Path) -> Output {
    Command::new(FKJ).args(command).arg("--dir").arg(dir).output().unwrap()
}

/// Sends requests with one token.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    pub token: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Client {
    /// Sends a request; fails where the server was gone before it had answered.
    pub fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<Answer, ureq::Error> {
        let url = if path.starts_with("http") { path.to_owned() } else { self.at(path) };
        let mut request = Request::builder().method(method).uri(url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = match body {
            Some(body) => self.agent.run(request.body(body).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut response = response?;
        let text = response.body_mut().with_config().limit(1 << 30).read_to_string()?;
        Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), text })
    }

    /// What a browser would keep as a file: status, media type and bytes.
    pub fn file(&self, path: &str) -> (u16, String, Vec<u8>) {
        let mut request = Request::builder().uri(self.at(path));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut response = self.agent.run(request.body(()).unwrap()).unwrap();
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        (response.status().as_u16(), kind, response.body_mut().read_to_vec().unwrap())
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        let path = path.strip_prefix(&self.base).unwrap_or(path);
        self.try_send(method, path, headers, body).expect("the server answers")
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[("accept", "application/fhir+json, */*;q=0.1")], None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_as(path, "application/fhir+json", body.to_string())
    }

    pub fn post_as(&self, path: &str, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.send(Method::POST, path, &[("content-type", kind)], Some(body.into()))
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        let kind = [("content-type", "application/fhir+json")];
        self.send(Method::PUT, path, &kind, Some(body.to_string().into()))
    }

    /// A form; the pairs need no escaping.
    pub fn form(&self, path: &str, form: &str) -> Answer {
        self.post_as(path, "application/x-www-form-urlencoded", form)
    }
}

impl Answer {
    /// The body, if the status is this.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|it| it.to_str().unwrap()).unwrap_or_default()
    }

    /// The issue of an `OperationOutcome` with this status, as `code|expression|diagnostics`.
    pub fn issue(&self, status: u16) -> String {
        let outcome = self.expect(status);
        assert_eq!(outcome["resourceType"], "OperationOutcome");
        issue(&outcome)
    }

    /// The rule that refused; asserts that a way on is told.
    pub fn rule(&self) -> String {
        let outcome = self.expect(403);
        let issue = &outcome["issue"][0];
        assert!(issue["diagnostics"].as_str().is_some_and(|way_on| way_on.len() > 10));
        text(&issue["details"]["coding"][0]["code"])
    }

    /// The matches of a searchset.
    pub fn matches(&self) -> Vec<Value> {
        entries(&self.expect(200), "match")
    }
}

/// The first issue of an outcome, as `code|expression|diagnostics`.
pub fn issue(outcome: &Value) -> String {
    let issue = &outcome["issue"][0];
    let place = text(&issue["expression"][0]);
    let says = [&issue["diagnostics"], &issue["details"]["text"]];
    let says: Vec<&str> = says.iter().filter_map(|it| it.as_str()).collect();
    format!("{}|{place}|{}", text(&issue["code"]), says.join(" "))
}

/// The resources of a searchset's entries with this mode.
pub fn entries(bundle: &Value, mode: &str) -> Vec<Value> {
    let all = bundle["entry"].as_array().into_iter().flatten();
    all.filter(|it| it["search"]["mode"] == mode).map(|it| it["resource"].clone()).collect()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub fn ids(resources: &[Value]) -> Vec<String> {
    resources.iter().map(|it| text(&it["id"])).collect()
}

pub fn now_s() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
