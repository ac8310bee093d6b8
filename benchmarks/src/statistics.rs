//! How sure a score is: bootstrap intervals and paired tests, seeded, so that the same log has the same figures.

/// A pseudo-random generator that is the same everywhere (SplitMix64 of Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A place among `count`, each as likely as any other.
    fn below(&mut self, count: usize) -> usize {
        // The high half of the product; the bias is below 2⁻⁴⁰ for a million samples.
        ((u128::from(self.next()) * count as u128) >> 64) as usize
    }
}

const SEED: u64 = 20231206;
const RESAMPLES: usize = 2000;
const PERMUTATIONS: usize = 10_000;

/// A mean with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Of how many values.
    pub count: usize,
}

/// The mean of values with its 95 % percentile bootstrap interval (Efron, 1979); nothing without values.
///
/// ```
/// use qianshou_bench::statistics::estimate;
///
/// let all_right = estimate(&[1.0; 20]).unwrap();
/// assert_eq!((all_right.low, all_right.mean, all_right.high), (1.0, 1.0, 1.0));
/// ```
pub fn estimate(values: &[f64]) -> Option<Estimate> {
    let mean = mean(values)?;
    let mut random = Random(SEED);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| (0..values.len()).map(|_| values[random.below(values.len())]).sum::<f64>() / values.len() as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[(share * (RESAMPLES - 1) as f64).round() as usize];
    Some(Estimate { mean, low: at(0.025), high: at(0.975), count: values.len() })
}

/// The difference of paired values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The mean of the differences, with its interval.
    pub estimate: Estimate,
    /// How likely a difference this large is if neither is better: a two-sided sign-flip permutation test
    /// (Fisher, 1935).
    pub p_value: f64,
}

/// How much the second of each pair is more than the first; nothing without pairs.
pub fn paired(pairs: &[(f64, f64)]) -> Option<Difference> {
    let differences: Vec<f64> = pairs.iter().map(|(one, other)| other - one).collect();
    let estimate = estimate(&differences)?;
    let total: f64 = differences.iter().sum::<f64>().abs();
    let mut random = Random(SEED);
    let as_large = (0..PERMUTATIONS).filter(|_| {
        let flipped: f64 =
            differences.iter().map(|difference| if random.next() & 1 == 0 { *difference } else { -difference }).sum();
        // Sums of the same values in other order may differ in the last digit.
        flipped.abs() >= total - 1e-9
    });
    // The order that was seen is one of them, so that no chance is nought.
    let p_value = (as_large.count() + 1) as f64 / (PERMUTATIONS + 1) as f64;
    Some(Difference { estimate, p_value })
}

/// The mean; nothing without values. It is NumPy's to the last digit, as the official scripts have it.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| pairwise_sum(values) / values.len() as f64)
}

/// The sum as NumPy adds up: eight sums side by side, halves of what is longer (pairwise summation, Higham 1993).
fn pairwise_sum(values: &[f64]) -> f64 {
    const LANES: usize = 8;
    const BLOCK: usize = 128;
    if values.len() > BLOCK {
        let half = values.len() / 2;
        let (one, other) = values.split_at(half - half % LANES);
        return pairwise_sum(one) + pairwise_sum(other);
    }
    let (eights, rest) = values.as_chunks::<LANES>();
    let Some((first, more)) = eights.split_first() else {
        return rest.iter().sum();
    };
    let mut lanes = *first;
    more.iter().for_each(|values| lanes.iter_mut().zip(values).for_each(|(lane, value)| *lane += value));
    let [a, b, c, d, e, f, g, h] = lanes;
    rest.iter().fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |sum, value| sum + value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_interval_of_a_coin_is_that_of_the_binomial() {
        let values: Vec<f64> = (0..400).map(|index| f64::from(index % 2)).collect();
        let Some(Estimate { mean, low, high, .. }) = estimate(&values) else { panic!("there are values") };
        assert_eq!(mean, 0.5);
        // 1.96 × √(0.25 / 400) = 0.049.
        assert!((low - 0.451).abs() < 0.006 && (high - 0.549).abs() < 0.006, "{low} to {high}");
    }

    #[test]
    fn equal_runs_differ_by_chance_and_others_do_not() {
        let p = |pairs: &[(f64, f64)]| paired(pairs).map(|difference| difference.p_value);
        assert_eq!(p(&[(1.0, 1.0); 30]), Some(1.0));
        assert!(p(&[(0.0, 1.0); 30]).is_some_and(|p| p < 0.001));
        // One flip of 2¹⁰ each way: p = 2 / 1024.
        assert!(p(&[(0.0, 1.0); 10]).is_some_and(|p| (p - 0.00195).abs() < 0.002));
        assert_eq!(p(&[]), None);
    }

    proptest! {
        #[test]
        fn the_mean_is_inside(values in prop::collection::vec(0.0..1.0_f64, 1..40)) {
            let Some(Estimate { mean, low, high, count }) = estimate(&values) else { panic!("there are values") };
            prop_assert!(low <= mean + 1e-9 && mean <= high + 1e-9 && count == values.len());
        }
    }
}
