//! The residents that a demonstration tells about. They have the same number, name and course
//! under every seed, and are the first in each municipality's list.

use jiff::civil::{Date, date};

use crate::people::{self, Gender, Person, Profile};
use crate::world::{Municipality, municipalities};

/// How many stories each municipality has. Even, so that no story shares a household's two places
/// with an ordinary resident.
pub const PER_MUNICIPALITY: u32 = 4;

/// A story to tell.
#[derive(Clone, Debug)]
pub struct Story {
    /// Key, such as `9901-kols-kad`.
    pub key: String,
    /// Municipality number.
    pub municipality: &'static str,
    /// Identity number of the resident.
    pub number: String,
    /// First name and surname.
    pub name: String,
    /// Title in Bokmål.
    pub title: &'static str,
    /// What there is to see, in Bokmål.
    pub what_to_see: &'static str,
}

/// What happens in a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plot {
    /// At home with help, and on the way to the out-of-hours clinic.
    HomeToLegevakt,
    /// COPD on the acute ward: the normal is five, and now it rises.
    CopdRising,
    /// An infection on the short-stay ward that has receded.
    InfectionReceded,
    /// Dementia at home with welfare technology; a service is paused.
    DementiaAtHome,
}

/// The person and the plot of a story.
#[derive(Debug)]
pub struct Plan {
    /// What happens.
    pub plot: Plot,
    /// Health in the main.
    pub profile: Profile,
    /// First name.
    given: &'static str,
    /// Surname.
    family: &'static str,
    gender: Gender,
    birth: Date,
    title: &'static str,
    what_to_see: &'static str,
}

impl Plan {
    pub(crate) fn person(&self, ordinary: &Person) -> Person {
        Person::told(ordinary, (self.given, self.family), self.gender, self.birth)
    }
}

/// Every story of both municipalities.
pub fn stories() -> Vec<Story> {
    let told = |municipality: &'static Municipality, index: u32, plan: &'static Plan| Story {
        key: format!("{}-{}", municipality.number, plan.plot.key()),
        municipality: municipality.number,
        number: people::resident(0, municipality, index).number,
        name: format!("{} {}", plan.given, plan.family),
        title: plan.title,
        what_to_see: plan.what_to_see,
    };
    municipalities()
        .iter()
        .flat_map(|municipality| (0..PER_MUNICIPALITY).map(move |index| (municipality, index)))
        .filter_map(|(municipality, index)| {
            Some(told(municipality, index, plan(municipality, index)?))
        })
        .collect()
}

/// The story of the resident at a place in the list, if it is one of the first.
pub fn plan(municipality: &Municipality, index: u32) -> Option<&'static Plan> {
    let plans = match municipality.number {
        "9901" => &DALFJORD,
        _ => &GRANFJELLDAL,
    };
    plans.get(usize::try_from(index).ok()?)
}

impl Plot {
    /// Key, the same in both municipalities.
    pub fn key(self) -> &'static str {
        match self {
            Self::HomeToLegevakt => "hjemme-legevakt",
            Self::CopdRising => "kols-kad",
            Self::InfectionReceded => "infeksjon-tilbake",
            Self::DementiaAtHome => "demens-hjemme",
        }
    }
}

const LEGEVAKT: (&str, &str) = (
    "Kommer til legevakta – har han hjelp hjemme?",
    "Bor alene med hjemmesykepleie to ganger om dagen, trygghetsalarm og matombringing. Legen på \
     legevakta ser hvilke tjenester han har, hvor mye, hvem som yter dem og hvem som kan ringes – \
     og at hjelpen kan økes i stedet for innleggelse.",
);
const COPD: (&str, &str) = (
    "Kols på KAD – normalt 5, nå stigende",
    "NEWS2 på 5 er hennes vanlige nivå gjennom to måneder med målinger hjemme. På KAD stiger den \
     nå for hver måling: se avviket fra eget normalnivå, ikke bare summen. Tjenestene hjemme er \
     satt på pause mens hun er innlagt.",
);
const INFECTION: (&str, &str) = (
    "Infeksjonen som gikk tilbake",
    "NEWS2 steg over to dager til røde verdier, og har falt igjen over en uke. Kurven viser at \
     oppholdet på korttidsavdelingen kan avsluttes, og hvilke tjenester som venter hjemme.",
);
const DEMENTIA: (&str, &str) = (
    "Demens hjemme – kan ikke fortelle selv",
    "Lokaliseringsteknologi, digitalt tilsyn, medisindispenser og dagsenter, og et vedtak om \
     langtidsopphold som ikke har begynt. Pasienten kan ikke gjøre rede for dette selv.",
);

const fn story(
    plot: Plot,
    profile: Profile,
    (given, family, gender): (&'static str, &'static str, Gender),
    birth: Date,
    (title, what_to_see): (&'static str, &'static str),
) -> Plan {
    Plan { plot, profile, given, family, gender, birth, title, what_to_see }
}

static DALFJORD: [Plan; 4] = [
    story(
        Plot::HomeToLegevakt,
        Profile::Frail,
        ("Torvald", "Lianes", Gender::Man),
        date(1938, 5, 12),
        LEGEVAKT,
    ),
    story(
        Plot::CopdRising,
        Profile::Copd,
        ("Solveig", "Hagebø", Gender::Woman),
        date(1949, 2, 3),
        COPD,
    ),
    story(
        Plot::InfectionReceded,
        Profile::InfectionProne,
        ("Aslaug", "Tveitane", Gender::Woman),
        date(1941, 10, 21),
        INFECTION,
    ),
    story(
        Plot::DementiaAtHome,
        Profile::Dementia,
        ("Ingvar", "Nesbø", Gender::Man),
        date(1944, 8, 30),
        DEMENTIA,
    ),
];

static GRANFJELLDAL: [Plan; 4] = [
    story(
        Plot::HomeToLegevakt,
        Profile::Frail,
        ("Konrad", "Granmo", Gender::Man),
        date(1936, 1, 26),
        LEGEVAKT,
    ),
    story(
        Plot::CopdRising,
        Profile::Copd,
        ("Bergljot", "Aasen", Gender::Woman),
        date(1947, 7, 14),
        COPD,
    ),
    story(
        Plot::InfectionReceded,
        Profile::InfectionProne,
        ("Hjørdis", "Furulund", Gender::Woman),
        date(1942, 4, 8),
        INFECTION,
    ),
    story(
        Plot::DementiaAtHome,
        Profile::Dementia,
        ("Sigvald", "Myrvang", Gender::Man),
        date(1945, 11, 19),
        DEMENTIA,
    ),
];
