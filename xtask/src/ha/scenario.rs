//! The faults, one after the other, each healed before the next.

use std::time::{Duration, Instant};

use super::cluster::{Cluster, DATA, NODES};
use super::load::Load;
use super::probe::{Probe, Probed};
use super::servers::Servers;

/// Undisturbed work before each fault and after each healing.
const CALM: Duration = Duration::from_secs(3);
/// How long a deposed primary is asked to go on: longer than another may take to be elected.
const DEPOSED: Duration = Duration::from_secs(22);
/// The longest wait for writing to go on, well beyond what is asked for, so that the time is told.
const PATIENCE: Duration = Duration::from_secs(120);
/// Acknowledgements after which writing goes on.
const SOME: usize = 20;

/// One fault, as it was played.
pub struct Fault {
    /// What happened.
    pub name: &'static str,
    /// Seconds of the load's time at which it began.
    pub from: f64,
    /// And at which all was whole again.
    pub to: f64,
    /// The server of fkj that was down itself, from and until when.
    pub down: Option<(usize, f64, f64)>,
    /// What came of writing to a deposed primary.
    pub probed: Option<Probed>,
}

/// The machines, and who works on them.
pub struct Play<'a> {
    pub cluster: &'a mut Cluster,
    pub servers: &'a Servers,
    pub load: &'a Load<'a>,
}

impl Play<'_> {
    /// All faults once.
    pub fn round(&mut self, round: u64) -> Result<Vec<Fault>, String> {
        std::thread::sleep(CALM);
        Ok(vec![
            self.lost_machine()?,
            self.cut_network(round)?,
            self.killed_server(round)?,
            self.full_disk()?,
        ])
    }

    /// The primary's machine is lost with all that runs on it, and comes back.
    fn lost_machine(&mut self) -> Result<Fault, String> {
        let leader = self.cluster.leader()?;
        let from = self.load.now();
        self.cluster.node(&leader)?.kill()?;
        self.until_written()?;
        self.cluster.boot(&leader)?;
        self.end(Fault { name: "primary's machine lost", from, to: from, down: None, probed: None })
    }

    /// The primary is cut off from all others and does not know it. Somebody beside it goes on writing to it.
    fn cut_network(&mut self, round: u64) -> Result<Fault, String> {
        let leader = self.cluster.leader()?;
        let node = self.cluster.node(&leader)?;
        let mut probe = Probe::new(node);
        let first = round * 1_000_000;
        probe.run(false, first, CALM)?;
        let from = self.load.now();
        node.cut()?;
        probe.run(true, first + 1000, DEPOSED)?;
        let probed = Some(probe.end());
        self.until_written()?;
        self.cluster.node(&leader)?.join()?;
        self.end(Fault { name: "primary's network cut", from, to: from, down: None, probed })
    }

    /// One of the servers of fkj is killed, and started again.
    fn killed_server(&mut self, round: u64) -> Result<Fault, String> {
        let server = usize::try_from(round).unwrap_or_default() % self.servers.count();
        let from = self.load.now();
        self.servers.kill(server)?;
        self.until_written()?;
        std::thread::sleep(CALM);
        self.servers.start_again(server)?;
        let down = Some((server, from, self.load.now()));
        self.end(Fault { name: "fkj killed", from, to: from, down, probed: None })
    }

    /// The disk that holds the primary's database has no room left.
    fn full_disk(&mut self) -> Result<Fault, String> {
        let leader = self.cluster.leader()?;
        let from = self.load.now();
        let node = self.cluster.node(&leader)?;
        node.fill(DATA)?;
        self.until_led_by_another(&leader)?;
        self.until_written()?;
        self.cluster.node(&leader)?.empty(DATA)?;
        self.end(Fault { name: "primary's disk full", from, to: from, down: None, probed: None })
    }

    /// All is whole again, and calm for a while.
    fn end(&self, fault: Fault) -> Result<Fault, String> {
        let failed = |error: String| format!("{}: {error}", fault.name);
        self.cluster.wait_until_whole().map_err(failed)?;
        let to = self.load.now();
        std::thread::sleep(CALM);
        eprintln!("{}: whole after {:.1} s", fault.name, to - fault.from);
        Ok(Fault { to, ..fault })
    }

    /// Waits until events are acknowledged again.
    fn until_written(&self) -> Result<(), String> {
        let (begun, before) = (Instant::now(), self.load.acknowledged());
        while self.load.acknowledged() < before + SOME {
            if begun.elapsed() > PATIENCE {
                return Err(format!("nothing was acknowledged for {} s", PATIENCE.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn until_led_by_another(&self, before: &str) -> Result<(), String> {
        let begun = Instant::now();
        while self.cluster.leader()? == before {
            if begun.elapsed() > PATIENCE {
                return Err(format!("`{before}` leads with a full disk, of {}", NODES.len()));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}
