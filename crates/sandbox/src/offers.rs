//! What the municipalities offer: for each service type (kodeverk 9151) the usual extent, who gives
//! it, and the municipality's own words; and what people with each profile usually have.

use crate::people::Profile;
use crate::world;

/// A service as the municipality offers it.
#[derive(Debug)]
pub struct Offer {
    /// Kodeverk 9151, without padding.
    pub code: &'static str,
    /// Quarters of an hour per week, lowest and highest; zeros where no extent is stated.
    pub quarters: (i64, i64),
    /// Days it lasts, where it is for a limited time.
    pub days: Option<i64>,
    /// Who gives it.
    pub giver: Giver,
    /// The municipality's own words, one of which is chosen.
    pub texts: &'static [&'static str],
}

/// Who gives a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Giver {
    /// The home-care zone where the resident lives.
    Zone,
    /// A department of the nursing home.
    NursingHome,
    /// The site with this key.
    Site(&'static str),
}

const fn offer(
    code: &'static str,
    quarters: (i64, i64),
    days: Option<i64>,
    giver: Giver,
    texts: &'static [&'static str],
) -> Offer {
    Offer { code, quarters, days, giver, texts }
}

/// Every service on offer.
pub static OFFERS: [Offer; 22] = [
    offer(
        "1",
        (2, 12),
        None,
        Giver::Zone,
        &[
            "Rengjøring av bolig hver 14. dag.",
            "Rengjøring hver tredje uke og klesvask hver uke.",
            "Hjelp til innkjøp og rydding.",
        ],
    ),
    offer(
        "2",
        (4, 16),
        Some(180),
        Giver::Zone,
        &["Øving på daglige gjøremål: matlaging og klesvask."],
    ),
    offer(
        "3",
        (40, 480),
        None,
        Giver::Zone,
        &[
            "Brukerstyrt personlig assistanse, arbeidsleder selv.",
            "BPA på dag og kveld, kommunen er arbeidsgiver.",
        ],
    ),
    offer(
        "4",
        (24, 96),
        None,
        Giver::Site(world::DAY_CENTRE),
        &[
            "Dagsenter mandag og torsdag, med skyss.",
            "Dagsenter tre dager i uka, med skyss og frokost.",
        ],
    ),
    offer(
        "5",
        (0, 0),
        None,
        Giver::Zone,
        &["Middag levert fire dager i uka.", "Middag levert hver dag. Tilpasset konsistens."],
    ),
    offer(
        "6",
        (0, 0),
        None,
        Giver::Site(world::ALARM_CENTRE),
        &[
            "Trygghetsalarm med håndledd. Nøkkelboks ved inngangsdør.",
            "Trygghetsalarm med fallsensor. Elektronisk dørlås.",
        ],
    ),
    offer("7", (16, 48), Some(365), Giver::Zone, &["Avlastning hjemme én ettermiddag i uka."]),
    offer(
        "9",
        (8, 24),
        Some(365),
        Giver::Site(world::CASE_OFFICE),
        &["Støttekontakt, tur og trening."],
    ),
    offer(
        "15",
        (4, 96),
        None,
        Giver::Zone,
        &[
            "Tilsyn og medisiner morgen og kveld.",
            "Hjelp til morgenstell, medisiner og støttestrømper.",
            "Sårstell tre ganger i uka og legging av dosett.",
            "Oppfølging av ernæring, vekt og medisiner.",
        ],
    ),
    offer(
        "17",
        (24, 48),
        None,
        Giver::Site(world::NURSING_HOME_UNIT),
        &["Dagopphold ved sykehjemmet to dager i uka."],
    ),
    offer(
        "18",
        (0, 0),
        Some(21),
        Giver::Site(world::SHORT_STAY),
        &[
            "Korttidsopphold for utredning og behandling.",
            "Korttidsopphold etter sykehusinnleggelse.",
        ],
    ),
    offer(
        "19",
        (0, 0),
        Some(28),
        Giver::Site(world::SHORT_STAY),
        &["Rehabiliteringsopphold med fysioterapi fem dager i uka."],
    ),
    offer("20", (0, 0), Some(14), Giver::Site(world::SHORT_STAY), &["Korttidsopphold."]),
    offer("21", (0, 0), None, Giver::NursingHome, &["Langtidsopphold i sykehjem."]),
    offer(
        "22",
        (0, 0),
        Some(180),
        Giver::Site(world::SHORT_STAY),
        &["Nattopphold to netter i uka."],
    ),
    offer(
        "25",
        (0, 0),
        Some(3),
        Giver::Site(world::KAD),
        &[
            "Innlagt til observasjon og behandling etter henvisning fra legevakt.",
            "Innlagt til observasjon etter henvisning fra fastlege.",
        ],
    ),
    offer(
        "26",
        (0, 0),
        None,
        Giver::Site(world::ALARM_CENTRE),
        &["GPS på gåtur. Pårørende rykker ut på dagtid."],
    ),
    offer(
        "27",
        (0, 0),
        None,
        Giver::Zone,
        &[
            "Medisindispenser, påfylles hver 14. dag.",
            "Medisindispenser med varsel ved utelatt dose.",
        ],
    ),
    offer(
        "28",
        (0, 0),
        None,
        Giver::Site(world::ALARM_CENTRE),
        &["Digitalt tilsyn to ganger om natta.", "Døralarm og sengesensor om natta."],
    ),
    offer("29", (0, 0), None, Giver::Zone, &["Omsorgsbolig med livsløpsstandard."]),
    offer(
        "11",
        (16, 40),
        Some(365),
        Giver::Site(world::CASE_OFFICE),
        &["Omsorgsstønad til pårørende med særlig tyngende omsorgsarbeid."],
    ),
    offer(
        "8",
        (0, 0),
        Some(365),
        Giver::Site(world::SHORT_STAY),
        &["Avlastning i institusjon én helg i måneden."],
    ),
];

/// The offer of this service type.
pub fn offer_of(code: &str) -> Option<&'static Offer> {
    OFFERS.iter().find(|offer| offer.code == code)
}

/// Service types that people at home with a profile have, with the share that does, in per cent.
pub fn usual(profile: Profile, young: bool) -> &'static [(&'static str, u64)] {
    match profile {
        _ if young => &[("3", 30), ("9", 30), ("15", 40), ("29", 20), ("2", 20), ("7", 10)],
        Profile::Healthy => &[("1", 40), ("6", 55), ("5", 25), ("4", 8), ("29", 6)],
        Profile::Frail => {
            &[("15", 85), ("1", 60), ("6", 80), ("5", 45), ("28", 12), ("27", 20), ("17", 6)]
        }
        Profile::Copd => &[("15", 80), ("1", 50), ("6", 60), ("27", 20), ("5", 20)],
        Profile::HeartFailure => &[("15", 75), ("1", 50), ("6", 60), ("27", 25), ("5", 20)],
        Profile::Dementia => &[
            ("15", 85),
            ("4", 55),
            ("26", 35),
            ("28", 30),
            ("27", 30),
            ("5", 30),
            ("6", 20),
            ("11", 8),
            ("8", 10),
        ],
        Profile::InfectionProne => &[("15", 70), ("1", 40), ("6", 50), ("5", 15), ("22", 3)],
    }
}
