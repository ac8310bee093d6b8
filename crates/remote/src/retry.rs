//! When a request is sent again.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use rand::RngExt as _;
use rand::rngs::Xoshiro256PlusPlus;

/// How often, and after which pauses, a request is sent again that failed for a reason which may pass:
/// a connection that cannot be made or breaks, no answer in time, status 408, 425, 429 or 5xx.
///
/// The pause doubles from time to time, and is shortened by up to a half at random, so that many clients
/// do not come back at once. A server that says how long to wait (`Retry-After`) is given that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// How many times a request is sent at most, the first included; 5.
    pub attempts: usize,
    /// The first pause; half a second.
    pub first_pause: Duration,
    /// The longest pause, unless the server asks for more; 30 seconds.
    pub longest_pause: Duration,
    /// All pauses together. Where the next one would exceed it, the request fails at once; 2 minutes.
    pub total_pause: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            total_pause: Duration::from_secs(2 * 60),
        }
    }
}

/// The attempts of one request.
#[derive(Debug)]
pub(crate) struct Attempts {
    retries: Retries,
    /// How many have failed.
    pub(crate) failed: usize,
    paused: Duration,
    random: Xoshiro256PlusPlus,
}

impl Attempts {
    pub(crate) fn new(retries: Retries) -> Self {
        Self { retries, failed: 0, paused: Duration::ZERO, random: rand::make_rng() }
    }

    /// Whether another attempt is left.
    pub(crate) fn is_one_left(&self) -> bool {
        self.failed < self.retries.attempts
    }

    /// How long to wait before the next attempt, or nothing if that would be too long.
    pub(crate) fn pause(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let doublings = u32::try_from(self.failed.saturating_sub(1)).unwrap_or(u32::MAX);
        let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
        let own = self.retries.first_pause.saturating_mul(factor).min(self.retries.longest_pause);
        let own = own.mul_f64(self.random.random_range(0.5..=1.0));
        let pause = own.max(asked.unwrap_or_default());
        self.paused = self.paused.saturating_add(pause);
        (self.paused <= self.retries.total_pause).then_some(pause)
    }
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3). A date that has passed is now.
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTimeParser::new().parse_timestamp(value).ok()?;
    let now = Timestamp::try_from(now).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::retry_after;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let seconds = |value| retry_after(value, now).map(|pause| pause.as_secs());
        assert_eq!(seconds(" 120 "), Some(120));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:48:37 GMT"), Some(0));
        for nonsense in ["", "soon", "-1", "1.5", "99999999999999999999"] {
            assert_eq!(seconds(nonsense), None, "{nonsense}");
        }
    }
}
