//! What the values of a slice are known by: the discriminators' paths, followed through the slice's own
//! tree, become one tree of questions.
//!
//! Discriminators that share the beginning of their path are asked of the same value: by `coding.code`
//! and `coding.system`, one coding must have both. Where the tree on the way is itself sliced, its
//! required slices are what is asked for, so `code.coding.code` finds the code that
//! `code.coding:Systolic.code` fixes.

use super::Profiles;
use super::tree::{
    Branch, Child, Discriminator, DiscriminatorKind, Matcher, Node, Slice, Slicing, Step, Test,
};
use crate::definitions::Content;

/// Paths and nestings longer than this are no sensible profile's.
const DEEPEST: usize = 12;

/// Writes the matchers of all slices below `node`.
///
/// # Errors
/// The slice whose values cannot be told apart.
pub(super) fn write(node: &mut Node, profiles: &Profiles) -> Result<(), String> {
    for child in &mut node.children {
        let element = (child.name, child.choice);
        write_slices(&mut child.node, profiles, element)?;
        write(&mut child.node, profiles)?;
    }
    Ok(())
}

fn write_slices(node: &mut Node, profiles: &Profiles, element: (&str, bool)) -> Result<(), String> {
    if node.slices.is_empty() {
        return Ok(());
    }
    if node.slicing.discriminators.is_empty() {
        node.slicing.discriminators = usual(element);
    }
    let paths = paths(&node.slicing)?;
    // One slice that nothing tells apart is a name for all values, as in HL7's `catalog`.
    let is_name = paths.is_empty() && node.slices.len() == 1;
    for slice in &mut node.slices {
        slice.matcher = build(Place::Node(&slice.node), &paths, profiles, 0);
        if slice.matcher.is_empty() && !is_name {
            return Err(format!(
                "slice `{}`: nothing tells its values apart: give what its discriminators point to \
                 a fixed value, a pattern, a required binding or a type",
                slice.name
            ));
        }
        write_slices(&mut slice.node, profiles, element)?;
        write(&mut slice.node, profiles)?;
    }
    Ok(())
}

/// What tells slices apart where the profile does not say: extensions their URL, choices their type.
fn usual(element: (&str, bool)) -> Vec<Discriminator> {
    let (kind, path) = match element {
        ("extension" | "modifierExtension", _) => (DiscriminatorKind::Value, "url"),
        (_, true) => (DiscriminatorKind::Type, "$this"),
        _ => return Vec::new(),
    };
    vec![Discriminator { kind, path: path.into() }]
}

type Path = (DiscriminatorKind, Vec<Step>);

fn paths(slicing: &Slicing) -> Result<Vec<Path>, String> {
    let paths = slicing.discriminators.iter();
    paths.map(|known| Ok((known.kind, steps(&known.path)?))).collect()
}

/// Reads the part of FHIRPath that discriminators may use (R4 profiling, "simple subset").
fn steps(path: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let (step, after) = match rest.split_once("('") {
            // The text of `extension('http://…')` holds dots.
            Some(("extension", quoted)) => {
                let (url, after) = quoted.split_once("')").ok_or("`extension(` has no end")?;
                (Step::Extension(url.into()), after.strip_prefix('.').unwrap_or(after))
            }
            _ => {
                let (word, after) = rest.split_once('.').unwrap_or((rest, ""));
                (step(word)?, after)
            }
        };
        if step != Step::Element("$this".into()) {
            steps.push(step);
        }
        rest = after;
    }
    if steps.len() > DEEPEST {
        return Err(format!("discriminator `{path}`: more than {DEEPEST} steps"));
    }
    Ok(steps)
}

fn step(word: &str) -> Result<Step, String> {
    if word == "resolve()" {
        return Ok(Step::Resolve);
    }
    if let Some(kind) = word.strip_prefix("ofType(").and_then(|rest| rest.strip_suffix(')')) {
        return Ok(Step::OfType(kind.trim_start_matches("FHIR.").into()));
    }
    let is_name = word == "$this" || word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match is_name {
        true => Ok(Step::Element(word.into())),
        false => Err(format!("discriminator step `{word}` is not one of R4's: correct it")),
    }
}

