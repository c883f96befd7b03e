//! The municipality's own page: what it has decided and who did, kill switches, what waits for a second
//! person, emergency accesses to look into.
//!
//! Every form posts to [`address::ADMIN`] with [`ACT`], which says what is done, and a reason. No script is
//! needed.

use access::register::control::Off;
use askama::Template;
use exchange::register::admin::Overview;
use exchange::register::answer::places;
use exchange::register::fold::{Act, Folded};
use exchange::register::part::switch_key;
use record::decision::{Change, Outcome, Part};

use crate::address;
use crate::layout::{Area, Frame, Session, html};
use crate::text::{self, filters};
use crate::time::{self, Moment};

/// Field: what is done; one of the constants below.
pub const ACT: &str = "act";
/// Field: the reason.
pub const WHY: &str = "why";
/// Field: the key of what a switch stops.
pub const WHAT: &str = "what";
/// Field: the proposal or the emergency access.
pub const ID: &str = "id";
/// Field: what a review found.
pub const OUTCOME: &str = "outcome";

/// Stops something.
pub const STOP: &str = "stop";
/// Lets something that is stopped go on.
pub const RESUME: &str = "resume";
/// Agrees to a proposal.
pub const APPROVE: &str = "approve";
/// Says no to a proposal.
pub const REJECT: &str = "reject";
/// Says what a review found.
pub const REVIEW: &str = "review";

/// What became of the form that was sent.
#[derive(Clone, Debug)]
pub enum Notice {
    /// It is in force.
    Done,
    /// A second person is asked.
    Proposed,
    /// It was refused; why.
    Refused(String),
}

/// Why something is not done, where no rule of access says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is not there any more, or somebody has answered.
    Gone,
    /// No reason was given, or one that is too long.
    NoReason,
    /// Something was decided meanwhile.
    Meanwhile,
}

impl Obstacle {
    /// What it says.
    pub fn words(self) -> String {
        text::get(match self {
            Obstacle::Gone => "admin-gone",
            Obstacle::NoReason => "admin-why-needed",
            Obstacle::Meanwhile => "admin-meanwhile",
        })
    }
}

/// Who decided something, when and why.
struct Decided {
    at: Moment,
    by: String,
    why: String,
}

/// A member of the register.
struct Member {
    key: String,
    value: String,
    decided: Decided,
}

/// A part of the register.
struct Shelf {
    title: String,
    members: Vec<Member>,
}

/// A decision, a proposal or an emergency access.
struct Item {
    id: String,
    title: String,
    decided: Decided,
    /// Until when it can be answered, or how long it lasts.
    until: Option<Moment>,
    /// Whether the reader may answer it.
    may: bool,
    /// The content of what is decided, as JSON.
    content: Option<String>,
}

/// Something that can be stopped.
struct Choice {
    value: String,
    title: String,
}

#[derive(Template)]
#[template(path = "admin.html")]
struct Page<'a> {
    frame: Frame<'a>,
    action: String,
    notice: Option<Notice>,
    version: u64,
    throws: bool,
    stopped: Vec<Item>,
    choices: Vec<Choice>,
    proposals: Vec<Item>,
    emergencies: Option<Vec<Item>>,
    shelves: Vec<Shelf>,
    history: Vec<Item>,
}

/// What a review may find, by the value that the form sends.
pub fn outcome(value: &str) -> Option<Outcome> {
    match value {
        "justified" => Some(Outcome::Justified),
        "mistaken" => Some(Outcome::Mistaken),
        "misused" => Some(Outcome::Misused),
        _ => None,
    }
}

/// What can be stopped in a municipality, each with its key.
pub fn stoppable(folded: &Folded) -> Vec<Off> {
    let keys = |part: Part| {
        let members = folded.members.keys().filter(move |(of, _)| *of == part);
        members.map(|(_, key)| key.clone())
    };
    let clients = folded.members.iter().filter(|((part, _), _)| *part == Part::Agreement);
    let clients = clients.filter_map(|(_, member)| member.value.get("client_id")?.as_str());
    let mut clients: Vec<String> = clients.map(str::to_owned).chain(keys(Part::System)).collect();
    clients.sort();
    clients.dedup();
    let mut all = vec![Off::Municipality];
    all.extend(clients.into_iter().map(Off::Client));
    all.extend(keys(Part::Vendor).map(Off::Vendor));
    all.extend(keys(Part::Service).map(Off::Service));
    all.extend(record::purpose::Purpose::ALL.map(|it| Off::Purpose(it.code().to_owned())));
    all
}

