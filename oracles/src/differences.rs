//! The reviewed list of differences, and what is found beside it.

use std::collections::BTreeMap;

const LIST: &str = include_str!("../differences.txt");

/// The differences found: by oracle, subject and kind how many, with an example of each.
#[derive(Default)]
pub struct Differences {
    found: BTreeMap<String, (usize, String)>,
}

impl Differences {
    /// Adds one.
    pub fn add(
        &mut self,
        oracle: &str,
        subject: &str,
        kind: &str,
        example: impl FnOnce() -> String,
    ) {
        let entry = self.found.entry(format!("{oracle} | {subject} | {kind}"));
        entry.or_insert_with(|| (0, example())).0 += 1;
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.values().map(|(count, _)| count).sum()
    }

    /// Compares with the list, in both directions.
    pub fn judge(&self) -> Result<(), String> {
        let listed: Vec<&str> = LIST.lines().filter(|line| line.contains(" | ")).collect();
        let mut wrong = Vec::new();
        let mut lines = Vec::new();
        for (what, (count, example)) in &self.found {
            let line = format!("{what} | {count}");
            if !listed.contains(&line.as_str()) {
                wrong.push(format!("not listed: {line}\n    {example}"));
            }
            lines.push(line);
        }
        let gone = listed.iter().filter(|line| !lines.iter().any(|found| found == *line));
        wrong.extend(gone.map(|line| format!("listed and not found: {line}")));
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }
}
