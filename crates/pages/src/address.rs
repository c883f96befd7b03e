//! Where the pages are. `server` mounts the patterns, the pages link to what the functions give.
//!
//! Invariant: a person stands in an address only as a pseudonymous id.

use record::identity::PersonId;

use crate::chart::Period;
use crate::requests::Told;
use crate::restrictions::Done;

/// Sign-in: GET shows [`crate::signin`], POST signs in with its form.
pub const SIGN_IN: &str = "/";
/// POST signs out.
pub const SIGN_OUT: &str = "/ut";
/// The stand-ins' authorization endpoint: GET shows [`crate::authorize`], POST answers it.
pub const AUTHORIZE: &str = "/sandkasse/{issuer}/authorize";
/// Assets, by [`crate::assets::get`].
pub const ASSETS: &str = "/assets/{file}";
/// GET shows the form, POST with [`crate::legevakt::NUMBER_FIELD`] the patient.
pub const LEGEVAKT: &str = "/{kommune}/legevakt";
/// The ward board.
pub const TAVLE: &str = "/{kommune}/tavle";
/// One line of the board, by [`crate::tavle::row`].
pub const TAVLE_ROW: &str = "/{kommune}/tavle/rad/{person}";
/// Server-sent events of the board: the data of each is the id of the changed person.
pub const TAVLE_EVENTS: &str = "/{kommune}/tavle/hendelser";
/// The NEWS2 chart of a person; query `periode` is a [`Period::key`].
pub const CHART: &str = "/{kommune}/pasient/{person}/news2";
/// A resident's own page; query as [`CHART`].
pub const INNBYGGER: &str = "/{kommune}/innbygger";
/// POST, with the fields of [`crate::restrictions`], withholds something.
pub const RESTRICT: &str = "/{kommune}/innbygger/sperringer";
/// POST with [`crate::restrictions::LIFT_FIELD`] withholds it no longer.
pub const LIFT: &str = "/{kommune}/innbygger/sperringer/opphev";

/// A resident's copy, for people.
pub const COPY_PDF: &str = "/{kommune}/innbygger/kopi.pdf";
/// A resident's copy, for programs.
pub const COPY_JSON: &str = "/{kommune}/innbygger/kopi.json";
/// POST, with the fields of [`crate::requests`], asks for something.
pub const ASK: &str = "/{kommune}/innbygger/krav";
/// POST with [`crate::requests::ID_FIELD`] takes it back.
pub const WITHDRAW: &str = "/{kommune}/innbygger/krav/trekk";

/// The municipality's own page: GET shows [`crate::admin`], POST takes its forms.
pub const ADMIN: &str = "/{kommune}/admin";

/// What the analysis of the log asks about; POST says what came of it.
pub const LOG_ANALYSIS: &str = "/{kommune}/admin/logganalyse";
/// Who has which access; POST says whether it is needed.
pub const ACCESSES: &str = "/{kommune}/admin/tilganger";
/// What is kept, held and erased: GET shows [`crate::disposal`], POST takes its forms.
pub const DISPOSAL: &str = "/{kommune}/admin/bevaring";

/// What residents have asked for: GET shows [`crate::cases`], POST takes a step.
pub const CASES: &str = "/{kommune}/admin/krav";

/// Whose API to try: GET shows the municipalities, or goes on to the only one.
pub const DOCS_CHOICE: &str = "/docs";
/// GET shows [`crate::docs`].
pub const DOCS: &str = "/{kommune}/docs";
/// POST with [`crate::docs::ROLE_FIELD`] gives a token, in a demo.
pub const DOCS_TOKEN: &str = "/{kommune}/docs/token";

/// [`AUTHORIZE`] of a stand-in.
pub fn authorize(issuer: &str) -> String {
    AUTHORIZE.replace("{issuer}", issuer)
}

/// [`DOCS`] of a municipality.
pub fn docs(municipality: &str) -> String {
    fill(DOCS, municipality, None)
}

/// [`LOG_ANALYSIS`] of a municipality.
pub fn log_analysis(municipality: &str) -> String {
    fill(LOG_ANALYSIS, municipality, None)
}

