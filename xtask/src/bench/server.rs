//! The server under test: built, started on a fresh directory, watched and stopped.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use rusqlite::{Connection, OpenFlags};
use sandbox::claims::{Role, TokenRequest};
use sandbox::issuer::Issuer;
use serde_json::{Value, json};

use super::load;

/// Number of the municipality that is driven.
pub const KOMMUNE: &str = "9901";

/// Number of the other municipality of the demo.
pub const NEIGHBOUR: &str = "9902";

/// The longest that starting and filling may take.
const START: Duration = Duration::from_secs(300);

/// Clock ticks a second in `/proc` (`USER_HZ`, the same on every Linux in use).
const TICKS: f64 = 100.0;

/// Builds the release binary and says where it is; `FKJ` names another that is there.
pub fn build() -> Result<PathBuf, String> {
    if let Some(program) = std::env::var_os("FKJ") {
        return Ok(program.into());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built =
        Command::new(cargo).args(["build", "--quiet", "--release", "-p", "server"]).status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("cannot build the server".to_owned());
    }
    Ok(target()?.join("release").join("fkj"))
}

/// The target directory, in which this program lies too.
pub fn target() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    own.ancestors().nth(2).map(Path::to_owned).ok_or_else(|| "no target directory".to_owned())
}

/// A running server; dropping it ends it.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    process: Child,
    directory: tempfile::TempDir,
    issuer: Issuer,
}

impl Server {
    /// Starts a demo with so many residents and further arguments, and waits until it answers.
    pub fn start(program: &Path, residents: u32, further: &[&str]) -> Result<Self, String> {
        // Under the target directory, since a temporary file system may be memory.
        let directory = tempfile::tempdir_in(target()?).map_err(|error| error.to_string())?;
        let address = free_address().map_err(|error| error.to_string())?;
        let log = File::create(directory.path().join("log")).map_err(|error| error.to_string())?;
        let process = Command::new(program)
            .arg("demo")
            .arg("--dir")
            .arg(directory.path())
            .args(["--listen", &address.to_string(), "--live", "0"])
            .args(["--patients", &residents.to_string()])
            .args(further)
            .stderr(log)
            .spawn()
            .map_err(|error| format!("cannot start `{}`: {error}", program.display()))?;
        let process = ready(process, address, directory.path())?;
        let issuer = Issuer::open(&directory.path().join("sandbox"))
            .map_err(|error| format!("no issuer: {error}"))?;
        Ok(Self { address, process, directory, issuer })
    }

    /// A token for a role.
    pub fn token(&self, role: Role) -> Result<String, String> {
        self.token_of(KOMMUNE, role)
    }

    /// A token for a role in either of the demo's municipalities.
    pub fn token_of(&self, number: &str, role: Role) -> Result<String, String> {
        self.issuer.token(&asked(number, role)).map_err(|error| error.to_string())
    }

    /// A token for a role in a municipality that was founded with the register of the one that is driven.
    pub fn token_in(&self, number: &str, role: Role) -> Result<String, String> {
        let audience = format!("fkj:{number}");
        self.issuer.token_for(&asked(KOMMUNE, role), &audience).map_err(|error| error.to_string())
    }

    /// Ids of what the view of a municipality has of a resource type.
    pub fn ids(&self, number: &str, kind: &str) -> Result<Vec<String>, String> {
        let kinds = fhir::definitions::resource_kinds();
        let place = (1_i64..).zip(&kinds).find(|(_, it)| **it == kind);
        let (place, _) = place.ok_or("no such resource type")?;
        let view = self.directory().join(number).join("view.db");
        let ids = || -> rusqlite::Result<Vec<String>> {
            let view = Connection::open_with_flags(view, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            // The view numbers the types in their order, from 1.
            let mut select = view.prepare("SELECT id FROM resource WHERE kind = ?1 ORDER BY id")?;
            select.query_map([place], |row| row.get(0))?.collect()
        };
        ids().map_err(|error| format!("reading ids from the view: {error}"))
    }

    /// Ends, and starts with these municipalities alone; new ones are founded with the register of the one
    /// that is driven. Gives the seconds until it answered.
    pub fn serve(&mut self, program: &Path, numbers: &[String]) -> Result<f64, String> {
        self.end()?;
        let root = self.directory.path();
        let failed = |error: std::io::Error| format!("founding municipalities: {error}");
        let config = root.join("fkj.toml");
        let whole = std::fs::read_to_string(&config).map_err(failed)?;
        let mut text = whole.split("[[municipalities]]").next().unwrap_or_default().to_owned();
        let register = std::fs::read_to_string(root.join(KOMMUNE).join("register.toml"));
        let register = register.map_err(failed)?;
        for number in numbers {
            text.push_str(&format!(
                "[[municipalities]]\nnumber = \"{number}\"\naudience = \"fkj:{number}\"\n\
                 directory = \"{number}\"\ntokens = \"bearer\"\n\n"
            ));
            if !root.join(number).exists() {
                std::fs::create_dir(root.join(number)).map_err(failed)?;
                let own = format!("number = \"{number}\"");
                let register = register.replacen(&format!("number = \"{KOMMUNE}\""), &own, 1);
                std::fs::write(root.join(number).join("register.toml"), register)
                    .map_err(failed)?;
            }
        }
        std::fs::write(&config, text).map_err(failed)?;
        let log = File::create(root.join("log")).map_err(failed)?;
        let begun = Instant::now();
        let process = Command::new(program)
            .args(["serve", "--config"])
            .arg(&config)
            .stderr(log)
            .spawn()
            .map_err(|error| format!("cannot start `{}`: {error}", program.display()))?;
        self.process = ready(process, self.address, self.directory.path())?;
        Ok(begun.elapsed().as_secs_f64())
    }

    fn end(&mut self) -> Result<(), String> {
        let pid = self.process.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        if !told.is_ok_and(|status| status.success()) {
            return Err("cannot stop the server".to_owned());
        }
        self.process.wait().map(drop).map_err(|error| error.to_string())
    }

    /// A token for a role, bound to a key by its thumbprint.
    pub fn bound_token(&self, role: Role, thumbprint: &str) -> Result<String, String> {
        self.issuer
            .bound_token(&asked(KOMMUNE, role), thumbprint)
            .map_err(|error| error.to_string())
    }

    /// Folder of the run.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Seconds of processor time the server has used.
    pub fn cpu(&self) -> f64 {
        cpu(&self.process.id().to_string())
    }

    /// Memory of the server in MB: the most it has had, which counts pages of the view's file that it
    /// has mapped and that the system takes back when it needs them, and what is its own now.
    pub fn memory(&self) -> Value {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let of = |name: &str| -> Option<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
            Some((kilobytes / 1024.0).round())
        };
        json!({ "peak": of("VmHWM:"), "own": of("RssAnon:") })
    }

