//! `near=latitude|longitude|distance|unit` (R4 Location, near).

use super::Near;
use super::read::{Fault, malformed};
use super::value::split;
use crate::search::number::Real;
use crate::ucum;
use crate::value::Number;

/// Where no distance is given.
const DISTANCE: f64 = 10.0;

/// Where no unit is given.
const UNIT: &str = "km";

/// Mean radius of the earth in metres (IUGG).
const RADIUS: f64 = 6_371_008.8;

const FORM: &str = "send `latitude|longitude|distance|unit`, such as `59.9|10.7|5|km`";

pub(super) fn read(text: &str) -> Result<Near, Fault> {
    parse(text).ok_or_else(|| malformed(FORM))
}

fn parse(text: &str) -> Option<Near> {
    let number = |text: &str| Number::parse(text)?.as_f64();
    let (latitude, longitude, distance, unit) = match *split(text, '|').as_slice() {
        [latitude, longitude] => (latitude, longitude, DISTANCE, UNIT),
        [latitude, longitude, distance] => (latitude, longitude, number(distance)?, UNIT),
        [latitude, longitude, distance, unit] => {
            (latitude, longitude, number(distance)?, if unit.is_empty() { UNIT } else { unit })
        }
        _ => return None,
    };
    let degrees = |text, most: f64| {
        let degrees = number(text)?;
        Real::new(degrees).filter(|_| degrees.abs() <= most)
    };
    let distance = ucum::convert(distance, unit, "m").filter(|metres| *metres >= 0.0)?;
    Some(Near {
        latitude: degrees(latitude, 90.0)?,
        longitude: degrees(longitude, 180.0)?,
        distance: Real::new(distance)?,
    })
}

impl Near {
    /// Whether a place in degrees is no further away than asked for, along a great circle.
    pub fn holds(&self, latitude: f64, longitude: f64) -> bool {
        let (from, to) = (self.latitude.get().to_radians(), latitude.to_radians());
        let east = (longitude - self.longitude.get()).to_radians();
        let half = |angle: f64| (angle / 2.0).sin().powi(2);
        let share = half(to - from) + from.cos() * to.cos() * half(east);
        2.0 * RADIUS * share.clamp(0.0, 1.0).sqrt().asin() <= self.distance.get()
    }

    /// The least and the greatest latitude that can be near enough, to look places up by.
    pub fn latitudes(&self) -> (f64, f64) {
        let margin = (self.distance.get() / RADIUS).to_degrees();
        (self.latitude.get() - margin, self.latitude.get() + margin)
    }
}
