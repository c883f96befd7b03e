//! Profiles and extensions, compiled from StructureDefinitions.
//!
//! A profile is a sparse tree of what it demands beyond the base types; [`crate::check`] walks it together
//! with a resource. Only differentials are read; what a profile is based on is looked up and laid under.
//! HL7's own profiles and extensions of R4 are in `data/profiles.txt`, each compiled on first use.
//! Invariant: every profile of a [`Profiles`] made by [`Profiles::extended`] has compiled.

use crate::definitions::data_lines;
use crate::issue::{Issue, IssueCode};
use crate::json;
use crate::value::Value;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};

mod compile;
mod matching;
pub(crate) mod tree;

use compile::{base_type, without_version};
use tree::Node;

const PROFILES: &str = include_str!("../data/profiles.txt");

/// The version of HL7's own profiles.
const R4: &str = "4.0.1";

/// A profile based on so many others is based on itself.
const LONGEST_CHAIN: usize = 32;

static BASE: LazyLock<Profiles> = LazyLock::new(|| {
    let lines = data_lines(PROFILES).filter_map(|line| line.split_once(' '));
    let entries =
        lines.map(|(url, text)| (Box::from(url), Arc::new(Entry::new(Source::Text(text)))));
    Profiles { entries: entries.collect() }
});

/// A set of profiles and extensions, by canonical URL.
#[derive(Clone, Debug)]
pub struct Profiles {
    entries: HashMap<Box<str>, Arc<Entry>>,
}

/// A profile or extension that is known.
#[derive(Clone, Debug)]
pub struct Profile {
    url: Box<str>,
    kind: Box<str>,
    pub(crate) root: Node,
    pub(crate) contexts: Vec<Context>,
    pub(crate) modifier: bool,
}

/// Where an extension may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    /// On an element by path, or on all of a type.
    Element(Box<str>),
    /// In the extension with this URL.
    Extension(Box<str>),
    /// Wherever an expression says, which is not looked at.
    Anywhere,
}

#[derive(Debug)]
struct Entry {
    source: Source,
    /// The definition, read.
    definition: OnceLock<Option<Value>>,
    /// The profile before slices have their matchers, which may look at the trees of other profiles.
    tree: OnceLock<Result<Arc<Profile>, String>>,
    profile: OnceLock<Result<Arc<Profile>, String>>,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Text(&'static str),
    Given,
}

impl Profiles {
    /// HL7's profiles and extensions of R4 4.0.1.
    pub fn base() -> &'static Profiles {
        &BASE
    }

    /// These with more: StructureDefinitions with a differential, based on R4's types, on profiles of the
    /// set or on each other. One whose URL is known takes the place of the other.
    ///
    /// # Errors
    /// What is not understood of the definitions, each at its URL.
    pub fn extended(&self, definitions: &[Value]) -> Result<Profiles, Vec<Issue>> {
        let mut all = self.clone();
        let mut added = Vec::new();
        let mut issues = Vec::new();
        for definition in definitions {
            match definition.text("url") {
                Some(url) => {
                    added.push(url);
                    let entry = Entry::new(Source::Given);
                    // The cell is new.
                    let _ = entry.definition.set(Some(definition.clone()));
                    all.entries.insert(url.into(), Arc::new(entry));
                }
                None => issues.push(fault("", "`url` is missing: give the profile its URL")),
            }
        }
        // What was compiled may rest on what is replaced now.
        if added.iter().any(|url| self.entries.contains_key(*url)) {
            all.entries =
                all.entries.iter().map(|(url, entry)| (url.clone(), entry.anew())).collect();
        }
        for url in added {
            if let Err(message) = all.check_chain(url).and_then(|()| all.compiled(url).map(drop)) {
                issues.push(fault(url, &message));
            }
        }
        if issues.is_empty() { Ok(all) } else { Err(issues) }
    }

    /// The profile with this canonical URL, perhaps with `|version`.
    pub fn get(&self, url: &str) -> Option<Arc<Profile>> {
        let profile = self.compiled(without_version(url)).ok()?;
        let wanted = url.split_once('|').map(|(_, version)| version);
        let version = self.definition(&profile.url).and_then(|known| known.text("version"));
        let fits = wanted.is_none_or(|wanted| wanted == version.unwrap_or(R4));
        fits.then_some(profile)
    }

