//! Norsk helsenett's OKT message, *Oversikt over kommunale tjenester* (conventions §2.2): the
//! whole list of a person's services from one source. Not FHIR; field names are the contract's.

use serde::{Deserialize, Serialize};

/// Every service one source knows for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OktEvent {
    /// Eleven digits.
    pub person_identifier: String,
    /// The full list, in the source's order.
    pub okt_messages: Vec<OktMessage>,
}

/// One service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OktMessage {
    /// `YYYY-MM-DD`.
    pub start_date: String,
    /// `YYYY-MM-DD`, or empty while the service goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
    /// Kodeverk 9151.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iplos_code: Option<IplosCode>,
    /// Whether the need is described elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_caption: Option<bool>,
    /// Whether the service is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporary_cessation: Option<bool>,
    /// The municipality's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_description: Option<String>,
    /// Department path, such as `1.1.2 Dalfjord kommune - Hjemmetjenesten - Sone Vest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_level: Option<String>,
    /// Empty, `dagopphold` or `korttidsopphold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stay_type: Option<String>,
    /// Free text: `15 timer`, `15 minutter`, `7.5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekly_extent: Option<String>,
}

/// A service type in OKT's form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IplosCode {
    /// Two digits, such as `02`.
    pub iplos_code_value: String,
    /// `1` in the prototype.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iplos_code_level: Option<String>,
    /// `0` in the prototype.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iplos_parent_code: Option<String>,
    /// Title; the server fills it in where the sender left it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iplos_code_description: Option<String>,
}

/// Hours per week out of the free text of `weeklyExtent`: a plain number means hours; `timer`,
/// `time`, `t`, `h`, `minutter`, `min` are understood. `None` where the text says something else.
pub fn hours_per_week(text: &str) -> Option<f64> {
    let text = text.trim().to_lowercase().replace(',', ".");
    let digits = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: f64 = number.parse().ok()?;
    let hours = match unit.trim().trim_end_matches('.') {
        "" | "t" | "h" | "time" | "timer" | "timer/uke" | "t/uke" => number,
        "m" | "min" | "minutt" | "minutter" | "minutter/uke" => number / 60.0,
        _ => return None,
    };
    (hours.is_finite() && hours <= 168.0).then_some(hours)
}
