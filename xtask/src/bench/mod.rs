//! `cargo xtask bench`: how fast the platform is with everything on: tokens, access decision,
//! validation, durable ledger and durable audit.
//!
//! It starts the release binary on a fresh directory, drives it over loopback, stops it, and prints
//! one JSON object. Beside the platform, the same resources are put into bare SQLite and by `COPY`
//! into bare PostgreSQL in the same run, as many in a transaction as in a Bundle, or as requests at once. Client and server share the machine: what the client
//! costs is told too. Every phase is bounded in count and in time.

mod bare;
mod copied;
mod growth;
mod isolation;
mod load;
mod many;
mod material;
mod phases;
mod proofs;
pub mod server;

/// How much a run does.
#[derive(Clone, Copy)]
pub struct Scale {
    /// Residents with a whole history of services and rounds, of whom the services are asked.
    residents: u32,
    /// Further residents with measurements only.
    measured: u32,
    /// Measurements of each of them.
    each: u32,
    /// Measurements of each of them that come in a file.
    imported: u32,
    /// Requests prepared for a phase of single events.
    events: u32,
    /// Longest time a phase of single requests runs, in seconds.
    seconds: f64,
}

const USUAL: Scale =
    Scale { residents: 200, measured: 2_500, each: 40, imported: 20, events: 20_000, seconds: 5.0 };
const QUICK: Scale =
    Scale { residents: 12, measured: 50, each: 20, imported: 20, events: 300, seconds: 0.3 };
/// Municipalities, and residents of each, where it is not said.
const MANY: (usize, u32) = (300, 1_000);
/// Patients of each step of the run that shows growth, where it is not said.
const GROWTH: [u32; 3] = [1_000, 10_000, 100_000];

const USAGE: &str = "usage: cargo xtask bench [--quick | --proofs | --isolation \
                     | --municipalities [300 1000] | --growth [--patients 1000,10000]]";

/// Runs it: `--quick` for a smoke run of a few seconds, `--proofs` for what DPoP proofs cost, `--isolation`
/// for what a municipality notices of another at full load, `--municipalities` for what many of them cost
/// (how many, and residents of each), `--growth` for 1 000 to 100 000 patients.
pub fn run(arguments: &[&str]) -> Result<(), String> {
    let program = server::build()?;
    let result = match arguments {
        [] => phases::run(&program, USUAL)?,
        ["--quick"] => phases::run(&program, QUICK)?,
        ["--proofs"] => proofs::run(&program)?,
        ["--isolation"] => isolation::run(&program)?,
        ["--municipalities"] => many::run(&program, MANY)?,
        ["--municipalities", count, residents] => {
            let both = count.parse().ok().zip(residents.parse().ok());
            many::run(&program, both.ok_or(USAGE)?)?
        }
        ["--growth"] => growth::run(&program, &GROWTH)?,
        ["--growth", "--patients", sizes] => {
            let sizes: Result<Vec<u32>, _> = sizes.split(',').map(str::parse).collect();
            growth::run(&program, &sizes.map_err(|_| USAGE.to_owned())?)?
        }
        _ => return Err(USAGE.to_owned()),
    };
    println!("{result:#}");
    Ok(())
}
