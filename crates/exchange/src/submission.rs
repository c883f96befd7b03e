//! What somebody wants recorded: operations on resources, whichever door they came through.

use fhir::instant::format_instant;
use fhir::issue::Issue;
use fhir::json;
use fhir::patch::Patch;
use fhir::resource::Resource;
use fhir::value::Value;

use crate::criteria::Criteria;

/// The door an operation came through; stands in the stored envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// FHIR REST.
    Fhir,
    /// OKT messages.
    Okt,
    /// PMD Bundles.
    Pmd,
    /// CloudEvents.
    Events,
    /// Bulk import of NDJSON.
    Import,
    /// Requests about one's rights, and the steps of answering them.
    Rights,
}

impl Channel {
    /// As the envelope writes it.
    pub fn key(self) -> &'static str {
        match self {
            Channel::Fhir => "fhir",
            Channel::Okt => "okt",
            Channel::Pmd => "pmd",
            Channel::Events => "events",
            Channel::Import => "import",
            Channel::Rights => "rights",
        }
    }
}

/// Operations to carry out together.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Where they came in.
    pub channel: Channel,
    /// All or none.
    pub atomic: bool,
    /// In the order of the request.
    pub operations: Vec<Operation>,
}

/// One change of one resource.
#[derive(Clone, Debug)]
pub struct Operation {
    /// What to do.
    pub action: Action,
    /// The resource's type.
    pub kind: &'static str,
    /// The resource's id; for a new resource the platform gives one.
    pub id: Option<String>,
    /// What finds the resource instead of an id. For [`Action::Create`], what must find none.
    pub criteria: Option<Criteria>,
    /// What must hold of the current version.
    pub require: Require,
    /// The content; `None` for a removal.
    pub resource: Option<Value>,
    /// The entry's full URL, by which others in the same Bundle refer to it.
    pub full_url: Option<String>,
    /// The source's own id of this event.
    pub event_id: Option<String>,
    /// Digest of the whole event, where the operation is one of several that the event asks for:
    /// what makes a repeat of the event a repeat.
    pub event_digest: Option<[u8; 32]>,
    /// FHIRPath of the resource in the request, put before the location of each issue.
    pub location: String,
}

/// What to do with a resource.
#[derive(Clone, Debug)]
pub enum Action {
    /// A new resource; the platform gives the id.
    Create,
    /// A new version of a resource, or a new resource with the id given.
    Update,
    /// A new version, made from the current one.
    Patch(Patch),
    /// Its owner removes it.
    Delete,
    /// Nothing: the condition of a create has found the resource.
    Keep,
}

/// What must hold of the current version of a resource (R4 http, `If-Match` and `If-None-Match`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Require {
    /// Nothing.
    #[default]
    Nothing,
    /// It is this one.
    Version(u64),
    /// There is one.
    Existing,
    /// There is none.
    Absent,
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What was done.
    pub result: Done,
    /// The resource's type.
    pub kind: &'static str,
    /// The resource's id.
    pub id: String,
    /// Its version: the position in the ledger.
    pub version: u64,
    /// When it was recorded, milliseconds since 1970.
    pub updated: i64,
    /// Whether the view has it already; if not, it will shortly.
    pub visible: bool,
    /// What was found and does not refuse.
    pub warnings: Vec<Issue>,
    /// The content of a version that was just recorded, still without its `meta`.
    pub(crate) content: Option<Resource>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// There is a new resource.
    Created,
    /// There is a new version.
    Updated,
    /// It was recorded before, with the same content.
    Unchanged,
    /// It is removed.
    Removed,
    /// There was nothing to remove.
    Absent,
}

impl Submission {
    /// Names the operations after the event that asks for them all. `content` is the whole event.
    pub fn name_after(&mut self, event_id: &str, content: &[u8]) {
        let digest = ledger::crypto::sha256(&[content]);
        for (i, operation) in self.operations.iter_mut().enumerate() {
            operation.event_id = Some(format!("{event_id}#{i}"));
            operation.event_digest = Some(digest);
        }
    }
}

impl Receipt {
    /// The resource that was just recorded; `None` where nothing was recorded.
    pub fn resource(&self) -> Option<Value> {
        let mut resource = self.content.clone()?;
        resource.set_meta(&self.version.to_string(), &format_instant(self.updated));
        Some(resource.value().clone())
    }

    /// The resource that was just recorded, printed; `None` where nothing was recorded.
    pub(crate) fn printed(&self) -> Option<Vec<u8>> {
        self.resource().map(|resource| json::print(&resource).into_bytes())
    }
}

impl Operation {
    /// A new resource.
    pub fn create(kind: &'static str, resource: Value) -> Self {
        Self { resource: Some(resource), ..Self::new(Action::Create, kind, None) }
    }

    /// A new version, or a new resource with this id. `if_match` is the version that must be
    /// current.
    pub fn update(kind: &'static str, id: String, resource: Value, if_match: Option<u64>) -> Self {
        let require = if_match.map_or(Require::Nothing, Require::Version);
        Self { resource: Some(resource), require, ..Self::new(Action::Update, kind, Some(id)) }
    }

    /// A removal.
    pub fn delete(kind: &'static str, id: String) -> Self {
        Self::new(Action::Delete, kind, Some(id))
    }

    /// Without content. A resource that is neither new nor named by `id` gets its
    /// [`Operation::criteria`] afterwards.
    pub fn new(action: Action, kind: &'static str, id: Option<String>) -> Self {
        Self {
            action,
            kind,
            id,
            criteria: None,
            require: Require::Nothing,
            resource: None,
            full_url: None,
            event_id: None,
            event_digest: None,
            location: String::new(),
        }
    }

    /// Whether the platform chooses the id.
    pub fn is_create(&self) -> bool {
        matches!(self.action, Action::Create)
    }
}
