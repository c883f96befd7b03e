//! The ledger through its public doors.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

/// Each test in both places.
macro_rules! everywhere {
    ($(#[test] fn $test:ident($town:ident: &Town) $what:block)*) => {
        $(fn $test($town: &crate::town::Town) $what)*
        mod in_files {
            $(#[test]
            fn $test() {
                super::$test(&crate::town::Town::in_files());
            })*
        }
        mod in_postgresql {
            $(#[test]
            fn $test() {
                if let Some(town) = crate::town::Town::in_postgresql() {
                    super::$test(&town);
                }
            })*
        }
    };
}

mod backup;
mod contract;
mod crash;
mod custody;
mod failover;
mod flip;
mod golden;
mod keys;
mod merkle;
mod model;
mod postgres;
mod resealing;
mod server;
mod servers;
mod tamper;
mod town;
mod tree;
