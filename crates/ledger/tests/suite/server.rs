//! A real PostgreSQL server of the system's package, for as long as a test needs it.

use parking_lot::Mutex;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Weak};
use tempfile::{TempDir, tempdir};

/// Where Debian has each version's programs.
const PROGRAMS: &str = "/usr/lib/postgresql";

/// A running server with a socket in its own folder. It stops when it is dropped.
pub struct Server {
    programs: PathBuf,
    dir: TempDir,
}

impl Server {
    /// The one that other tests use at the same time, or a new one. Nothing, and a word about it, where
    /// PostgreSQL is not installed.
    pub fn shared() -> Option<Arc<Self>> {
        static RUNNING: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock();
        if let Some(server) = running.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Self::start()?);
        *running = Arc::downgrade(&server);
        Some(server)
    }

    /// A server of the test's own.
    pub fn start() -> Option<Self> {
        let server = Self::empty()?;
        let data = server.data();
        server.run("initdb", &["-A", "trust", "-U", "fkj", "-E", "UTF8", "-D", &data]);
        server.go();
        Some(server)
    }

    /// Another server that repeats all that this one writes.
    pub fn standby(&self) -> Self {
        let standby = Self::empty().unwrap();
        let (socket, data) = (self.folder(), standby.data());
        standby
            .run("pg_basebackup", &["-h", &socket, "-U", "fkj", "-R", "-c", "fast", "-D", &data]);
        standby.go();
        standby
    }

    /// Makes a standby the server that takes what is written.
    pub fn promote(&self) {
        self.run("pg_ctl", &["promote", "-w", "-D", &self.data()]);
    }

    /// Sets how commits wait for standbys.
    pub fn wait_for(&self, standbys: &str) {
        self.sql("postgres", &format!("ALTER SYSTEM SET synchronous_standby_names = '{standbys}'"));
        self.sql("postgres", "SELECT pg_reload_conf()");
    }

    fn empty() -> Option<Self> {
        let Some(programs) = programs() else {
            // Not captured, as what is printed in a test that passes.
            std::io::stderr().write_all(b"skipped: postgresql is not installed\n").unwrap();
            return None;
        };
        let dir = tempdir().unwrap();
        if is_root() {
            let owner = Command::new("id").args(["-u", "postgres"]).output().unwrap().stdout;
            let owner = String::from_utf8(owner).unwrap().trim().parse().unwrap();
            chown(dir.path(), Some(owner), None).unwrap();
        }
        Some(Self { programs, dir })
    }

    /// Where its socket is.
    pub fn folder(&self) -> String {
        self.dir.path().display().to_string()
    }

    /// Starts it, also again.
    pub fn go(&self) {
        self.go_with("-c listen_addresses=''");
    }

    /// Ends it, and lets it also listen at a port of this machine, with a certificate of its own for
    /// `localhost`; answers that as PEM.
    pub fn listen(&self, port: u16) -> Vec<u8> {
        self.crash();
        let (key, certificate) =
            (self.dir.path().join("data/key"), self.dir.path().join("data/cert"));
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
            ])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-days", "2", "-keyout"])
            .args([&key, Path::new("-out"), &certificate])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let owner = std::fs::metadata(self.dir.path()).unwrap().uid();
        chown(&key, Some(owner), None).unwrap();
        self.go_with(&format!(
            "-c listen_addresses=localhost -p {port} -c ssl=on -c ssl_key_file=key -c ssl_cert_file=cert"
        ));
        std::fs::read(certificate).unwrap()
    }

    fn go_with(&self, more: &str) {
        let settings = format!(
            "{more} -c fsync=on -c unix_socket_directories='{}'",
            self.dir.path().display()
        );
        let log = self.dir.path().join("log").display().to_string();
        self.run("pg_ctl", &["start", "-w", "-D", &self.data(), "-l", &log, "-o", &settings]);
    }

    /// Ends it as a crash does: nothing is written any more.
    pub fn crash(&self) {
        self.run("pg_ctl", &["stop", "-m", "immediate", "-w", "-D", &self.data()]);
    }

    /// The address of a database.
    pub fn address(&self, database: &str) -> String {
        format!("host={} user=fkj dbname={database}", self.dir.path().display())
    }

    /// Runs statements in a database.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        self.sql_at(5432, database, statements)
    }

    /// As [`Server::sql`], where it listens at a port.
    pub fn sql_at(&self, port: u16, database: &str, statements: &str) -> String {
        let (socket, port) = (self.dir.path().display().to_string(), port.to_string());
        let args = [
            "-h",
            &socket,
            "-p",
            &port,
            "-U",
            "fkj",
            "-d",
            database,
            "-qAtX",
            "-v",
            "ON_ERROR_STOP=1",
        ];
        self.run("psql", &[&args[..], &["-c", statements]].concat())
    }

    fn data(&self) -> String {
        self.dir.path().join("data").display().to_string()
    }

    /// Runs one of its programs, as the system's user where this is root, whom the server refuses.
    fn run(&self, program: &str, args: &[&str]) -> String {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]);
            command.arg(&program);
            command
        } else {
            Command::new(&program)
        };
        // `pg_ctl` hands its standard output on to the server, which would keep a pipe open.
        let out = self.dir.path().join(format!("out-{}", std::process::id()));
        let file = std::fs::File::create(&out).unwrap();
        let done = command
            .args(args)
            .current_dir("/")
            .stdin(std::process::Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .status()
            .unwrap();
        let told = std::fs::read_to_string(&out).unwrap();
        assert!(done.success(), "{}: {told}", program.display());
        told
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.dir.path().join("data/postmaster.pid").exists() {
            self.crash();
        }
    }
}

/// The newest version's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(PROGRAMS).ok()?;
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| {
            let path = version.ok()?.path();
            let number = path.file_name()?.to_str()?.parse().ok()?;
            Some((number, path.join("bin")))
        })
        .filter(|(_, programs)| programs.join("initdb").exists())
        .collect();
    versions.sort();
    versions.pop().map(|(_, programs)| programs)
}

fn is_root() -> bool {
    std::fs::metadata(Path::new("/proc/self")).is_ok_and(|it| it.uid() == 0)
}
