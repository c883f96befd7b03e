//! SMART App Launch 2.2 scopes (§3, "scopes for requesting FHIR resources"): what a token may be used
//! for at most, whatever its holder may otherwise see.
//!
//! ```text
//! patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory
//! context type        interactions, in the order cruds     condition: a search parameter of the type
//! ```
//!
//! Invariants: scopes only ever narrow what [`crate::decide`] opened; a scope that cannot be read grants
//! nothing, and its being there is enough for the token to be limited; `patient/` grants nothing without a
//! launch, and a launch binds the whole token to its patient ([`crate::decide`]); a scope with a condition lets
//! nothing be written.

use crate::caller::{Caller, Party};
use crate::permit::ReadPermit;
use crate::refusal::{Refusal, Rule};

/// Most scopes of a token that are looked at; those after them grant nothing.
const MOST: usize = 100;

/// Most conditions of one scope.
const MOST_CONDITIONS: usize = 8;

/// Longest scope, in bytes.
const LONGEST: usize = 1_000;

/// The refusal of everything that scopes do not reach.
pub const BEYOND: Refusal = Refusal { rule: Rule::InsufficientScope };

/// What is done to a resource, as SMART divides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interaction {
    /// `c`: create.
    Create,
    /// `r`: read, vread, and the history of one resource.
    Read,
    /// `u`: update and patch.
    Update,
    /// `d`: delete.
    Delete,
    /// `s`: search, histories of many, operations and exports: all that finds resources.
    Search,
}

/// The letters, in the only order they may stand.
const ORDER: [(char, Interaction); 5] = [
    ('c', Interaction::Create),
    ('r', Interaction::Read),
    ('u', Interaction::Update),
    ('d', Interaction::Delete),
    ('s', Interaction::Search),
];

/// Whose data a scope is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// The patient of the launch.
    Patient,
    /// What the person who logged in may see.
    User,
    /// What the system may see.
    System,
}

/// One scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Whose data.
    pub context: Context,
    /// The resource type; every type where there is none (`*`).
    pub kind: Option<String>,
    interactions: Vec<Interaction>,
    /// Search parameters of the type with their values: all of them hold.
    pub conditions: Vec<(String, String)>,
}

/// What a token is limited to: its resource scopes, and the patient it was launched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes {
    /// Nothing where the token has no scope of resources, and is not limited to types.
    resources: Option<Vec<Scope>>,
    /// Logical id of the launch's Patient.
    pub patient: Option<String>,
}

/// A part of what scopes leave open, for the view to look within.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The resource type; every type where there is none.
    pub kind: Option<String>,
    /// Search parameters of the type with their values: all of them hold.
    pub conditions: Vec<(String, String)>,
}

/// Whether a scope is about resources, right or wrong: then [`Scope::parse`] must be able to read it.
pub fn is_about_resources(scope: &str) -> bool {
    ["patient/", "user/", "system/"].iter().any(|start| scope.starts_with(start))
}

impl Scope {
    /// Reads one scope; `None` where it is not as SMART writes it.
    ///
    /// `.read`, `.write` and `.*` of SMART 1 are read as `.rs`, `.cud` and `.cruds`, as SMART 2 says.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (context, rest) = text.split_once('/')?;
        let context = match context {
            "patient" => Context::Patient,
            "user" => Context::User,
            "system" => Context::System,
            _ => return None,
        };
        let (whole, query) = match rest.split_once('?') {
            Some((whole, query)) => (whole, Some(query)),
            None => (rest, None),
        };
        let (kind, letters) = whole.split_once('.')?;
        let kind = match kind {
            "*" => None,
            name => Some(type_name(name)?.to_owned()),
        };
        let old = matches!(letters, "read" | "write" | "*");
        let letters = match letters {
            "read" => "rs",
            "write" => "cud",
            "*" => "cruds",
            letters => letters,
        };
        let conditions = match query {
            // Conditions came with SMART 2, and are about a type's search parameters.
            Some(_) if old || kind.is_none() => return None,
            Some(query) => conditions(query)?,
            None => Vec::new(),
        };
        Some(Self { context, kind, interactions: interactions(letters)?, conditions })
    }

    /// Whether it is about this type and interaction.
    pub fn covers(&self, kind: &str, interaction: Interaction) -> bool {
        self.kind.as_deref().is_none_or(|own| own == kind)
            && self.interactions.contains(&interaction)
    }

    /// Whether it counts for such a party: a system's login gives no person's rights, nor the other way.
    fn is_for(&self, party: &Party) -> bool {
        (self.context == Context::System) == matches!(party, Party::System)
    }
}

