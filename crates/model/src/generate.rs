//! Generating from token ids: the prefix cache, sampling, stop strings, and what may be shown when.

use std::collections::VecDeque;

use qianshou_chat::{ChatError, Delta, FinishReason, Sampling, StopScanner, Usage};
use qianshou_tokenizer::Tokenizer;

use crate::constraint::Guide;
use crate::{Cache, Decoder, ModelError, Sampler};

/// One generation: a prompt and when to end.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) prompt: Vec<u32>,
    pub(crate) sampling: Sampling,
    pub(crate) max_tokens: usize,
    pub(crate) stop_ids: Vec<u32>,
    pub(crate) stop_strings: Vec<String>,
    /// What the text has to satisfy.
    pub(crate) guide: Option<Guide>,
}

/// A decoder with its tokenizer and the cache of the last sequence.
#[derive(Debug)]
pub(crate) struct Generator {
    decoder: Decoder,
    tokenizer: Tokenizer,
    cache: Cache,
}

impl Generator {
    pub(crate) fn new(decoder: Decoder, tokenizer: Tokenizer) -> Self {
        let cache = decoder.new_cache();
        Self { decoder, tokenizer, cache }
    }

    /// Forgets everything computed so far, after a failure that may have left the cache half written.
    pub(crate) fn reset(&mut self) {
        self.cache = self.decoder.new_cache();
    }

    /// Generates until an end is reached, or until `show` returns `false` (then without a result).
    ///
    /// Tokens that the prompt has in common with the last sequence are not computed again.
    pub(crate) fn run(
        &mut self,
        generation: Generation,
        mut show: impl FnMut(Option<Delta>) -> bool,
    ) -> Result<Option<(FinishReason, Usage)>, ChatError> {
        let Generation { prompt, sampling, max_tokens, stop_ids, stop_strings, mut guide } = generation;
        let cached = self.decoder.begin(&mut self.cache, &prompt);
        let mut usage = Usage { cached, computed: 0, generated: 0 };
        let mut logits = Vec::new();
        let mut rest = &prompt[cached..];
        while !rest.is_empty() {
            if !show(None) {
                return Ok(None);
            }
            let (ids, after) = rest.split_at(self.decoder.pass(&self.cache).min(rest.len()));
            logits = self.decoder.extend(&mut self.cache, ids)?;
            usage.computed += ids.len();
            rest = after;
        }
        let mut sampler = Sampler::new(sampling);
        let mut text = VisibleText::new(&self.tokenizer, &stop_strings);
        let vocabulary = self.tokenizer.vocabulary_size();
        // The token that was chosen last and is not computed yet.
        let mut last = None;
        let finish = loop {
            if guide.as_ref().is_some_and(Guide::is_complete) {
                break FinishReason::EndOfTurn;
            }
            if usage.generated == max_tokens {
                break FinishReason::Length;
            }
            if let Some(id) = last {
                if !show(None) {
                    return Ok(None);
                }
                logits = self.decoder.extend(&mut self.cache, &[id])?;
            }
            // Rows of the head beyond the vocabulary are padding and must never be sampled.
            logits.truncate(vocabulary);
            if let Some(guide) = &guide {
                guide.mask(&mut logits);
            }
            let Some(id) = sampler.next(&mut logits, self.cache.ids().iter().copied()) else {
                let reason =
                    "no logit is a number: the weights are damaged, or overflow F16 (then use the precision f32)"
                        .to_owned();
                return Err(ModelError::Computation { reason }.into());
            };
            usage.generated += 1;
            if stop_ids.contains(&id) {
                break FinishReason::EndOfTurn;
            }
            let stopped = text.push(id);
            for delta in text.take_visible() {
                if !show(Some(delta)) {
                    return Ok(None);
                }
            }
            if let Some(stop) = stopped {
                return Ok(Some((FinishReason::Stop(stop_strings[stop].clone()), usage)));
            }
            if let Some(guide) = &mut guide {
                guide.push(id)?;
            }
            last = Some(id);
        };
        for delta in text.finish() {
            show(Some(delta));
        }
        Ok(Some((finish, usage)))
    }
}

/// Decides which of the generated tokens can be shown: whole tokens that end on a character and can no
/// longer be part of a stop string.
struct VisibleText<'a> {
    tokenizer: &'a Tokenizer,
    scanner: StopScanner,
    /// Tokens not shown yet, each with the offset of its end.
    held: VecDeque<(u32, usize)>,
    /// The bytes of those tokens.
    bytes: VecDeque<u8>,
    /// Offset of the first byte not shown yet, counted from the first byte generated.
    shown: usize,
    end: usize,
    stopped: bool,
}

impl<'a> VisibleText<'a> {
    fn new(tokenizer: &'a Tokenizer, stop_strings: &[String]) -> Self {
        Self {
            tokenizer,
            scanner: StopScanner::new(stop_strings),
            held: VecDeque::new(),
            bytes: VecDeque::new(),
            shown: 0,
            end: 0,
            stopped: false,
        }
    }

    /// Takes a token; returns the number of the stop string that it completed.
    fn push(&mut self, id: u32) -> Option<usize> {
        let bytes = self.tokenizer.token_bytes(id).unwrap_or_default();
        self.end += bytes.len();
        self.bytes.extend(bytes);
        self.held.push_back((id, self.end));
        let found = self.scanner.push(bytes);
        self.stopped = found.is_some();
        found.map(|found| found.index)
    }

    /// What can be shown now. After a stop string that is everything before it: whole tokens with their
    /// ids, then the text of the token that it began in.
    fn take_visible(&mut self) -> Vec<Delta> {
        let safe = self.scanner.safe();
        let bytes = self.bytes.make_contiguous();
        let mut count = 0;
        for (index, &(_, end)) in self.held.iter().enumerate() {
            if end > safe {
                break;
            }
            let last_possible = self.stopped && self.held.get(index + 1).is_none_or(|&(_, next)| next > safe);
            if last_possible || ends_on_a_character(&bytes[..end - self.shown]) {
                count = index + 1;
            }
        }
        let mut deltas = self.take(count);
        if self.stopped && self.shown < safe {
            let rest = &self.bytes.make_contiguous()[..safe - self.shown];
            deltas.push(Delta { text: String::from_utf8_lossy(rest).into_owned(), ids: Vec::new() });
        }
        deltas
    }

    /// All that is left, when generation ended without a stop string.
    fn finish(mut self) -> Vec<Delta> {
        self.take(self.held.len())
    }

    fn take(&mut self, count: usize) -> Vec<Delta> {
        let ids: Vec<u32> = self
            .held
            .drain(..count)
            .map(|(id, end)| {
                self.bytes.drain(..end - self.shown);
                self.shown = end;
                id
            })
            .collect();
        if ids.is_empty() { Vec::new() } else { vec![Delta { text: self.tokenizer.decode(&ids), ids }] }
    }
}

/// Whether no character is left incomplete at the end; malformed bytes count as complete, since no
/// further byte can mend them.
fn ends_on_a_character(bytes: &[u8]) -> bool {
    match bytes.utf8_chunks().last() {
        None => true,
        Some(chunk) => {
            let rest = chunk.invalid();
            rest.is_empty() || std::str::from_utf8(rest).is_err_and(|error| error.error_len().is_some())
        }
    }
}

#[cfg(test)]
mod tests;
