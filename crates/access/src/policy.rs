//! Policies, compiled: the law's, those the municipality's roles stand for, and the municipality's own.
//!
//! For each thing that can be asked there are two sets, of what permits and of what forbids, so that
//! one evaluation of each tells every reason. A policy covers the categories of its annotation
//! `@categories("a,b")`, or all. What errs opens nothing: the decision is then a refusal.

use std::collections::{BTreeSet, HashMap};

use cedar_policy::{
    Authorizer, Effect, Policy, PolicyId, PolicySet, PolicySetError, Request, ValidationMode,
    Validator, ffi,
};
use record::catalogue::{Catalogue, CategoryKey};
use record::purpose::Purpose;

use crate::law::{self, Law};
use crate::refusal::Rule;
use crate::register::admin::PolicyText;
use crate::register::{Ambiguous, Register, Role};
use crate::said::{Answer, Memory, Said};

/// A register that cannot be put in force. Names only what stands in the register itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It says two things at once.
    #[error(transparent)]
    Ambiguous(#[from] Ambiguous),
    /// One of the municipality's policies cannot be used.
    #[error("policy `{key}`, {place}: {message}")]
    Policy {
        /// Key of the policy.
        key: String,
        /// Line and column, or which of its policies.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// The platform's own law cannot be read: a fault of this version.
    #[error("the law's policies cannot be read: {0}; use another version of the platform")]
    Law(String),
}

/// Who acts, as policies see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Actor {
    Practitioner,
    System,
    Resident,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Act {
    Read(Purpose),
    Deliver,
}

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asked {
    Patient,
    List,
    Common,
}

/// One thing that can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ask {
    pub actor: Actor,
    pub act: Act,
    pub asked: Asked,
}

impl Actor {
    pub const ALL: [Self; 3] = [Self::Practitioner, Self::System, Self::Resident];

    pub fn name(self) -> &'static str {
        match self {
            Self::Practitioner => "Practitioner",
            Self::System => "System",
            Self::Resident => "Resident",
        }
    }
}

impl Act {
    pub const ALL: [Self; 7] = [
        Self::Read(Purpose::Treatment),
        Self::Read(Purpose::EmergencyTreatment),
        Self::Read(Purpose::Coordination),
        Self::Read(Purpose::BreakTheGlass),
        Self::Read(Purpose::PatientRequest),
        Self::Read(Purpose::Delivery),
        Self::Deliver,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read(purpose) => purpose.code(),
            Self::Deliver => "deliver",
        }
    }
}

impl Asked {
    pub const ALL: [Self; 3] = [Self::Patient, Self::List, Self::Common];

    pub fn name(self) -> &'static str {
        match self {
            Self::Patient => "Patient",
            Self::List => "List",
            Self::Common => "Common",
        }
    }
}

/// Whose policy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The law's, shipped with the platform.
    Law,
    /// A role of the register.
    Role,
    /// The municipality's own.
    Municipality,
}

/// What is known of a policy beside its condition.
#[derive(Clone, Debug)]
pub(crate) struct Meta {
    pub origin: Origin,
    /// The rule's code, the role's key or the municipality's key.
    pub key: String,
    pub title: String,
    pub forbids: bool,
    /// The refusal that a forbidding policy tells.
    pub rule: Rule,
    /// Categories it covers; `None` for all.
    pub categories: Option<Vec<CategoryKey>>,
    /// Whether it opens the list of one's own unit.
    pub list: bool,
}

impl Meta {
    /// Reads the annotations.
    ///
    /// # Errors
    /// A rule or category that nobody knows.
    pub fn of(policy: &Policy, origin: Origin, key: &str, title: &str) -> Result<Self, String> {
        let rule = match policy.annotation("rule").filter(|_| origin == Origin::Law) {
            None => Rule::Policy,
            Some(code) => Rule::ALL
                .into_iter()
                .find(|rule| rule.code() == code)
                .ok_or_else(|| format!("there is no rule `{code}`"))?,
        };
        let known = |key: &str| {
            let category = Catalogue::get().category(key.trim()).map(|it| it.key.as_str());
            category.ok_or_else(|| format!("the catalogue has no category `{}`", key.trim()))
        };
        let listed = policy.annotation("categories");
        let categories = listed
            .map(|keys| keys.split(',').map(known).collect::<Result<Vec<_>, _>>())
            .transpose()?;
        Ok(Self {
            origin,
            key: key.to_owned(),
            title: title.to_owned(),
            forbids: policy.effect() == Effect::Forbid,
            rule,
            categories,
            list: policy.annotation("list") == Some("true"),
        })
    }

    /// Whether it covers a category.
    pub fn covers(&self, category: &str) -> bool {
        self.categories.as_ref().is_none_or(|keys| keys.contains(&category))
    }
}

/// The policies of one municipality.
pub(crate) struct Policies {
    authorizer: Authorizer,
    metas: Vec<Meta>,
    sets: HashMap<Ask, Sets>,
    memory: Memory,
}

