//! Strict JSON (RFC 8259) to and from [`Value`].
//!
//! Stricter than the RFC where FHIR or safety asks: UTF-8 only, no member twice in one object, no lone
//! surrogates, at most [`DEPTH_LIMIT`] levels. A byte order mark is passed over (RFC 8259 §8.1). Empty containers pass here;
//! [`crate::check`] refuses them. Invariant: `parse(print(v)) == v`, and printing keeps each number
//! as it was written.

use crate::value::{Number, Object, Value, number_length};

/// How deep arrays and objects may nest. R4 resources stay below 20.
pub const DEPTH_LIMIT: usize = 64;

/// Up to this many members an object is searched for duplicates member by member; above it, once
/// by sorting, so that a hostile object costs n log n and not n².
const SMALL_OBJECT: usize = 24;

/// Why and where a text is not JSON. Carries no value of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// Bytes before the fault.
    pub offset: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at line {} column {}", self.message, self.line, self.column)
    }
}

impl std::error::Error for SyntaxError {}

/// Reads one JSON value and nothing after it.
///
/// # Errors
/// The first fault, with its place.
pub fn parse(bytes: &[u8]) -> Result<Value, SyntaxError> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            return Err(place(bytes, error.valid_up_to(), "not UTF-8: send the text as UTF-8"));
        }
    };
    let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut parser = Parser { text, bytes, at, depth: 0 };
    parser.document().map_err(|message| place(bytes, parser.at, message))
}

/// Writes a value without white space.
pub fn print(value: &Value) -> String {
    let mut out = Vec::with_capacity(1024);
    print_to(value, &mut out);
    into_text(out)
}

/// Appends a value without white space, as UTF-8.
pub fn print_to(value: &Value, out: &mut Vec<u8>) {
    Printer { out, indent: None }.value(value);
}

/// Writes a value for people: one member a line, two blanks per level.
pub fn pretty(value: &Value) -> String {
    let mut out = Vec::with_capacity(1024);
    Printer { out: &mut out, indent: Some(0) }.value(value);
    into_text(out)
}

fn into_text(out: Vec<u8>) -> String {
    // The printer copies whole strings and writes ASCII, so nothing is ever replaced.
    String::from_utf8(out)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn place(bytes: &[u8], offset: usize, message: &str) -> SyntaxError {
    let (line, column) = line_and_column(bytes, offset);
    SyntaxError { line, column, offset, message: message.to_owned() }
}

/// Line and column, in characters, of a place in UTF-8 text; both counted from 1.
pub(crate) fn line_and_column(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |found| found + 1);
    let characters = before.iter().skip(line_start).filter(|byte| (**byte & 0xC0) != 0x80).count();
    (before.iter().filter(|byte| **byte == b'\n').count() + 1, characters + 1)
}

/// Position in the text; `at` stands on the fault when a method returns an error.
struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, &'static str>;

