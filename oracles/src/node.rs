//! HL7's fhirpath.js in a process of its own.

use crate::answer::{Answer, Shown};
use crate::examples::Example;
use fhir::json;
use fhir::value::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// The process, and its expressions in their order.
pub struct Node {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Node {
    /// Starts it with these expressions.
    pub fn start<'a>(expressions: impl Iterator<Item = &'a str>) -> Result<Node, String> {
        let mut command = Command::new("node");
        command.arg("fhirpath.mjs").current_dir(FOLDER);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("node: {error}"))?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("node: no pipes".to_owned());
        };
        let mut node = Node { child, to, from: BufReader::new(from) };
        let all = Value::Array(expressions.map(Value::from).collect());
        node.send(&json::print(&all))?;
        Ok(node)
    }

    fn send(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.to, "{line}").map_err(|error| format!("fhirpath.js: {error}"))
    }

    /// The answers to the expressions of these numbers about an example.
    pub fn answers(&mut self, example: &Example, numbers: &[usize]) -> Result<Vec<Answer>, String> {
        self.send(&format!("{{\"resource\":{},\"ask\":{numbers:?}}}", example.text))?;
        let mut line = String::new();
        let read = self.from.read_line(&mut line);
        if !read.is_ok_and(|bytes| bytes > 0) {
            return Err("fhirpath.js ended".to_owned());
        }
        let answers =
            json::parse(line.as_bytes()).map_err(|error| format!("fhirpath.js: {error}"))?;
        Ok(answers.as_array().unwrap_or_default().iter().map(answer).collect())
    }

    /// Lets it end.
    pub fn finish(self) -> Result<(), String> {
        let Node { mut child, to, .. } = self;
        drop(to);
        let status = child.wait().map_err(|error| format!("node: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("fhirpath.js: {status}")) }
    }
}

fn answer(value: &Value) -> Answer {
    if let Some(why) = value.text("failed") {
        return Err(why.to_owned());
    }
    let items = value.as_array().unwrap_or_default().iter();
    let pairs = items.filter_map(|item| match item.as_array()? {
        [kind, value] => Some(Shown::new(kind.as_str()?, value)),
        _ => None,
    });
    Ok(pairs.collect())
}
