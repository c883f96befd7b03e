//! `cargo xtask crash`: a real server killed again and again under load, with power cuts, and what was
//! acknowledged compared after each. The harness is the test `durability` of the server, which runs its short
//! form; this runs it at length and prints its report.

use std::path::Path;
use std::process::Command;

/// The test that is the harness.
const TEST: &str =
    "whatever_was_acknowledged_survives_kills_and_power_cuts_and_the_view_is_made_anew";

const USAGE: &str = "usage: cargo xtask crash [--kills 1000] [--seed 1]";

/// Runs it; without a seed, a new one that the report names.
pub fn run(arguments: &[&str]) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no workspace")?;
    let report = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let mut command = Command::new(env!("CARGO"));
    // Of the whole workspace, so that nothing is built otherwise than for all tests.
    command.args(["test", "--quiet", "--workspace", "--test", "durability", "--"]);
    command.args(["--exact", TEST, "--nocapture"]).current_dir(root);
    command.env("FKJ_CRASH_KILLS", "1000").env("FKJ_CRASH_REPORT", report.path());
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let number = rest.next().filter(|it| it.parse::<u64>().is_ok()).ok_or(USAGE)?;
        match *name {
            "--kills" => command.env("FKJ_CRASH_KILLS", number),
            "--seed" => command.env("FKJ_CRASH_SEED", number),
            _ => return Err(USAGE.to_owned()),
        };
    }
    // What the test says goes to the terminal; only the report is this command's answer.
    let status = command.stdout(std::io::stderr()).status().map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(
            "something acknowledged did not survive, or was not whole; see above".to_owned()
        );
    }
    let told = std::fs::read_to_string(report.path()).map_err(|error| error.to_string())?;
    println!("{told}");
    Ok(())
}
