//! The same bytes into bare PostgreSQL: one table with key and body, by `COPY`, the fastest that it takes
//! anything, each `COPY` a transaction that is on disk when it ends (`fsync` and `synchronous_commit` on).
//!
//! A server of the system's package, in a folder of its own, without a standby.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Where Debian has each version's programs.
const PROGRAMS: &str = "/usr/lib/postgresql";

/// Copies the resources, so many in a transaction, and gives resources a second; nothing, and a word about it,
/// where PostgreSQL is not installed. What is made is in a folder under `base`.
pub fn copies(base: &Path, resources: &[String], batch: usize) -> Result<Option<f64>, String> {
    let Some(programs) = programs() else {
        eprintln!("skipped: bare PostgreSQL, which is not installed");
        return Ok(None);
    };
    let bare = Bare::start(programs, base)?;
    let statements = bare.dir.path().join("copy.sql");
    write(&statements, resources, batch).map_err(|error| error.to_string())?;
    bare.psql(&["-c", "CREATE TABLE resource (key text PRIMARY KEY, body text NOT NULL)"])?;
    let begun = Instant::now();
    bare.psql(&["-f", &statements.display().to_string()])?;
    let seconds = begun.elapsed().as_secs_f64();
    let there = bare.psql(&["-c", "SELECT count(*) FROM resource"])?;
    if there.trim() != resources.len().to_string() {
        return Err(format!("bare PostgreSQL has {} resources", there.trim()));
    }
    Ok(Some(resources.len() as f64 / seconds))
}

/// What `psql` is to run: the text form of `COPY`, in which a backslash escapes.
fn write(path: &Path, resources: &[String], batch: usize) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let keyed: Vec<(usize, &String)> = resources.iter().enumerate().collect();
    for batch in keyed.chunks(batch.max(1)) {
        writeln!(out, "COPY resource FROM STDIN;")?;
        for (i, body) in batch {
            let body = body.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t");
            writeln!(out, "Observation:{i:032x}\t{body}")?;
        }
        writeln!(out, "\\.")?;
    }
    out.flush()
}

/// The newest version's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(PROGRAMS).ok()?.filter_map(Result::ok).map(|it| it.path());
    let number = |path: &PathBuf| -> Option<u32> { path.file_name()?.to_str()?.parse().ok() };
    let newest = versions.filter(|it| it.join("bin/initdb").exists()).max_by_key(number)?;
    Some(newest.join("bin"))
}

/// A server with a socket in its own folder. It stops when it is dropped.
struct Bare {
    programs: PathBuf,
    dir: tempfile::TempDir,
}

impl Bare {
    fn start(programs: PathBuf, base: &Path) -> Result<Self, String> {
        let dir = tempfile::tempdir_in(base).map_err(|error| error.to_string())?;
        let bare = Self { programs, dir };
        if Self::is_roots()? {
            let owner = Command::new("id").args(["-u", "postgres"]).output();
            let owner = String::from_utf8(owner.map_err(|error| error.to_string())?.stdout);
            let owner = owner.ok().and_then(|it| it.trim().parse().ok());
            let owner = owner.ok_or("there is no user `postgres`, and PostgreSQL refuses root")?;
            chown(bare.dir.path(), Some(owner), None).map_err(|error| error.to_string())?;
        }
        let (data, log) = (bare.path("data"), bare.path("log"));
        bare.run("initdb", &["-A", "trust", "-U", "fkj", "-E", "UTF8", "-D", &data])?;
        let folder = bare.dir.path().display();
        let settings = format!("-c listen_addresses='' -c unix_socket_directories='{folder}'");
        bare.run("pg_ctl", &["start", "-w", "-D", &data, "-l", &log, "-o", &settings])?;
        Ok(bare)
    }

    /// Whether this is run by root, whom the server refuses.
    fn is_roots() -> Result<bool, String> {
        Ok(std::fs::metadata("/proc/self").map_err(|error| error.to_string())?.uid() == 0)
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn psql(&self, further: &[&str]) -> Result<String, String> {
        let folder = self.dir.path().display().to_string();
        let place =
            ["-h", &folder, "-U", "fkj", "-d", "postgres", "-qAtX", "-v", "ON_ERROR_STOP=1"];
        self.run("psql", &[&place[..], further].concat())
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let path = self.programs.join(program);
        let mut command = match program != "psql" && Self::is_roots()? {
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]);
                command.arg(&path);
                command
            }
            false => Command::new(&path),
        };
        // `pg_ctl` hands its standard output on to the server, which would keep a pipe open.
        let out = self.dir.path().join(format!("{program}.out"));
        let file = File::create(&out).map_err(|error| error.to_string())?;
        let errors = file.try_clone().map_err(|error| error.to_string())?;
        command.args(arguments).current_dir("/").stdin(Stdio::null()).stdout(file).stderr(errors);
        let ended = command.status().map_err(|error| format!("{program}: {error}"))?;
        let told = std::fs::read_to_string(&out).map_err(|error| error.to_string())?;
        match ended.success() {
            true => Ok(told),
            false => Err(format!("{program}: {told}")),
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let stopped = self.run("pg_ctl", &["stop", "-m", "fast", "-w", "-D", &self.path("data")]);
        if let Err(error) = stopped {
            eprintln!("the bare PostgreSQL did not end: {error}");
        }
    }
}
