//! XML 1.0 as tokens: the part that FHIR needs, strictly.
//!
//! Elements, attributes, text, comments, processing instructions and CDATA, in UTF-8. No document type
//! and so no entities but the five of XML: nothing is fetched and nothing expands. Invariant: what is
//! returned holds only characters and references that XML allows. Whether tags match is for the
//! reader to see.

use std::borrow::Cow;

/// An element with more attributes than this is refused.
const MOST_ATTRIBUTES: usize = 64;

/// What is wrong, and after how many bytes.
#[derive(Debug)]
pub(super) struct Fault {
    pub at: usize,
    pub message: Cow<'static, str>,
}

pub(super) type Lexed<T> = Result<T, Fault>;

/// A fault at a place.
pub(super) fn fault<T>(at: usize, message: impl Into<Cow<'static, str>>) -> Lexed<T> {
    Err(Fault { at, message: message.into() })
}

/// The start of an element; its attributes are in [`Lexer::attributes`] until the next token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open<'a> {
    /// As written, with prefix.
    pub name: &'a str,
    /// Where its `<` stands.
    pub at: usize,
    /// Whether it ends at once, in `/>`.
    pub empty: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'a> {
    /// As written, with prefix.
    pub name: &'a str,
    /// As written, with references.
    pub raw: &'a str,
    /// Where the name begins.
    pub at: usize,
    /// The byte after the closing quote.
    pub end: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Token<'a> {
    Open(Open<'a>),
    Close {
        name: &'a str,
        at: usize,
    },
    /// Text with references, or a CDATA section.
    Text {
        raw: &'a str,
        at: usize,
    },
    /// A comment or processing instruction.
    Aside,
    End,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Those of the last [`Token::Open`].
    pub attributes: Vec<Attribute<'a>>,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Lexer<'a> {
        Lexer { text, at: 0, attributes: Vec::new() }
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// What was written between two positions.
    pub fn written(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// Reads a byte order mark and an XML declaration, if there are any.
    pub fn prolog(&mut self) -> Lexed<()> {
        self.take("\u{feff}");
        let start = self.at;
        if !self.rest().starts_with("<?xml") || self.rest().get(5..).is_some_and(begins_with_name) {
            return Ok(());
        }
        self.at += 5;
        self.read_attributes()?;
        if !self.take("?>") {
            return fault(self.at, "expected `?>` at the end of the XML declaration");
        }
        let declared: Vec<_> = self.attributes.iter().map(|it| (it.name, it.raw)).collect();
        let (version, rest) = match declared.split_first() {
            Some((("version", version), rest)) => (*version, rest),
            _ => return fault(start, "an XML declaration begins with `version`"),
        };
        if version != "1.0" {
            return fault(start, "only XML 1.0 is read");
        }
        match rest {
            [] | [("standalone", "yes" | "no")] => Ok(()),
            [("encoding", name), rest @ ..] => match rest {
                _ if !name.eq_ignore_ascii_case("utf-8") => fault(start, "send the text as UTF-8"),
                [] | [("standalone", "yes" | "no")] => Ok(()),
                _ => fault(start, "not an XML declaration"),
            },
            _ => fault(start, "not an XML declaration"),
        }
    }

    pub fn next(&mut self) -> Lexed<Token<'a>> {
        let at = self.at;
        let rest = self.rest().as_bytes();
        match rest {
            [] => Ok(Token::End),
            [b'<', b'/', ..] => self.close(at),
            [b'<', b'!', ..] => self.declaration(at),
            [b'<', b'?', ..] => self.instruction(at),
            [b'<', ..] => self.open(at),
            _ => {
                let length = rest.iter().position(|byte| *byte == b'<');
                self.at = at + length.unwrap_or(rest.len());
                let raw = self.written(at, self.at);
                check_text(raw, at).map(|()| Token::Text { raw, at })
            }
        }
    }

    fn close(&mut self, at: usize) -> Lexed<Token<'a>> {
        self.at += 2;
        let name = self.name()?;
        self.white();
        if !self.take(">") {
            return fault(self.at, "expected `>` after the name");
        }
        Ok(Token::Close { name, at })
    }

    fn declaration(&mut self, at: usize) -> Lexed<Token<'a>> {
        if self.take("<!--") {
            return self.comment();
        }
        if self.take("<![CDATA[") {
            let start = self.at;
            let raw = self.inside("]]>", "CDATA section without `]]>`")?;
            return check_characters(raw, start).map(|()| Token::Text { raw, at });
        }
        fault(at, "document types and entities are refused: take `<!…>` out")
    }

    fn open(&mut self, at: usize) -> Lexed<Token<'a>> {
        self.at += 1;
        let name = self.name()?;
        self.read_attributes()?;
        let empty = self.take("/");
        if !self.take(">") {
            return fault(self.at, "expected an attribute, `>` or `/>`");
        }
        Ok(Token::Open(Open { name, at, empty }))
    }

    fn comment(&mut self) -> Lexed<Token<'a>> {
        let start = self.at;
        let raw = self.inside("--", "comment without `-->`")?;
        if !self.take(">") {
            return fault(self.at, "`--` within a comment: take it out");
        }
        check_characters(raw, start).map(|()| Token::Aside)
    }

    fn instruction(&mut self, at: usize) -> Lexed<Token<'a>> {
        self.at += 2;
        let target = self.name()?;
        if target.eq_ignore_ascii_case("xml") || target.contains(':') {
            return fault(at, "an XML declaration stands only at the very start");
        }
        let start = self.at;
        let raw = self.inside("?>", "processing instruction without `?>`")?;
        if !raw.is_empty() && !raw.starts_with(is_white) {
            return fault(start, "expected a blank after the name");
        }
        check_characters(raw, start).map(|()| Token::Aside)
    }

    fn read_attributes(&mut self) -> Lexed<()> {
        self.attributes.clear();
        loop {
            let blank = self.white();
            if !begins_with_name(self.rest()) {
                return Ok(());
            }
            if !blank {
                return fault(self.at, "expected a blank before the attribute");
            }
            let attribute = self.attribute()?;
            if self.attributes.iter().any(|known| known.name == attribute.name) {
                return fault(attribute.at, "attribute twice in one element: keep one");
            }
            if self.attributes.len() == MOST_ATTRIBUTES {
                return fault(attribute.at, "too many attributes");
            }
            self.attributes.push(attribute);
        }
    }

    fn attribute(&mut self) -> Lexed<Attribute<'a>> {
        let at = self.at;
        let name = self.name()?;
        self.white();
        if !self.take("=") {
            return fault(self.at, "expected `=` after the attribute's name");
        }
        self.white();
        let rest = self.rest().as_bytes();
        let Some((quote @ (b'"' | b'\''), inner)) = rest.split_first() else {
            return fault(self.at, "expected a value in quotes");
        };
        let start = self.at + 1;
        let end = match inner.iter().position(|byte| byte == quote || *byte == b'<') {
            Some(length) if inner.get(length) == Some(quote) => start + length,
            Some(length) => return fault(start + length, "`<` within a value: write `&lt;`"),
            None => return fault(start, "value without closing quote"),
        };
        let raw = self.written(start, end);
        self.at = end + 1;
        check_characters(raw, start)?;
        check_references(raw, start)?;
        Ok(Attribute { name, raw, at, end: self.at })
    }

    fn name(&mut self) -> Lexed<&'a str> {
        let rest = self.rest();
        if !begins_with_name(rest) {
            return fault(self.at, "expected a name");
        }
        let plain = |byte: &u8| byte.is_ascii_alphanumeric();
        let ascii = rest.bytes().take_while(plain).count();
        let after = rest.get(ascii..).unwrap_or_default();
        let length = after.find(|letter| !is_name(letter)).unwrap_or(after.len());
        let start = self.at;
        self.at += ascii + length;
        Ok(self.written(start, self.at))
    }

    /// Skips white space; says whether there was any.
    fn white(&mut self) -> bool {
        let length = self.rest().bytes().take_while(is_white_byte).count();
        self.at += length;
        length > 0
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        self.at += if found { expected.len() } else { 0 };
        found
    }

    /// Reads up to `end` and past it.
    fn inside(&mut self, end: &str, missing: &'static str) -> Lexed<&'a str> {
        let Some((raw, _)) = self.rest().split_once(end) else {
            return fault(self.at, missing);
        };
        self.at += raw.len() + end.len();
        Ok(raw)
    }
}

