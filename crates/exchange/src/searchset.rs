//! Searches as Bundles. Stored resources are written into the answer as the bytes
//! they are kept as.

use access::caller::Caller;
use fhir::issue::{Issue, IssueCode, operation_outcome};
use fhir::json;
use fhir::query::{Query, Reason, Scope, Summary};
use fhir::resource::is_id;
use fhir::subset::Subset;
use fhir::value::Value;
use record::entry::Position;
use record::identity::contains_number;
use view::search::{Page, can_sort};
use view::store::Stored;

use crate::answer::Incomplete;
use crate::coded;
use crate::error::Failure;
use crate::read::known_kind;
use crate::tenant::Tenant;

/// Names and values of a query or form, decoded.
pub type Pairs = Vec<(String, String)>;

/// Parameter of a paging link: where the page before ended.
const CURSOR: &str = "_cursor";

/// Where a search looks, as its address says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `[base]?…`: every type, or those in `_type`.
    System,
    /// `[base]/Observation?…`.
    Type(&'static str),
    /// `[base]/Patient/123/Observation?…`, and `[base]/Patient/123/*?…` for every type.
    Compartment {
        /// The type of the compartment, such as `Patient`.
        kind: &'static str,
        /// Its logical id.
        id: String,
        /// The type searched; nothing for `*`.
        of: Option<&'static str>,
    },
}

impl Place {
    /// A compartment, and a type in it or `*`.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for what can be no such address.
    pub fn compartment(kind: &str, id: &str, of: &str) -> Result<Self, Failure> {
        let of = if of == "*" { None } else { Some(known_kind(of)?) };
        if !is_id(id) {
            return Err(Failure::NotFound);
        }
        Ok(Place::Compartment { kind: known_kind(kind)?, id: id.to_owned(), of })
    }

    fn scope(&self) -> Scope<'_> {
        match self {
            Place::System => Scope::System,
            Place::Type(kind) => Scope::Type(kind),
            Place::Compartment { kind, id, of } => Scope::Compartment { kind, id, of: *of },
        }
    }

    /// The address below the base.
    fn address(&self, base: &str) -> String {
        match self {
            Place::System => base.to_owned(),
            Place::Type(kind) => format!("{base}/{kind}"),
            Place::Compartment { kind, id, of } => {
                format!("{base}/{kind}/{id}/{}", of.unwrap_or("*"))
            }
        }
    }

    fn is_of(&self, kind: &str) -> bool {
        matches!(self, Place::Type(of) if *of == kind)
    }
}

/// A search as it was asked.
pub struct Search {
    place: Place,
    pairs: Pairs,
    strict: bool,
}

/// A search as it is understood.
struct Understood {
    query: Query,
    cursor: Option<String>,
    /// What links repeat.
    pairs: Pairs,
    /// Parameters that were not acted on.
    ignored: Vec<Issue>,
}

impl Search {
    /// A search. Under `handling=strict` an unsupported parameter refuses it when it is run.
    pub fn new(place: Place, pairs: Pairs, strict: bool) -> Self {
        Self { place, pairs, strict }
    }

    /// Reads the parameters.
    async fn understood(&self, tenant: &Tenant, caller: &Caller) -> Result<Understood, Failure> {
        let parameters = tenant.parameters()?;
        let mut pairs = self.pairs.clone();
        let cursor = pairs.iter().find(|(name, _)| name == CURSOR).map(|(_, it)| it.clone());
        pairs.retain(|(name, _)| name != CURSOR);
        let sets = tenant.named_sets(caller, &parameters, self.place.scope(), &pairs).await?;
        let mut query = coded::read(&parameters, self.place.scope(), &pairs, &sets)?;
        let mut ignored = Vec::new();
        let mut refused = self.strict;
        for unsupported in &query.unsupported {
            // R4 asks for a refusal whatever the client prefers: the meaning would be reversed.
            refused |= unsupported.reason == Reason::Modifier;
            let text = format!("`{}`: {}", unsupported.parameter, unsupported.reason.as_str());
            ignored.push(Issue::warning(IssueCode::NotSupported, "", text));
        }
        let sortable = query.sort.len();
        query.sort.retain(can_sort);
        if query.sort.len() < sortable {
            let text = "`_sort`: a place cannot be sorted by";
            ignored.push(Issue::warning(IssueCode::NotSupported, "", text));
        }
        if refused && !ignored.is_empty() {
            let refuse = |issue: Issue| Issue::error(issue.code, issue.location, issue.message);
            let issues = ignored.into_iter().map(refuse).collect();
            return Err(Failure::Malformed(issues));
        }
        let names: Vec<&str> = query.unsupported.iter().map(|it| it.parameter.as_str()).collect();
        pairs.retain(|(name, _)| !names.contains(&name.as_str()));
        Ok(Understood { query, cursor, pairs, ignored })
    }

