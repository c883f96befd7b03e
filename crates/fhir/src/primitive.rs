//! The primitive types of R4 and the form of their values (R4 datatypes §2.24.0.1).

use crate::instant;
use crate::resource::is_id;
use crate::value::Value;
use crate::xml;

/// Most characters of a string (R4 datatypes, string).
const LONGEST: usize = 1024 * 1024;

/// A type whose value is a single JSON string, number or boolean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Primitive {
    /// Base64, white space allowed.
    Base64Binary,
    /// `true` or `false`.
    Boolean,
    /// A URI that names a canonical resource, perhaps with `|version`.
    Canonical,
    /// A code: no blanks at the ends, single ones within.
    Code,
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    Date,
    /// A date, or a date with time to the second and zone.
    DateTime,
    /// A JSON number.
    Decimal,
    /// A logical id.
    Id,
    /// A time to the second or finer, with zone.
    Instant,
    /// A whole number of 32 bits.
    Integer,
    /// Text with markup.
    Markdown,
    /// `urn:oid:` and an object identifier.
    Oid,
    /// A whole number from 1.
    PositiveInt,
    /// Text.
    String,
    /// `hh:mm:ss`, perhaps with fractions.
    Time,
    /// A whole number from 0.
    UnsignedInt,
    /// A URI.
    Uri,
    /// A URL.
    Url,
    /// `urn:uuid:` and a UUID in lower case.
    Uuid,
    /// XHTML in one `div`.
    Xhtml,
}

/// Why a value does not fit: of the wrong JSON type, or in the wrong form. Says what to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The JSON type is wrong.
    Type(&'static str),
    /// The form is wrong.
    Form(&'static str),
}

impl Primitive {
    /// The primitive type of this name.
    pub fn from_name(name: &str) -> Option<Primitive> {
        Some(match name {
            "base64Binary" => Primitive::Base64Binary,
            "boolean" => Primitive::Boolean,
            "canonical" => Primitive::Canonical,
            "code" => Primitive::Code,
            "date" => Primitive::Date,
            "dateTime" => Primitive::DateTime,
            "decimal" => Primitive::Decimal,
            "id" => Primitive::Id,
            "instant" => Primitive::Instant,
            "integer" => Primitive::Integer,
            "markdown" => Primitive::Markdown,
            "oid" => Primitive::Oid,
            "positiveInt" => Primitive::PositiveInt,
            "string" => Primitive::String,
            "time" => Primitive::Time,
            "unsignedInt" => Primitive::UnsignedInt,
            "uri" => Primitive::Uri,
            "url" => Primitive::Url,
            "uuid" => Primitive::Uuid,
            "xhtml" => Primitive::Xhtml,
            _ => return None,
        })
    }

    /// Whether a value is one of this type.
    ///
    /// # Errors
    /// What does not fit, with what to send.
    pub fn fits(self, value: &Value) -> Result<(), Misfit> {
        match self {
            Primitive::Boolean => match value {
                Value::Bool(_) => Ok(()),
                _ => Err(Misfit::Type("send `true` or `false` without quotes")),
            },
            Primitive::Decimal => match value {
                Value::Number(_) => Ok(()),
                _ => Err(Misfit::Type("send a JSON number without quotes")),
            },
            Primitive::Integer => {
                whole(value, i64::from(i32::MIN), "send a whole number of 32 bits")
            }
            Primitive::PositiveInt => whole(value, 1, "send a whole number from 1"),
            Primitive::UnsignedInt => whole(value, 0, "send a whole number from 0"),
            _ => match value {
                Value::String(text) if text.is_empty() => {
                    Err(Misfit::Form("empty: leave the element out"))
                }
                Value::String(text) => self.fits_text(text).map_err(Misfit::Form),
                _ => Err(Misfit::Type("send a JSON string in quotes")),
            },
        }
    }

    fn fits_text(self, text: &str) -> Result<(), &'static str> {
        let check = |fits: bool, message| if fits { Ok(()) } else { Err(message) };
        check(xml::has_characters(text), "take the control characters out")?;
        match self {
            Primitive::Base64Binary => check(is_base64(text), "send base64 in groups of four"),
            Primitive::Code => {
                check(is_code(text), "send a code without blanks at the ends or double within")
            }
            Primitive::Date => {
                check(instant::is_date(text), "send a date as YYYY, YYYY-MM or YYYY-MM-DD")
            }
            Primitive::DateTime => check(
                instant::is_date_time(text),
                "send a date, or date and time as YYYY-MM-DDThh:mm:ss with zone, such as +02:00",
            ),
            Primitive::Instant => check(
                instant::is_instant(text),
                "send date and time as YYYY-MM-DDThh:mm:ss.sss with zone, such as Z or +02:00",
            ),
            Primitive::Time => check(instant::is_time(text), "send a time as hh:mm:ss"),
            Primitive::Id => check(is_id(text), "send 1 to 64 of A-Z, a-z, 0-9, `-` and `.`"),
            Primitive::Oid => check(is_oid(text), "send `urn:oid:` and the object identifier"),
            Primitive::Uuid => check(is_uuid(text), "send `urn:uuid:` and the UUID in lower case"),
            Primitive::Uri | Primitive::Url | Primitive::Canonical => {
                check(!text.contains(char::is_whitespace), "send a URI without white space")
            }
            Primitive::String | Primitive::Markdown => {
                let fits = text.len() <= LONGEST || text.chars().count() <= LONGEST;
                check(fits, "send at most 1 MB of text")
            }
            Primitive::Xhtml => check(
                xml::is_narrative(text),
                "send one well-formed `<div xmlns=\"http://www.w3.org/1999/xhtml\">`, without entities",
            ),
            // The other types are text, and the numbers and booleans are none.
            _ => Ok(()),
        }
    }
}

fn whole(value: &Value, least: i64, message: &'static str) -> Result<(), Misfit> {
    let Value::Number(number) = value else {
        return Err(Misfit::Type(message));
    };
    let range = least..=i64::from(i32::MAX);
    let fits = number.as_i64().is_some_and(|number| range.contains(&number));
    if fits { Ok(()) } else { Err(Misfit::Form(message)) }
}

fn is_code(text: &str) -> bool {
    text.split(' ').all(|word| !word.is_empty() && !word.contains(char::is_whitespace))
}

fn is_base64(text: &str) -> bool {
    let symbols = || text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let padding = symbols().skip_while(|byte| *byte != b'=').count();
    let mut data = symbols().take_while(|byte| *byte != b'=');
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    symbols().count() % 4 == 0
        && padding <= 2
        && data.all(fits)
        && symbols().rev().take(padding).all(|byte| byte == b'=')
}

fn is_oid(text: &str) -> bool {
    let Some((first, rest)) = text.strip_prefix("urn:oid:").and_then(|oid| oid.split_once('.'))
    else {
        return false;
    };
    let is_arc = |arc: &str| {
        !arc.is_empty()
            && arc.bytes().all(|byte| byte.is_ascii_digit())
            && (arc == "0" || !arc.starts_with('0'))
    };
    matches!(first, "0" | "1" | "2") && rest.split('.').all(is_arc)
}

fn is_uuid(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix("urn:uuid:") else {
        return false;
    };
    let is_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    let lengths = uuid.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && uuid.bytes().all(|byte| byte == b'-' || is_hex(byte))
}
