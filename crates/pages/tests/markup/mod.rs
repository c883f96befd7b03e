//! A small reader of the HTML that the templates write: elements, attributes, texts, and whether
//! every element is closed where it should be.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;

/// Elements that have no end tag.
const VOID: [&str; 4] = ["input", "img", "link", "meta"];

/// A start tag.
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

enum Piece<'a> {
    Open(Element, bool),
    Close(&'a str),
    Text(&'a str),
}

/// Fails where tags do not nest, an id stands twice, or a reference points to no id.
pub fn check(html: &str) {
    let mut open: Vec<String> = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    let mut wanted: Vec<String> = Vec::new();
    for piece in pieces(html) {
        match piece {
            Piece::Open(element, closed) => {
                for (name, value) in &element.attributes {
                    match name.as_str() {
                        "id" => {
                            assert!(!ids.contains(value), "id `{value}` stands twice");
                            ids.push(value.clone());
                        }
                        "for" | "aria-labelledby" | "aria-describedby" => {
                            wanted.extend(value.split(' ').map(str::to_owned));
                        }
                        _ => {}
                    }
                }
                if !closed && !VOID.contains(&element.name.as_str()) {
                    open.push(element.name);
                }
            }
            Piece::Close(name) => assert_eq!(open.pop().as_deref(), Some(name), "after {open:?}"),
            Piece::Text(text) => assert!(!text.contains('>'), "`>` in `{text}`"),
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    for id in wanted {
        assert!(ids.contains(&id), "nothing has the id `{id}`");
    }
}

/// Every start tag.
pub fn elements(html: &str) -> Vec<Element> {
    let open = |piece| match piece {
        Piece::Open(element, _) => Some(element),
        _ => None,
    };
    pieces(html).into_iter().filter_map(open).collect()
}

/// Every text between tags, and every attribute that is read aloud.
pub fn texts(html: &str) -> Vec<String> {
    let spoken = |piece| match piece {
        Piece::Text(text) => vec![text.to_owned()],
        Piece::Open(element, _) => (element.attributes.into_iter())
            .filter(|(name, _)| matches!(name.as_str(), "aria-label" | "data-on" | "data-off"))
            .map(|(_, value)| value)
            .collect(),
        Piece::Close(_) => Vec::new(),
    };
    pieces(html).into_iter().flat_map(spoken).collect()
}

/// The templates and the code of the crate.
pub fn sources() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("templates"), root.join("src")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                sources.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    assert!(sources.len() > 20);
    sources
}

/// The keys a source names in full: `"key"|t`, `get("key")` and `with("key"`.
pub fn keys_of(source: &str) -> Vec<&str> {
    let templates = source.split("\"|t ").filter_map(|before| before.rsplit('"').next());
    let after = |call: &'static str| source.split(call).skip(1).filter_map(|s| s.split('"').next());
    let mut keys: Vec<&str> =
        templates.chain(after("text::get(\"")).chain(after("text::with(\"")).collect();
    keys.retain(|key| key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)));
    keys.retain(|key| !key.is_empty());
    keys
}

fn pieces(html: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = html.strip_prefix("<!doctype html>").unwrap_or(html);
    while let Some((text, tag)) = rest.split_once('<') {
        pieces.push(Piece::Text(text));
        let (tag, after) = tag.split_once('>').expect("a tag ends");
        rest = after;
        match tag.strip_prefix('/') {
            Some(name) => pieces.push(Piece::Close(name)),
            None => {
                let closed = tag.ends_with('/');
                pieces.push(Piece::Open(element(tag.trim_end_matches('/')), closed));
            }
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

fn element(tag: &str) -> Element {
    let (name, mut rest) = tag.split_once([' ', '\n']).unwrap_or((tag, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        if rest.is_empty() {
            return Element { name: name.to_owned(), attributes };
        }
        let attribute = rest[..end].to_owned();
        rest = &rest[end..];
        let value = match rest.strip_prefix("=\"") {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"').expect("a value ends");
                rest = after;
                value
            }
            None => "",
        };
        assert!(attributes.iter().all(|(name, _)| *name != attribute), "`{attribute}` twice");
        attributes.push((attribute, value.to_owned()));
    }
}
