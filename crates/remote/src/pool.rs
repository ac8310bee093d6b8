//! Which of several servers is asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::endpoint::Endpoint;

/// How long a server is set aside after its first failure, and at most.
const SET_ASIDE: Duration = Duration::from_secs(30);
const SET_ASIDE_LONGEST: Duration = Duration::from_secs(5 * 60);

/// The servers of a model, and how they are.
#[derive(Debug)]
pub(crate) struct Pool {
    endpoints: Vec<Endpoint>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    health: Vec<Health>,
    /// How many requests have been given out.
    given: u64,
}

#[derive(Clone, Debug, Default)]
struct Health {
    in_flight: usize,
    /// The number of the last request that was given to it.
    last: u64,
    /// How many times in a row it failed.
    failures: u32,
    set_aside_until: Option<Instant>,
    /// Whether a request is on its way that shows if it works again.
    probed: bool,
}

impl Health {
    /// Whether it may be asked. One that was set aside first has to answer one request.
    fn is_ready(&self, now: Instant) -> bool {
        self.set_aside_until.is_none_or(|until| until <= now && !self.probed)
    }
}

impl Pool {
    /// A pool of these servers, of which there has to be one.
    pub(crate) fn new(endpoints: Vec<Endpoint>) -> Self {
        let health = vec![Health::default(); endpoints.len()];
        Self { endpoints, state: Mutex::new(State { health, given: 0 }) }
    }

    /// Whether any server may be asked.
    pub(crate) fn is_any_ready(&self) -> bool {
        let now = Instant::now();
        self.lock().health.iter().any(|health| health.is_ready(now))
    }

    /// The server for the next request: of those that may be asked the one with the fewest requests in
    /// flight, and of these the one that has rested longest. When none may be asked, the one that would be
    /// next; an error of the server says more than we could.
    pub(crate) fn choose(self: &Arc<Self>) -> Lease {
        let now = Instant::now();
        let mut state = self.lock();
        let ready = state.health.iter().enumerate().filter(|(_, health)| health.is_ready(now));
        let chosen = ready.min_by_key(|(_, health)| (health.in_flight, health.last));
        let chosen = chosen.or_else(|| {
            let all = state.health.iter().enumerate();
            all.min_by_key(|(_, health)| (health.set_aside_until, health.in_flight, health.last))
        });
        let index = chosen.map_or(0, |(index, _)| index);
        state.given += 1;
        let given = state.given;
        let health = &mut state.health[index];
        health.in_flight += 1;
        health.last = given;
        let probes = health.set_aside_until.is_some();
        health.probed |= probes;
        drop(state);
        Lease { pool: Arc::clone(self), index, probes }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The use of a server by one request, which ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    pool: Arc<Pool>,
    index: usize,
    /// Whether it shows if the server works again.
    probes: bool,
}

impl Lease {
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.pool.endpoints[self.index]
    }

    /// The server works.
    pub(crate) fn succeeded(&self) {
        self.with_health(|health| {
            health.failures = 0;
            health.set_aside_until = None;
        });
    }

    /// The server failed, and asks for this time.
    pub(crate) fn failed(&self, asked: Option<Duration>) {
        let now = Instant::now();
        self.with_health(|health| {
            // Requests that fail together are one failure.
            if self.probes || health.set_aside_until.is_none() {
                let doubled = SET_ASIDE.saturating_mul(2_u32.saturating_pow(health.failures));
                health.failures = health.failures.saturating_add(1);
                health.set_aside_until = now.checked_add(doubled.min(SET_ASIDE_LONGEST));
            }
            health.set_aside_until = health.set_aside_until.max(asked.and_then(|asked| now.checked_add(asked)));
        });
    }

    fn with_health(&self, change: impl FnOnce(&mut Health)) {
        change(&mut self.pool.lock().health[self.index]);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.with_health(|health| {
            health.in_flight -= 1;
            health.probed &= !self.probes;
        });
    }
}
