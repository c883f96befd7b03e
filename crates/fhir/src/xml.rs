//! FHIR XML to and from [`Value`], the tree that JSON is read to (R4 xml.html, json.html).
//!
//! The definitions say what XML leaves open: which elements repeat and so are arrays, which values are
//! numbers, and in what order elements stand. So only what R4 knows can be read or printed; the rest
//! is refused with its path. A document type is refused, so nothing is fetched and no entity expands;
//! nesting is bounded as in JSON. Comments and processing instructions are passed over.
//!
//! Invariant: for every value that [`print()`] prints, `parse(print(value))` is that value, but that the
//! members of objects come in the order of the definitions, arrays with `null`s for alignment are of
//! full length, and a narrative has no white space around it and declares its namespace.

use crate::json;
use crate::value::Value;
use std::borrow::Cow;

mod lex;
mod narrative;
mod read;
mod space;
mod write;

use crate::definitions::{Shape, ShapeKind};

/// Why and where a text is not a resource in XML. Carries no value of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// FHIRPath of the element, such as `Patient.name[1].given[0]`; empty where none was reached.
    pub path: String,
    /// What is wrong and what to do.
    pub message: Cow<'static, str>,
}

/// Why a value cannot be printed as XML. Carries no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintError {
    /// FHIRPath of the element, such as `Patient.name[1].given[0]`.
    pub path: String,
    /// What is wrong and what to do.
    pub message: &'static str,
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let SyntaxError { line, column, path, message } = self;
        let colon = if path.is_empty() { "" } else { ": " };
        write!(f, "{path}{colon}{message} at line {line} column {column}")
    }
}

impl std::error::Error for SyntaxError {}

impl std::fmt::Display for PrintError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let colon = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}", self.path, self.message)
    }
}

impl std::error::Error for PrintError {}

const NO_DEFINITIONS: &str = "the definitions of R4 are not there";

/// Reads one resource and nothing after it. Elements may stand in any order.
///
/// # Errors
/// The first fault, with its place.
pub fn parse(bytes: &[u8]) -> Result<Value, SyntaxError> {
    let refuse = |offset, path, message| {
        let (line, column) = json::line_and_column(bytes, offset);
        Err(SyntaxError { line, column, path, message })
    };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let message = "not UTF-8: send the text as UTF-8".into();
            return refuse(error.valid_up_to(), String::new(), message);
        }
    };
    let Some(mut reader) = read::Reader::new(text) else {
        return refuse(0, String::new(), NO_DEFINITIONS.into());
    };
    match reader.document() {
        Ok(value) => Ok(value),
        Err(fault) => refuse(fault.at, reader.path(), fault.message),
    }
}

/// Writes a resource without white space between elements.
///
/// # Errors
/// The first element that XML cannot carry: one that R4 does not know or [`crate::check`] would
/// refuse for its structure, or a character that XML does not allow.
pub fn print(resource: &Value) -> Result<String, PrintError> {
    write(resource, false)
}

/// Writes a resource for people: one element a line, two blanks per level.
///
/// # Errors
/// As [`print()`].
pub fn pretty(resource: &Value) -> Result<String, PrintError> {
    write(resource, true)
}

/// Whether a text is a narrative: one well-formed `div` of XHTML, with no entities but XML's own.
pub fn is_narrative(text: &str) -> bool {
    narrative::canonical(text).is_ok()
}

/// Whether XML has all the characters of a text (XML 1.0 §2.2): it has no control characters but tab
/// and line ends.
pub fn has_characters(text: &str) -> bool {
    lex::check_characters(text, 0).is_ok()
}

fn write(resource: &Value, pretty: bool) -> Result<String, PrintError> {
    match write::Writer::new(pretty) {
        Some(writer) => writer.document(resource),
        None => Err(PrintError { path: String::new(), message: NO_DEFINITIONS }),
    }
}

/// Whether a member of a type is an attribute in XML: `id` of all but resources, `url` of extensions.
pub fn is_attribute(shape: &Shape, name: &str) -> bool {
    match name {
        "id" => shape.kind != ShapeKind::Resource,
        "url" => shape.name == "Extension",
        _ => false,
    }
}

/// Whether a name looks like one of FHIR's. Another might be anything, even a person's number, and
/// is not repeated.
fn is_name_of_fhir(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// FHIRPath of names, each with which of several it is.
fn path<'a>(steps: impl Iterator<Item = (&'a str, Option<usize>)>) -> String {
    let mut text = String::new();
    for (name, index) in steps {
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(name);
        if let Some(index) = index {
            text.push_str(&format!("[{index}]"));
        }
    }
    text
}
