//! Sequences of a step over cores.

use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{Gradients, Network, Parameter, Sequence, TrainError};

/// Threads that each compute one sequence at a time, alone: the element-wise half of a pass has one thread anyhow,
/// so whole sequences side by side keep more cores busy than the products of one.
#[derive(Debug)]
pub struct Workers {
    pools: Vec<ThreadPool>,
}

impl Workers {
    /// So many workers, at least one.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn new(threads: usize) -> Result<Self, TrainError> {
        let pool = |_| ThreadPoolBuilder::new().num_threads(1).build();
        let pools: Result<Vec<_>, _> = (0..threads.max(1)).map(pool).collect();
        pools
            .map(|pools| Self { pools })
            .map_err(|error| TrainError::setting("the number of threads", error.to_string()))
    }

    /// The sums of loss and gradients over sequences. They are added in the order of the sequences, so the result
    /// does not depend on the number of workers.
    ///
    /// # Errors
    /// That of the first sequence that fails.
    pub fn gradients(
        &self,
        network: &Network,
        parameters: &[Parameter],
        sequences: &[&Sequence],
    ) -> Result<Gradients, TrainError> {
        let zeros = parameters.iter().map(|parameter| vec![0.0; parameter.values.len()]).collect();
        let mut sum = Gradients { loss: 0.0, values: zeros };
        self.each(
            sequences,
            |sequence| network.gradients(parameters, sequence),
            |part| {
                sum.loss += part.loss;
                for (sum, part) in sum.values.iter_mut().flatten().zip(part.values.iter().flatten()) {
                    *sum += part;
                }
            },
        )?;
        Ok(sum)
    }

    /// The mean loss a token over sequences, without gradients.
    ///
    /// # Errors
    /// That of the first sequence that fails.
    pub fn loss(
        &self,
        network: &Network,
        parameters: &[Parameter],
        sequences: &[&Sequence],
    ) -> Result<f64, TrainError> {
        let mut loss = 0.0;
        self.each(sequences, |sequence| network.loss(parameters, sequence), |part| loss += part)?;
        let tokens: usize = sequences.iter().map(|sequence| sequence.targets().len()).sum();
        Ok(loss / tokens as f64)
    }

    /// Computes round by round, one sequence a worker, and takes the results in order.
    fn each<T: Send>(
        &self,
        sequences: &[&Sequence],
        compute: impl Fn(&Sequence) -> Result<T, TrainError> + Sync,
        mut take: impl FnMut(T),
    ) -> Result<(), TrainError> {
        for round in sequences.chunks(self.pools.len()) {
            let results = thread::scope(|scope| {
                let compute = &compute;
                let mut started = Vec::new();
                for (pool, sequence) in self.pools.iter().zip(round) {
                    started.push(scope.spawn(move || pool.install(|| compute(sequence))));
                }
                // A panic of the backend comes out of `join`.
                started.into_iter().map(thread::ScopedJoinHandle::join).collect::<Vec<_>>()
            });
            for result in results {
                let panicked = |_| TrainError::Computation { reason: "a worker panicked".to_owned() };
                take(result.map_err(panicked)??);
            }
        }
        Ok(())
    }
}
