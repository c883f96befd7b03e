//! `cargo xtask test`: every test there is. What cannot run here says so. `cargo xtask long`: the
//! same properties with many more cases, and the server killed again and again.

use std::path::Path;
use std::process::Command;

/// Runs the Rust tests, then the browser's and the FHIR clients' where what they need is installed.
pub fn run() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no workspace")?;
    published(root);
    step(Command::new(env!("CARGO")).args(["test", "--workspace"]).current_dir(root))?;
    let missing: Vec<&str> =
        ["node", "npm", "chromium"].into_iter().filter(|name| !is_installed(name)).collect();
    if !missing.is_empty() {
        println!(
            "skipped: the tests of browser and clients, since {} is not installed; \
             `apt-get install -y nodejs npm chromium`",
            missing.join(" and ")
        );
        return Ok(());
    }
    // The tests of the server have built the program that the browser and the clients are shown.
    for folder in ["tests/browser", "tests/clients"] {
        let folder = root.join(folder);
        step(&mut install(&folder))?;
        step(Command::new("npm").arg("test").current_dir(&folder))?;
    }
    python(root)
}

/// Runs the tests of Python's FHIR clients, of the readers of the ledger's format, and of backups in another's object
/// store, in an environment of their own.
fn python(root: &Path) -> Result<(), String> {
    let folder = root.join("tests/clients");
    let environment = root.join("target/python");
    let made = Command::new("python3").args(["-m", "venv"]).arg(&environment).output();
    if !made.is_ok_and(|output| output.status.success()) {
        println!(
            "skipped: the Python clients, the readers of the format and the object store, since python3 and python3-venv are not installed; \
             `apt-get install -y python3 python3-venv`"
        );
        return Ok(());
    }
    let pip = environment.join("bin/pip");
    step(
        Command::new(pip)
            .args(["install", "--quiet", "-r", "requirements.txt"])
            .current_dir(&folder),
    )?;
    let python = environment.join("bin/python");
    for folder in [folder, root.join("tests/format"), root.join("tests/bucket")] {
        step(Command::new(&python).args(["-m", "unittest", "-v"]).current_dir(folder))?;
    }
    Ok(())
}

/// Fetches what HL7 publishes for tests. Without it the tests that read it say that they skip.
fn published(root: &Path) {
    let folder = root.join("tests/published");
    let fetched = is_installed("npm") && step(&mut install(&folder)).is_ok();
    if !fetched && !folder.join("node_modules").exists() {
        println!("skipped: HL7's published examples, since npm is not installed or not reached");
    }
}

/// Installs exactly what a folder's lock file says; nothing of it is run.
fn install(folder: &Path) -> Command {
    let mut command = Command::new("npm");
    command.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(folder);
    command
}

/// Cases of each property about values.
const VALUE_CASES: &str = "5000";

/// Cases of each property that opens databases.
const STORE_CASES: &str = "200";

/// How often the long run ends the ledger's own process anew.
const KILLS: usize = 20;

/// The long forms: properties with many cases, and many kills.
pub fn long() -> Result<(), String> {
    let cargo = |cases: &str, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.arg("test").args(arguments);
        // Cases that an assumption throws away grow with the cases.
        command.env("PROPTEST_CASES", cases).env("PROPTEST_MAX_GLOBAL_REJECTS", "1000000");
        command
    };
    for package in ["fhir", "record", "access", "sandbox"] {
        step(&mut cargo(VALUE_CASES, &["--package", package]))?;
    }
    for package in ["ledger", "view", "exchange"] {
        step(&mut cargo(STORE_CASES, &["--package", package, "--test", "suite"]))?;
    }
    for _ in 0..KILLS {
        step(&mut cargo(STORE_CASES, &["--package", "ledger", "--test", "suite", "crash"]))?;
    }
    crate::crash::run(&[])
}

fn is_installed(name: &str) -> bool {
    Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
}

fn step(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed")) }
}