/// The page at `now_ms`.
pub fn render(
    session: &Session,
    overview: &Overview,
    notice: Option<Notice>,
    now_ms: i64,
) -> String {
    let folded = &overview.folded;
    let decided = |act: &Act| Decided::new(act, now_ms);
    let stopped = |off: &Off| {
        let key = switch_key(off);
        let member = folded.members.get(&(Part::Switch, key.clone()))?;
        Some(Item::new(key, off_title(off), decided(&member.act)))
    };
    let offs = stoppable(folded);
    let is_stopped = |off: &Off| folded.members.contains_key(&(Part::Switch, switch_key(off)));
    let proposal = |(id, it, may): &(u64, exchange::register::fold::Proposal, bool)| Item {
        until: Some(time::moment(it.expires, now_ms)),
        may: *may,
        content: Some(json(&it.change)),
        ..Item::new(id.to_string(), change_title(&it.change), decided(&it.act))
    };
    let emergency = |it: &exchange::register::fold::Opened| Item {
        until: Some(time::moment(it.opening.to, now_ms)),
        may: true,
        ..Item::new(it.opening.id.clone(), it.person.to_string(), decided(&it.act))
    };
    html(&Page {
        frame: Frame::signed_in(text::get("admin-title"), session, Some(Area::Admin)),
        action: address::admin(&session.number),
        notice,
        version: folded.version,
        throws: overview.throws,
        stopped: offs.iter().filter_map(stopped).collect(),
        choices: offs
            .iter()
            .filter(|off| !is_stopped(off))
            .map(|off| Choice { value: switch_key(off), title: off_title(off) })
            .collect(),
        proposals: overview.proposals.iter().map(proposal).collect(),
        emergencies: overview.emergencies.as_ref().map(|it| it.iter().map(emergency).collect()),
        shelves: Part::ALL.into_iter().map(|part| shelf(folded, part, now_ms)).collect(),
        history: overview
            .history
            .iter()
            .map(|told| {
                let id = told.act.position.to_string();
                Item::new(id, change_title(&told.change), decided(&told.act))
            })
            .collect(),
    })
}

impl Decided {
    fn new(act: &Act, now_ms: i64) -> Self {
        let (by, why) = (act.who.name.clone(), act.why.clone());
        Self { at: time::moment(act.at, now_ms), by, why }
    }
}

impl Item {
    fn new(id: String, title: String, decided: Decided) -> Self {
        Self { id, title, decided, until: None, may: false, content: None }
    }
}

fn shelf(folded: &Folded, part: Part, now_ms: i64) -> Shelf {
    let own = folded.members.iter().filter(|((of, _), _)| *of == part);
    let members = own.map(|((_, key), member)| Member {
        key: key.clone(),
        value: json(&member.value),
        decided: Decided::new(&member.act, now_ms),
    });
    Shelf { title: part_title(part), members: members.collect() }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn part_title(part: Part) -> String {
    text::get(&format!("admin-part-{}", part.name()))
}

fn off_title(off: &Off) -> String {
    let (key, of) = match off {
        Off::Municipality => return text::get("admin-off-municipality"),
        Off::Purpose(code) => {
            let known = text::find(&format!("purpose-{code}"), &[]);
            return text::with(
                "admin-off-purpose",
                &[("of", known.unwrap_or_else(|| code.clone()).into())],
            );
        }
        Off::Service(key) => ("admin-off-service", key),
        Off::Vendor(number) => ("admin-off-vendor", number),
        Off::Client(client) => ("admin-off-client", client),
    };
    text::with(key, &[("of", of.as_str().into())])
}

/// What a change is, in a line.
fn change_title(change: &Change) -> String {
    let verb = match change {
        Change::Put { .. } => "admin-change-put",
        Change::End { .. } => "admin-change-end",
        Change::Several { restores: Some(version), .. } => {
            return text::with("admin-change-restores", &[("version", (*version).into())]);
        }
        Change::Several { changes, .. } => {
            return text::with("admin-change-several", &[("count", changes.len().into())]);
        }
        Change::Propose { .. } => "admin-change-propose",
        Change::Approve { proposal } => {
            return text::with("admin-change-approve", &[("id", (*proposal).into())]);
        }
        Change::Reject { proposal } => {
            return text::with("admin-change-reject", &[("id", (*proposal).into())]);
        }
        Change::Erase { .. } => return text::get("admin-change-erase"),
        Change::EraseRecord { .. } => return text::get("admin-change-erase-record"),
        _ => return text::get("admin-change-other"),
    };
    let place = places(change).first().map(|(part, key)| format!("{} {key}", part_title(*part)));
    text::with(verb, &[("what", place.unwrap_or_default().into())])
}
