//! The form of a narrative (R4 narrative §2.4.0, rules `txt-1` and `txt-2`): well-formed XHTML in one
//! `div`, only elements and attributes that format, and something to read.
//!
//! Only tags are looked at; the text between them is kept as it is.

/// The elements of HTML 4.0 chapters 7 to 11 and 15, with links and images.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "map",
    "area",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
];

/// Attributes that nothing good uses: scripts, and sources but of images.
const NO_ATTRIBUTES: &[&str] = &["action", "formaction", "data", "srcdoc", "background", "ping"];

/// What is wrong with a narrative, and what to do.
pub(super) fn fault(text: &str) -> Option<&'static str> {
    let mut scanner = Scanner { rest: text.trim(), open: Vec::new(), has_content: false };
    scanner.document().err()
}

struct Scanner<'t> {
    rest: &'t str,
    open: Vec<&'t str>,
    has_content: bool,
}

type Scanned<T> = Result<T, &'static str>;

impl<'t> Scanner<'t> {
    fn document(&mut self) -> Scanned<()> {
        if !self.rest.starts_with("<div") {
            return Err("send the text within one `<div xmlns=\"http://www.w3.org/1999/xhtml\">`");
        }
        let mut is_done = false;
        while !self.rest.is_empty() {
            if is_done {
                return Err("nothing can follow the `</div>` that ends the text: leave it out");
            }
            match self.rest.strip_prefix('<') {
                Some(tag) => self.markup(tag)?,
                None => self.text()?,
            }
            is_done = self.open.is_empty();
        }
        match (self.open.is_empty(), self.has_content) {
            (false, _) => Err("a tag is not closed: close each tag"),
            (true, false) => Err("there is nothing to read: write a text or leave it out"),
            (true, true) => Ok(()),
        }
    }

    fn text(&mut self) -> Scanned<()> {
        let (text, rest) = self.split(self.rest.find('<').unwrap_or(self.rest.len()));
        self.rest = rest;
        self.has_content |= !text.trim().is_empty();
        references(text)
    }

    fn split(&self, at: usize) -> (&'t str, &'t str) {
        self.rest.split_at_checked(at).unwrap_or((self.rest, ""))
    }

    fn markup(&mut self, tag: &'t str) -> Scanned<()> {
        if let Some(comment) = tag.strip_prefix("!--") {
            let (_, rest) = comment.split_once("-->").ok_or("a comment is not closed: close it")?;
            self.rest = rest;
            return Ok(());
        }
        if tag.starts_with(['!', '?']) {
            return Err("only elements and comments can be here: take the instruction out");
        }
        if let Some(closing) = tag.strip_prefix('/') {
            let (name, rest) = closing.split_once('>').ok_or("a tag is not closed with `>`")?;
            self.rest = rest;
            return match self.open.pop() {
                Some(open) if open == name.trim_end() => Ok(()),
                _ => Err("tags do not nest: close each tag in the order they were opened"),
            };
        }
        self.opening(tag)
    }

    fn opening(&mut self, tag: &'t str) -> Scanned<()> {
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
        let (name, mut rest) = tag.split_at_checked(end).unwrap_or((tag, ""));
        if !ELEMENTS.contains(&name) {
            return Err("an element that is not of XHTML, or more than formatting: take it out");
        }
        self.has_content |= name == "img";
        let mut names: Vec<&str> = Vec::new();
        loop {
            let inner = rest.trim_start();
            if let Some(after) = inner.strip_prefix("/>") {
                self.rest = after;
                return Ok(());
            }
            if let Some(after) = inner.strip_prefix('>') {
                self.rest = after;
                self.open.push(name);
                return Ok(());
            }
            if inner.len() == rest.len() {
                return Err("attributes stand apart by blanks: correct the tag");
            }
            let (attribute, after) = attribute(inner)?;
            if names.contains(&attribute) {
                return Err("an attribute stands twice in a tag: keep one");
            }
            names.push(attribute);
            rest = after;
        }
    }
}

/// Reads one attribute: its name, and what follows it.
fn attribute(text: &str) -> Scanned<(&str, &str)> {
    const FORM: &str = "attributes are written `name=\"value\"`: correct the tag";
    let (name, value) = text.split_once('=').ok_or(FORM)?;
    let name = name.trim_end();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(FORM);
    }
    let value = value.trim_start();
    let quote = if value.starts_with('\'') { '\'' } else { '"' };
    let (value, rest) =
        value.strip_prefix(quote).and_then(|value| value.split_once(quote)).ok_or(FORM)?;
    references(value)?;
    let scripts = name.starts_with("on") || NO_ATTRIBUTES.contains(&name);
    let link = value.trim_start().to_ascii_lowercase();
    if scripts || link.starts_with("javascript:") || value.contains('<') {
        return Err("an attribute that does more than format: take it out");
    }
    Ok((name, rest))
}

/// Whether each `&` begins a reference, such as `&amp;` or `&#229;`.
fn references(text: &str) -> Scanned<()> {
    let fits = |after: &str| {
        after.split_once(';').is_some_and(|(name, _)| {
            let name = name.strip_prefix('#').unwrap_or(name);
            (1..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    };
    match text.split('&').skip(1).all(fits) {
        true => Ok(()),
        false => Err("`&` is written `&amp;`: correct the text"),
    }
}
