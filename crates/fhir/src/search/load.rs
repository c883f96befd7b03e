//! Reads `data/search.txt`.

use super::set::Parameters;
use super::{ParamKind, SearchParameter};
use crate::definitions;
use crate::issue::Issue;
use crate::path::Path;
use crate::resource::Resource;
use std::collections::HashMap;
use std::sync::Arc;

const SEARCH: &str = include_str!("../../data/search.txt");

/// The type whose parameters every resource has.
const EVERY: &str = "Resource";

/// A parameter as it stands in the data file.
#[derive(Clone, Copy)]
struct Line {
    of: &'static str,
    id: u16,
    index_id: u16,
    code: &'static str,
    kind: ParamKind,
    paths: &'static str,
    targets: &'static str,
}

pub(super) fn parameters() -> HashMap<&'static str, Vec<Arc<SearchParameter>>> {
    let lines = lines();
    let mut found: HashMap<&'static str, Vec<Arc<SearchParameter>>> = HashMap::new();
    for kind in definitions::resource_kinds() {
        found.insert(kind, Vec::new());
    }
    for line in &lines {
        for (kind, parameters) in &mut found {
            if line.of == *kind || line.of == EVERY {
                parameters.extend(line.compile(kind));
            }
        }
    }
    for parameters in found.values_mut() {
        parameters.sort_by(|one, other| one.code.cmp(&other.code));
    }
    found
}

fn lines() -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut seen: HashMap<(&str, ParamKind, &str), u16> = HashMap::new();
    let mut of = "";
    let mut id = 0;
    for line in definitions::data_lines(SEARCH) {
        let words: Vec<&'static str> = line.split(' ').collect();
        match *words.as_slice() {
            ["=", name] => of = name,
            [code, kind, paths, ref targets @ ..] => {
                let Some(kind) = ParamKind::from_name(kind) else {
                    continue;
                };
                let index_id = *seen.entry((of, kind, paths)).or_insert(id);
                let targets = targets.first().copied().unwrap_or_default();
                lines.push(Line { of, id, index_id, code, kind, paths, targets });
                id += 1;
            }
            _ => {}
        }
    }
    lines
}

impl Line {
    /// Nothing if a path is unknown, which a test rules out for the data as it is.
    fn compile(&self, kind: &str) -> Option<Arc<SearchParameter>> {
        let paths = self.paths.split('|').map(|path| Path::parse(kind, path));
        Some(Arc::new(SearchParameter {
            id: self.id,
            index_id: self.index_id,
            code: self.code.to_owned(),
            kind: self.kind,
            paths: paths.collect::<Option<_>>()?,
            targets: self.targets.split(',').filter(|target| !target.is_empty()).collect(),
            components: Vec::new(),
        }))
    }
}

pub(super) fn added(
    _: &Parameters,
    _: &Resource,
    _: u16,
) -> Result<Vec<(&'static str, Arc<SearchParameter>)>, Issue> {
    Ok(Vec::new())
}

impl ParamKind {
    fn from_name(name: &str) -> Option<ParamKind> {
        Some(match name {
            "token" => ParamKind::Token,
            "reference" => ParamKind::Reference,
            "date" => ParamKind::Date,
            "string" => ParamKind::String,
            "uri" => ParamKind::Uri,
            _ => return None,
        })
    }
}