fn type_name(name: &str) -> Option<&str> {
    let capital = name.starts_with(|first: char| first.is_ascii_uppercase());
    let letters = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    Some(name).filter(|_| capital && letters)
}

/// The letters as interactions: at least one, each at most once, in order.
fn interactions(letters: &str) -> Option<Vec<Interaction>> {
    let mut order = ORDER.iter();
    let found: Option<Vec<Interaction>> = letters
        .chars()
        .map(|letter| order.find(|(known, _)| *known == letter).map(|(_, it)| *it))
        .collect();
    found.filter(|found| !found.is_empty())
}

fn conditions(query: &str) -> Option<Vec<(String, String)>> {
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let whole = !pairs.is_empty()
        && pairs.len() <= MOST_CONDITIONS
        && pairs.iter().all(|(name, value)| !name.is_empty() && !value.is_empty());
    Some(pairs).filter(|_| whole)
}

impl Scopes {
    /// The limits among all of a token's scopes; nothing where there is none. `patient` is the logical
    /// id of the Patient that the token says it was launched for.
    pub fn read(all: &[String], patient: Option<String>) -> Option<Self> {
        let mut own = all.iter().filter(|scope| is_about_resources(scope)).peekable();
        let is_limited = own.peek().is_some();
        let resources =
            is_limited.then(|| own.take(MOST).filter_map(|it| Scope::parse(it)).collect());
        (resources.is_some() || patient.is_some()).then_some(Self { resources, patient })
    }

    /// Whether there are scopes of resources among them.
    pub fn are_of_resources(&self) -> bool {
        self.resources.is_some()
    }

    /// Whether anything of this type may be done so, by such a party.
    pub fn allow(&self, party: &Party, kind: &str, interaction: Interaction) -> bool {
        let reads = matches!(interaction, Interaction::Read | Interaction::Search);
        self.covers(party, kind, interaction, |scope| reads || scope.conditions.is_empty())
    }

    /// Whether all of this type may be found, without a condition, by such a party.
    pub fn allow_whole(&self, party: &Party, kind: &str) -> bool {
        self.covers(party, kind, Interaction::Search, |scope| scope.conditions.is_empty())
    }

    /// What they leave open of the whole; nothing where they do not limit it.
    fn granted(&self, party: &Party, interaction: Interaction) -> Option<Vec<Granted>> {
        let all = self.of(self.resources.as_ref()?, party);
        let own = all.filter(|scope| scope.interactions.contains(&interaction));
        let part =
            |it: &Scope| Granted { kind: it.kind.clone(), conditions: it.conditions.clone() };
        Some(own.map(part).collect())
    }

    fn covers(
        &self,
        party: &Party,
        kind: &str,
        interaction: Interaction,
        enough: impl Fn(&Scope) -> bool,
    ) -> bool {
        let Some(all) = &self.resources else { return true };
        self.of(all, party).any(|scope| scope.covers(kind, interaction) && enough(scope))
    }

    /// Those that count for such a party.
    fn of<'a>(&self, all: &'a [Scope], party: &Party) -> impl Iterator<Item = &'a Scope> {
        // Without a patient there is nobody for `patient/` to reach.
        let bound = self.patient.is_some();
        all.iter().filter(move |it| it.is_for(party) && (bound || it.context != Context::Patient))
    }
}

/// A permit with the limits of the caller's scopes.
///
/// # Errors
/// [`BEYOND`] where they leave nothing of it.
pub fn narrowed(
    caller: &Caller,
    mut permit: ReadPermit,
    interaction: Interaction,
) -> Result<ReadPermit, Refusal> {
    let scopes = caller.scopes.as_ref();
    permit.granted = scopes.and_then(|it| it.granted(&caller.party, interaction));
    match &permit.granted {
        Some(granted) if granted.is_empty() => Err(BEYOND),
        _ => Ok(permit),
    }
}
