//! Three servers of fkj, each on a machine of its own with its own folder, which share one municipality's ledger.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sandbox::claims::{Role, TokenRequest};
use sandbox::issuer::Issuer;

use super::cluster::Cluster;
use super::world::{Machine, World, finish, run};
use crate::bench::server::{KOMMUNE, now_ms};

/// Their names.
// Its disk is of memory and grows as it is filled; a server wants a quarter of a gigabyte free.
const NAMES: [&str; 3] = ["s1", "s2", "s3"];
/// The longest that one may take to start.
const START: Duration = Duration::from_secs(60);
/// What a new folder of a server has of the municipality; the rest is the server's own.
const CONFIGURED: [&str; 2] = ["register.toml", "municipality.key"];

/// The servers.
pub struct Servers {
    machines: Vec<Mutex<Machine>>,
    program: PathBuf,
    issuer: Issuer,
    tokens: AtomicU64,
}

impl Servers {
    /// Starts them on the cluster, and waits until they are ready.
    pub fn start(world: &World, cluster: &Cluster, program: PathBuf) -> Result<Self, String> {
        let home = world.machine("home", 20, 1024)?;
        let folder = configured(&home, &program, cluster)?;
        let issuer =
            Issuer::open(&folder.join("sandbox")).map_err(|error| format!("no issuer: {error}"))?;
        let mut machines = Vec::new();
        for (number, name) in (21..).zip(NAMES) {
            let machine = world.machine(name, number, 1024)?;
            copy(&folder, &machine)?;
            machines.push(Mutex::new(machine));
        }
        let tokens = AtomicU64::new(0);
        let servers = Self { machines, program, issuer, tokens };
        for server in 0..servers.count() {
            servers.start_again(server)?;
        }
        Ok(servers)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.machines.len()
    }

    /// Where a server answers.
    pub fn address(&self, server: usize) -> Result<String, String> {
        self.with(server, |machine| Ok(format!("http://{}:8080", machine.address)))
    }

    /// A token for a role, good for some minutes.
    pub fn token(&self, role: &str) -> Result<String, String> {
        let number = self.tokens.fetch_add(1, Ordering::Relaxed);
        let asked = TokenRequest {
            municipality: KOMMUNE.to_owned(),
            role: Role::from_key(role).ok_or("no such role")?,
            pid: None,
            now_s: now_ms() / 1000,
            jti: format!("ha-{number}"),
        };
        self.issuer.token(&asked).map_err(|error| error.to_string())
    }

    /// Ends a server without warning.
    pub fn kill(&self, server: usize) -> Result<(), String> {
        self.with(server, Machine::kill)
    }

    /// Starts a server on its folder, and waits until it is ready.
    pub fn start_again(&self, server: usize) -> Result<(), String> {
        self.with(server, |machine| {
            let mut command = machine.command(&self.program);
            command.args(["serve", "--config"]).arg(machine.disk.join("fkj.toml"));
            machine.start("fkj", &mut command)
        })?;
        ready(&self.address(server)?)
    }

    /// Ends all servers.
    pub fn end(&self) -> Result<(), String> {
        (0..self.count()).try_for_each(|server| self.kill(server))
    }

    /// Recomputes every hash and signature of the municipality, with all servers ended; what it said.
    pub fn verify(&self) -> Result<String, String> {
        self.with(0, |machine| {
            let mut command = machine.command(&self.program);
            command.args(["ledger", "verify", "--kommune", KOMMUNE, "--dir"]);
            finish(command.arg(&machine.disk))
        })
    }

    /// Lets the first server's configuration name another database.
    pub fn name_database(&self, before: &str, after: &str) -> Result<(), String> {
        self.with(0, |machine| {
            let path = machine.disk.join("fkj.toml");
            let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
            std::fs::write(path, text.replace(before, after)).map_err(|error| error.to_string())
        })
    }

    fn with<T>(
        &self,
        server: usize,
        work: impl FnOnce(&mut Machine) -> Result<T, String>,
    ) -> Result<T, String> {
        let machine = self.machines.get(server).ok_or("no such server")?;
        work(&mut machine.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Makes a demo's folder, and lets its configuration name the cluster.
fn configured(home: &Machine, program: &Path, cluster: &Cluster) -> Result<PathBuf, String> {
    let folder = home.disk.join("configured");
    let mut demo = Command::new(program);
    demo.args(["demo", "--live", "0", "--patients", "0", "--listen", "127.0.0.1:8080", "--dir"]);
    let mut demo = demo.arg(&folder).spawn().map_err(|error| format!("cannot run fkj: {error}"))?;
    let made = ready("http://127.0.0.1:8080");
    drop(demo.kill());
    drop(demo.wait());
    made?;
    let path = folder.join("fkj.toml");
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let listens = |line: &&str| line.starts_with("listen") || line.starts_with("public_url");
    let rest: Vec<&str> = text.lines().filter(|line| !listens(line)).collect();
    let text = format!(
        "listen = \"0.0.0.0:8080\"\npublic_url = \"http://fkj.example\"\n{}\n[ledger]\nurl = \"{}\"\nroots = \"{}\"\n",
        rest.join("\n"),
        cluster.url(),
        cluster.certificate().display(),
    );
    std::fs::write(path, text).map_err(|error| error.to_string())?;
    Ok(folder)
}

/// Gives a machine what a new server is set up with.
fn copy(folder: &Path, machine: &Machine) -> Result<(), String> {
    let (from, to) = (folder.display().to_string(), machine.disk.display().to_string());
    run("cp", &["-r", &format!("{from}/."), &to])?;
    for number in ["9901", "9902"] {
        let inside = std::fs::read_dir(machine.disk.join(number)).map_err(|it| it.to_string())?;
        for entry in inside.filter_map(Result::ok) {
            if !CONFIGURED.iter().any(|name| entry.file_name() == *name) {
                run("rm", &["-r", &entry.path().display().to_string()])?;
            }
        }
    }
    Ok(())
}

fn ready(address: &str) -> Result<(), String> {
    let patience = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(2)));
    let agent = patience.build().new_agent();
    let begun = Instant::now();
    while let Err(error) = agent.get(format!("{address}/readyz")).call() {
        if begun.elapsed() > START {
            return Err(format!("the server at {address} does not get ready: {error}"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
