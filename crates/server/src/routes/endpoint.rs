//! What is known about an address: a row of [`super::table`].
//!
//! The router, the CapabilityStatement, the OpenAPI document and the page where calls are tried are all
//! made from these rows. Invariant: a row is data; whatever differs from caller to caller is its handler's.

use std::sync::Arc;

use axum::routing::{MethodFilter, MethodRouter};

use crate::app::App;

/// A method and an address, with what they are for.
#[derive(Clone, Copy)]
pub struct Endpoint {
    /// Name among all, such as `read`: `operationId`, and the key of its texts on the page.
    pub id: &'static str,
    /// The methods that mean the same here.
    pub methods: &'static [Verb],
    /// The address, as axum writes patterns.
    pub path: &'static str,
    /// Another way to write it.
    pub also: Option<&'static str>,
    /// What it does, in a line.
    pub summary: &'static str,
    /// What FHIR calls it.
    pub acts: &'static [Act],
    /// Whose tokens it takes; none where it is open.
    pub callers: &'static [Caller],
    /// Whether its handler checks who sends, by what the gate takes away from open doors.
    pub proves_itself: bool,
    /// Parameters of the query.
    pub query: &'static [Param],
    /// Headers that change what it does.
    pub headers: &'static [Param],
    /// What is sent, one for each media type; the first is what most send.
    pub takes: &'static [Content],
    /// What is answered when all is well.
    pub answers: &'static [(u16, Form)],
    /// Makes the handler.
    pub handler: Handler,
}

/// Mounts a handler under methods.
pub type Handler = fn(MethodFilter) -> MethodRouter<Arc<App>>;

/// A method of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Safe; `HEAD` comes with it.
    Get,
    /// Adds, or asks with a body.
    Post,
    /// Replaces.
    Put,
    /// Changes a part.
    Patch,
    /// Removes.
    Delete,
}

/// What FHIR calls something that a server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// An interaction of every type, by its code in `type-restful-interaction`.
    OfType(&'static str),
    /// An interaction of the whole system, by its code in `system-restful-interaction`.
    OfSystem(&'static str),
    /// A condition that changes an interaction: an element of `CapabilityStatement.rest.resource`, and
    /// what it says.
    Condition(&'static str, Extent),
    /// An operation, by the address of its definition; its name and types stand in the path.
    Operation(&'static str),
}

/// How far a condition is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// It is, or it is not.
    Yes,
    /// To the extent that has this code.
    Code(&'static str),
}

/// Whose token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A system with an agreement.
    System,
    /// A person at work, with an attest.
    Practitioner,
    /// A resident.
    Resident,
    /// A person with a duty in the municipality's register.
    Admin,
}

/// A parameter of a query, or a header.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it means, in a line.
    pub about: &'static str,
    /// What it may hold.
    pub values: Values,
    /// Whether it must be there.
    pub required: bool,
}

/// What a parameter may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Text.
    Text,
    /// A whole number, not negative.
    Number,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// Something sent.
#[derive(Clone, Copy, Debug)]
pub struct Content {
    /// Media type.
    pub media: &'static str,
    /// What it is.
    pub form: Form,
    /// An example that the demo takes as it is.
    pub example: Option<&'static str>,
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Nothing.
    Empty,
    /// A resource of the type in the address.
    Resource,
    /// A resource of this type.
    Type(&'static str),
    /// JSON that is not FHIR: a schema of the OpenAPI document.
    Json(&'static str),
    /// A resource on each line.
    Lines,
    /// A form, as a browser sends it.
    Pairs,
    /// Plain text.
    Text,
    /// A page or what belongs to one.
    Page,
}

impl Verb {
    /// As in a request.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Put => "PUT",
            Verb::Patch => "PATCH",
            Verb::Delete => "DELETE",
        }
    }

    /// As axum asks for it.
    pub fn filter(self) -> MethodFilter {
        match self {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
            Verb::Put => MethodFilter::PUT,
            Verb::Patch => MethodFilter::PATCH,
            Verb::Delete => MethodFilter::DELETE,
        }
    }

    /// Whether a request may carry content that means something.
    pub fn has_body(self) -> bool {
        !matches!(self, Verb::Get | Verb::Delete)
    }
}

impl Endpoint {
    /// A row without anything that may be left out.
    pub const fn new(
        methods: &'static [Verb],
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: Handler,
    ) -> Self {
        Self {
            id,
            methods,
            path,
            also: None,
            summary,
            acts: &[],
            callers: &[],
            proves_itself: false,
            query: &[],
            headers: &[],
            takes: &[],
            answers: &[],
            handler,
        }
    }

    /// Another way to write the address.
    pub const fn also(mut self, path: &'static str) -> Self {
        self.also = Some(path);
        self
    }

    /// What FHIR calls it.
    pub const fn acts(mut self, acts: &'static [Act]) -> Self {
        self.acts = acts;
        self
    }

    /// Whose tokens it takes.
    pub const fn callers(mut self, callers: &'static [Caller]) -> Self {
        self.callers = callers;
        self
    }

    /// Its handler checks who sends.
    pub const fn proves_itself(mut self) -> Self {
        self.proves_itself = true;
        self
    }

    /// Parameters of the query.
    pub const fn query(mut self, query: &'static [Param]) -> Self {
        self.query = query;
        self
    }

    /// Headers.
    pub const fn headers(mut self, headers: &'static [Param]) -> Self {
        self.headers = headers;
        self
    }

    /// What is sent.
    pub const fn takes(mut self, takes: &'static [Content]) -> Self {
        self.takes = takes;
        self
    }

    /// What is answered when all is well.
    pub const fn answers(mut self, answers: &'static [(u16, Form)]) -> Self {
        self.answers = answers;
        self
    }

    /// Every way to write the address.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.path).chain(self.also)
    }

    /// Whether it answers what people look at, and not programs.
    pub fn is_page(&self) -> bool {
        self.answers.iter().any(|(_, form)| *form == Form::Page)
    }

    /// Whether the address is of a door that speaks FHIR, in JSON and XML.
    pub fn speaks_fhir(&self) -> bool {
        ["/{kommune}/fhir", "/{kommune}/pmd", "/{kommune}/log"]
            .iter()
            .any(|door| self.path.starts_with(door))
            && !self.path.contains("/.well-known/")
    }

    /// The names in the path, such as `kind` of `{kind}`, in their order.
    pub fn path_names(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'))
    }
}

impl Param {
    /// Text that may be left out.
    pub const fn text(name: &'static str, about: &'static str) -> Self {
        Self { name, about, values: Values::Text, required: false }
    }

    /// A number that may be left out.
    pub const fn number(name: &'static str, about: &'static str) -> Self {
        Self { name, about, values: Values::Number, required: false }
    }

    /// A choice that may be left out.
    pub const fn choice(
        name: &'static str,
        about: &'static str,
        values: &'static [&'static str],
    ) -> Self {
        Self { name, about, values: Values::OneOf(values), required: false }
    }

    /// That must be there.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}
