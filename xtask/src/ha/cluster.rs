//! Three machines with etcd, Patroni and PostgreSQL each, with the settings that `docs/operation.md` advises.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::world::{Machine, World, finish, run};

/// Their names.
pub const NODES: [&str; 3] = ["n1", "n2", "n3"];
/// The folder, on a disk of its own, that holds a node's database.
pub const DATA: &str = "data";
/// The longest that the cluster may take to be whole.
const WHOLE: Duration = Duration::from_secs(90);
/// Where Debian has PostgreSQL's programs.
const PROGRAMS: &str = "/usr/lib/postgresql";
/// Hands the leadership on where the disk is full.
const DISK_GUARD: &str = include_str!("disk-guard.sh");

/// The three nodes.
pub struct Cluster {
    nodes: Vec<Machine>,
    programs: PathBuf,
}

impl Cluster {
    /// Starts a new one, and waits until it is whole and has the database `fkj`.
    pub fn start(world: &World) -> Result<Self, String> {
        let mut nodes = Vec::new();
        for (number, name) in (11..).zip(NODES) {
            // etcd sets 128 MB aside for its log.
            let machine = world.machine(name, number, 300)?;
            machine.mount(DATA, 256)?;
            nodes.push(machine);
        }
        let mut cluster = Self { nodes, programs: programs()? };
        cluster.certify()?;
        for node in NODES {
            cluster.configure(node)?;
            cluster.boot(node)?;
        }
        cluster.wait_until_whole()?;
        cluster.sql("postgres", "CREATE ROLE fkj LOGIN")?;
        cluster.sql("postgres", "CREATE DATABASE fkj OWNER fkj")?;
        Ok(cluster)
    }

    /// How servers of fkj name it.
    pub fn url(&self) -> String {
        let hosts: Vec<&str> = self.nodes.iter().map(|node| node.address.as_str()).collect();
        format!("postgres://fkj@{}/fkj", hosts.join(","))
    }

    /// The certificate that its nodes show, as PEM.
    pub fn certificate(&self) -> PathBuf {
        PathBuf::from("/srv/certificate.pem")
    }

    /// A node.
    pub fn node(&mut self, name: &str) -> Result<&mut Machine, String> {
        self.nodes.iter_mut().find(|node| node.name == name).ok_or_else(|| format!("no `{name}`"))
    }

    /// One certificate for all, and its own authority.
    fn certify(&self) -> Result<(), String> {
        let names: Vec<String> =
            self.nodes.iter().map(|node| format!("IP:{}", node.address)).collect();
        let names = format!("subjectAltName={}", names.join(","));
        let certificate = self.certificate().display().to_string();
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        command.args(["-nodes", "-subj", "/CN=fkj", "-days", "2", "-addext", &names]);
        command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        command.args(["-keyout", "/srv/key.pem", "-out", &certificate]);
        finish(&mut command)?;
        run("chmod", &["755", "/srv"])?;
        for node in &self.nodes {
            let disk = node.disk.display().to_string();
            run("install", &["-o", "postgres", "-m", "600", "/srv/key.pem", &disk])?;
            run("install", &["-o", "postgres", "-m", "644", &certificate, &disk])?;
        }
        Ok(())
    }

    /// Writes a node's configuration.
    fn configure(&self, name: &str) -> Result<(), String> {
        let node = self.nodes.iter().find(|node| node.name == name).ok_or("no such node")?;
        let disk = node.disk.display();
        let etcds: Vec<String> =
            self.nodes.iter().map(|node| format!("{}:2379", node.address)).collect();
        let text = include_str!("patroni.yml")
            .replace("{name}", name)
            .replace("{address}", &node.address)
            .replace("{etcds}", &etcds.join(","))
            .replace("{programs}", &self.programs.display().to_string())
            .replace("{disk}", &disk.to_string());
        let write = |file: &str, text: &str| {
            std::fs::write(node.disk.join(file), text).map_err(|error| error.to_string())
        };
        write("patroni.yml", &text)?;
        write("disk-guard.sh", DISK_GUARD)?;
        run("chown", &["-R", "postgres:", &disk.to_string()]).map(drop)
    }