    /// Runs it and prints the Bundle. `base` is the address of the door.
    pub async fn run(
        self,
        tenant: &Tenant,
        caller: &Caller,
        base: &str,
    ) -> Result<Vec<u8>, Failure> {
        let Understood { query, cursor, pairs, ignored } = self.understood(tenant, caller).await?;
        let subset = subset(query.summary, &query.elements);
        // `_elements` are those of what was searched for.
        let of_included = subset.clone().filter(|it| !matches!(it, Subset::Elements(_)));
        let asked = asked(&self.place, &pairs);
        let page = tenant.search_as(caller, query, cursor.as_deref(), asked.as_deref()).await?;
        let links = links(base, &self.place, &pairs, &page);
        let mut entries = Entries::new(&links, page.total);
        for stored in &page.matches {
            entries.add(base, stored.kind, stored, subset.as_ref(), "match");
        }
        for (kind, stored) in &page.included {
            entries.add(base, kind, stored, of_included.as_ref(), "include");
        }
        let cut = page.cut.then(|| {
            let text = "not everything asked for by `_include` and `_revinclude` is here: send \
                        smaller pages";
            Issue::warning(IssueCode::Incomplete, "", text)
        });
        let missing = incomplete(&page.skipped, page.withheld);
        let told: Vec<Issue> = ignored.into_iter().chain(missing).chain(cut).collect();
        if !told.is_empty() {
            entries.outcome(&told);
        }
        Ok(entries.finish())
    }
}

/// What could not be read among what was asked for, and that something is withheld where that is told,
/// as R4 tells of it in a searchset.
pub(crate) fn incomplete(skipped: &[Position], withheld: bool) -> Vec<Issue> {
    let warning = |code, what: Incomplete| Issue::warning(code, "", what.to_string());
    let missing = skipped.iter().map(|position| Incomplete::Record { position: *position });
    let missing = missing.map(|what| warning(IssueCode::Incomplete, what));
    let withheld = withheld.then(|| warning(IssueCode::Suppressed, Incomplete::Withheld));
    missing.chain(withheld).collect()
}

/// A searchset being written.
pub(crate) struct Entries {
    out: Vec<u8>,
    first: bool,
}

impl Entries {
    /// Begins one.
    pub(crate) fn new(links: &Value, total: Option<u64>) -> Self {
        let mut out = Vec::with_capacity(32 * 1_024);
        out.extend_from_slice(b"{\"resourceType\":\"Bundle\",\"type\":\"searchset\"");
        if let Some(total) = total {
            out.extend_from_slice(format!(",\"total\":{total}").as_bytes());
        }
        out.extend_from_slice(b",\"link\":");
        json::print_to(links, &mut out);
        Self { out, first: true }
    }

    fn begin(&mut self) {
        let start: &[u8] = if self.first { b",\"entry\":[" } else { b"," };
        self.first = false;
        self.out.extend_from_slice(start);
    }

    pub(crate) fn add(
        &mut self,
        base: &str,
        kind: &str,
        stored: &Stored,
        subset: Option<&Subset>,
        mode: &str,
    ) {
        self.begin();
        let head = format!("{{\"fullUrl\":\"{base}/{kind}/{}\",\"resource\":", stored.id);
        self.out.extend_from_slice(head.as_bytes());
        match subset {
            Some(subset) => self.out.extend_from_slice(&narrowed(&stored.body, subset)),
            None => self.out.extend_from_slice(&stored.body),
        }
        self.out.extend_from_slice(format!(",\"search\":{{\"mode\":\"{mode}\"}}}}").as_bytes());
    }

