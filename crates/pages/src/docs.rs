//! Every endpoint of a municipality, with a form to try each.
//!
//! `assets/docs.js` reads the forms by their `data-` attributes and sends what they say. The token is
//! kept in the page's memory and is gone when the page is left.

use askama::Template;

use crate::address;
use crate::layout::{Frame, html};
use crate::text::{self, filters};

/// Field of the role that a token is wanted for.
pub const ROLE_FIELD: &str = "role";

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Docs {
    /// Name of the municipality.
    pub municipality: String,
    /// Its number.
    pub number: String,
    /// Whether everything is made up.
    pub synthetic: bool,
    /// Whose token can be had here; none where tokens come from elsewhere.
    pub roles: Vec<RoleChoice>,
    /// The endpoints.
    pub sections: Vec<Section>,
    /// Resource types to choose from.
    pub kinds: Vec<&'static str>,
}

/// Somebody whose token can be had.
#[derive(Clone, Debug)]
pub struct RoleChoice {
    /// What the form sends.
    pub value: String,
    /// What it is called.
    pub title: String,
}

/// Endpoints that belong together. Texts: `docs-section-<id>` and its attribute `about`.
#[derive(Clone, Debug)]
pub struct Section {
    /// Key of its texts.
    pub id: &'static str,
    /// Its endpoints.
    pub calls: Vec<Call>,
}

/// An endpoint. Text: `docs-call-<id>`.
#[derive(Clone, Debug)]
pub struct Call {
    /// Key of its texts, and its anchor.
    pub id: &'static str,
    /// The methods that mean the same.
    pub methods: Vec<&'static str>,
    /// The address, with names in braces.
    pub path: String,
    /// Keys of who may call: `system`, `practitioner`, `resident`; none where it is open.
    pub callers: Vec<&'static str>,
    /// What can be filled in.
    pub fields: Vec<Field>,
    /// What can be sent.
    pub contents: Vec<Content>,
    /// Whether search parameters of the type may stand in the query as well.
    pub searches: bool,
    /// Whether the answer can be had in XML.
    pub speaks_fhir: bool,
}

/// Something to fill in. Text: `docs-field-<slug>`.
#[derive(Clone, Debug)]
pub struct Field {
    /// Where it goes.
    pub place: Place,
    /// Its name in the request.
    pub name: &'static str,
    /// What stands there to begin with.
    pub value: String,
    /// Whether it must be filled in.
    pub required: bool,
    /// What to choose from; none for free text.
    pub options: Vec<&'static str>,
    /// Whether to choose from the resource types.
    pub is_kind: bool,
}

/// Where a field goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Into the address.
    Path,
    /// Behind the question mark.
    Query,
    /// Among the headers.
    Header,
}

/// Something to send.
#[derive(Clone, Debug)]
pub struct Content {
    /// Media type.
    pub media: &'static str,
    /// An example; may be empty.
    pub example: &'static str,
}

impl Place {
    fn key(self) -> &'static str {
        match self {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
        }
    }
}

impl Field {
    /// Key of its text: its name in letters that a key can have.
    pub fn key(&self) -> String {
        format!("docs-field-{}", self.name.replace(['.', ':'], "-"))
    }

    /// Whether it shows at once; the others stand behind a heading.
    fn is_main(&self) -> bool {
        self.required || !self.value.is_empty()
    }

    fn hint(&self) -> String {
        text::get(&self.key())
    }
}

impl Call {
    fn method(&self) -> &'static str {
        self.methods.first().copied().unwrap_or_default()
    }

    fn has_more(&self) -> bool {
        self.speaks_fhir || self.fields.iter().any(|field| !field.is_main())
    }

    fn content(&self) -> &'static str {
        self.contents.first().map(|content| content.example).unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "docs.html")]
struct Page<'a> {
    frame: Frame<'a>,
    docs: &'a Docs,
    count: usize,
    token: String,
}

#[derive(Template)]
#[template(path = "docs_choice.html")]
struct Choice<'a> {
    frame: Frame<'a>,
    choices: &'a [(String, String)],
}

/// The page of a municipality.
pub fn render(docs: &Docs) -> String {
    let title = text::with("docs-title", &[("municipality", docs.municipality.as_str().into())]);
    html(&Page {
        frame: Frame::anybody(title, docs.synthetic),
        count: docs.sections.iter().map(|section| section.calls.len()).sum(),
        token: address::docs_token(&docs.number),
        docs,
    })
}

/// The page that asks which municipality: number and name of each.
pub fn render_choice(choices: &[(String, String)], synthetic: bool) -> String {
    html(&Choice { frame: Frame::anybody(text::get("docs-choice-title"), synthetic), choices })
}
