//! What the analysis looks for and how much each sign weighs: data, with defaults, which a municipality
//! overrides value by value.

use std::sync::LazyLock;

use serde::Deserialize;
use toml::Table;

/// The defaults.
const DEFAULTS: &str = include_str!("../../data/vigilance.toml");

/// Everything that can be set; what each means stands beside the defaults in `data/vigilance.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "each value is explained in the file of defaults")]
pub struct Settings {
    pub line: u32,
    pub every_minutes: u32,
    pub settle_days: u16,
    pub memory_days: u16,
    pub keep_days: u16,
    pub idle_days: u16,
    pub no_relation: NoRelation,
    pub thorough: Thorough,
    pub repeated: Repeated,
    pub colleague: Colleague,
    pub same_address: SameAddress,
    pub same_name: SameName,
    pub known_person: Simple,
    pub volume: Volume,
    pub off_shift: OffShift,
    pub after_death: AfterDeath,
    pub refusals: Refusals,
    pub emergency: Simple,
    pub own_record: Simple,
}

macro_rules! section {
    ($(#[$about:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        #[expect(missing_docs, reason = "each value is explained in the file of defaults")]
        pub struct $name {
            pub on: bool,
            pub points: u32,
            $(pub $field: $type,)*
        }
    };
}

section!(/// A rule with points and nothing else.
    Simple {});
section!(/// No care relation near in time.
NoRelation {
    before_days: u16,
    after_days: u16,
    unannounced: Vec<String>,
    unannounced_points: u32,
});
section!(/// Much was opened.
    Thorough { requests: u32 });
section!(/// Several days.
    Repeated { most: u32 });
section!(/// A colleague.
    Colleague { same_unit_points: u32 });
section!(/// The same address.
    SameAddress { with_relation: u32 });
section!(/// The same family name.
    SameName { rare_points: u32, common: u32, rare: u32 });
section!(/// Many persons in a day.
Volume {
    doubling_points: u32,
    most: u32,
    least: u32,
    factor_percent: u32,
    deviations: u32,
    own_days: usize,
    peer_days: usize,
    unknown: u32,
});
section!(/// Outside the hours of work.
OffShift {
    margin_minutes: u16,
    own_days: usize,
    share_percent: usize,
    irregular_hours: u32,
});
section!(/// After a death.
    AfterDeath { grace_days: u16 });
section!(/// Many refused attempts.
Refusals {
    doubling_points: u32,
    most: u32,
    least: u32,
    persons: u32,
    technical: Vec<String>,
});

/// Settings that are wrong. Settings hold nothing about persons, so that they may be quoted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the settings of the log analysis: {0}")]
pub struct WrongSettings(String);

/// The defaults, merged with nothing.
static DEFAULT: LazyLock<Option<Settings>> = LazyLock::new(|| Settings::merged("").ok());

impl Settings {
    /// The defaults.
    ///
    /// # Errors
    /// Never, as a test shows.
    pub fn defaults() -> Result<Self, WrongSettings> {
        DEFAULT.clone().ok_or_else(|| WrongSettings("the defaults cannot be read".to_owned()))
    }

    /// The defaults with a municipality's own values over them, in TOML.
    ///
    /// # Errors
    /// What is no TOML, no setting, or makes no sense.
    pub fn merged(own: &str) -> Result<Self, WrongSettings> {
        let read = |text: &str| {
            text.parse::<Table>().map_err(|error| WrongSettings(error.message().to_owned()))
        };
        let mut all = read(DEFAULTS)?;
        merge(&mut all, read(own)?);
        let settings: Self =
            all.try_into().map_err(|error| WrongSettings(error.message().to_owned()))?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), WrongSettings> {
        let volume = &self.volume;
        let faults = [
            (self.line == 0 || self.line > 100, "`line` is from 1 to 100"),
            (
                !(1..=31).contains(&self.memory_days),
                "`memory-days` is from 1 to 31: longer would be a register of employees' habits",
            ),
            (
                !(30..=1096).contains(&self.keep_days),
                "`keep-days` is from 30 to 1096: what is not concluded must not wait for ever",
            ),
            (self.idle_days == 0, "`idle-days` is at least 1"),
            (self.settle_days > 31, "`settle-days` is at most 31"),
            (
                self.settle_days < self.no_relation.after_days,
                "`settle-days` is at least `no-relation.after-days`, since contacts are awaited so long",
            ),
            (self.no_relation.before_days > 366, "`no-relation.before-days` is at most 366"),
            (
                self.same_name.rare > self.same_name.common,
                "`same-name.rare` is at most `same-name.common`",
            ),
            (volume.least == 0, "`volume.least` is at least 1"),
            (volume.factor_percent < 100, "`volume.factor-percent` is at least 100"),
            (self.refusals.least == 0, "`refusals.least` is at least 1"),
            (self.off_shift.share_percent > 100, "`off-shift.share-percent` is at most 100"),
            (self.points().any(|points| points > 100), "points are at most 100"),
        ];
        match faults.into_iter().find(|(wrong, _)| *wrong) {
            Some((_, message)) => Err(WrongSettings(message.to_owned())),
            None => Ok(()),
        }
    }

    fn points(&self) -> impl Iterator<Item = u32> {
        [
            self.no_relation.points,
            self.no_relation.unannounced_points,
            self.thorough.points,
            self.repeated.points,
            self.repeated.most,
            self.colleague.points,
            self.colleague.same_unit_points,
            self.same_address.points,
            self.same_address.with_relation,
            self.same_name.points,
            self.same_name.rare_points,
            self.known_person.points,
            self.volume.points,
            self.volume.doubling_points,
            self.volume.most,
            self.off_shift.points,
            self.after_death.points,
            self.refusals.points,
            self.refusals.doubling_points,
            self.refusals.most,
            self.emergency.points,
            self.own_record.points,
        ]
        .into_iter()
    }
}

fn merge(into: &mut Table, own: Table) {
    for (key, value) in own {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(into)), toml::Value::Table(own)) => merge(into, own),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}
