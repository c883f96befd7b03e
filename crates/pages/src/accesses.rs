//! The monthly review of accesses: who has used which access, those who seem to have left first, and
//! whether it is still needed.
//!
//! Each form posts to [`address::ACCESSES`] with an access's id, whether it is needed, and a reason.

use askama::Template;
use exchange::vigilance::review::{Reviewed, Standing};

use crate::address;
use crate::layout::{Area, Frame, Session, html};
use crate::notice::Notice;
use crate::text::{self, filters};
use crate::time::{self, Moment};

/// Field: the access.
pub const ID: &str = "id";
/// Field: whether it is needed, [`YES`] or [`NO`].
pub const NEEDED: &str = "needed";
/// Field: the reason.
pub const WHY: &str = "why";
/// It is needed.
pub const YES: &str = "yes";
/// It is not.
pub const NO: &str = "no";

struct Row {
    id: String,
    who: String,
    profession: String,
    unit: String,
    role: String,
    client: String,
    first: String,
    last: String,
    looks: u64,
    standing: &'static str,
    alarming: bool,
    certified: Option<(bool, String, Moment, String)>,
}

#[derive(Template)]
#[template(path = "accesses.html")]
struct Page<'a> {
    frame: Frame<'a>,
    action: String,
    notice: Option<Notice>,
    as_of: Option<String>,
    rows: Vec<Row>,
}

/// The page at `now_ms`; `as_of` is the day that the log is looked at up to, `YYYY-MM-DD`.
pub fn render(
    session: &Session,
    reviewed: &[Reviewed],
    as_of: Option<String>,
    notice: Option<Notice>,
    now_ms: i64,
) -> String {
    html(&Page {
        frame: Frame::signed_in(text::get("accesses-title"), session, Some(Area::Accesses)),
        action: address::accesses(&session.number),
        notice,
        as_of: as_of.map(|day| time::day(&day)),
        rows: reviewed.iter().map(|it| row(it, now_ms)).collect(),
    })
}

fn row(it: &Reviewed, now_ms: i64) -> Row {
    let certified = it.certified.as_ref().map(|(needed, act)| {
        (*needed, act.who.name.clone(), time::moment(act.at, now_ms), act.why.clone())
    });
    Row {
        id: it.access.id.to_string(),
        who: it.access.name.clone(),
        profession: it.access.profession.clone().unwrap_or_default(),
        unit: it.unit.clone(),
        role: it.role.clone(),
        client: it.access.client.clone(),
        first: time::day(&it.access.first.to_string()),
        last: time::day(&it.access.last.to_string()),
        looks: it.access.looks,
        standing: it.standing.key(),
        alarming: it.standing < Standing::Due,
        certified,
    }
}