    /// Stops it as an operator would, and says how much of the disk each entry takes and how fast the view
    /// is made anew: with `fkj view rebuild`, its start and end included.
    pub fn stop(mut self, program: &Path) -> Result<Value, String> {
        self.end()?;
        let folder = self.directory().join(KOMMUNE);
        let (ledger, view, audit) =
            (folder.join("ledger.db"), folder.join("view.db"), folder.join("audit.db"));
        let (entries, looks) = (entries(&ledger)?, entries(&audit)?);
        let live = size(&view)?;
        let begun = Instant::now();
        let rebuilt = Command::new(program)
            .args(["view", "rebuild", "--kommune", KOMMUNE, "--dir"])
            .arg(self.directory())
            .stdout(Stdio::null())
            .status();
        let seconds = begun.elapsed().as_secs_f64();
        if !rebuilt.is_ok_and(|status| status.success()) {
            return Err("the view cannot be made anew".to_owned());
        }
        Ok(json!({
            "entries": entries,
            "audit_entries": looks,
            "bytes_per_entry": {
                "ledger": size(&ledger)? / entries.max(1),
                "view": live / entries.max(1),
                "view_made_anew": size(&view)? / entries.max(1),
                "audit_entry": size(&audit)? / looks.max(1),
            },
            "rebuild": {
                "seconds": (seconds * 100.0).round() / 100.0,
                "entries_per_second": (entries as f64 / seconds).round(),
            },
        }))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone after a stop.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Waits until a server answers.
fn ready(mut process: Child, address: SocketAddr, directory: &Path) -> Result<Child, String> {
    let begun = Instant::now();
    let ready = load::request("GET", "/readyz", "", "text/plain", b"");
    while load::once(address, &ready).is_err() {
        let ended = !matches!(process.try_wait(), Ok(None));
        if ended || begun.elapsed() > START {
            drop(process.kill());
            let log = std::fs::read_to_string(directory.join("log")).unwrap_or_default();
            return Err(format!("the server does not start: {log}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(process)
}

fn asked(number: &str, role: Role) -> TokenRequest {
    TokenRequest {
        municipality: number.to_owned(),
        role,
        pid: None,
        now_s: now_ms() / 1000,
        jti: format!("bench-{}", role.key()),
    }
}

/// Seconds of processor time a process has used; `self` for this one.
pub fn cpu(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name before the last parenthesis may hold blanks; user and system time follow it.
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        after.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Size of a database that nobody has open, its write-ahead file put in.
fn size(path: &Path) -> Result<u64, String> {
    let failed = |error: &dyn std::fmt::Display| format!("`{}`: {error}", path.display());
    Connection::open(path)
        .and_then(|it| it.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
        .map_err(|error| failed(&error))?;
    std::fs::metadata(path).map(|file| file.len()).map_err(|error| failed(&error))
}

/// Entries of a ledger that nobody has open.
fn entries(path: &Path) -> Result<u64, String> {
    let last = || -> rusqlite::Result<i64> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.query_row("SELECT max(position) FROM entry", [], |row| row.get(0))
    };
    last().map(i64::unsigned_abs).map_err(|error| format!("`{}`: {error}", path.display()))
}
