//! `cargo xtask test`: every test there is. What cannot run here says so. `cargo xtask long`: the
//! same properties with many more cases, and the server killed again and again.

use std::path::Path;
use std::process::Command;

/// Runs the Rust tests, then the browser tests where Node and Chromium are installed.
pub fn run() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no workspace")?;
    step(Command::new(env!("CARGO")).args(["test", "--workspace"]).current_dir(root))?;
    let missing: Vec<&str> =
        ["node", "npm", "chromium"].into_iter().filter(|name| !is_installed(name)).collect();
    if !missing.is_empty() {
        println!(
            "skipped: the browser tests, since {} is not installed; \
             `apt-get install -y nodejs npm chromium`",
            missing.join(" and ")
        );
        return Ok(());
    }
    let browser = root.join("tests/browser");
    step(Command::new(env!("CARGO")).args(["build", "--package", "server"]).current_dir(root))?;
    step(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&browser))?;
    step(Command::new("npm").arg("test").current_dir(&browser))
}

/// Cases of each property that does not say its own number.
const LONG_CASES: &str = "5000";

/// How often the long run repeats what starts from new random numbers, or kills at new moments.
const LONG_REPEATS: usize = 20;

/// The long forms: properties with many cases, and many kills at chance moments.
pub fn long() -> Result<(), String> {
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.arg("test").args(arguments);
        // Cases that an assumption throws away grow with the cases.
        command.env("PROPTEST_CASES", LONG_CASES).env("PROPTEST_MAX_GLOBAL_REJECTS", "1000000");
        command
    };
    for package in ["fhir", "record", "access", "sandbox"] {
        step(&mut cargo(&["--package", package]))?;
    }
    for _ in 0..LONG_REPEATS {
        step(&mut cargo(&["--package", "ledger", "--test", "suite"]))?;
        step(&mut cargo(&["--package", "view", "--test", "suite"]))?;
        step(&mut cargo(&["--package", "exchange", "--test", "suite"]))?;
        step(&mut cargo(&["--package", "server", "--test", "durability"]))?;
    }
    Ok(())
}

fn is_installed(name: &str) -> bool {
    Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
}

fn step(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed")) }
}