/// [`ACCESSES`] of a municipality.
pub fn accesses(municipality: &str) -> String {
    fill(ACCESSES, municipality, None)
}

/// [`DISPOSAL`] of a municipality.
pub fn disposal(municipality: &str) -> String {
    fill(DISPOSAL, municipality, None)
}

/// [`DOCS_TOKEN`] of a municipality.
pub fn docs_token(municipality: &str) -> String {
    fill(DOCS_TOKEN, municipality, None)
}

/// [`LEGEVAKT`] of a municipality.
pub fn legevakt(municipality: &str) -> String {
    fill(LEGEVAKT, municipality, None)
}

/// [`TAVLE`] of a municipality.
pub fn tavle(municipality: &str) -> String {
    fill(TAVLE, municipality, None)
}

/// [`TAVLE_ROW`] without the person, which the board's script adds.
pub fn tavle_rows(municipality: &str) -> String {
    fill(TAVLE_ROW, municipality, None).replace("{person}", "")
}

/// [`TAVLE_EVENTS`] of a municipality.
pub fn tavle_events(municipality: &str) -> String {
    fill(TAVLE_EVENTS, municipality, None)
}

/// [`CHART`] of a person.
pub fn chart(municipality: &str, person: PersonId, period: Period) -> String {
    with_period(fill(CHART, municipality, Some(person)), period)
}

/// [`INNBYGGER`] of a municipality.
pub fn innbygger(municipality: &str) -> String {
    fill(INNBYGGER, municipality, None)
}

/// [`ADMIN`] of a municipality.
pub fn admin(municipality: &str) -> String {
    fill(ADMIN, municipality, None)
}

/// [`INNBYGGER`] with the measurements of a period.
pub fn innbygger_in(municipality: &str, period: Period) -> String {
    let anchor = crate::innbygger::MEASUREMENTS;
    format!("{}#{anchor}", with_period(innbygger(municipality), period))
}

/// [`INNBYGGER`] with the measurements of a period, from the top.
pub fn innbygger_at(municipality: &str, period: Period) -> String {
    with_period(innbygger(municipality), period)
}

/// [`INNBYGGER`] after something was withheld or lifted; query `melding` is a [`Done::key`].
pub fn innbygger_after(municipality: &str, done: Done) -> String {
    format!("{}?melding={}#sperringer", innbygger(municipality), done.key())
}

/// [`INNBYGGER`] after something was asked or taken back; query `melding` is a [`Told::key`].
pub fn innbygger_asked(municipality: &str, told: Told) -> String {
    format!("{}?melding={}#krav", innbygger(municipality), told.key())
}

/// [`COPY_PDF`] of a municipality.
pub fn copy_pdf(municipality: &str) -> String {
    fill(COPY_PDF, municipality, None)
}

/// [`COPY_JSON`] of a municipality.
pub fn copy_json(municipality: &str) -> String {
    fill(COPY_JSON, municipality, None)
}

/// [`ASK`] of a municipality.
pub fn ask(municipality: &str) -> String {
    fill(ASK, municipality, None)
}

/// [`WITHDRAW`] of a municipality.
pub fn withdraw(municipality: &str) -> String {
    fill(WITHDRAW, municipality, None)
}

/// [`CASES`] of a municipality.
pub fn cases(municipality: &str) -> String {
    fill(CASES, municipality, None)
}

/// [`RESTRICT`] of a municipality.
pub fn restrict(municipality: &str) -> String {
    fill(RESTRICT, municipality, None)
}

/// [`LIFT`] of a municipality.
pub fn lift(municipality: &str) -> String {
    fill(LIFT, municipality, None)
}

fn with_period(address: String, period: Period) -> String {
    format!("{address}?periode={}", period.key())
}

fn fill(pattern: &str, municipality: &str, person: Option<PersonId>) -> String {
    let address = pattern.replace("{kommune}", municipality);
    match person {
        Some(person) => address.replace("{person}", &person.to_string()),
        None => address,
    }
}
