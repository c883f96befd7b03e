//! The statistics of `Observation/$stats` (R4 code system observation-statistics), exact as far as
//! decimals go: only a square root is rounded before the end.
//!
//! Variance and standard deviation are those of a sample (divided by N − 1). Percentiles lie between
//! the two nearest values, in proportion (Hyndman and Fan's method 7).

use fhir::fhirpath::decimal::Decimal;

/// Decimals of a result beyond those of the values.
const MORE: u32 = 4;

/// A statistic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// The mean.
    Average,
    /// The largest.
    Maximum,
    /// The smallest.
    Minimum,
    /// How many were used.
    Count,
    /// How many there were, with those without a usable value.
    TotalCount,
    /// The sum.
    Sum,
    /// The variance of a sample.
    Variance,
    /// The standard deviation of a sample.
    Deviation,
    /// The value below which so many hundredths lie.
    Percentile(u8),
    /// Half of what lies between the quartiles.
    QuartileDeviation,
}

/// Code, text and statistic. Skew, kurtosis and regression are not offered.
pub const STATISTICS: [(&str, &str, Statistic); 18] = [
    ("average", "Average", Statistic::Average),
    ("maximum", "Maximum", Statistic::Maximum),
    ("minimum", "Minimum", Statistic::Minimum),
    ("count", "Count", Statistic::Count),
    ("total-count", "Total Count", Statistic::TotalCount),
    ("median", "Median", Statistic::Percentile(50)),
    ("std-dev", "Standard Deviation", Statistic::Deviation),
    ("sum", "Sum", Statistic::Sum),
    ("variance", "Variance", Statistic::Variance),
    ("20-percent", "20th Percentile", Statistic::Percentile(20)),
    ("80-percent", "80th Percentile", Statistic::Percentile(80)),
    ("4-lower", "Lower Quartile", Statistic::Percentile(25)),
    ("4-upper", "Upper Quartile", Statistic::Percentile(75)),
    ("4-dev", "Quartile Deviation", Statistic::QuartileDeviation),
    ("5-1", "1st Quintile", Statistic::Percentile(20)),
    ("5-2", "2nd Quintile", Statistic::Percentile(40)),
    ("5-3", "3rd Quintile", Statistic::Percentile(60)),
    ("5-4", "4th Quintile", Statistic::Percentile(80)),
];

/// The statistic of some values, sorted. Nothing where there is none, such as the mean of no values,
/// or where the numbers are too large.
pub fn calculate(statistic: Statistic, sorted: &[Decimal]) -> Option<Decimal> {
    let count = Decimal::from(i64::try_from(sorted.len()).ok()?);
    let last = sorted.last()?;
    let decimals = sorted.iter().map(|value| value.decimals()).max()?.saturating_add(MORE);
    match statistic {
        Statistic::Count | Statistic::TotalCount => Some(count),
        Statistic::Maximum => Some(*last),
        Statistic::Minimum => sorted.first().copied(),
        Statistic::Sum => sum(sorted),
        Statistic::Average => short(sum(sorted)?.over(count)?, decimals),
        Statistic::Variance => short(variance(sorted, count)?, decimals),
        Statistic::Deviation => {
            let root = variance(sorted, count)?.to_f64().sqrt();
            short(Decimal::parse(&format!("{root:.12}"))?, decimals)
        }
        Statistic::Percentile(hundredths) => short(percentile(sorted, hundredths)?, decimals),
        Statistic::QuartileDeviation => {
            let range = percentile(sorted, 75)?.minus(percentile(sorted, 25)?)?;
            short(range.over(Decimal::from(2))?, decimals)
        }
    }
}

fn sum(values: &[Decimal]) -> Option<Decimal> {
    values.iter().try_fold(Decimal::ZERO, |sum, value| sum.plus(*value))
}

/// `(N·Σx² − (Σx)²) / (N·(N − 1))`, of which only the division may round.
fn variance(values: &[Decimal], count: Decimal) -> Option<Decimal> {
    let squares =
        values.iter().try_fold(Decimal::ZERO, |sum, value| sum.plus(value.times(*value)?))?;
    let sum = sum(values)?;
    let above = count.times(squares)?.minus(sum.times(sum)?)?;
    above.over(count.times(count.minus(Decimal::from(1))?)?)
}

fn percentile(sorted: &[Decimal], hundredths: u8) -> Option<Decimal> {
    let steps = sorted.len().checked_sub(1)?.checked_mul(usize::from(hundredths))?;
    let (at, rest) = (steps / 100, steps % 100);
    let low = *sorted.get(at)?;
    let Some(high) = sorted.get(at + 1).filter(|_| rest > 0) else { return Some(low) };
    let share = Decimal::from(i64::try_from(rest).ok()?);
    low.plus(high.minus(low)?.times(share)?.over(Decimal::from(100))?)
}

/// To so many decimals, unless it has fewer.
fn short(value: Decimal, decimals: u32) -> Option<Decimal> {
    if value.decimals() > decimals { value.rounded(decimals) } else { Some(value) }
}
