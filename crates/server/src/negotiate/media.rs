//! Media types of FHIR: which format a sender sends and a caller wants (R4 http.html §3.1.0.1.9,
//! RFC 9110 §12.5).

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use fhir::issue::IssueCode;

use crate::problem::Problem;

/// How a resource is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// The form that resources are kept in.
    #[default]
    Json,
    /// FHIR XML.
    Xml,
}

/// The names a caller may use, with the format each means.
const NAMES: [(&str, Format); 8] = [
    ("application/fhir+json", Format::Json),
    ("application/json", Format::Json),
    ("text/json", Format::Json),
    ("json", Format::Json),
    ("application/fhir+xml", Format::Xml),
    ("application/xml", Format::Xml),
    ("text/xml", Format::Xml),
    ("xml", Format::Xml),
];

const OFFERED: &str = "ask for `application/fhir+json` or `application/fhir+xml`, of \
                       `fhirVersion=4.0` if any";

/// A media type or range with its parameters.
struct Media<'a> {
    name: String,
    parameters: Vec<(String, &'a str)>,
}

impl Format {
    /// What the answer's `Content-Type` says.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/fhir+json; charset=utf-8",
            Format::Xml => "application/fhir+xml; charset=utf-8",
        }
    }

    fn named(name: &str) -> Option<Format> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }
}

/// Whether a media type is one of FHIR's, or says nothing.
pub fn is_fhir(media: &str) -> bool {
    let media = Media::parse(media);
    media.name.is_empty() || Format::named(&media.name).is_some()
}

/// Whether a caller asks for a resource in a format of FHIR by its name, and not for whatever there is.
pub fn names_fhir(headers: &HeaderMap, format: Option<&str>) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    format.is_some()
        || accepted
            .flat_map(weighed)
            .any(|(text, weight)| weight > 0 && Format::named(&Media::parse(text).name).is_some())
}

/// Whether a caller asks for a document by its name, in `_format`, or else first of all in `Accept`.
pub fn wants_pdf(headers: &HeaderMap, format: Option<&str>) -> bool {
    const PDF: &str = "application/pdf";
    if let Some(format) = format {
        return matches!(format, PDF | "pdf");
    }
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let best = accepted.flat_map(weighed).max_by_key(|(_, weight)| *weight);
    best.is_some_and(|(text, weight)| weight > 0 && Media::parse(text).name == PDF)
}

/// The format of what was sent; JSON where nothing says.
///
/// # Errors
/// 415 for another media type, another character set than UTF-8, or another version of FHIR.
pub fn sent(headers: &HeaderMap) -> Result<Format, Problem> {
    let refuse = |message: &str| {
        Err(Problem::edge(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueCode::NotSupported, message))
    };
    let Some(written) = headers.get(CONTENT_TYPE) else {
        return Ok(Format::Json);
    };
    let media = Media::parse(written.to_str().unwrap_or("?"));
    let is_utf8 = |charset: &str| charset.eq_ignore_ascii_case("utf-8");
    if !media.parameter("charset").is_none_or(is_utf8) {
        return refuse("send UTF-8");
    }
    if !media.is_version_4() {
        return refuse("send FHIR R4, `fhirVersion=4.0`");
    }
    match Format::named(&media.name) {
        Some(format) => Ok(format),
        None if media.name.is_empty() || media.name.ends_with("+json") => Ok(Format::Json),
        None => refuse("send `application/fhir+json` or `application/fhir+xml`"),
    }
}

/// The format that is wanted: by `_format`, else by `Accept`; JSON where nothing says, or both are
/// wanted alike.
///
/// # Errors
/// 406 where neither is.
pub fn wanted(headers: &HeaderMap, format: Option<&str>) -> Result<Format, Problem> {
    let refuse = || Problem::edge(StatusCode::NOT_ACCEPTABLE, IssueCode::NotSupported, OFFERED);
    if let Some(written) = format {
        // A plus sign that was not escaped arrives as a blank.
        let written = written.trim().replace("; ", ";").replace(' ', "+");
        let media = Media::parse(&written);
        return Format::named(&media.name).filter(|_| media.is_version_4()).ok_or_else(refuse);
    }
    if !headers.contains_key(ACCEPT) {
        return Ok(Format::Json);
    }
    let written: Vec<&str> =
        headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let written = written.join(",");
    let ranges: Vec<(Media, u16)> = weighed(&written)
        .map(|(text, weight)| (Media::parse(text), weight))
        .filter(|(media, _)| media.is_version_4())
        .collect();
    let (json, xml) = (weight(&ranges, Format::Json), weight(&ranges, Format::Xml));
    match (json, xml) {
        (0, 0) => Err(refuse()),
        (json, xml) if json >= xml => Ok(Format::Json),
        _ => Ok(Format::Xml),
    }
}

/// How much a format is wanted, in thousandths: by its own names if any is there, else by the range of
/// `application/*` or `text/*`, else by `*/*`.
fn weight(ranges: &[(Media, u16)], format: Format) -> u16 {
    let best = |fits: &dyn Fn(&str) -> bool| {
        let fitting = ranges.iter().filter(|(media, _)| fits(&media.name));
        fitting.map(|(_, weight)| *weight).max()
    };
    best(&|name| Format::named(name) == Some(format))
        .or_else(|| best(&|name| matches!(name, "application/*" | "text/*")))
        .or_else(|| best(&|name| matches!(name, "*/*" | "*")))
        .unwrap_or(0)
}

/// The items of a list such as `Accept`'s with their weights in thousandths (RFC 9110 §12.4.2); one whose
/// weight cannot be read is left out.
pub fn weighed(list: &str) -> impl Iterator<Item = (&str, u16)> {
    list.split(',').filter_map(|item| {
        let item = item.trim();
        let written = item.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
        });
        let weight = written.map_or(Some(1_000), thousandths)?;
        (!item.is_empty()).then_some((item, weight))
    })
}

/// `0`, `0.5` or `1.000` in thousandths.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !matches!(whole, "0" | "1") {
        return None;
    }
    let weight = format!("{whole}{fraction:0<3}").parse().ok()?;
    (weight <= 1_000).then_some(weight)
}

impl<'a> Media<'a> {
    fn parse(text: &'a str) -> Media<'a> {
        let mut parts = text.split(';');
        let name = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let parameters = parts.filter_map(|part| {
            let (name, value) = part.split_once('=')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().trim_matches('"')))
        });
        Media { name, parameters: parameters.collect() }
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    fn is_version_4(&self) -> bool {
        self.parameter("fhirversion").is_none_or(|version| matches!(version, "4.0" | "4.0.1"))
    }
}
