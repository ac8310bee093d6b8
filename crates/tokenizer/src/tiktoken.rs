//! Reading `qwen.tiktoken`, the vocabulary of Qwen 1.
//!
//! Each line is a token in base64 and its rank, which is its id. The file knows no special tokens: Qwen
//! has them right after the last rank.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokenizers::NormalizerWrapper;
use tokenizers::models::bpe::Vocab;
use tokenizers::normalizers::NFC;

use crate::prepare::{Preparation, Steps};
use crate::spelling::Spelling;
use crate::vocabulary::{Added, Parts};
use crate::{TokenizerError, alphabet, gguf, ranks};

/// How many tokens `<|extra_0|>`, `<|extra_1|>`, … there are.
const EXTRAS: usize = 205;

/// Reads the text of a `qwen.tiktoken`.
pub(crate) fn read(text: &[u8]) -> Result<Parts, TokenizerError> {
    let lines = lines(text)?;
    let mut tokens = Vocab::with_capacity(lines.len());
    for (rank, line) in (0_u32..).zip(&lines) {
        if let Some(other) = tokens.insert(line.token.clone(), rank) {
            let problem = format!("its token is that of line {} too", lines[other as usize].number);
            return Err(TokenizerError::Line { line: line.number, problem });
        }
    }
    if let Some(byte) = (0..=255).find(|&byte| !tokens.contains_key(alphabet::character(byte).encode_utf8(&mut [0; 4])))
    {
        let problem = format!("no token is the byte 0x{byte:02X} alone; the file is cut off or of another kind");
        return Err(TokenizerError::Line { line: lines.iter().map(|line| line.number).max().unwrap_or(1), problem });
    }
    let spellings: Vec<_> = lines.iter().map(|line| line.token.as_str()).collect();
    let special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"].into_iter().map(str::to_owned);
    let special = special.chain((0..EXTRAS).map(|number| format!("<|extra_{number}|>")));
    let first = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    let added = (first..).zip(special).map(|(id, text)| Added { id, text, control: true }).collect();
    Ok(Parts {
        merges: ranks::merges(&spellings),
        tokens,
        added,
        spelling: Spelling::ByteLevel,
        preparation: Preparation::ByteLevel(Box::new(Steps {
            normalizer: Some(NormalizerWrapper::NFC(NFC)),
            pre_tokenizer: gguf::qwen_splitting()?,
            whole_text: true,
        })),
        // A word that has a rank is one token, whatever merging makes of it.
        ignore_merges: true,
    })
}

/// A line of the file.
struct Line {
    /// Counted from 1.
    number: usize,
    /// The token, spelled in the byte alphabet.
    token: String,
}

/// The lines in order of rank. Every rank is there once.
fn lines(text: &[u8]) -> Result<Vec<Line>, TokenizerError> {
    let lines = || (1..).zip(text.split(|&byte| byte == b'\n')).filter(|(_, line)| !line.trim_ascii().is_empty());
    // No rank can be as high as the number of lines, so the table is never larger than the file.
    let count = lines().count();
    let mut ranked: Vec<Option<Line>> = Vec::new();
    ranked.resize_with(count, || None);
    for (number, line) in lines() {
        let error = |problem: String| TokenizerError::Line { line: number, problem };
        let (token, rank) = parse(line.trim_ascii()).map_err(error)?;
        let token = token.iter().map(|&byte| alphabet::character(byte)).collect();
        match ranked.get_mut(rank) {
            Some(place @ None) => *place = Some(Line { number, token }),
            Some(Some(other)) => return Err(error(format!("rank {rank} is that of line {} too", other.number))),
            None => return Err(error(format!("rank {rank} is too high: there are {count} tokens, counted from 0"))),
        }
    }
    // As many different ranks below `count` as there are places: none is free.
    Ok(ranked.into_iter().flatten().collect())
}

/// The token and the rank of a line.
fn parse(line: &[u8]) -> Result<(Vec<u8>, usize), String> {
    let mut fields = line.split(|byte| byte.is_ascii_whitespace()).filter(|field| !field.is_empty());
    let (Some(token), Some(rank), None) = (fields.next(), fields.next(), fields.next()) else {
        return Err("expected a token in base64, a space, and its rank".to_owned());
    };
    let token = STANDARD.decode(token).map_err(|error| format!("the token is not base64: {error}"))?;
    if token.is_empty() {
        return Err("the token is empty".to_owned());
    }
    if token.len() > ranks::LONGEST {
        return Err(ranks::TOO_LONG.to_owned());
    }
    let digits = rank.iter().all(u8::is_ascii_digit);
    let rank = str::from_utf8(rank).ok().filter(|_| digits).and_then(|rank| rank.parse().ok());
    Ok((token, rank.ok_or("the rank is not a whole number")?))
}
