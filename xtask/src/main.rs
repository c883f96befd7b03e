//! Developer commands: `cargo xtask <command>`. Nothing here is part of the product.

use std::path::Path;
use std::process::ExitCode;

mod definitions;
mod test;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["test"] => test::run(),
        ["definitions", directory] => definitions::run(Path::new(directory)),
        _ => Err("usage: cargo xtask test | definitions <directory of HL7's bundles>".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
