//! Syslog messages (RFC 5424), framed by octet counting where they go through a stream (RFC 5425 §4.3).

use super::event::{Event, Weight};

/// `log audit` (RFC 5424 §6.2.1).
const FACILITY: u8 = 13;
/// Name of the structured data; the number is that of examples (RFC 5612), as the project has none.
const DATA: &str = "fkj@32473";

/// The message of an event. `host` is the server's name.
pub fn message(event: &Event, host: &str) -> String {
    let severity = match event.weight {
        Weight::Ordinary => 6,
        Weight::Emergency => 5,
        Weight::Refused => 4,
    };
    let priority = FACILITY * 8 + severity;
    let at = fhir::instant::format_instant(event.at);
    let own = [
        ("municipality", event.municipality.clone()),
        ("position", event.position.to_string()),
        ("action", event.action.clone()),
    ];
    let data: String = own
        .iter()
        .chain(&event.facts)
        .map(|(name, value)| format!(" {name}=\"{}\"", escaped(value)))
        .collect();
    let words = event.words();
    format!("<{priority}>1 {at} {} fkj - audit [{DATA}{data}] {words}", name(host))
}

/// With its length before it.
pub fn framed(message: &str) -> String {
    format!("{} {message}", message.len())
}

/// A value of structured data (§6.3.3), without what would break a line for lesser readers.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '"' | '\\' | ']' => out.extend(['\\', letter]),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

/// A host's name as a header field: printable ASCII without spaces, or nothing.
fn name(host: &str) -> &str {
    let fits =
        !host.is_empty() && host.len() <= 255 && host.bytes().all(|it| it.is_ascii_graphic());
    if fits { host } else { "-" }
}
