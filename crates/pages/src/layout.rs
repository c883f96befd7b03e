//! What all pages share: who is signed in, where one can go, and the frame around the content.

use askama::Template;
use exchange::answer::Incomplete;

use crate::address;
use crate::text;

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// Name of the person.
    pub name: String,
    /// Title of the role in Bokmål.
    pub role: String,
    /// Name of the municipality.
    pub municipality: String,
    /// Municipality number, four digits.
    pub number: String,
    /// What the role uses, in the order of the menu.
    pub areas: Vec<Area>,
    /// Whether everything shown is made up; said on every page.
    pub synthetic: bool,
}

/// A part of the solution that stands in the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// [`crate::legevakt`].
    Legevakt,
    /// [`crate::tavle`].
    Tavle,
    /// [`crate::innbygger`].
    Innbygger,
    /// [`crate::admin`].
    Admin,
    /// [`crate::log_analysis`].
    LogAnalysis,
    /// [`crate::accesses`].
    Accesses,
    /// [`crate::cases`].
    Cases,
    /// [`crate::disposal`].
    Disposal,
}

impl Area {
    /// Every area.
    pub const ALL: [Area; 8] = [
        Area::Legevakt,
        Area::Tavle,
        Area::Innbygger,
        Area::Admin,
        Area::LogAnalysis,
        Area::Accesses,
        Area::Cases,
        Area::Disposal,
    ];

    /// Where it is, in a municipality.
    pub fn address(self, municipality: &str) -> String {
        match self {
            Area::Legevakt => address::legevakt(municipality),
            Area::Tavle => address::tavle(municipality),
            Area::Innbygger => address::innbygger(municipality),
            Area::Admin => address::admin(municipality),
            Area::LogAnalysis => address::log_analysis(municipality),
            Area::Accesses => address::accesses(municipality),
            Area::Cases => address::cases(municipality),
            Area::Disposal => address::disposal(municipality),
        }
    }

    fn title(self) -> String {
        text::get(match self {
            Area::Legevakt => "area-legevakt",
            Area::Tavle => "area-tavle",
            Area::Innbygger => "area-innbygger",
            Area::Admin => "area-admin",
            Area::LogAnalysis => "area-log-analysis",
            Area::Accesses => "area-accesses",
            Area::Cases => "area-cases",
            Area::Disposal => "area-disposal",
        })
    }
}

/// The frame around a page's content, as `layout.html` reads it.
pub(crate) struct Frame<'a> {
    pub title: String,
    pub session: Option<&'a Session>,
    pub menu: Vec<MenuItem>,
    pub synthetic: bool,
}

pub(crate) struct MenuItem {
    pub title: String,
    pub address: String,
    pub current: bool,
}

impl<'a> Frame<'a> {
    /// The frame of a page for somebody signed in; `area` is where in the menu it belongs.
    pub fn signed_in(title: String, session: &'a Session, area: Option<Area>) -> Self {
        let item = |&each: &Area| MenuItem {
            title: each.title(),
            address: each.address(&session.number),
            current: area == Some(each),
        };
        Self {
            title,
            session: Some(session),
            menu: session.areas.iter().map(item).collect(),
            synthetic: session.synthetic,
        }
    }

    /// The frame of a page for whoever comes.
    pub fn anybody(title: String, synthetic: bool) -> Self {
        Self { title, session: None, menu: Vec::new(), synthetic }
    }
}

/// A warning or piece of information in a box.
#[derive(Template)]
#[template(path = "alert.html")]
pub(crate) struct Alert {
    pub kind: &'static str,
    pub title: String,
    pub lines: Vec<String>,
}

impl Alert {
    /// Tells that something could not be read; `None` when everything could.
    pub fn incomplete(missing: &[Incomplete]) -> Option<Self> {
        let words = |what: &Incomplete| match what {
            Incomplete::Record { .. } => text::get("incomplete-record"),
            Incomplete::Measurements { count } => {
                text::with("incomplete-measurements", &[("count", (*count).into())])
            }
            Incomplete::Withheld => text::get("incomplete-withheld"),
        };
        (!missing.is_empty()).then(|| Self {
            kind: "warning",
            title: text::get("incomplete-title"),
            lines: missing.iter().map(words).chain([text::get("incomplete-advice")]).collect(),
        })
    }
}

/// The HTML of a template.
pub(crate) fn html(template: &impl Template) -> String {
    // Writing to memory fails for no value that our templates print.
    template.render().unwrap_or_else(|_| text::get("render-failed"))
}