/// Where a path has come to: a node, or the root of one of several profiles.
#[derive(Clone, Copy)]
enum Place<'p> {
    Node(&'p Node),
    Profiles(&'p [Box<str>]),
}

fn build(place: Place, paths: &[Path], profiles: &Profiles, depth: usize) -> Matcher {
    let mut matcher = Matcher::default();
    for (kind, steps) in paths {
        if steps.is_empty() {
            ask(place, *kind, profiles, &mut matcher, depth);
        }
    }
    let mut firsts: Vec<&Step> = Vec::new();
    for step in paths.iter().filter_map(|(_, steps)| steps.first()) {
        if !firsts.contains(&step) {
            firsts.push(step);
        }
    }
    for first in firsts {
        let below: Vec<Path> = paths
            .iter()
            .filter_map(|(kind, steps)| {
                let (step, rest) = steps.split_first()?;
                (step == first).then(|| (*kind, rest.to_vec()))
            })
            .collect();
        follow(place, first, &below, profiles, &mut matcher, depth);
    }
    matcher
}

/// Adds the branch of one step.
fn follow(
    place: Place,
    step: &Step,
    below: &[Path],
    profiles: &Profiles,
    matcher: &mut Matcher,
    depth: usize,
) {
    let mut push = |matcher_below: Matcher, absent| {
        matcher.branches.push(Branch { step: step.clone(), matcher: matcher_below, absent });
    };
    let node = match place {
        Place::Node(node) => node,
        // The first profile that says anything speaks for all.
        Place::Profiles(urls) => {
            for tree in urls.iter().filter_map(|url| profiles.tree(url)) {
                let mut inner = Matcher::default();
                follow(Place::Node(&tree.root), step, below, profiles, &mut inner, depth + 1);
                if !inner.is_empty() {
                    matcher.branches.extend(inner.branches);
                    return;
                }
            }
            return;
        }
    };
    if *step == Step::Resolve {
        let targets: Vec<Box<str>> =
            node.types.iter().flat_map(|kind| kind.targets.iter().cloned()).collect();
        let inner = build(Place::Profiles(&targets), below, profiles, depth + 1);
        if !inner.is_empty() {
            push(inner, false);
        }
        return;
    }
    if let Step::Element(name) = step
        && &**name == "url"
        && let Some(url) = node.types.iter().flat_map(|kind| &kind.profiles).next()
        && node.shapes.iter().any(|shape| shape.name == "Extension")
    {
        let tests = vec![Test::Fixed((&**url).into())];
        return push(Matcher { tests, branches: Vec::new() }, false);
    }
    for inner in nodes_at(node, step) {
        if let [(DiscriminatorKind::Exists, rest)] = below
            && rest.is_empty()
        {
            return push(Matcher::default(), inner.max == 0);
        }
        let built = build(Place::Node(inner), below, profiles, depth + 1);
        if !built.is_empty() {
            push(built, false);
        }
    }
}

/// The nodes that a step leads to: that of the element, and those of its slices that must be there.
fn nodes_at<'n>(node: &'n Node, step: &Step) -> Vec<&'n Node> {
    let of_child = |child: &'n Child| {
        let mut nodes = vec![&child.node];
        let required = |slice: &&Slice| slice.node.min > 0 || child.node.slices.len() == 1;
        nodes.extend(child.node.slices.iter().filter(required).map(|slice| &slice.node));
        nodes
    };
    match step {
        Step::Element(name) => {
            let child = node.children.iter().find(|child| child.name == &**name);
            child.map(of_child).unwrap_or_default()
        }
        Step::Extension(url) => {
            let child = node.child("extension").or_else(|| node.child("modifierExtension"));
            let slices = child.map(|child| child.node.slices.as_slice()).unwrap_or_default();
            let found = slices.iter().find(|slice| has_url(&slice.node, url));
            found.map(|slice| vec![&slice.node]).unwrap_or_default()
        }
        Step::OfType(kind) => {
            let slices = node
                .slices
                .iter()
                .filter(|slice| slice.node.types.iter().any(|known| known.code == *kind));
            std::iter::once(node).chain(slices.map(|slice| &slice.node)).collect()
        }
        Step::Resolve => Vec::new(),
    }
}

fn has_url(node: &Node, url: &str) -> bool {
    let by_profile = node.types.iter().flat_map(|kind| &kind.profiles).any(|known| &**known == url);
    let fixed = node.child("url").and_then(|child| child.node.fixed.as_ref());
    by_profile || fixed.and_then(|fixed| fixed.as_str()) == Some(url)
}

/// Adds the questions about the value itself.
fn ask(
    place: Place,
    kind: DiscriminatorKind,
    profiles: &Profiles,
    matcher: &mut Matcher,
    depth: usize,
) {
    match (place, kind) {
        (Place::Node(node), DiscriminatorKind::Value) => ask_value(node, matcher, depth),
        (Place::Profiles(urls), DiscriminatorKind::Value) => {
            let mut trees = urls.iter().filter_map(|url| profiles.tree(url));
            if let Some(tree) = trees.next() {
                ask_value(&tree.root, matcher, depth);
            }
        }
        (Place::Node(node), DiscriminatorKind::Type) => {
            let codes: Vec<Box<str>> = node.types.iter().map(|kind| kind.code.clone()).collect();
            if !codes.is_empty() {
                matcher.tests.push(Test::Types(codes));
            }
        }
        (Place::Profiles(urls), DiscriminatorKind::Type) => {
            let codes: Vec<Box<str>> =
                urls.iter().filter_map(|url| Some(profiles.kind(url)?.into())).collect();
            if !codes.is_empty() {
                matcher.tests.push(Test::Types(codes));
            }
        }
        (Place::Node(node), DiscriminatorKind::Profile) => {
            let urls: Vec<Box<str>> =
                node.types.iter().flat_map(|kind| kind.profiles.iter().cloned()).collect();
            if !urls.is_empty() {
                matcher.tests.push(Test::Profiles(urls));
            }
        }
        (Place::Profiles(urls), DiscriminatorKind::Profile) => {
            matcher.tests.push(Test::Profiles(urls.to_vec()));
        }
        // Whether `$this` exists is no question.
        (_, DiscriminatorKind::Exists) => {}
    }
}

/// A fixed value, pattern or required binding of the node, or else of what is in it.
fn ask_value(node: &Node, matcher: &mut Matcher, depth: usize) {
    if let Some(fixed) = &node.fixed {
        return matcher.tests.push(Test::Fixed(fixed.clone()));
    }
    if let Some(pattern) = &node.pattern {
        return matcher.tests.push(Test::Pattern(pattern.clone()));
    }
    if depth < DEEPEST {
        for child in node.children.iter().filter(|child| !is_resource(child)) {
            let step = Step::Element(child.name.into());
            for inner in nodes_at(node, &step) {
                let mut below = Matcher::default();
                ask_value(inner, &mut below, depth + 1);
                if !below.is_empty() {
                    let step = step.clone();
                    matcher.branches.push(Branch { step, matcher: below, absent: false });
                }
            }
        }
    }
    if let Some(binding) = node.binding.as_ref().filter(|binding| binding.required)
        && matcher.is_empty()
    {
        matcher.tests.push(Test::In(binding.clone()));
    }
}

fn is_resource(child: &Child) -> bool {
    child.members.iter().any(|member| member.kind.content == Content::Resource)
}
