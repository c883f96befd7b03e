//! Somebody beside a node who goes on writing to it alone, whatever the rest of the cluster thinks of it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::world::Machine;

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(400);

/// Attempts to write to one node, by its own loopback address.
pub struct Probe {
    program: Vec<String>,
    attempts: Vec<Attempt>,
}

struct Attempt {
    number: u64,
    /// Whether the node was cut off when it was sent.
    cut: bool,
    child: Option<Child>,
    acknowledged: bool,
}

/// What came of the attempts.
pub struct Probed {
    /// Sent while the node was cut off.
    pub tried: usize,
    /// Of those, acknowledged: none may be.
    pub acknowledged: Vec<u64>,
    /// Acknowledged before: those have to be there for ever.
    pub before: Vec<u64>,
}

impl Probe {
    /// Of a node of the cluster, whose database has the table `probe`.
    pub fn new(node: &Machine) -> Self {
        let psql = node.service("psql");
        let words = std::iter::once(psql.get_program()).chain(psql.get_args());
        let program = words.map(|word| word.to_string_lossy().into_owned()).collect();
        Self { program, attempts: Vec::new() }
    }

    /// Tries again and again, for so long.
    pub fn run(&mut self, cut: bool, first: u64, time: Duration) -> Result<(), String> {
        let begun = Instant::now();
        for number in first.. {
            if begun.elapsed() > time {
                break;
            }
            let (program, rest) = self.program.split_first().ok_or("no program")?;
            let statement = format!("INSERT INTO probe VALUES ({number})");
            let child = Command::new(program)
                .args(rest)
                .args(["-h", "127.0.0.1", "-U", "postgres", "-d", "fkj", "-qX", "-c", &statement])
                .current_dir(PathBuf::from("/"))
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .map_err(|error| error.to_string())?;
            let child = Some(child);
            self.attempts.push(Attempt { number, cut, child, acknowledged: false });
            std::thread::sleep(PAUSE);
            self.look();
        }
        Ok(())
    }

    /// Sees which attempts were answered.
    fn look(&mut self) {
        for attempt in &mut self.attempts {
            if let Some(child) = &mut attempt.child
                && let Ok(Some(status)) = child.try_wait()
            {
                attempt.acknowledged = status.success();
                attempt.child = None;
            }
        }
    }

    /// Ends what still waits.
    pub fn end(mut self) -> Probed {
        self.look();
        for attempt in &mut self.attempts {
            if let Some(child) = &mut attempt.child {
                drop(child.kill());
                drop(child.wait());
            }
        }
        let of = |cut: bool| {
            let those = self.attempts.iter().filter(move |it| it.cut == cut && it.acknowledged);
            those.map(|it| it.number).collect()
        };
        let tried = self.attempts.iter().filter(|it| it.cut).count();
        Probed { tried, acknowledged: of(true), before: of(false) }
    }
}
