//! The `fkj` program: the HTTP edge, inbound tokens and configuration, and the commands that
//! operators and newcomers type. No rule of the domain lives here.

use std::process::ExitCode;

use clap::Parser;

mod app;
mod bucket;
mod capability;
mod carrier;
mod command;
mod config;
mod custody;
mod databases;
mod fill;
mod https;
mod input;
mod negotiate;
mod openapi;
mod operations;
mod outside;
mod problem;
mod routes;
mod terminology;
mod token;
mod web;

/// Resources are trees of small values, made and dropped by every request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = command::Command::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("FKJ_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .with_writer(std::io::stderr)
        .init();
    match command.run() {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
