//! Where a resident is cared for, and the decisions on services behind it.
//!
//! Invariants: start ≤ reassessment ≤ end where they stand; decided on or before the day of start
//! and never in the future; only what is planned starts in the future; what has ended ended before
//! today.

use jiff::civil::Date;

use crate::calendar::days_after;
use crate::offers::{self, Giver, Offer};
use crate::people::{self, Resident};
use crate::random::{Stream, Topic};
use crate::stories::{PER_MUNICIPALITY, Plot};
use crate::world::{self, Municipality};

/// Where a resident is cared for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At home.
    Home,
    /// On the municipal acute ward, at most three days.
    Kad,
    /// On the short-stay ward.
    ShortStay,
    /// In the nursing home.
    NursingHome,
}

/// State of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Decided, not begun.
    Planned,
    /// Going on.
    Active,
    /// Paused.
    OnHold,
    /// Over.
    Finished,
}

/// A decision (vedtak) on a service, and the service.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Place in the resident's list, from 0; part of the source's identifiers.
    pub ordinal: usize,
    /// Kodeverk 9151, without padding.
    pub code: &'static str,
    /// State.
    pub state: State,
    /// When it was decided.
    pub decided: Date,
    /// When the service starts.
    pub start: Date,
    /// When it is to be assessed again.
    pub revision: Option<Date>,
    /// When it ends, if a limit is set.
    pub end: Option<Date>,
    /// Hours per week, if the decision states an extent.
    pub hours: Option<f64>,
    /// The municipality's own words.
    pub text: &'static str,
    /// Key of the site that gives the service.
    pub site: &'static str,
}

/// Everything the municipality has decided for a resident.
#[derive(Clone, Debug)]
pub struct Care {
    /// Where the resident is cared for.
    pub place: Place,
    /// Key of the site where the resident is measured: ward, department or zone.
    pub site: &'static str,
    /// First day of the stay, for those who are not at home.
    pub admitted: Option<Date>,
    /// In the order they were made up; not in order of time.
    pub decisions: Vec<Decision>,
}

impl Care {
    /// Whether nurses come, so that measurements are made.
    pub fn is_nursed(&self) -> bool {
        self.place != Place::Home
            || self.decisions.iter().any(|d| d.code == "15" && d.state != State::Finished)
    }
}

/// Beds: 8 on the acute ward, 16 on the short-stay ward, 48 in the nursing home, whatever the
/// number of residents. They are spread over the first of the list, so that a small world has some
/// of each.
fn place(resident: &Resident) -> Place {
    if let Some(plan) = resident.story {
        return match plan.plot {
            Plot::CopdRising => Place::Kad,
            Plot::InfectionReceded => Place::ShortStay,
            Plot::HomeToLegevakt | Plot::DementiaAtHome => Place::Home,
        };
    }
    // The stories take one bed on each of the two wards.
    let index = resident.index - PER_MUNICIPALITY;
    match index % 12 {
        3 if index < 12 * 7 => Place::Kad,
        1 | 7 if index < 12 * 7 + 6 => Place::ShortStay,
        10 if index < 12 * 48 => Place::NursingHome,
        _ => Place::Home,
    }
}

/// The care of a resident as it stands on a day.
pub fn care(seed: u64, municipality: &Municipality, resident: &Resident, today: Date) -> Care {
    let chance = people::stream(seed, Topic::Services, municipality, resident.index);
    let mut desk = Desk { chance, resident, today, place: place(resident), decisions: Vec::new() };
    let zone = desk.chance.pick(&world::ZONES);
    let department = desk.chance.pick(&world::NURSING_HOME);
    let sites = Sites { zone, department };
    desk.stay(&sites);
    match resident.story {
        Some(plan) => desk.told(plan.plot, &sites),
        None => desk.usual(&sites),
    }
    let stay = desk.decisions.iter().find(|d| d.ordinal == 0 && desk.place != Place::Home);
    Care {
        place: desk.place,
        site: stay.map_or(zone, |stay| stay.site),
        admitted: stay.map(|stay| stay.start),
        decisions: desk.decisions,
    }
}

struct Sites {
    zone: &'static str,
    department: &'static str,
}

impl Sites {
    fn of(&self, giver: Giver) -> &'static str {
        match giver {
            Giver::Zone => self.zone,
            Giver::NursingHome => self.department,
            Giver::Site(key) => key,
        }
    }
}

/// Makes the decisions of one resident.
struct Desk<'a> {
    chance: Stream,
    resident: &'a Resident,
    today: Date,
    place: Place,
    decisions: Vec<Decision>,
}