/// An attribute's value: references resolved, and white space as blanks (XML 1.0 §3.3.3).
pub(super) fn value(raw: &str) -> Cow<'_, str> {
    if !raw.bytes().any(|byte| matches!(byte, b'&' | b'\t' | b'\n' | b'\r')) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(found) = rest.find(['&', '\t', '\n', '\r']) {
        let (plain, special) = rest.split_at(found);
        out.push_str(plain);
        rest = match special.strip_prefix('&').and_then(reference) {
            Some((character, after)) => {
                out.push(character);
                after
            }
            None => {
                out.push(' ');
                let after = special.strip_prefix("\r\n");
                after.or_else(|| special.get(1..)).unwrap_or_default()
            }
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Whether a text is white space alone, written as such.
pub(super) fn is_blank(raw: &str) -> bool {
    raw.bytes().all(|byte| is_white_byte(&byte))
}

/// Whether XML can carry a character (XML 1.0 §2.2).
pub(super) fn is_character(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        other => other >= ' ',
    }
}

/// The character of the reference that `text`, the part after `&`, begins with; and what follows.
fn reference(text: &str) -> Option<(char, &str)> {
    let (name, after) = text.split_once(';')?;
    let character = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let digits = name.strip_prefix('#')?;
            let (digits, radix) = digits.strip_prefix('x').map_or((digits, 10), |hex| (hex, 16));
            if digits.starts_with('+') {
                return None;
            }
            let code = u32::from_str_radix(digits, radix).ok()?;
            char::from_u32(code).filter(|character| is_character(*character))?
        }
    };
    Some((character, after))
}