impl<'a> Parser<'a> {
    fn document(&mut self) -> Parsed<Value> {
        let value = self.value()?;
        self.white();
        if self.at == self.bytes.len() { Ok(value) } else { Err("text after the JSON value") }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn white(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Parsed<Value> {
        self.white();
        match self.peek() {
            Some(b'{') => self.nested(Parser::object),
            Some(b'[') => self.nested(Parser::array),
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => Err("expected a JSON value"),
            None => Err("expected a JSON value, but the text ends"),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Parsed<Value>) -> Parsed<Value> {
        if self.depth == DEPTH_LIMIT {
            return Err("nested too deep: at most 64 levels of arrays and objects");
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array(&mut self) -> Parsed<Value> {
        let mut items = Vec::new();
        self.white();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            self.white();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::Array(items));
                }
                _ => return Err("expected `,` or `]`"),
            }
        }
    }

    fn object(&mut self) -> Parsed<Value> {
        let mut object = Object::new();
        self.white();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(object));
        }
        loop {
            self.white();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err("expected a member name in double quotes");
            }
            let name = self.string()?;
            if object.len() < SMALL_OBJECT && object.get(&name).is_some() {
                self.at = start;
                return Err("member name twice in one object: keep one");
            }
            self.white();
            if self.peek() != Some(b':') {
                return Err("expected `:` after the member name");
            }
            self.at += 1;
            let value = self.value()?;
            object.push(name, value);
            self.white();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') if object.len() > SMALL_OBJECT && has_duplicate(&object) => {
                    return Err("member name twice in the object that ends here: keep one");
                }
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Object(object));
                }
                _ => return Err("expected `,` or `}`"),
            }
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Parsed<Value> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            self.at += word.len();
            Ok(value)
        } else {
            Err("expected a JSON value")
        }
    }

    fn number(&mut self) -> Parsed<Value> {
        let length = self.bytes.get(self.at..).and_then(number_length);
        let text = length.and_then(|length| self.text.get(self.at..self.at + length));
        let Some(text) = text else {
            return Err("not a JSON number");
        };
        self.at += text.len();
        Number::parse(text).map(Value::Number).ok_or("not a JSON number")
    }

    /// Reads a string from its opening quote. Most strings have no escapes and are copied whole.
    fn string(&mut self) -> Parsed<Box<str>> {
        self.at += 1;
        let plain = self.plain()?;
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(plain.into());
        }
        let mut out = String::from(plain);
        loop {
            match self.peek() {
                Some(b'\\') => {
                    let escaped = self.escape()?;
                    out.push(escaped);
                }
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out.into());
                }
                Some(_) => return Err("control character in a string: escape it"),
                None => return Err("string without closing quote"),
            }
            out.push_str(self.plain()?);
        }
    }

    /// The run of characters up to a quote, an escape, a control character or the end.
    fn plain(&mut self) -> Parsed<&'a str> {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let stop = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1F);
        self.at += rest.iter().position(stop).unwrap_or(rest.len());
        // All stopping bytes are ASCII, so both ends are character boundaries.
        self.text.get(start..self.at).ok_or("not UTF-8: send the text as UTF-8")
    }

    /// Reads one escape from its backslash.
    fn escape(&mut self) -> Parsed<char> {
        let letter = self.bytes.get(self.at + 1).copied();
        let character = match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err("unknown escape in a string"),
        };
        self.at += 2;
        Ok(character)
    }

    /// Reads `\uXXXX`, or the two that make up a surrogate pair.
    fn unicode(&mut self) -> Parsed<char> {
        const LONE: &str = "lone surrogate in a string: send the whole character";
        let first = self.hex(self.at + 2)?;
        let (code, length) = match first {
            0xD800..=0xDBFF => {
                if self.bytes.get(self.at + 6..self.at + 8) != Some(b"\\u") {
                    return Err(LONE);
                }
                let second = self.hex(self.at + 8)?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(LONE);
                }
                (0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00), 12)
            }
            other => (other, 6),
        };
        let character = char::from_u32(code).ok_or(LONE)?;
        self.at += length;
        Ok(character)
    }

    fn hex(&self, at: usize) -> Parsed<u32> {
        const FOUR: &str = "expected four hexadecimal digits after `\\u`";
        let digits = self.bytes.get(at..at + 4).ok_or(FOUR)?;
        digits.iter().try_fold(0, |code, byte| {
            char::from(*byte).to_digit(16).map(|digit| code * 16 + digit).ok_or(FOUR)
        })
    }
}

fn has_duplicate(object: &Object) -> bool {
    let mut names: Vec<&str> = object.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair.first() == pair.last())
}

struct Printer<'a> {
    out: &'a mut Vec<u8>,
    /// Levels so far, for people; nothing prints compact.
    indent: Option<usize>,
}

impl Printer<'_> {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.out.extend_from_slice(b"null"),
            Value::Bool(true) => self.out.extend_from_slice(b"true"),
            Value::Bool(false) => self.out.extend_from_slice(b"false"),
            Value::Number(number) => self.out.extend_from_slice(number.as_str().as_bytes()),
            Value::String(text) => self.string(text),
            Value::Array(items) => {
                self.list(b"[", b"]", items.iter(), |printer, item| printer.value(item));
            }
            Value::Object(object) => self.list(b"{", b"}", object.iter(), |printer, member| {
                printer.string(member.0);
                let colon: &[u8] = if printer.indent.is_some() { b": " } else { b":" };
                printer.out.extend_from_slice(colon);
                printer.value(member.1);
            }),
        }
    }

    fn list<T>(
        &mut self,
        open: &[u8],
        close: &[u8],
        items: impl ExactSizeIterator<Item = T>,
        print: impl Fn(&mut Self, T),
    ) {
        let empty = items.len() == 0;
        self.out.extend_from_slice(open);
        self.indent = self.indent.map(|levels| levels + 1);
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.line();
            print(self, item);
        }
        self.indent = self.indent.map(|levels| levels - 1);
        if !empty {
            self.line();
        }
        self.out.extend_from_slice(close);
    }

    fn line(&mut self) {
        if let Some(levels) = self.indent {
            self.out.push(b'\n');
            self.out.extend(std::iter::repeat_n(b' ', levels * 2));
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push(b'"');
        let mut rest = text.as_bytes();
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F)) {
            let (plain, tail) = rest.split_at(at);
            self.out.extend_from_slice(plain);
            if let Some((byte, tail)) = tail.split_first() {
                self.escaped(*byte);
                rest = tail;
            }
        }
        self.out.extend_from_slice(rest);
        self.out.push(b'"');
    }

    fn escaped(&mut self, byte: u8) {
        let short: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0x8 => b"\\b",
            0xC => b"\\f",
            _ => return self.out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        };
        self.out.extend_from_slice(short);
    }
}
