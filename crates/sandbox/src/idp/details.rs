//! What a client says of organisations and of the care relation, as HelseID takes it (RFC 9396; conventions
//! §5.1 and 6.2), and what HelseID fills in from the login.

use record::system;
use serde_json::{Value, json};

use super::client::{Client, Tenancy};
use super::refused::Refused;
use crate::staff::Staff;
use crate::world::Municipality;

/// Type of the organisation numbers.
const ORGANISATIONS: &str = "helseid_authorization";
/// Type of the attest.
pub const ATTEST: &str = "nhn:tillitsrammeverk:parameters";
/// The types that are understood.
pub const TYPES: [&str; 2] = [ORGANISATIONS, ATTEST];

/// System of parent and child organisation in one.
const ENH: &str = "urn:oid:1.0.6523";

/// Members that HelseID fills from the login, or that never are a client's to say.
const FILLED: [(&str, &[&str]); 3] = [
    ("/practitioner", &["identifier", "hpr_nr", "name"]),
    ("/care_relationship/decision_ref", &["description"]),
    ("", &["attestation"]),
];

/// Members of an id or a code that are not a client's to say.
const OF_CODES: [&str; 3] = ["name", "authority", "assigner"];

const NOT_YOURS: &str = "the attest holds what the issuer fills in (identifier, hpr_nr, names, authority, \
                         assigner, description, a patient's identifier); leave it out";

/// What was said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// Parent and child organisation.
    pub organisations: Option<(String, Option<String>)>,
    /// The attest.
    pub attest: Option<Value>,
}

const fn wrong(description: &'static str) -> Refused {
    Refused::new("invalid_authorization_details", description)
}

impl Details {
    /// Reads a list of details, sent as JSON or as a claim.
    ///
    /// # Errors
    /// Where it cannot be read, or says what the client may not.
    pub fn read(list: &Value, client: &Client) -> Result<Self, Refused> {
        let mut details = Self::default();
        let one = std::slice::from_ref(list);
        let list = list.as_array().map_or(one, Vec::as_slice);
        for detail in list {
            match detail.get("type").and_then(Value::as_str) {
                Some(ORGANISATIONS) if details.organisations.is_none() => {
                    details.organisations = Some(organisations(detail, client)?);
                }
                Some(ATTEST) if details.attest.is_none() => {
                    details.attest = Some(attest(detail)?);
                }
                Some(ORGANISATIONS | ATTEST) => return Err(wrong("a type stands twice")),
                _ => {
                    return Err(wrong(
                        "the types are helseid_authorization and nhn:tillitsrammeverk:parameters",
                    ));
                }
            }
        }
        Ok(details)
    }

    /// What was said at the beginning and what the assertion says now, each thing once.
    ///
    /// # Errors
    /// HelseID's refusal where something is said twice.
    pub fn joined(self, later: Self) -> Result<Self, Refused> {
        let twice = (self.organisations.is_some() && later.organisations.is_some())
            || (self.attest.is_some() && later.attest.is_some());
        if twice {
            let told = "HID-DOUBLE-STRUCTURE: say it in authorization_details or in \
                        assertion_details, not in both";
            return Err(Refused::new("access_denied", told));
        }
        Ok(Self {
            organisations: self.organisations.or(later.organisations),
            attest: self.attest.or(later.attest),
        })
    }
}

/// Parent and child, which must be the municipality's.
fn organisations(detail: &Value, client: &Client) -> Result<(String, Option<String>), Refused> {
    const FORM: Refused = wrong(
        "practitioner_role.organization.identifier must have the system urn:oid:1.0.6523 with \
         NO:ORGNR:parent:child, or 2.16.578.1.12.4.1.4.101 with the child",
    );
    let identifier = detail.pointer("/practitioner_role/organization/identifier").ok_or(FORM)?;
    let text = |name: &str| identifier.get(name).and_then(Value::as_str);
    let value = text("value").ok_or(FORM)?;
    let municipality = client.municipality;
    let own = municipality.organisation();
    let (parent, child) = match text("system") {
        Some(ENH) => {
            let numbers = value.strip_prefix("NO:ORGNR:").ok_or(FORM)?;
            let (parent, child) = numbers.split_once(':').unwrap_or((numbers, ""));
            (parent, Some(child).filter(|child| !child.is_empty()))
        }
        Some(system) if system.ends_with("4.1.4.101") && client.tenancy == Tenancy::Single => {
            (own, Some(value))
        }
        _ => return Err(FORM),
    };
    if parent != own || child.is_some_and(|child| !is_unit(municipality, child)) {
        return Err(wrong("the client does not act for this organisation; use its municipality's"));
    }
    Ok((parent.to_owned(), child.map(str::to_owned)))
}

fn is_unit(municipality: &Municipality, number: &str) -> bool {
    municipality.sites.iter().any(|site| site.organisation == Some(number))
}

/// The attest as a client may send it.
fn attest(detail: &Value) -> Result<Value, Refused> {
    let has = |place: &str, name: &str| {
        detail.pointer(place).is_some_and(|holder| holder.get(name).is_some())
    };
    let filled = FILLED.iter().any(|(place, names)| names.iter().any(|name| has(place, name)));
    let patients = detail.get("patients").and_then(Value::as_array);
    let identified = patients.into_iter().flatten().any(|it| it.get("identifier").is_some());
    let coded = ["practitioner", "care_relationship"].iter().any(|part| {
        let members = detail.get(part).and_then(Value::as_object);
        let mut codes = members.into_iter().flat_map(|members| members.values());
        codes.any(|code| OF_CODES.iter().any(|name| code.get(name).is_some()))
    });
    if filled || identified || coded {
        return Err(wrong(NOT_YOURS));
    }
    for place in [
        "/practitioner/legal_entity/id",
        "/care_relationship/purpose_of_use/code",
        "/care_relationship/decision_ref/id",
    ] {
        if detail.pointer(place).and_then(Value::as_str).is_none() {
            return Err(wrong("the attest lacks legal_entity, purpose_of_use or decision_ref"));
        }
    }
    let mut attest = detail.clone();
    if let Some(members) = attest.as_object_mut() {
        members.remove("type");
    }
    Ok(attest)
}

/// The attest with what HelseID knows of who logged in, and when.
pub fn filled(attest: &Value, staff: &Staff, now_s: i64) -> Value {
    let mut attest = attest.clone();
    if let Some(members) = attest.as_object_mut() {
        members.insert("attestation".to_owned(), json!({ "toa": now_s }));
        let practitioner = members.entry("practitioner").or_insert_with(|| json!({}));
        if let Some(practitioner) = practitioner.as_object_mut() {
            let number = json!({
                "id": staff.number(), "system": system::FNR, "authority": "https://www.skatteetaten.no",
            });
            practitioner.insert("identifier".to_owned(), number);
            if let Some(hpr) = staff.hpr {
                let hpr = json!({
                    "id": hpr, "system": system::HPR, "authority": "https://www.helsedirektoratet.no",
                });
                practitioner.insert("hpr_nr".to_owned(), hpr);
            }
        }
    }
    attest
}