fn check_text(raw: &str, at: usize) -> Lexed<()> {
    if is_blank(raw) {
        return Ok(());
    }
    if let Some(found) = raw.find("]]>") {
        return fault(at + found, "`]]>` in the text: write `]]&gt;`");
    }
    check_characters(raw, at)?;
    check_references(raw, at)
}

pub(super) fn check_characters(raw: &str, at: usize) -> Lexed<()> {
    // A byte that may be part of a refused character is rare: control characters, and EF of U+FFFE.
    let suspect =
        |byte: u8| byte == 0xEF || (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r'));
    if raw.bytes().any(suspect)
        && let Some(found) = raw.find(|character| !is_character(character))
    {
        return fault(at + found, "a character that XML does not allow: take it out");
    }
    Ok(())
}

fn check_references(raw: &str, at: usize) -> Lexed<()> {
    if !raw.as_bytes().contains(&b'&') {
        return Ok(());
    }
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        let Some((_, after)) = reference(after) else {
            let found = at + raw.len() - rest.len() + before.len();
            return fault(found, "`&` without a reference that XML knows: write `&amp;` or `&#…;`");
        };
        rest = after;
    }
    Ok(())
}

fn is_white(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

fn is_white_byte(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn begins_with_name(text: &str) -> bool {
    text.chars().next().is_some_and(|first| {
        is_name(first)
            && !matches!(first, '-' | '.' | '0'..='9' | '\u{b7}')
            && !matches!(first, '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
    })
}

/// Whether a character may stand in a name (XML 1.0 §2.3).
fn is_name(character: char) -> bool {
    match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | ':' | '_' | '-' | '.' => true,
        '\0'..='\u{7f}' => false,
        other => matches!(other,
            '\u{b7}' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{37d}'
            | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{203f}'..='\u{2040}'
            | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
            | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}'),
    }
}
