//! `cargo xtask oracles`: our FHIRPath and our checks beside other people's.
//!
//! The comparison is in `oracles/`: HL7's own fhirpath.js, and octofhir's engine and validator.
//! `oracles/differences.txt` lists each difference with its reason. Building them takes several minutes
//! the first time.

use std::path::Path;
use std::process::Command;

/// Fetches what is compared with and on, builds and compares.
pub fn run() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no workspace")?;
    let folder = root.join("oracles");
    for folder in [&folder, &root.join("tests/published")] {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(folder);
        finish(&mut npm)?;
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--locked"]).current_dir(&folder);
    finish(cargo.env("CARGO_TARGET_DIR", root.join("target/oracles")))
}

fn finish(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed")) }
}
