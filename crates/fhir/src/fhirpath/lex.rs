//! Cuts the text of an expression into tokens (FHIRPath 2.0.0, appendix B).

use super::ParseError;
use super::moment::Moment;

/// A token with the byte at which it starts.
pub(super) type Placed = (Token, usize);

/// The smallest parts that mean something.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A word, which may be a name, a keyword or an operator.
    Word(Box<str>),
    /// A name in backticks, which is nothing but a name.
    Quoted(Box<str>),
    String(Box<str>),
    Number(Box<str>),
    /// A date or time, as written after `@`.
    Moment(Box<str>),
    /// `$this`, `$index` or `$total`, without the sign.
    Special(Box<str>),
    /// `%name`, without the sign.
    Variable(Box<str>),
    /// Anything else: operators and brackets.
    Sign(&'static str),
}

const SIGNS: [&str; 25] = [
    "!=", "!~", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", "=", "~", "<", ">", "|", "+",
    "-", "&", "*", "/", ":", ";", "!",
];

/// All tokens of a text.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, ParseError> {
    let mut cutter = Cutter { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        cutter.skip_blanks()?;
        if cutter.rest().is_empty() {
            return Ok(tokens);
        }
        let at = cutter.at;
        tokens.push((cutter.token()?, at));
    }
}

struct Cutter<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cutter<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn error(&self, message: &str) -> ParseError {
        ParseError::at(self.text, self.at, message)
    }

    /// Takes the characters that fit.
    fn take(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|letter| !fits(letter)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn skip_blanks(&mut self) -> Result<(), ParseError> {
        loop {
            self.take(char::is_whitespace);
            if self.rest().starts_with("//") {
                self.take(|letter| letter != '\n');
            } else if self.rest().starts_with("/*") {
                let length = self.rest().find("*/");
                let length =
                    length.ok_or_else(|| self.error("a comment does not end: add `*/`"))?;
                self.at += length + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<Token, ParseError> {
        let first = self.peek().unwrap_or_default();
        match first {
            '\'' => Ok(Token::String(self.quoted('\'')?)),
            '`' => Ok(Token::Quoted(self.quoted('`')?)),
            '@' => self.moment(),
            '%' => self.variable(),
            '$' => {
                self.at += 1;
                let name = self.take(is_word);
                match name {
                    "this" | "index" | "total" => Ok(Token::Special(name.into())),
                    _ => Err(self.error("write `$this`, `$index` or `$total`")),
                }
            }
            _ if first.is_ascii_digit() => Ok(Token::Number(self.number())),
            _ if is_word(first) => Ok(Token::Word(self.take(is_word).into())),
            _ => {
                let sign = SIGNS.iter().find(|sign| self.rest().starts_with(**sign));
                let sign = sign.ok_or_else(|| self.error("this character means nothing here"))?;
                self.at += sign.len();
                Ok(Token::Sign(sign))
            }
        }
    }

    fn number(&mut self) -> Box<str> {
        let start = self.at;
        self.take(|letter| letter.is_ascii_digit());
        let mut ahead = self.rest().chars();
        if ahead.next() == Some('.') && ahead.next().is_some_and(|letter| letter.is_ascii_digit()) {
            self.at += 1;
            self.take(|letter| letter.is_ascii_digit());
        }
        self.text.get(start..self.at).unwrap_or_default().into()
    }

    fn variable(&mut self) -> Result<Token, ParseError> {
        self.at += 1;
        match self.peek() {
            Some(quote @ ('`' | '\'' | '"')) => Ok(Token::Variable(self.quoted(quote)?)),
            Some(letter) if is_word(letter) => {
                let start = self.at;
                let word = self.take(is_word);
                // R4 writes the names of value sets and extensions without quotes as well.
                if matches!(word, "vs" | "ext") && self.rest().starts_with('-') {
                    self.take(|letter| is_word(letter) || letter == '-');
                }
                Ok(Token::Variable(self.text.get(start..self.at).unwrap_or_default().into()))
            }
            _ => Err(self.error("a variable has a name: write `%name`")),
        }
    }

    /// Takes the date or time after `@` as far as its form goes.
    fn moment(&mut self) -> Result<Token, ParseError> {
        let start = self.at + 1;
        self.at = start;
        if self.rest().starts_with('T') {
            self.at += 1;
            self.clock();
        } else {
            self.digits(4);
            if self.part('-', 2) {
                self.part('-', 2);
            }
            if self.rest().starts_with('T') {
                self.at += 1;
                if self.clock() {
                    if self.rest().starts_with('Z') {
                        self.at += 1;
                    } else if self.part('+', 2) || self.part('-', 2) {
                        self.part(':', 2);
                    }
                }
            }
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        match read_moment(text) {
            Some(_) => Ok(Token::Moment(text.into())),
            None => Err(self.error("not a date or time: write `@2024-02-29`, `@T12:30` or both")),
        }
    }

    fn clock(&mut self) -> bool {
        let hour = self.digits(2);
        if hour && self.part(':', 2) && self.part(':', 2) {
            let mut ahead = self.rest().chars();
            let dot = ahead.next() == Some('.');
            if dot && ahead.next().is_some_and(|letter| letter.is_ascii_digit()) {
                self.at += 1;
                self.take(|letter| letter.is_ascii_digit());
            }
        }
        hour
    }

    fn digits(&mut self, count: usize) -> bool {
        let found = self.rest().bytes().take_while(u8::is_ascii_digit).count() >= count;
        self.at += if found { count } else { 0 };
        found
    }

    /// Takes a sign and so many digits, or nothing.
    fn part(&mut self, sign: char, count: usize) -> bool {
        let start = self.at;
        if !self.rest().starts_with(sign) {
            return false;
        }
        self.at += 1;
        let found = self.digits(count);
        if !found {
            self.at = start;
        }
        found
    }

    /// The text between two of `quote`, its escapes resolved.
    fn quoted(&mut self, quote: char) -> Result<Box<str>, ParseError> {
        let mut text = String::new();
        self.at += quote.len_utf8();
        loop {
            let letter = self.peek().ok_or_else(|| self.error("a text in quotes does not end"))?;
            self.at += letter.len_utf8();
            if letter == quote {
                return Ok(text.into());
            }
            text.push(if letter == '\\' { self.escaped()? } else { letter });
        }
    }

    fn escaped(&mut self) -> Result<char, ParseError> {
        let letter = self.peek().unwrap_or_default();
        let plain = match letter {
            '\'' | '"' | '`' | '\\' | '/' => letter,
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let digits = self.rest().get(1..5).filter(|text| !text.starts_with('+'));
                let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                let letter = code.and_then(char::from_u32);
                let letter =
                    letter.ok_or_else(|| self.error("write four hex digits after `\\u`"))?;
                self.at += 5;
                return Ok(letter);
            }
            _ => return Err(self.error("an unknown escape: a backslash is written `\\\\`")),
        };
        self.at += 1;
        Ok(plain)
    }
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// The moment of a literal, as written after `@`.
pub(super) fn read_moment(text: &str) -> Option<Moment> {
    match text.strip_prefix('T') {
        Some(time) => Moment::time(time),
        None if text.contains('T') => Moment::date_time(text),
        None => Moment::date(text),
    }
}
