//! The questions: shapes of searches as applications send them, with places that are filled with
//! what was loaded.
//!
//! | Place | Filled with |
//! |---|---|
//! | `{p}` `{fnr}` `{family}` `{given}` `{birth}` | a patient's id, number, names and birth date |
//! | `{n}` | a number below 24 |
//! | `{loinc}` `{survey}` `{rare}` | a common code, a questionnaire's, a rare questionnaire's |
//! | `{service}` `{org}` | a service type, an Organization |
//! | `{day}` `{next}` `{month}` | a day, the day after it, thirty days after it |
//! | `{year}` | the day a year before now |

use record::system;
use sandbox::random::{Stream, Topic};

use super::population::{self, Population, SERVICES, SITES, SURVEY};

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    /// A doctor, about one patient.
    Doctor,
    /// A source system, about what it delivered.
    System,
}

/// A kind of question.
pub struct Shape {
    /// What it is called in the result.
    pub name: &'static str,
    /// Who asks.
    pub who: Who,
    /// Which page is measured, from 1.
    pub page: u32,
    path: &'static str,
    /// The search; `None` for a plain read.
    form: Option<&'static str>,
}

const fn read(name: &'static str, path: &'static str) -> Shape {
    Shape { name, who: Who::Doctor, page: 1, path, form: None }
}

const fn named(name: &'static str, path: &'static str, form: &'static str) -> Shape {
    Shape { name, who: Who::Doctor, page: 1, path, form: Some(form) }
}

const fn system(name: &'static str, path: &'static str, form: &'static str) -> Shape {
    Shape { name, who: Who::System, page: 1, path, form: Some(form) }
}

const OBSERVATION: &str = "Observation/_search";
const EPISODE: &str = "EpisodeOfCare/_search";
const PATIENT: &str = "Patient/_search";
const ENCOUNTER: &str = "Encounter/_search";
const REQUEST: &str = "ServiceRequest/_search";

/// Codes of the vital signs that are loaded.
const LOINC: [&str; 5] = ["8867-4", "9279-1", "8310-5", "85354-9", "29463-7"];

