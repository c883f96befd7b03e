//! Findings in plain Bokmål, each sentence built from the facts it rests on.

use super::day::Day;
use super::finding::{Evidence, Finding, Rule};

const MONTHS: [&str; 12] = [
    "januar",
    "februar",
    "mars",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "desember",
];

impl Finding {
    /// What there is to ask, in a line.
    pub fn heading(&self) -> String {
        let day = date(self.day);
        match self.person {
            Some(_) => {
                format!("{} oppslag på én person {day}", self.count)
            }
            None => format!("Arbeidsdagen {day} skiller seg ut"),
        }
    }
}

impl Evidence {
    /// The observation as a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Evidence::NoRelation { before, after } => format!(
                "Enheten har ingen kjent tjeneste, sak eller kontakt med personen fra {before} dager \
                 før til {after} dager etter."
            ),
            Evidence::Thorough { requests } => {
                format!("Det ble åpnet mye: {requests} oppslag på samme person samme dag.")
            }
            Evidence::Repeated { days } => format!(
                "Den ansatte har slått opp personen på {days} ulike dager uten kjent relasjon."
            ),
            Evidence::Colleague { same_unit: true } => {
                "Personen er ansatt ved samme enhet.".to_owned()
            }
            Evidence::Colleague { same_unit: false } => {
                "Personen er selv ansatt i kommunen.".to_owned()
            }
            Evidence::SameAddress { relation: false } => {
                "Den ansatte og personen har samme adresse.".to_owned()
            }
            Evidence::SameAddress { relation: true } => {
                "Den ansatte og personen har samme adresse, \
                 selv om enheten har en kjent relasjon til personen."
                    .to_owned()
            }
            Evidence::SameName { share } => format!(
                "Den ansatte og personen har samme etternavn, som {share} av 10 000 innbyggere har."
            ),
            Evidence::KnownPerson => {
                "Kommunen har ført opp personen som en mange er nysgjerrige på.".to_owned()
            }
            Evidence::Volume { persons, without_relation, own, peers } => {
                volume(*persons, *without_relation, *own, *peers)
            }
            Evidence::OffShift { minute, roster: true } => {
                format!("Oppslaget klokka {} er utenfor vaktplanen.", clock(*minute))
            }
            Evidence::OffShift { minute, roster: false } => format!(
                "Oppslaget klokka {} er utenfor den ansattes vanlige arbeidstid.",
                clock(*minute)
            ),
            Evidence::AfterDeath { died } => {
                format!("Personen døde {}, før oppslaget.", date(*died))
            }
            Evidence::Refusals { attempts, persons } => {
                format!("{attempts} forsøk ble avvist, på {persons} ulike personer.")
            }
            Evidence::Emergency { after } => format!(
                "Nødtilgang ble brukt, uten at enheten har dokumentert kontakt samme dag eller de \
                 {after} neste dagene."
            ),
            Evidence::OwnRecord => {
                "Den ansatte slo opp seg selv gjennom arbeidsverktøyet.".to_owned()
            }
        }
    }
}

impl Rule {
    /// The rule's name in Bokmål.
    pub fn title(self) -> &'static str {
        match self {
            Rule::NoRelation => "Ingen kjent behandlingsrelasjon",
            Rule::Thorough => "Mye åpnet",
            Rule::Repeated => "Gjentatt",
            Rule::Colleague => "Kollega",
            Rule::SameAddress => "Samme adresse",
            Rule::SameName => "Samme etternavn",
            Rule::KnownPerson => "Kjent person",
            Rule::Volume => "Uvanlig mange personer",
            Rule::OffShift => "Utenfor arbeidstid",
            Rule::AfterDeath => "Etter dødsfall",
            Rule::Refusals => "Mange avviste forsøk",
            Rule::Emergency => "Nødtilgang uten kontakt",
            Rule::OwnRecord => "Egen journal",
        }
    }
}

fn volume(persons: u32, without: u32, own: Option<u32>, peers: Option<u32>) -> String {
    let own = own.map(|usual| format!("{usual} på en vanlig dag for den ansatte"));
    let peers = peers.map(|usual| format!("{usual} for kolleger i samme rolle"));
    let usual: Vec<String> = own.into_iter().chain(peers).collect();
    let usual = if usual.is_empty() {
        "hva som er vanlig, er ikke kjent ennå".to_owned()
    } else {
        format!("mot {}", usual.join(" og "))
    };
    format!("Slo opp {persons} ulike personer, {usual}; {without} av dem uten kjent relasjon.")
}

/// A date such as `3. november 2026`.
pub fn date(day: Day) -> String {
    let (year, month, day) = day.civil();
    let name = usize::try_from(month - 1).ok().and_then(|month| MONTHS.get(month));
    format!("{day}. {} {year}", name.copied().unwrap_or_default())
}

fn clock(minute: u16) -> String {
    format!("{:02}.{:02}", minute / 60, minute % 60)
}