    /// The URLs of all, sorted.
    pub fn urls(&self) -> Vec<&str> {
        let mut urls: Vec<&str> = self.entries.keys().map(|url| &**url).collect();
        urls.sort_unstable();
        urls
    }

    /// The type that a profile is for, or that the URL of a type of R4 stands for.
    pub fn kind<'k>(&'k self, url: &'k str) -> Option<&'k str> {
        match self.definition(url) {
            Some(definition) => definition.text("type"),
            None => base_type(url),
        }
    }

    /// Whether a URL is that of one of R4's own types, such as `Patient`.
    pub fn is_type(&self, url: &str) -> bool {
        base_type(url).is_some() && !self.entries.contains_key(without_version(url))
    }

    fn definition(&self, url: &str) -> Option<&Value> {
        let entry = self.entries.get(without_version(url))?;
        let read = || match entry.source {
            Source::Text(text) => json::parse(text.as_bytes()).ok(),
            Source::Given => None,
        };
        entry.definition.get_or_init(read).as_ref()
    }

    /// Whether what the profile is based on is known, and is not itself.
    fn check_chain(&self, url: &str) -> Result<(), String> {
        let mut at = url;
        for _ in 0..LONGEST_CHAIN {
            let definition = self.definition(at).ok_or_else(|| missing(at))?;
            let base = definition.text("baseDefinition").ok_or("`baseDefinition` is missing")?;
            let base = without_version(base);
            if self.is_type(base) {
                return Ok(());
            }
            at = base;
        }
        Err("it is based on itself: correct `baseDefinition`".to_owned())
    }

    /// The profile before its slices have matchers.
    fn tree(&self, url: &str) -> Option<Arc<Profile>> {
        self.tree_of(url).ok()
    }

    fn tree_of(&self, url: &str) -> Result<Arc<Profile>, String> {
        let entry = self.entries.get(url).ok_or_else(|| missing(url))?;
        let read = || {
            let definition = self.definition(url).ok_or_else(|| missing(url))?;
            let base = definition.text("baseDefinition").map(without_version).unwrap_or_default();
            let base = match self.is_type(base) {
                true => None,
                false => Some(self.tree_of(base)?),
            };
            let root = compile::tree(definition, base.as_ref().map(|base| &base.root))?;
            Ok(Arc::new(Profile::new(url, definition, root)))
        };
        entry.tree.get_or_init(read).clone()
    }

    fn compiled(&self, url: &str) -> Result<Arc<Profile>, String> {
        let entry = self.entries.get(url).ok_or_else(|| missing(url))?;
        let finish = || {
            let mut profile = Profile::clone(&*self.tree_of(url)?);
            matching::write(&mut profile.root, self)?;
            Ok(Arc::new(profile))
        };
        entry.profile.get_or_init(finish).clone()
    }
}

impl Profile {
    fn new(url: &str, definition: &Value, root: Node) -> Profile {
        let elements = definition.get("differential").map(|part| part.items("element"));
        let first = elements.unwrap_or_default().first();
        let modifier = first.and_then(|root| root.get("isModifier")).and_then(Value::as_bool);
        Profile {
            url: url.into(),
            kind: definition.text("type").unwrap_or_default().into(),
            root,
            contexts: definition.items("context").iter().filter_map(context).collect(),
            modifier: modifier == Some(true),
        }
    }

    /// The canonical URL, without version.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The type it is for, such as `Observation`, or `Extension`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The last part of the URL, for messages.
    pub fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or(&self.url)
    }
}

impl Entry {
    fn new(source: Source) -> Entry {
        let (definition, tree) = (OnceLock::new(), OnceLock::new());
        Entry { source, definition, tree, profile: OnceLock::new() }
    }

    /// The same, not compiled.
    fn anew(&self) -> Arc<Entry> {
        let entry = Entry::new(self.source);
        if let Some(definition) = self.definition.get() {
            // The cell is new.
            let _ = entry.definition.set(definition.clone());
        }
        Arc::new(entry)
    }
}

fn context(entry: &Value) -> Option<Context> {
    let expression = entry.text("expression")?;
    Some(match entry.text("type") {
        Some("element") => Context::Element(expression.into()),
        Some("extension") => Context::Extension(expression.into()),
        _ => Context::Anywhere,
    })
}

fn missing(url: &str) -> String {
    format!("`{url}` is not known: add its definition")
}

fn fault(url: &str, message: &str) -> Issue {
    Issue::error(IssueCode::Invalid, url, format!("profile not understood: {message}"))
}