    /// A match that is not a stored resource.
    pub(crate) fn add_resource(&mut self, base: &str, resource: &Value) {
        self.begin();
        let text = |name| resource.text(name).unwrap_or_default();
        let url = format!("{base}/{}/{}", text("resourceType"), text("id"));
        let entry = json!({
            "fullUrl": url, "resource": resource, "search": { "mode": "match" },
        });
        json::print_to(&entry, &mut self.out);
    }

    pub(crate) fn outcome(&mut self, issues: &[Issue]) {
        self.begin();
        self.out.extend_from_slice(b"{\"resource\":");
        json::print_to(&operation_outcome(issues), &mut self.out);
        self.out.extend_from_slice(b",\"search\":{\"mode\":\"outcome\"}}");
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.out.extend_from_slice(if self.first { b"}" } else { b"]}" });
        self.out
    }
}

/// `self` and `next`. An identity number, right or mistyped, never stands in a link: a page that
/// follows names the patient by the pseudonymous id of the first match.
fn links(base: &str, place: &Place, pairs: &Pairs, page: &Page) -> Value {
    let may_show =
        |(name, value): &&(String, String)| !names_person(place, name) && !contains_number(value);
    let mut shown: Pairs = pairs.iter().filter(may_show).cloned().collect();
    let mut hidden = pairs.iter().filter(|pair| !may_show(pair)).map(|(name, _)| name.as_str());
    if let Some(hidden) = hidden.next()
        && !place.is_of("Patient")
        && !matches!(place, Place::Compartment { .. })
        && let Some(person) = page.matches.first().and_then(|stored| stored.person)
    {
        let name = if hidden.starts_with("subject") { "subject" } else { "patient" };
        shown.push((name.to_owned(), format!("Patient/{person}")));
    }
    let address = |extra: Option<&str>| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&shown);
        if let Some(cursor) = extra {
            query.append_pair(CURSOR, cursor);
        }
        match query.finish() {
            query if query.is_empty() => place.address(base),
            query => format!("{}?{query}", place.address(base)),
        }
    };
    let mut links = vec![json!({ "relation": "self", "url": address(None) })];
    if let Some(cursor) = &page.next {
        links.push(json!({ "relation": "next", "url": address(Some(cursor)) }));
    }
    Value::Array(links)
}

/// Parameters whose values say who somebody is, or hold free text.
const PERSONAL: [&str; 12] = [
    "identifier",
    "name",
    "given",
    "family",
    "phonetic",
    "address",
    "phone",
    "email",
    "telecom",
    "birthdate",
    "_content",
    "_text",
];

/// Longest record of a search, in bytes.
const MOST_ASKED: usize = 512;

/// A search in words for the audit ledger: what could name a person is told by the parameter's name
/// alone.
fn asked(place: &Place, pairs: &Pairs) -> Option<String> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        let of = name.split([':', '.', '-']).any(|part| PERSONAL.contains(&part));
        let names = of || name == "_filter" || names_person(place, name) || contains_number(value);
        query.append_pair(name, if names { "…" } else { value });
    }
    let mut text = query.finish();
    if text.len() > MOST_ASKED {
        text.truncate(text.floor_char_boundary(MOST_ASKED));
    }
    (!text.is_empty()).then_some(text)
}

/// Whether the value of this parameter is a person's identifier.
fn names_person(place: &Place, parameter: &str) -> bool {
    match parameter.split_once([':', '.']) {
        Some(("patient" | "subject", rest)) => rest.ends_with("identifier"),
        _ => parameter == "identifier" && place.is_of("Patient"),
    }
}

/// A part of a stored resource.
pub(crate) fn narrowed(body: &[u8], subset: &Subset) -> Vec<u8> {
    match json::parse(body) {
        Ok(whole) => json::print(&subset.of(&whole)).into(),
        Err(_) => body.to_vec(),
    }
}

/// What `_summary` and `_elements` ask for; `None` for all.
pub(crate) fn subset(summary: Option<Summary>, elements: &[Box<str>]) -> Option<Subset> {
    match summary {
        _ if !elements.is_empty() => Some(Subset::Elements(elements.to_vec())),
        Some(Summary::True) => Some(Subset::Summary),
        Some(Summary::Text) => Some(Subset::Text),
        Some(Summary::Data) => Some(Subset::Data),
        Some(Summary::Count | Summary::False) | None => None,
    }
}