/// All of them.
#[rustfmt::skip]
pub fn all() -> impl Iterator<Item = Shape> {
    let named_patient = [
        read("read by id", "Observation/g{p}o{n}"),
        read("history of one", "Observation/g{p}o{n}/_history"),
        named("patient by identifier", PATIENT, "identifier={fnr}"),
        named("patient's observations", OBSERVATION, "patient.identifier={fnr}"),
        named("patient and code", OBSERVATION, "patient=Patient/g{p}&code={loinc}"),
        named("patient, code and date", OBSERVATION, "patient=Patient/g{p}&code={loinc}&date=ge{year}&_sort=-date"),
        named("newest of a code", OBSERVATION, "patient=Patient/g{p}&code={loinc}&_sort=-date&_count=1"),
        named("patient, category, newest twenty", OBSERVATION, "patient=Patient/g{p}&category=vital-signs&_sort=-date&_count=20"),
        named("patient, one of two codes", OBSERVATION, "patient=Patient/g{p}&code={loinc},{survey}"),
        named("patient's active services", EPISODE, "patient=Patient/g{p}&status=active"),
        named("patient's decisions", REQUEST, "patient=Patient/g{p}&_sort=-authored"),
        named("services with their sites", EPISODE, "patient=Patient/g{p}&_include=EpisodeOfCare:organization"),
        named("patient with everything measured", PATIENT, "_id=g{p}&_revinclude=Observation:patient"),
        named("patient, value above", OBSERVATION, "patient=Patient/g{p}&code={loinc}&value-quantity=gt80"),
        named("patient, upper pressure above", OBSERVATION, "patient=Patient/g{p}&component-code-value-quantity=http://loinc.org|8480-6$gt140"),
        read("whole compartment", "Patient/g{p}/*?_count=100"),
        read("compartment by type", "Patient/g{p}/Observation?code={loinc}"),
        read("newest of each code", "Observation/$lastn?patient=Patient/g{p}&category=vital-signs"),
        read("everything", "Patient/g{p}/$everything"),
    ];
    let by_a_system = [
        system("by code", OBSERVATION, "code={loinc}&_count=20"),
        system("by a rare code", OBSERVATION, "code={rare}&_count=20"),
        system("code and day", OBSERVATION, "code={loinc}&date=ge{day}&date=lt{next}&_count=50"),
        system("code and month, newest first", OBSERVATION, "code={loinc}&date=ge{day}&date=lt{month}&_sort=-date&_count=20"),
        system("newest of all", OBSERVATION, "_sort=-date&_count=20"),
        system("changed lately", OBSERVATION, "_lastUpdated=ge{year}&_sort=-_lastUpdated&_count=50"),
        system("changed lately, oldest first", OBSERVATION, "_lastUpdated=ge{year}&_sort=_lastUpdated&code={loinc}&_count=50"),
        system("two tokens", OBSERVATION, "category=survey&code={survey}&status=final&_count=20"),
        system("two tokens that never meet", OBSERVATION, "category=vital-signs&code={survey}&_count=20"),
        system("active at a site", EPISODE, "organization={org}&status=active&_count=20"),
        system("type, status and start", EPISODE, "type={service}&status=active&date=ge{day}&_count=20"),
        system("with patient and decision", EPISODE, "status=active&organization={org}&_include=EpisodeOfCare:patient&_include=EpisodeOfCare:incoming-referral&_count=20"),
        system("patients with their services", PATIENT, "family={family}&_revinclude=EpisodeOfCare:patient&_count=10"),
        system("contacts with services with decisions", ENCOUNTER, "class=HH&_include=Encounter:episode-of-care&_include:iterate=EpisodeOfCare:incoming-referral&_count=20"),
        system("chained by name", OBSERVATION, "code={loinc}&subject:Patient.family={family}&_count=20"),
        system("chained by birth date", EPISODE, "status=active&patient.birthdate={birth}&_count=20"),
        system("chained twice", ENCOUNTER, "episode-of-care.incoming-referral.code={service}&_count=20"),
        system("has a rare observation", PATIENT, "_has:Observation:patient:code={rare}&_count=20"),
        system("has a common observation", PATIENT, "_has:Observation:patient:code={loinc}&gender=female&_count=20"),
        system("has by site", PATIENT, "_has:EpisodeOfCare:patient:organization={org}&birthdate=lt1950&_count=20"),
        system("name begins", PATIENT, "name={given}&_count=20"),
        system("name contains", PATIENT, "family:contains={family}&_count=20"),
        system("name and birth date", PATIENT, "family={family}&birthdate={birth}"),
        system("by name, in order", PATIENT, "_sort=family,given&_count=20"),
        system("number of a code", OBSERVATION, "code={survey}&_summary=count"),
        system("number of a month", OBSERVATION, "code={survey}&date=ge{day}&date=lt{month}&_summary=count"),
        system("not finished", EPISODE, "status:not=finished&_count=20"),
        system("not final", OBSERVATION, "status:not=final&_count=20"),
        system("without end", EPISODE, "date:missing=true&_count=20"),
        system("without birth date", PATIENT, "birthdate:missing=true&_count=20"),
        system("value above", OBSERVATION, "code={loinc}&value-quantity=gt90&_count=20"),
        system("value in another unit", OBSERVATION, "value-quantity=gt89500|http://unitsofmeasure.org|g&_count=20"),
        system("code with value", OBSERVATION, "code-value-quantity=http://loinc.org|8867-4$gt90&_count=20"),
        system("upper pressure above", OBSERVATION, "component-code-value-quantity=http://loinc.org|8480-6$gt180&_count=20"),
        system("plans by date", "CarePlan/_search", "status=active&date=ge{day}&_count=20"),
        Shape { page: 3, ..system("third page", OBSERVATION, "code={loinc}&_sort=-date&_count=50") },
    ];
    named_patient.into_iter().chain(by_a_system)
}

impl Shape {
    /// Path and form of one question.
    pub fn drawn(&self, population: &Population, draw: u64) -> (String, Option<String>) {
        let mut chance = Stream::new(5, Topic::Uuid, &[draw]);
        let size = u64::from(population.size());
        let patient = u32::try_from(chance.below(size)).unwrap_or_default();
        let resident = population.resident(patient);
        let day = population.now_ms() - chance.between(40, 1_700) * 24 * 60 * 60 * 1000;
        let later = |days: i64| population::date(day + days * 24 * 60 * 60 * 1000);
        let year = population::date(population.now_ms() - 365 * 24 * 60 * 60 * 1000);
        let places = [
            ("{p}", patient.to_string()),
            ("{fnr}", format!("{}|{}", system::FNR, resident.number)),
            ("{family}", resident.person.family.to_owned()),
            ("{given}", resident.person.given.to_owned()),
            ("{birth}", resident.person.birth.to_string()),
            ("{n}", chance.below(24).to_string()),
            ("{loinc}", format!("http://loinc.org|{}", chance.pick(&LOINC))),
            ("{survey}", format!("{SURVEY}|s{}", chance.below(20))),
            ("{rare}", format!("{SURVEY}|s39")),
            ("{service}", chance.pick(&SERVICES).to_owned()),
            ("{org}", format!("Organization/{}", population.site(chance.pick(&SITES)))),
            ("{day}", later(0)),
            ("{next}", later(1)),
            ("{month}", later(30)),
            ("{year}", year),
        ];
        let fill = |text: &str| {
            let filled = |text: String, (place, value): &(&str, String)| {
                text.replace(place, &escaped(value))
            };
            places.iter().fold(text.to_owned(), filled)
        };
        (fill(self.path), self.form.map(fill))
    }
}

/// Percent-encodes what is not plain, as UTF-8.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:|".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
