//! A register as members with keys, and members as a register.
//!
//! Every list of the register is a [`Part`]; what stands once is a member of [`Part::Setting`] under its
//! own name. A member's key is a property of it, so that two decisions about the same thing meet. Two
//! agreements of one client, which follow each other in time, are told apart by a number after a dot.

use std::collections::BTreeMap;

use access::register::admin::{Admin, PolicyText};
use access::register::control::{Assessed, Gate, Off, Service, Switch};
use access::register::purposes::Use;
use access::register::sharing::Sharing;
use access::register::supplier::{Processor, System, Vendor};
use access::register::{Agreement, Register, Role, Unit};
use record::decision::Part;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A part and a key.
pub type Place = (Part, String);

/// The setting that says that only the services listed are adopted.
const LISTED: &str = "services_listed";

/// Where it stands.
pub fn services_listed() -> Place {
    (Part::Setting, LISTED.to_owned())
}

/// What is wrong with a member or a register, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where, such as `role/legevaktslege.categories`.
    pub place: String,
    /// What, and what to do.
    pub message: String,
}

impl Fault {
    /// A fault at a place.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

/// The member of the register's JSON that holds a part; nothing for settings.
fn list(part: Part) -> Option<&'static str> {
    match part {
        Part::Setting => None,
        Part::Unit => Some("units"),
        Part::Role => Some("roles"),
        Part::Agreement => Some("agreements"),
        Part::Vendor => Some("vendors"),
        Part::System => Some("systems"),
        Part::Processor => Some("processors"),
        Part::Sharing => Some("sharing"),
        Part::Service => Some("services"),
        Part::Gate => Some("gates"),
        Part::Switch => Some("switches"),
        Part::Purpose => Some("purposes"),
        Part::Policy => Some("policies"),
        Part::Admin => Some("admins"),
    }
}

/// The members of a register.
///
/// # Errors
/// A register that cannot be written as JSON.
pub fn members(register: &Register) -> Result<BTreeMap<Place, Value>, Fault> {
    let unwritable = |_| Fault::new("register", "cannot be written as JSON");
    let Value::Object(mut whole) = serde_json::to_value(register).map_err(unwritable)? else {
        return Err(Fault::new("register", "is no object"));
    };
    let mut members = BTreeMap::new();
    for part in Part::ALL {
        let Some(Value::Array(items)) = list(part).and_then(|name| whole.remove(name)) else {
            continue;
        };
        if part == Part::Service {
            members.insert((Part::Setting, LISTED.to_owned()), Value::Bool(true));
        }
        for item in items {
            let natural = natural_key(part, &item)?;
            let mut key = natural.clone();
            let mut number = 2;
            while members.contains_key(&(part, key.clone())) {
                if !has_numbers(part) {
                    return Err(Fault::new(place(part, &key), "stands twice; keep one"));
                }
                key = format!("{natural}.{number}");
                number += 1;
            }
            members.insert((part, key), item);
        }
    }
    for (name, value) in whole {
        members.insert((Part::Setting, name), value);
    }
    Ok(members)
}

/// The register of these members.
///
/// # Errors
/// Something that must stand once and does not, or is not what it must be.
pub fn register<'a>(
    members: impl Iterator<Item = (&'a Place, &'a Value)>,
) -> Result<Register, Fault> {
    let mut whole = Map::new();
    let mut listed = false;
    for part in Part::ALL {
        if let Some(name) = list(part).filter(|_| part != Part::Service) {
            whole.insert(name.to_owned(), Value::Array(Vec::new()));
        }
    }
    for ((part, key), value) in members {
        match list(*part) {
            None if key == LISTED => listed |= *value == Value::Bool(true),
            None => drop(whole.insert(key.clone(), value.clone())),
            Some(name) => {
                let items = whole.entry(name).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(items) = items {
                    items.push(value.clone());
                }
            }
        }
    }
    if listed {
        whole.entry("services").or_insert_with(|| Value::Array(Vec::new()));
    }
    read(Value::Object(whole))
        .map_err(|fault| Fault { place: format!("register.{}", fault.place), ..fault })
}

/// Checks a member by itself: that it is what its part holds, under the key it must have.
///
/// # Errors
/// What it is not, and where.
pub fn check_member(part: Part, key: &str, value: &Value) -> Result<(), Fault> {
    let within =
        |fault: Fault| Fault { place: format!("{}.{}", place(part, key), fault.place), ..fault };
    if part == Part::Setting {
        // What a setting may be, the whole register says.
        return Ok(());
    }
    let natural = natural_key(part, value).map_err(within)?;
    let numbered = |key: &str| {
        let number = key.strip_prefix(&natural).and_then(|rest| rest.strip_prefix('.'));
        has_numbers(part) && number.is_some_and(|it| it.parse::<u16>().is_ok())
    };
    if key == natural || numbered(key) {
        return Ok(());
    }
    Err(Fault::new(place(part, key), "the key in the address is not the member's own; use its own"))
}

/// Whether what it says at once about one key is told apart by a number.
fn has_numbers(part: Part) -> bool {
    matches!(part, Part::Agreement | Part::Processor)
}

/// A part and a key as one text.
pub fn place(part: Part, key: &str) -> String {
    format!("{}/{key}", part.name())
}

/// The key a member has by what it is.
fn natural_key(part: Part, value: &Value) -> Result<String, Fault> {
    let value = value.clone();
    Ok(match part {
        Part::Setting => String::new(),
        Part::Unit => read::<Unit>(value)?.organisation,
        Part::Role => read::<Role>(value)?.key,
        Part::Agreement => read::<Agreement>(value)?.client_id,
        Part::Vendor => read::<Vendor>(value)?.number,
        Part::System => read::<System>(value)?.client_id,
        Part::Processor => {
            let Processor { organisation, processor, .. } = read(value)?;
            format!("{organisation}-{processor}")
        }
        Part::Sharing => read::<Sharing>(value)?.key,
        Part::Service => read::<Service>(value)?.key,
        Part::Gate => assessed_key(&read::<Gate>(value)?.of),
        Part::Switch => switch_key(&read::<Switch>(value)?.off),
        Part::Purpose => read::<Use>(value)?.key,
        Part::Policy => read::<PolicyText>(value)?.key,
        Part::Admin => read::<Admin>(value)?.who,
    })
}

fn assessed_key(of: &Assessed) -> String {
    match of {
        Assessed::Category(key) => format!("category-{key}"),
        Assessed::Service(key) => format!("service-{key}"),
    }
}

/// The key of a switch: what it stops.
pub fn switch_key(off: &Off) -> String {
    match off {
        Off::Municipality => "municipality".to_owned(),
        Off::Purpose(code) => format!("purpose-{code}"),
        Off::Service(key) => format!("service-{key}"),
        Off::Vendor(number) => format!("vendor-{number}"),
        Off::Client(client) => format!("client-{client}"),
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, Fault> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| Fault::new(error.path().to_string(), error.inner().to_string()))
}
