//! Constrained decoding: which tokens may come next, by a regular expression, a JSON schema or a grammar.
//!
//! The parser is llguidance's: it walks a trie of the vocabulary and finds every token that leaves the reply on
//! a way to a valid end. Decisions: the trie is made of the tokenizer's own token bytes, once for a vocabulary.
//! Which tokens end a turn depends on how the model is asked, so the parser knows none of them; they are allowed
//! where it accepts what is there. And how a text is cut into tokens is left to the model: of the tokens that
//! fit it takes the one that it likes best.

mod refusal;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::thread;

use llguidance::api::TopLevelGrammar;
use llguidance::{Matcher, ParserFactory, panic_utils};
use qianshou_chat::{ChatError, ChatErrorKind, Constraint};
use qianshou_tokenizer::{Specials, Tokenizer};
use toktrie::{ApproximateTokEnv, SimpleVob, TokEnv, TokRxInfo, TokTrie};

/// The trie has no room for longer tokens; they are left out of constrained replies. (Real vocabularies keep
/// far below: their longest tokens are runs of white space.)
const LONGEST_TOKEN: usize = 1024;

/// The compiler goes down some calls for each level of a grammar. The deepest that [`refusal::check_size`] lets
/// through take up to 250 MiB in a build without optimisation. Memory of a stack is taken as it is used.
const STACK: usize = 512 << 20;

/// Compiles constraints for one vocabulary.
pub(crate) struct ConstraintCompiler {
    factory: ParserFactory,
    /// Ids of the tokens that text never turns into.
    specials: Arc<[u32]>,
}

impl ConstraintCompiler {
    /// Builds the trie of the vocabulary.
    ///
    /// # Errors
    /// What the vocabulary has that a trie cannot hold.
    pub(crate) fn new(tokenizer: &Tokenizer) -> Result<Self, String> {
        // A token that has an entry of its own and is ordinary text all the same is no special one.
        let is_special = |&(id, text): &(u32, &str)| tokenizer.encode(text, Specials::None) != [id];
        let specials: Arc<[u32]> = tokenizer.specials().filter(is_special).map(|(id, _)| id).collect();
        let build = || {
            let trie: TokEnv = Arc::new(ApproximateTokEnv::new(trie(tokenizer, &specials)));
            ParserFactory::new_simple(&trie)
        };
        let mut factory = panic_utils::catch_unwind(AssertUnwindSafe(build)).map_err(|error| error.to_string())?;
        factory.quiet().limits_mut().verbose_errors = false;
        Ok(Self { factory, specials })
    }

    /// Compiles `constraint` for a reply that `stop_ids` end.
    ///
    /// # Errors
    /// [`ChatErrorKind::InvalidRequest`] when it is malformed, not supported, too large, or cannot be met with
    /// the tokens of the vocabulary.
    pub(crate) fn compile(&self, constraint: &Constraint, stop_ids: &[u32]) -> Result<Guide, ChatError> {
        refusal::check_size(constraint)?;
        let grammar = match constraint {
            Constraint::Regex(regex) => TopLevelGrammar::from_regex(regex),
            Constraint::JsonSchema(schema) => TopLevelGrammar::from_json_schema(schema.clone()),
            Constraint::Grammar(grammar) => TopLevelGrammar::from_lark(grammar.clone()),
        };
        let failed = |message: String| ChatError::new(ChatErrorKind::Failed, message);
        let parser = thread::scope(|scope| {
            let compiler = thread::Builder::new().name("qianshou-constraint".to_owned()).stack_size(STACK);
            let compiling = compiler
                .spawn_scoped(scope, || self.factory.create_parser(grammar))
                .map_err(|error| failed(format!("the system refuses a thread to compile the constraint: {error}")))?;
            compiling.join().map_err(|_| failed("the compiler of the constraint broke down".to_owned()))
        })?;
        let parser = parser.map_err(|error| refusal::malformed(constraint, error))?;
        let trie = self.factory.tok_env().tok_trie();
        let mut guide = Guide {
            matcher: Matcher::new(Ok(parser)),
            specials: Arc::clone(&self.specials),
            stop_ids: stop_ids.iter().copied().filter(|&id| id < trie.eos_token()).collect(),
            end: trie.eos_token(),
            allowed: trie.alloc_token_set(),
            complete: false,
        };
        guide.look()?;
        Ok(guide)
    }
}

impl fmt::Debug for ConstraintCompiler {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ConstraintCompiler").finish_non_exhaustive()
    }
}

/// The vocabulary as a trie. Control tokens begin with a byte that no text has, so that only a grammar which
/// names one reaches it. One id more than the vocabulary has stands for the end of the turn.
fn trie(tokenizer: &Tokenizer, specials: &[u32]) -> TokTrie {
    let end = tokenizer.vocabulary_size() as u32;
    let mut words: Vec<Vec<u8>> = (0..end).map(|id| tokenizer.token_bytes(id).unwrap_or_default().to_vec()).collect();
    for &id in specials {
        words[id as usize].insert(0, TokTrie::SPECIAL_TOKEN_MARKER);
    }
    for word in words.iter_mut().filter(|word| word.len() > LONGEST_TOKEN) {
        word.clear();
    }
    words.push(Vec::new());
    TokTrie::from(&TokRxInfo::new(end + 1, end), &words)
}

/// Goes along with one reply and knows what may come next.
pub(crate) struct Guide {
    matcher: Matcher,
    specials: Arc<[u32]>,
    stop_ids: Vec<u32>,
    /// The id that stands for the end of the turn in the trie.
    end: u32,
    allowed: SimpleVob,
    complete: bool,
}

impl Guide {
    /// Whether the reply satisfies the constraint and nothing can follow.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Makes the logit of each token that may not come next no number, which is never sampled.
    pub(crate) fn mask(&self, logits: &mut [f32]) {
        for (id, logit) in (0..).zip(logits) {
            if !self.allowed.is_allowed(id) {
                *logit = f32::NAN;
            }
        }
    }

    /// Takes the next token of the reply, one that was allowed and does not end it.
    ///
    /// # Errors
    /// When nothing can follow and the constraint is not satisfied, or when it has become too complex.
    pub(crate) fn push(&mut self, id: u32) -> Result<(), ChatError> {
        self.matcher.consume_token(id).map_err(refusal::impossible)?;
        self.look()
    }

    /// Finds out what may come next.
    fn look(&mut self) -> Result<(), ChatError> {
        if self.matcher.is_stopped() {
            self.complete = true;
            return Ok(());
        }
        let mut allowed = self.matcher.compute_mask().map_err(refusal::impossible)?;
        let may_end = self.matcher.is_accepting().map_err(refusal::impossible)?;
        for &id in &*self.specials {
            // A grammar of bytes that are no text allows the mark of the control tokens without naming one.
            if allowed.is_allowed(id) && self.matcher.validate_tokens(&[id]).map_err(refusal::impossible)? == 0 {
                allowed.disallow_token(id);
            }
        }
        // Named or not, these end the turn.
        for &id in self.stop_ids.iter().chain([&self.end]) {
            allowed.disallow_token(id);
        }
        self.complete = allowed.is_zero();
        if may_end {
            self.stop_ids.iter().for_each(|&id| allowed.allow_token(id));
        } else if self.complete {
            return Err(refusal::dead_end());
        }
        self.allowed = allowed;
        Ok(())
    }
}

impl fmt::Debug for Guide {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Guide").field("complete", &self.complete).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
