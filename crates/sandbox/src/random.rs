//! Random numbers that are the same for ever: SplitMix64 (Steele, Lea and Flood, *Fast splittable
//! pseudorandom number generators*, 2014).
//!
//! A stream is named by a path of numbers, such as seed, municipality, topic and person, so that
//! any person can be made without making those before. Only integer arithmetic and exact `f64`
//! addition and multiplication are used: libraries differ in the last digits of anything else.

use record::identity::contains_number;

/// The increment of SplitMix64: 2⁶⁴ divided by the golden ratio, made odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a stream is used for; part of its path, so that two uses never share numbers.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub enum Topic {
    /// A person's name, profile and so on.
    Person = 1,
    /// What the members of a household share.
    Household = 2,
    /// Order of birth dates.
    Birth = 3,
    /// Services and decisions.
    Services = 4,
    /// A person's normal vital signs.
    Normal = 5,
    /// Noise of one measurement.
    Noise = 6,
    /// Infections.
    Infection = 7,
    /// Names of things in messages.
    Uuid = 8,
    /// Looks into the record.
    Looks = 20,
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream(u64);

impl Stream {
    /// The stream of `topic` that `path` names under a seed.
    pub fn new(seed: u64, topic: Topic, path: &[u64]) -> Self {
        let start = mix(seed ^ mix(topic as u64));
        path.iter().fold(Self(start), |stream, step| stream.branch(*step))
    }

    /// A stream beside this one, named by one more step.
    #[must_use]
    pub fn branch(&self, step: u64) -> Self {
        Self(mix(self.0.wrapping_add(GOLDEN) ^ mix(step)))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A whole number from 0 up to but not including `limit`; 0 where `limit` is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(limit);
        u64::try_from(wide >> 64).unwrap_or_default()
    }

    /// A whole number in a range, both ends included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low + 1).unwrap_or_default();
        low + i64::try_from(self.below(width)).unwrap_or_default()
    }

    /// True in `percent` of cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A number from 0 up to but not including 1, in steps of 2⁻³².
    pub fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.bits() >> 32).unwrap_or_default()) / 4_294_967_296.0
    }

    /// Bell-shaped noise with mean 0 and standard deviation 1, never beyond ±3.5 (the sum of four
    /// uniform numbers).
    pub fn noise(&mut self) -> f64 {
        let sum = self.unit() + self.unit() + self.unit() + self.unit();
        (sum - 2.0) * 1.732_050_8
    }

    /// A UUID of version 8 (RFC 9562), in which no run of digits can be read as an identity number.
    pub fn uuid(&mut self) -> String {
        loop {
            let (high, low) = (self.bits(), self.bits());
            let bits = (u128::from(high) << 64) | u128::from(low);
            let marked = bits & !(0xf << 76) & !(0x3 << 62) | (0x8 << 76) | (0x2 << 62);
            let hex = format!("{marked:032x}");
            let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
            let uuid = format!(
                "{}-{}-{}-{}-{}",
                part(0, 8),
                part(8, 12),
                part(12, 16),
                part(16, 20),
                part(20, 32)
            );
            if !contains_number(&uuid) {
                return uuid;
            }
        }
    }

    /// One of the items; the default value where there are none.
    pub fn pick<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let place = self.below(u64::try_from(items.len()).unwrap_or_default());
        usize::try_from(place).ok().and_then(|i| items.get(i)).copied().unwrap_or_default()
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