    /// Starts everything on a node, as a machine does that was switched on.
    pub fn boot(&mut self, name: &str) -> Result<(), String> {
        let peers: Vec<String> = self
            .nodes
            .iter()
            .map(|node| format!("{}=http://{}:2380", node.name, node.address))
            .collect();
        let node = self.node(name)?;
        let (at, disk) = (node.address.clone(), node.disk.clone());
        let (client, peer) = (format!("http://{at}:2379"), format!("http://{at}:2380"));
        let mut etcd = node.service("etcd");
        etcd.args(["--name", name, "--data-dir"]).arg(disk.join("etcd"));
        etcd.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
        etcd.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
        etcd.args(["--initial-cluster", &peers.join(","), "--enable-v2"]);
        node.start("etcd", &mut etcd)?;
        let configuration = disk.join("patroni.yml");
        let mut patroni = node.service("patroni");
        patroni.arg(&configuration);
        node.start("patroni", &mut patroni)?;
        let mut guard = node.service("sh");
        guard.arg(disk.join("disk-guard.sh")).arg(name).arg(configuration);
        guard.arg(disk.join(DATA)).arg("16");
        node.start("disk-guard", &mut guard)
    }

    /// The node that holds the lease and takes writes.
    pub fn leader(&self) -> Result<String, String> {
        let patience = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(1)));
        let agent = patience.build().new_agent();
        let leads = |node: &&Machine| {
            agent.get(format!("http://{}:8008/primary", node.address)).call().is_ok()
        };
        let begun = Instant::now();
        loop {
            if let Some(node) = self.nodes.iter().find(leads) {
                return Ok(node.name.clone());
            }
            if begun.elapsed() > WHOLE {
                return Err("no node leads the cluster".to_owned());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until one node leads and both others follow it, one of them synchronously.
    pub fn wait_until_whole(&self) -> Result<(), String> {
        let followed = "SELECT count(*) FILTER (WHERE state = 'streaming'),
            count(*) FILTER (WHERE state = 'streaming' AND sync_state = 'sync')
            FROM pg_stat_replication WHERE application_name IN ('n1', 'n2', 'n3')";
        let begun = Instant::now();
        loop {
            let told = self.sql("postgres", followed);
            if told.as_ref().is_ok_and(|it| it.trim() == "2|1") {
                return Ok(());
            }
            if begun.elapsed() > WHOLE {
                return Err(format!("the cluster does not get whole: {told:?}"));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Runs a statement at whoever leads, as the superuser.
    pub fn sql(&self, database: &str, statement: &str) -> Result<String, String> {
        let url = self.leading("postgres", database);
        let mut command = Command::new("psql");
        command.env("PGPASSWORD", "postgres").env("PGCONNECT_TIMEOUT", "3");
        finish(command.args([&url, "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statement]))
    }

    /// Moves a municipality to another database as `docs/operation.md` tells an operator to.
    pub fn copy_municipality(&self, number: &str, to: &str) -> Result<(), String> {
        self.sql("postgres", &format!("CREATE DATABASE {to} OWNER fkj"))?;
        let copy = "pg_dump --no-owner --schema=\"fkj_$1_*\" \"$2\" \
            | psql -qX -v ON_ERROR_STOP=1 --single-transaction \"$3\"";
        let (from, to) = (self.leading("fkj", "fkj"), self.leading("fkj", to));
        run("bash", &["-o", "pipefail", "-c", copy, "bash", number, &from, &to]).map(drop)
    }

    /// The address of a database at whoever leads.
    fn leading(&self, user: &str, database: &str) -> String {
        let hosts: Vec<&str> = self.nodes.iter().map(|node| node.address.as_str()).collect();
        let hosts = hosts.join(",");
        format!("postgres://{user}@{hosts}/{database}?target_session_attrs=read-write")
    }
}

/// The newest version's programs.
fn programs() -> Result<PathBuf, String> {
    let missing = || "PostgreSQL is not installed".to_owned();
    let versions = std::fs::read_dir(PROGRAMS).map_err(|_| missing())?;
    let number = |path: &PathBuf| -> Option<u32> { path.file_name()?.to_str()?.parse().ok() };
    let paths = versions.filter_map(|it| it.ok().map(|it| it.path()));
    let newest = paths.filter(|it| it.join("bin/initdb").exists()).max_by_key(number);
    newest.map(|it| it.join("bin")).ok_or_else(missing)
}
