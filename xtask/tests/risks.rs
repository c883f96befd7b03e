//! The risks of the steering document's analysis and what answers to them: the file is sound, the tests
//! it names exist, and the table that people read is made from it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Register {
    risk: Vec<Risk>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Risk {
    id: u8,
    area: String,
    text: String,
    probability: u8,
    consequence: u8,
    source: String,
    control: Vec<Control>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Control {
    by: By,
    text: String,
    #[serde(default)]
    tests: Vec<String>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum By {
    Fkj,
    Operator,
}

impl Risk {
    fn value(&self) -> u8 {
        self.probability * self.consequence
    }

    /// The bands of the source (lines 16214–16222): the gravest consequence is never below moderate.
    fn band(&self) -> &'static str {
        match self.value() {
            1..=4 if self.consequence < 5 => "low",
            1..=9 => "moderate",
            10..=16 => "high",
            _ => "critical",
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn risks() -> Vec<Risk> {
    let text = fs::read_to_string(root().join("docs/risks.toml")).unwrap();
    toml::from_str::<Register>(&text).unwrap().risk
}

/// Names of Rust's tests and titles of the browser's.
fn tests() -> BTreeSet<String> {
    fn walk(directory: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), "target" | "node_modules" | "data") {
                    walk(&path, found);
                }
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).unwrap();
                let marked = text.split("#[test]").chain(text.split("#[tokio::test")).skip(1);
                let named = marked.filter_map(|rest| rest.split("fn ").nth(1)?.split('(').next());
                found.extend(named.map(str::to_owned));
            } else if name.ends_with(".test.mjs") {
                let text = fs::read_to_string(&path).unwrap();
                let named =
                    text.split("\ntest(\"").skip(1).filter_map(|rest| rest.split('"').next());
                found.extend(named.map(str::to_owned));
            }
        }
    }
    let mut found = BTreeSet::new();
    for folder in ["crates", "tests", "xtask"] {
        walk(&root().join(folder), &mut found);
    }
    assert!(found.len() > 100, "too few tests were found");
    found
}

#[test]
fn all_risks_are_there_with_the_bands_of_the_source() {
    let risks = risks();
    let ids: Vec<u8> = risks.iter().map(|risk| risk.id).collect();
    assert_eq!(ids, (1..=34).collect::<Vec<u8>>());
    let of = |band: &str| -> Vec<u8> {
        risks.iter().filter(|risk| risk.band() == band).map(|risk| risk.id).collect()
    };
    assert_eq!(of("high"), [1, 3, 7, 8, 11, 13, 14, 18, 23, 31]);
    assert_eq!(of("low"), [4, 6, 9, 19, 20, 26, 27]);
    assert_eq!(of("critical"), []);
    let areas = ["confidentiality", "integrity", "availability", "privacy", "operation"];
    assert!(risks.iter().all(|risk| areas.contains(&risk.area.as_str())));
}

#[test]
fn what_is_claimed_has_a_test_that_exists() {
    let tests = tests();
    for risk in risks() {
        for control in &risk.control {
            assert_eq!(
                control.by == By::Fkj,
                !control.tests.is_empty(),
                "risk {}: `{}`: what is built here is tested here, and nothing else is",
                risk.id,
                control.text
            );
            for test in &control.tests {
                assert!(tests.contains(test), "risk {}: there is no test `{test}`", risk.id);
            }
        }
        let operators = risk.control.iter().filter(|control| control.by == By::Operator);
        assert!(operators.count() > 0, "risk {}: no risk is met by software alone", risk.id);
    }
}

#[test]
fn the_table_is_made_from_the_file() {
    let mut table = String::from(
        "# Risks and what answers to them\n\n\
         The 34 risks of the steering document's risk analysis. The value is probability × consequence\n\
         with the measures of today's systems; nobody has set a figure for afterwards. What fkj does is\n\
         shown by the tests that [risks.toml](risks.toml) names; the rest is for whoever runs the platform\n\
         or uses it. This table is made from that file (`UPDATE_EXPECT=1 cargo test -p xtask --test risks`).\n\n\
         | # | Risk | Value | Lines | fkj | Operator and user |\n|---|---|---|---|---|---|\n",
    );
    for risk in risks() {
        let of = |by: By| -> String {
            let mut texts = Vec::new();
            for control in risk.control.iter().filter(|control| control.by == by) {
                let count = control.tests.len();
                texts.push(match by {
                    By::Fkj => format!("{} ({count})", control.text),
                    By::Operator => control.text.clone(),
                });
            }
            texts.join("<br>")
        };
        writeln!(
            table,
            "| {} | {} | {}×{} = {}, {} | {} | {} | {} |",
            risk.id,
            risk.text,
            risk.probability,
            risk.consequence,
            risk.value(),
            risk.band(),
            risk.source,
            of(By::Fkj),
            of(By::Operator)
        )
        .unwrap();
    }
    expect_file![root().join("docs/risks.md")].assert_eq(&table);
}
