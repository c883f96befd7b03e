//! Developer commands: `cargo xtask <command>`. Nothing here is part of the product.

use std::path::Path;
use std::process::ExitCode;

mod bench;
mod crash;
mod definitions;
mod fuzz;
mod ha;
mod oracles;
mod test;

const USAGE: &str = "usage:
  cargo xtask test
  cargo xtask long
  cargo xtask crash [--kills 1000] [--seed 1]
  cargo xtask ha [--seconds 0]
  cargo xtask bench [--quick | --proofs | --isolation | --municipalities [300 1000] | --growth [--patients 1000,10000]]
  cargo xtask fuzz [seconds for each target]
  cargo xtask oracles
  cargo xtask definitions <directory of HL7's bundles>";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["test"] => test::run(),
        ["long"] => test::long(),
        ["crash", options @ ..] => crash::run(options),
        ["ha", options @ ..] => ha::run(options),
        ["bench", options @ ..] => bench::run(options),
        ["fuzz"] => fuzz::run(60),
        ["fuzz", seconds] => match seconds.parse() {
            Ok(seconds) => fuzz::run(seconds),
            Err(_) => Err(USAGE.to_owned()),
        },
        ["oracles"] => oracles::run(),
        ["definitions", directory] => definitions::run(Path::new(directory)),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
