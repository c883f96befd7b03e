//! House rules that a machine can guard: size and head of files, crate arrows, licences, leftovers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const MAX_LINES: usize = 500;

/// Licences that fit Apache-2.0 distribution.
const LICENCES: [&str; 14] = [
    "Apache-2.0",
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "CC0-1.0",
    "Unlicense",
    "0BSD",
    "OpenSSL",
    "BSL-1.0",
    "MIT-0",
    "Apache-2.0 WITH LLVM-exception",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file of the repository that git would keep, with one of these endings.
fn files(endings: &[&str]) -> Vec<PathBuf> {
    fn walk(directory: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), "target" | ".git" | "node_modules" | "data") {
                    walk(&path, endings, found);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), endings, &mut found);
    assert!(found.len() > 3, "the walk found nothing to check");
    found
}

fn complain(what: &str, places: &[String]) {
    assert!(places.is_empty(), "{what}:\n{}", places.join("\n"));
}

#[test]
fn rust_files_are_short_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for path in files(&[".rs"]) {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{}: {lines} lines", path.display()));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{}: does not start with `//!`", path.display()));
        }
    }
    complain("split or describe", &wrong);
}

#[test]
fn nothing_is_left_over() {
    // Written apart, so that this file does not find itself.
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("#[ig", "nore"),
        concat!("#[should", "_panic"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
    ];
    let mut wrong = Vec::new();
    for path in files(&[".rs", ".mjs", ".js", ".md", ".toml", ".html", ".css"]) {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            // The rules themselves name what they forbid.
            let rule = path.ends_with("STYLE.md");
            if !rule && words.iter().any(|word| line.contains(word)) {
                wrong.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    complain("leftovers", &wrong);
}

fn metadata(arguments: &[&str]) -> Value {
    // Only what is built here: the rest of the lock file need not have been fetched.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", &platform])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_crate_table_of_the_architecture_is_cargos() {
    let own = metadata(&["--no-deps"]);
    let packages = own["packages"].as_array().unwrap();
    let names: BTreeSet<&str> =
        packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let mut real: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        let used = package["dependencies"].as_array().unwrap().iter().filter_map(|it| {
            let name = it["name"].as_str().unwrap();
            (it["kind"].is_null() && names.contains(name)).then_some(name)
        });
        real.insert(package["name"].as_str().unwrap(), used.collect());
    }
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut told: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", name, _, uses, ""] = cells.as_slice()
            && let Some(name) = name.strip_prefix('`').and_then(|it| it.strip_suffix('`'))
            && names.contains(name)
        {
            told.insert(name, uses.split('`').filter(|word| names.contains(word)).collect());
        }
    }
    // Developer commands may use whatever they drive.
    real.remove("xtask");
    told.remove("xtask");
    assert_eq!(told, real, "ARCHITECTURE.md (left) and Cargo (right) differ");
}

#[test]
fn pure_crates_stay_pure() {
    let forbidden = ["tokio", "std::fs", "std::net", "SystemTime", "Instant::now", "rusqlite"];
    let mut wrong = Vec::new();
    for path in files(&[".rs"]) {
        let inside = ["crates/fhir/src", "crates/record/src", "crates/access/src"];
        if inside.iter().any(|folder| path.starts_with(root().join(folder))) {
            let text = fs::read_to_string(&path).unwrap();
            wrong.extend(
                forbidden
                    .iter()
                    .filter(|word| text.contains(**word))
                    .map(|word| format!("{}: {word}", path.display())),
            );
        }
    }
    complain("IO, async or clocks in a pure crate", &wrong);
}

#[test]
fn every_licence_is_one_of_ours() {
    let all = metadata(&[]);
    let mut wrong = Vec::new();
    for package in all["packages"].as_array().unwrap() {
        let licence = package["license"].as_str().unwrap_or("none").replace('/', " OR ");
        let fits = licence.split(" AND ").all(|part| {
            part.trim_matches(['(', ')', ' '])
                .split(" OR ")
                .any(|one| LICENCES.contains(&one.trim_matches(['(', ')', ' '])))
        });
        if !fits {
            wrong.push(format!("{}: {licence}", package["name"]));
        }
    }
    complain("licences that nobody has looked at", &wrong);
}

#[test]
fn every_dependency_has_a_line_in_the_decisions() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let decisions = fs::read_to_string(root().join("docs/decisions.md")).unwrap();
    let table = manifest.split("[workspace.dependencies]").nth(1).unwrap();
    let table = table.split("\n[").next().unwrap();
    let missing: Vec<String> = table
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .filter(|(_, value)| !value.contains("path ="))
        .map(|(name, _)| name.to_owned())
        .filter(|name| !decisions.contains(name.as_str()))
        .collect();
    complain("dependencies without a reason", &missing);
}
