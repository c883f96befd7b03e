//! A small network of machines inside this one: a process, mount and network namespace of the run's own, and
//! in it a network namespace for each machine, joined by a bridge.
//!
//! Invariants: nothing of it is seen from outside, and no packet leaves it. When the run ends, however it ends,
//! the system ends every process in it, and with the last one its networks and disks are gone.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The machines' disks, in the run's own mount namespace.
const DISKS: &str = "/srv";

/// Runs this program again with these arguments inside a new world, and waits for it.
pub fn enter(arguments: &[&str]) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "--"]);
    // The first process of a world has to wait for orphans, which a shell does.
    command.args(["sh", "-c", "\"$@\"; exit $?", "sh"]).arg(program).args(arguments);
    // In a group of its own, so that Ctrl-C ends this process only; what is inside sees its input end.
    command.stdin(Stdio::piped()).process_group(0);
    let mut inside = command.spawn().map_err(|error| format!("cannot run unshare: {error}"))?;
    let held = inside.stdin.take();
    let status = inside.wait().map_err(|error| error.to_string())?;
    drop(held);
    match status.success() {
        true => Ok(()),
        false => Err("the run failed; its logs are in target/ha".to_owned()),
    }
}

/// Where the machines stand.
pub struct World {
    logs: PathBuf,
}

impl World {
    /// Sets up what is common to all machines. Ends the process when its input ends.
    pub fn prepare(logs: PathBuf) -> Result<Self, String> {
        std::thread::spawn(|| {
            drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
            std::process::exit(130);
        });
        drop(std::fs::remove_dir_all(&logs));
        std::fs::create_dir_all(&logs).map_err(|error| error.to_string())?;
        // The system's tools keep names of networks in `/run`.
        for place in ["/run", DISKS] {
            run("mount", &["-t", "tmpfs", "-o", "size=64m", "none", place])?;
        }
        run("ip", &["link", "set", "lo", "up"])?;
        run("ip", &["link", "add", "hub", "type", "bridge"])?;
        run("ip", &["address", "add", "10.77.0.1/24", "dev", "hub"])?;
        run("ip", &["link", "set", "hub", "up"])?;
        Ok(Self { logs })
    }

    /// Adds a machine with a disk of so many megabytes, which the user `postgres` may write to.
    pub fn machine(&self, name: &str, number: u8, megabytes: u32) -> Result<Machine, String> {
        let address = format!("10.77.0.{number}");
        run("ip", &["netns", "add", name])?;
        let cable = ["link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name];
        run("ip", &cable)?;
        run("ip", &["link", "set", name, "master", "hub", "up"])?;
        run("ip", &["-n", name, "link", "set", "lo", "up"])?;
        run("ip", &["-n", name, "address", "add", &format!("{address}/24"), "dev", "eth0"])?;
        run("ip", &["-n", name, "link", "set", "eth0", "up"])?;
        let machine = Machine {
            name: name.to_owned(),
            address,
            disk: Path::new(DISKS).join(name),
            log: self.logs.clone(),
            processes: Vec::new(),
        };
        machine.mount("", megabytes)?;
        Ok(machine)
    }
}

/// One machine: its own network, its own disk.
pub struct Machine {
    /// What it is called.
    pub name: String,
    /// Where it is reached.
    pub address: String,
    /// The folder that is its disk.
    pub disk: PathBuf,
    log: PathBuf,
    processes: Vec<Child>,
}

impl Machine {
    /// A further disk, in a folder of the first.
    pub fn mount(&self, folder: &str, megabytes: u32) -> Result<PathBuf, String> {
        let place = self.disk.join(folder);
        std::fs::create_dir_all(&place).map_err(|error| error.to_string())?;
        let path = place.display().to_string();
        run("mount", &["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "none", &path])?;
        run("chown", &["postgres:", &path])?;
        run("chmod", &["700", &path])?;
        Ok(place)
    }

    /// A program on it.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.name)).arg(program);
        command.current_dir("/").env("HOME", &self.disk).stdin(Stdio::null());
        command
    }

    /// A program on it, as the user `postgres`: PostgreSQL does not run as root.
    pub fn service(&self, program: &str) -> Command {
        let mut command = self.command(Path::new("setpriv"));
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", program]);
        command
    }

    /// Starts a service on it, which writes to a log of this name.
    pub fn start(&mut self, log: &str, command: &mut Command) -> Result<(), String> {
        let path = self.log.join(format!("{}-{log}.log", self.name));
        let log = File::options().create(true).append(true).open(path);
        let log = log.map_err(|error| error.to_string())?;
        let copy = log.try_clone().map_err(|error| error.to_string())?;
        let child = command.stdout(copy).stderr(log).spawn();
        self.processes.push(child.map_err(|error| format!("{command:?}: {error}"))?);
        Ok(())
    }

    /// The machine is lost: everything on it ends at once, without warning.
    pub fn kill(&mut self) -> Result<(), String> {
        loop {
            let pids = run("ip", &["netns", "pids", &self.name])?;
            let pids: Vec<&str> = pids.split_whitespace().collect();
            if pids.is_empty() {
                break;
            }
            // One that has ended of itself meanwhile is none.
            drop(Command::new("kill").arg("-9").args(&pids).stderr(Stdio::null()).status());
            for process in &mut self.processes {
                drop(process.try_wait());
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        for mut process in self.processes.drain(..) {
            drop(process.wait());
        }
        Ok(())
    }

    /// Every packet to and from it is lost, and nobody is told.
    pub fn cut(&self) -> Result<(), String> {
        run("ip", &["link", "set", &self.name, "nomaster"]).map(drop)
    }

    /// The network is there again.
    pub fn join(&self) -> Result<(), String> {
        run("ip", &["link", "set", &self.name, "master", "hub"]).map(drop)
    }

    /// Takes all the room there is on a disk of the machine.
    pub fn fill(&self, folder: &str) -> Result<(), String> {
        let path = self.disk.join(folder).join("filling");
        let mut file = File::create(path).map_err(|error| error.to_string())?;
        let block = vec![0_u8; 64 << 10];
        // Less and less at a time, until not one byte fits.
        let mut size = block.len();
        while size > 0 {
            if file.write_all(block.get(..size).unwrap_or_default()).is_err() {
                size /= 2;
            }
        }
        Ok(())
    }

    /// Makes room again.
    pub fn empty(&self, folder: &str) -> Result<(), String> {
        std::fs::remove_file(self.disk.join(folder).join("filling")).map_err(|it| it.to_string())
    }
}

/// Runs a program to its end; what it said.
pub fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    finish(Command::new(program).args(arguments))
}

/// Runs a command to its end; what it said.
pub fn finish(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} failed: {}", said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
