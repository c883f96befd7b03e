//! A source that fails again and again is left alone for a while, so that it can come back and nobody waits for it.
//!
//! After [`MOST`] failures in a row it rests for [`REST_MS`]; then one question goes through, and its outcome
//! decides. The pattern is Nygard's circuit breaker (Release It!, chapter 5).

use parking_lot::Mutex;

/// Failures in a row that make it rest.
const MOST: u32 = 5;

/// How long it rests, in milliseconds.
const REST_MS: i64 = 30_000;

/// The state of one source.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Until when it rests, milliseconds since 1970.
    until: Option<i64>,
}

impl Breaker {
    /// Whether the source may be asked at `now`; else after how many seconds it may. After a rest the first
    /// who asks is let through, and others wait for what comes of it for another rest.
    pub fn pass(&self, now: i64) -> Result<(), u64> {
        let mut state = self.0.lock();
        match state.until {
            Some(until) if now < until => {
                Err(u64::try_from((until - now).div_euclid(1_000) + 1).unwrap_or_default())
            }
            Some(_) => {
                state.until = Some(now + REST_MS);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// What came of a question.
    pub fn tell(&self, failed: bool, now: i64) {
        let mut state = self.0.lock();
        if !failed {
            *state = State::default();
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if state.failures >= MOST {
            state.until = Some(now + REST_MS);
        }
    }
}