#[derive(Default)]
struct Sets {
    permits: PolicySet,
    /// What the roles of a kind of unit permit: their condition begins with it, so that the others
    /// need not be asked.
    of_kind: HashMap<String, PolicySet>,
    forbids: PolicySet,
    /// Every policy of both, in the order they are told.
    order: Vec<usize>,
}

/// The policies that held.
#[derive(Debug, Default)]
pub(crate) struct Held<'a> {
    pub permits: Vec<&'a Meta>,
    pub forbids: Vec<&'a Meta>,
}

/// A policy could not be evaluated.
#[derive(Debug)]
pub(crate) struct Erred;

impl std::fmt::Debug for Policies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policies").field("policies", &self.metas.len()).finish_non_exhaustive()
    }
}

impl Policies {
    /// Compiles what a register says.
    pub fn of(register: &Register) -> Result<Self, Unfit> {
        let law = Law::get()?;
        let mut policies = Self {
            authorizer: Authorizer::new(),
            metas: Vec::new(),
            sets: HashMap::new(),
            memory: Memory::default(),
        };
        for (policy, meta, asks) in &law.policies {
            policies.add(policy, meta.clone(), asks, &[])?;
        }
        for role in register.roles.iter().filter(|role| !asks_of(role).is_empty()) {
            let policy = of_role(role).map_err(|message| unfit(&role.key, "role", message))?;
            let meta = Meta {
                origin: Origin::Role,
                key: role.key.clone(),
                title: role.title.clone(),
                forbids: false,
                rule: Rule::NoRole,
                categories: Some(known(&role.categories)),
                list: role.unit_list,
            };
            policies.add(&policy, meta, &asks_of(role), &role.unit_kinds)?;
        }
        for text in &register.policies {
            policies.add_own(law, text)?;
        }
        Ok(policies)
    }

    /// The policies that hold, of both kinds. `kind` is the kind of the unit, where there is one.
    pub fn held(
        &self,
        ask: Ask,
        who: &str,
        kind: &str,
        said: &Said<'_>,
    ) -> Result<Held<'_>, Erred> {
        let Some(sets) = self.sets.get(&ask) else { return Ok(Held::default()) };
        let evaluate = || self.evaluate(sets, ask, who, kind, said);
        let answer = self.memory.answer(said.key(ask, who, kind), evaluate)?;
        let metas = |numbers: &[usize]| {
            numbers.iter().filter_map(|number| self.metas.get(*number)).collect()
        };
        Ok(Held { permits: metas(&answer.permits), forbids: metas(&answer.forbids) })
    }

    fn evaluate(
        &self,
        sets: &Sets,
        ask: Ask,
        who: &str,
        kind: &str,
        said: &Said<'_>,
    ) -> Result<Answer, Erred> {
        let law = Law::get().map_err(|_| Erred)?;
        let context = said.context().ok_or(Erred)?;
        let (principal, action, resource) = law.entities(ask, who).ok_or(Erred)?;
        let request =
            Request::new(principal, action, resource, context, None).map_err(|_| Erred)?;
        let hold = |set: &PolicySet, numbers: &mut Vec<usize>| {
            let answer = self.authorizer.is_authorized(&request, set, &law.actions);
            if answer.diagnostics().errors().next().is_some() {
                return Err(Erred);
            }
            numbers.extend(answer.diagnostics().reason().filter_map(number));
            numbers.sort_unstable();
            Ok(())
        };
        let mut answer = Answer::default();
        hold(&sets.forbids, &mut answer.forbids)?;
        if !sets.permits.is_empty() {
            hold(&sets.permits, &mut answer.permits)?;
        }
        if let Some(roles) = sets.of_kind.get(kind) {
            hold(roles, &mut answer.permits)?;
        }
        Ok(answer)
    }

    /// Every policy that was asked.
    pub fn asked(&self, ask: Ask) -> impl Iterator<Item = &Meta> {
        let order = self.sets.get(&ask).map(|sets| sets.order.as_slice()).unwrap_or_default();
        order.iter().filter_map(|number| self.metas.get(*number))
    }

    /// `kinds` are the kinds of unit without which it never holds; none where it says nothing of that.
    fn add(
        &mut self,
        policy: &Policy,
        meta: Meta,
        asks: &[Ask],
        kinds: &[String],
    ) -> Result<(), Unfit> {
        let number = self.metas.len();
        let policy = policy.new_id(PolicyId::new(number.to_string()));
        for ask in asks {
            let sets = self.sets.entry(*ask).or_default();
            sets.order.push(number);
            let twice = |error: PolicySetError| unfit(&meta.key, "policy", error.to_string());
            if kinds.is_empty() {
                let set = if meta.forbids { &mut sets.forbids } else { &mut sets.permits };
                set.add(policy.clone()).map_err(twice)?;
            }
            for kind in kinds.iter().collect::<BTreeSet<_>>() {
                let set = sets.of_kind.entry(kind.clone()).or_default();
                set.add(policy.clone()).map_err(twice)?;
            }
        }
        self.metas.push(meta);
        Ok(())
    }

    /// Reads and checks the municipality's own policies.
    fn add_own(&mut self, law: &Law, own: &PolicyText) -> Result<(), Unfit> {
        let set: PolicySet = own.text.parse().map_err(|errors: cedar_policy::ParseErrors| {
            at(own, &ffi::DetailedError::from(&errors))
        })?;
        if set.num_of_templates() > 0 {
            return Err(unfit(&own.key, "template", "a policy says everything itself"));
        }
        let result = Validator::new(law.schema.clone()).validate(&set, ValidationMode::Strict);
        // Cedar tells them in no order; the first in the text is told, always the same.
        let errors = result.validation_errors().map(ffi::DetailedError::from);
        if let Some(first) = errors.min_by_key(placed) {
            return Err(at(own, &first));
        }
        let warnings = result.validation_warnings().map(ffi::DetailedError::from);
        if let Some(first) = warnings.min_by_key(placed) {
            return Err(at(own, &first));
        }
        for (i, policy) in set.policies().enumerate() {
            let place = format!("policy {} of its text", i + 1);
            let meta = Meta::of(policy, Origin::Municipality, &own.key, &own.title)
                .map_err(|message| unfit(&own.key, &place, message))?;
            let asks = law::asks(policy, &law.schema);
            if asks.iter().any(|ask| ask.actor == Actor::Resident) {
                let message = "a resident's own access is not the municipality's to regulate; say \
                               `principal is Practitioner` or `principal is System`";
                return Err(unfit(&own.key, &place, message));
            }
            self.add(policy, meta, &asks, &[])?;
        }
        Ok(())
    }
}

