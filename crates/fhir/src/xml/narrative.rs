//! The XHTML `div` of a narrative: kept as text, since FHIR in JSON carries it so.
//!
//! What was written is kept to the letter where the `div` declares the XHTML namespace itself. A
//! `div` that has it from an outer element, or by a prefix, gets it as its own default namespace, so
//! that the text stands alone (R4 narrative, §2.4.0). Invariant: the text is one well-formed element.

use super::lex::{Lexed, Lexer, Open, Token, fault, is_blank};
use super::space::{Space, Spaces, XHTML, declares, split};
use std::borrow::Cow;

/// How deep the elements of a narrative may nest.
const DEPTH_LIMIT: usize = 128;

/// A stretch of the text with what stands there instead.
struct Edit {
    from: usize,
    to: usize,
    with: String,
}

struct Narrative<'r, 'a> {
    lexer: &'r mut Lexer<'a>,
    spaces: &'r mut Spaces<'a>,
    /// The prefix of the `div`, to be taken off.
    prefix: &'a str,
    /// Declarations that are outside of the `div`.
    outer: usize,
    edits: Vec<Edit>,
}

/// Reads the `div` whose start has just been read, to its end; its declarations are in scope since
/// `outer`.
pub(super) fn div<'a>(
    lexer: &mut Lexer<'a>,
    spaces: &mut Spaces<'a>,
    outer: usize,
    open: Open<'a>,
) -> Lexed<String> {
    let (prefix, _) = split(open.name, open.at)?;
    let mut narrative = Narrative { lexer, spaces, prefix, outer, edits: Vec::new() };
    let own = narrative.lexer.attributes.iter().any(|attribute| attribute.name == "xmlns");
    narrative.tag(open)?;
    if !own {
        let at = open.at + 1 + open.name.len();
        narrative.edits.push(Edit { from: at, to: at, with: format!(" xmlns=\"{XHTML}\"") });
    }
    if !open.empty {
        narrative.inner(open.name)?;
    }
    let end = narrative.lexer.position();
    Ok(narrative.text(open.at, end))
}

/// The text of a narrative from JSON as one `div` with its namespace.
pub(super) fn canonical(text: &str) -> Lexed<Cow<'_, str>> {
    let mut lexer = Lexer::new(text);
    let mut spaces = Spaces::default();
    spaces.assume(Space::Xhtml);
    let outer = spaces.mark();
    let mut found = None;
    loop {
        match lexer.next()? {
            Token::Open(open) if found.is_none() => {
                spaces.enter(&lexer.attributes)?;
                if spaces.resolve(open.name, open.at)? != (Space::Xhtml, "div") {
                    return fault(open.at, "a narrative is one `div` of XHTML");
                }
                found = Some(div(&mut lexer, &mut spaces, outer, open)?);
            }
            Token::Text { raw, .. } if is_blank(raw) => {}
            Token::End => break,
            _ => return fault(lexer.position(), "a narrative is one `div` of XHTML"),
        }
    }
    match found {
        Some(div) if div == text => Ok(Cow::Borrowed(text)),
        Some(div) => Ok(Cow::Owned(div)),
        None => fault(0, "a narrative is one `div` of XHTML"),
    }
}

impl<'a> Narrative<'_, 'a> {
    /// Everything up to the end of the element `name`.
    fn inner(&mut self, name: &'a str) -> Lexed<()> {
        let mut open = vec![(name, self.outer)];
        while let Some((name, mark)) = open.last().copied() {
            match self.lexer.next()? {
                Token::Open(_) if open.len() == DEPTH_LIMIT => {
                    return fault(self.lexer.position(), "a narrative nested too deep");
                }
                Token::Open(tag) => {
                    let mark = self.spaces.mark();
                    self.spaces.enter(&self.lexer.attributes)?;
                    self.tag(tag)?;
                    if tag.empty {
                        self.spaces.leave(mark);
                    } else {
                        open.push((tag.name, mark));
                    }
                }
                Token::Close { name: closing, at } => {
                    if closing != name {
                        return fault(at, "the end of another element than the innermost");
                    }
                    self.unprefix(closing, at + 2)?;
                    self.spaces.leave(mark);
                    open.pop();
                }
                Token::Text { .. } | Token::Aside => {}
                Token::End => return fault(self.lexer.position(), "a narrative without its end"),
            }
        }
        Ok(())
    }

    /// Looks at the start of an element, whose declarations are in scope.
    fn tag(&mut self, tag: Open<'a>) -> Lexed<()> {
        let renames = !self.prefix.is_empty();
        for index in 0..self.lexer.attributes.len() {
            let Some(attribute) = self.lexer.attributes.get(index).copied() else {
                continue;
            };
            match declares(attribute.name) {
                Some("") if renames => {
                    return fault(attribute.at, "a narrative with a prefix uses it throughout");
                }
                Some(prefix) if renames && prefix == self.prefix => {
                    if self.spaces.find(prefix).map(|found| found.0) != Some(Space::Xhtml) {
                        return fault(attribute.at, "the narrative's prefix stands for another");
                    }
                    // With the blank before it.
                    let (from, to) = (attribute.at.saturating_sub(1), attribute.end);
                    self.edits.push(Edit { from, to, with: String::new() });
                }
                Some(_) => {}
                None => {
                    let (prefix, _) = split(attribute.name, attribute.at)?;
                    if !prefix.is_empty() {
                        self.declared_within(prefix, attribute.at)?;
                    }
                }
            }
        }
        self.unprefix(tag.name, tag.at + 1)
    }

    /// Takes the narrative's prefix off an element's name that begins at `at`.
    fn unprefix(&mut self, name: &'a str, at: usize) -> Lexed<()> {
        let (prefix, _) = split(name, at)?;
        if prefix == self.prefix {
            let to = at + if prefix.is_empty() { 0 } else { prefix.len() + 1 };
            if to > at {
                self.edits.push(Edit { from: at, to, with: String::new() });
            }
            return Ok(());
        }
        if prefix.is_empty() {
            return fault(at, "a narrative with a prefix uses it throughout");
        }
        self.declared_within(prefix, at)
    }

    fn declared_within(&self, prefix: &str, at: usize) -> Lexed<()> {
        match self.spaces.find(prefix) {
            Some((_, index)) if index >= self.outer && prefix != self.prefix => Ok(()),
            _ => fault(at, "declare the namespace of this prefix within the narrative"),
        }
    }

    /// The text between two positions, edited.
    fn text(mut self, start: usize, end: usize) -> String {
        self.edits.sort_by_key(|edit| edit.from);
        let mut out = String::with_capacity(end - start);
        let mut at = start;
        for edit in &self.edits {
            out.push_str(self.lexer.written(at, edit.from));
            out.push_str(&edit.with);
            at = at.max(edit.to);
        }
        out.push_str(self.lexer.written(at, end));
        out
    }
}
