//! Texts written in other ways: base64 and hex, and escaped for HTML and JSON.

use crate::base64;
use crate::json;
use crate::value::Value;

const HEX: &[u8; 16] = b"0123456789abcdef";
const HTML: [(char, &str); 5] =
    [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];

/// The text in `hex`, `base64` or `urlbase64`; nothing for other names.
pub(super) fn encode(text: &str, form: &str) -> Option<String> {
    match form {
        "hex" => {
            Some(text.bytes().flat_map(|byte| [byte >> 4, byte & 15]).map(hex_digit).collect())
        }
        "base64" => Some(base64::encode(text.as_bytes())),
        "urlbase64" => Some(base64::encode(text.as_bytes()).replace('+', "-").replace('/', "_")),
        _ => None,
    }
}

/// The text of what [`encode`] writes; nothing where that is not text.
pub(super) fn decode(text: &str, form: &str) -> Option<String> {
    let bytes = match form {
        "hex" => from_hex(text)?,
        "base64" => from_base64(text)?,
        "urlbase64" => from_base64(&text.replace('-', "+").replace('_', "/"))?,
        _ => return None,
    };
    String::from_utf8(bytes).ok()
}

/// The text as it may stand in `html` or in a string of `json`.
pub(super) fn escape(text: &str, form: &str) -> Option<String> {
    match form {
        "html" => {
            let mut escaped = String::new();
            for letter in text.chars() {
                match HTML.iter().find(|(plain, _)| *plain == letter) {
                    Some((_, entity)) => escaped.push_str(entity),
                    None => escaped.push(letter),
                }
            }
            Some(escaped)
        }
        "json" => {
            let quoted = json::print(&Value::from(text));
            quoted.strip_prefix('"')?.strip_suffix('"').map(str::to_owned)
        }
        _ => None,
    }
}

/// The text of what [`escape`] writes.
pub(super) fn unescape(text: &str, form: &str) -> Option<String> {
    match form {
        "html" => {
            let plain = HTML.iter().rev().fold(text.to_owned(), |text, (letter, entity)| {
                text.replace(entity, letter.encode_utf8(&mut [0; 4]))
            });
            Some(plain)
        }
        "json" => {
            let quoted = json::parse(format!("[\"{text}\"]").as_bytes()).ok();
            let unescaped = quoted.and_then(|value| value.at("0")?.as_str().map(str::to_owned));
            // A text with bare quotes is unescaped already.
            Some(unescaped.unwrap_or_else(|| text.to_owned()))
        }
        _ => None,
    }
}

fn hex_digit(value: u8) -> char {
    char::from(HEX.get(usize::from(value)).copied().unwrap_or(b'0'))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|letter| letter.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let pairs = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit));
    pairs.map(|byte| u8::try_from(byte).ok()).collect()
}

/// Base64, also without the `=` at its end.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let data: String = text.trim_end_matches('=').split_ascii_whitespace().collect();
    let missing = (4 - data.len() % 4) % 4;
    base64::decode(&format!("{data}{}", "=".repeat(missing)))
}