/// Where an error is, and what it says.
fn placed(error: &ffi::DetailedError) -> (usize, String) {
    let start = error.source_locations.first().map(|label| label.loc.start);
    (start.unwrap_or_default(), error.message.clone())
}

fn number(id: &PolicyId) -> Option<usize> {
    let id: &str = id.as_ref();
    id.parse().ok()
}

fn unfit(key: &str, place: &str, message: impl Into<String>) -> Unfit {
    Unfit::Policy { key: key.to_owned(), place: place.to_owned(), message: message.into() }
}

/// An error of Cedar's, with line and column in the municipality's text.
fn at(own: &PolicyText, error: &ffi::DetailedError) -> Unfit {
    let first = error
        .source_locations
        .first()
        .or_else(|| error.related.iter().find_map(|related| related.source_locations.first()));
    let before = first.and_then(|label| own.text.get(..label.loc.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let help = error.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    unfit(&own.key, &format!("line {line}, column {column}"), format!("{}{help}", error.message))
}

fn known(keys: &[String]) -> Vec<CategoryKey> {
    let catalogue = Catalogue::get();
    keys.iter().filter_map(|key| catalogue.category(key)).map(|it| it.key.as_str()).collect()
}

/// The purposes of use that people at work state.
pub(crate) const AT_WORK: [Purpose; 4] = [
    Purpose::Treatment,
    Purpose::EmergencyTreatment,
    Purpose::Coordination,
    Purpose::BreakTheGlass,
];

/// What can be asked of a role: its purposes, about anything.
fn asks_of(role: &Role) -> Vec<Ask> {
    let stated = |purpose: &Purpose| role.purposes.iter().any(|code| code == purpose.code());
    let purposes = AT_WORK.into_iter().filter(stated).map(Act::Read);
    let about = |act| Asked::ALL.map(|asked| Ask { actor: Actor::Practitioner, act, asked });
    purposes.flat_map(about).collect()
}

/// A role as a policy: recognised by purpose, kind of unit and profession.
fn of_role(role: &Role) -> Result<Policy, String> {
    let any = |name: &str, values: &[String]| {
        // Cedar reads Rust's escapes.
        let tests = values.iter().map(|value| format!("context.{name} == {value:?}"));
        tests.collect::<Vec<_>>().join(" || ")
    };
    let actions: Vec<String> = asks_of(role)
        .iter()
        .filter(|ask| ask.asked == Asked::Patient)
        .map(|ask| format!("Action::{:?}", ask.act.name()))
        .collect();
    let mut when = match any("unit_kind", &role.unit_kinds) {
        none if none.is_empty() => "false".to_owned(),
        kinds => format!("({kinds})"),
    };
    if !role.authorizations.is_empty() {
        when += &format!(" && ({})", any("profession", &role.authorizations));
    }
    let actions = actions.join(", ");
    let text = format!(
        "permit (principal is Practitioner, action in [{actions}], resource) when {{ {when} }};"
    );
    Policy::parse(None, text).map_err(|error| error.to_string())
}