impl Desk<'_> {
    /// The stay on a ward or in the nursing home, if there is one; always the first decision.
    fn stay(&mut self, sites: &Sites) {
        let told = self.resident.story.is_some();
        let (code, ago) = match self.place {
            Place::Home => return,
            Place::Kad => ("25", if told { 2 } else { self.chance.between(1, 2) }),
            Place::ShortStay if told => ("18", 9),
            Place::ShortStay => (self.chance.pick(&["18", "19", "20"]), self.chance.between(1, 13)),
            Place::NursingHome => ("21", self.chance.between(60, 1400)),
        };
        self.active(code, sites, Some(ago));
    }

    fn usual(&mut self, sites: &Sites) {
        if self.place == Place::NursingHome {
            // Help at home ended when the resident moved in.
            if let Some(moved) = self.decisions.first().map(|stay| stay.start) {
                self.ended("15", sites, moved);
            }
            return;
        }
        let young = self.resident.person.birth.year() > 1965;
        for (code, share) in offers::usual(self.resident.profile, young) {
            if self.chance.chance(*share) {
                self.active(code, sites, None);
            }
        }
        if self.decisions.is_empty() {
            self.active("6", sites, None);
        }
        for (code, share) in [("18", 15), ("20", 10), ("25", 12), ("2", 5), ("19", 6)] {
            if self.chance.chance(share) && self.decisions.iter().all(|d| d.code != code) {
                self.finished(code, sites);
            }
        }
        if self.place == Place::Home {
            for (code, share) in [("19", 3), ("21", 2), ("4", 3)] {
                if self.chance.chance(share) && self.decisions.iter().all(|d| d.code != code) {
                    self.planned(code, sites);
                }
            }
        }
    }

    fn told(&mut self, plot: Plot, sites: &Sites) {
        let (active, finished): (&[&'static str], &[&'static str]) = match plot {
            Plot::HomeToLegevakt => (&["15", "6", "5", "1"], &["18"]),
            Plot::CopdRising => (&["15", "6", "27"], &["25"]),
            Plot::InfectionReceded => (&["15", "6"], &["19"]),
            Plot::DementiaAtHome => (&["26", "28", "27", "4", "15"], &["20"]),
        };
        for code in active {
            self.active(code, sites, None);
        }
        for code in finished {
            self.finished(code, sites);
        }
        if plot == Plot::DementiaAtHome {
            self.planned("21", sites);
            // The day centre is closed for a while: a paused service to see.
            for decision in self.decisions.iter_mut().filter(|d| d.code == "4") {
                decision.state = State::OnHold;
            }
        }
    }

    /// A service that goes on, or is paused: by chance, or since the resident is away on a ward.
    fn active(&mut self, code: &'static str, sites: &Sites, ago: Option<i64>) {
        let Some(offer) = offers::offer_of(code) else { return };
        let is_stay = ago.is_some();
        let ago = ago.unwrap_or_else(|| match offer.days {
            Some(days) => self.chance.between(1, days - 14),
            None => self.chance.between(20, 1400),
        });
        let start = days_after(self.today, -ago);
        let end = offer.days.map(|days| days_after(start, days));
        let revision = match end {
            // A short stay is not assessed again: it ends.
            Some(_) if offer.days < Some(30) => None,
            Some(end) => Some(days_after(end, -7)),
            // Every year after the start: the first that is not past.
            None => Some(days_after(start, (ago / 365 + 1) * 365)),
        };
        let away = !is_stay && self.place != Place::Home && offer.giver == Giver::Zone;
        let paused = away || (!is_stay && self.resident.story.is_none() && self.chance.chance(4));
        let state = if paused { State::OnHold } else { State::Active };
        self.add(offer, sites, state, start, revision, end);
    }

    fn finished(&mut self, code: &'static str, sites: &Sites) {
        let end = days_after(self.today, -self.chance.between(15, 500));
        self.ended(code, sites, end);
    }

    fn ended(&mut self, code: &'static str, sites: &Sites, end: Date) {
        let Some(offer) = offers::offer_of(code) else { return };
        let lasted = offer.days.unwrap_or_else(|| self.chance.between(90, 700));
        let start = days_after(end, -lasted);
        self.add(offer, sites, State::Finished, start, None, Some(end));
    }

    fn planned(&mut self, code: &'static str, sites: &Sites) {
        let Some(offer) = offers::offer_of(code) else { return };
        let start = days_after(self.today, self.chance.between(3, 30));
        let end = offer.days.map(|days| days_after(start, days));
        let revision = end.map_or_else(|| days_after(start, 180), |end| days_after(end, -7));
        self.add(offer, sites, State::Planned, start, Some(revision), end);
    }

    fn add(
        &mut self,
        offer: &'static Offer,
        sites: &Sites,
        state: State,
        start: Date,
        revision: Option<Date>,
        end: Option<Date>,
    ) {
        let acute = offer.code == "25";
        let decided = days_after(start, if acute { 0 } else { -self.chance.between(3, 21) });
        let (low, high) = offer.quarters;
        // Most have little help and a few have much.
        let quarters = low + self.chance.between(0, high - low) * self.chance.between(1, 4) / 4;
        // A story is told with the first words.
        let drawn = self.chance.pick(offer.texts);
        let text = self.resident.story.map_or(Some(drawn), |_| offer.texts.first().copied());
        let hours = i32::try_from(quarters).map(|quarters| f64::from(quarters) / 4.0);
        self.decisions.push(Decision {
            ordinal: self.decisions.len(),
            code: offer.code,
            state,
            decided: decided.min(self.today),
            start,
            revision,
            end,
            hours: hours.ok().filter(|hours| *hours > 0.0),
            text: text.unwrap_or_default(),
            site: sites.of(offer.giver),
        });
    }
}
