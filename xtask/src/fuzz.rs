//! `cargo xtask fuzz [seconds]`: coverage-guided fuzzing of everything that reads what others write.
//!
//! The targets are in `fuzz/`. They are built with the compiler's own coverage hooks, so no other tool
//! and no nightly compiler is needed. Inputs in `cases/fuzz/<target>` are where it begins; what it
//! finds on the way stays in `target/fuzz`, and an input that fails is printed and kept there.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What `rustc` adds to each branch and comparison for libFuzzer to see.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1";

/// Naming the target keeps the flags away from build scripts.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// A single input may take so many seconds, and the process so many megabytes.
const LIMITS: [&str; 3] = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=8192"];

/// Fuzzes each target for `seconds`.
pub fn run(seconds: u32) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no workspace")?;
    let folder = root.join("fuzz");
    let build = root.join("target/fuzz");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--quiet", "--target", PLATFORM]);
    cargo.env("RUSTFLAGS", COVERAGE).env("CARGO_TARGET_DIR", &build).current_dir(&folder);
    finish(&mut cargo)?;
    for target in targets(&folder)? {
        let corpus = build.join("corpus").join(&target);
        fs::create_dir_all(&corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
        let mut fuzz = Command::new(build.join(PLATFORM).join("release").join(&target));
        fuzz.arg(format!("-max_total_time={seconds}"));
        fuzz.args(LIMITS).args(["-print_final_stats=1", "-verbosity=0"]);
        fuzz.arg(format!("-artifact_prefix={}/failed-{target}-", build.display()));
        fuzz.arg(&corpus);
        let seeds = root.join("cases/fuzz").join(&target);
        fuzz.args(seeds.exists().then_some(seeds));
        println!("fuzz {target}: {}", told(&mut fuzz)?);
    }
    Ok(())
}

/// The targets, named after their files.
fn targets(folder: &Path) -> Result<Vec<String>, String> {
    let listed = fs::read_dir(folder.join("src")).map_err(|error| format!("fuzz/src: {error}"))?;
    let mut names: Vec<String> = listed
        .flatten()
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// Runs a target and gives the number of inputs it tried; all it said where it failed.
fn told(fuzz: &mut Command) -> Result<String, String> {
    let output = fuzz.output().map_err(|error| format!("{fuzz:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{said}\n{fuzz:?} failed"));
    }
    let tried = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    Ok(format!("{} inputs", tried.unwrap_or(" an unknown number of").trim()))
}

fn finish(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed")) }
}
