//! The frame: a length, a kind, a payload.
//!
//! `u32` little-endian length of the payload, `u8` kind (0 JSON, 1 bytes), payload.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest JSON payload, in bytes. A cell's largest message is one image of 4 MiB in base64.
pub const MAX_JSON: usize = 8 << 20;

/// Longest payload of raw bytes; longer content is sent in several frames.
pub const MAX_BYTES: usize = 1 << 20;

const HEADER: usize = 5;
const JSON: u8 = 0;
const BYTES: u8 = 1;

/// One frame as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A message, still to be [`parse`]d.
    Json(Vec<u8>),
    /// A piece of a file.
    Bytes(Vec<u8>),
}

/// Why a peer's bytes are not a message of this protocol.
#[derive(Debug)]
pub enum FrameError {
    /// A kind that does not exist.
    Kind(u8),
    /// A length above the bound of its kind, in bytes.
    Length(usize),
    /// JSON that is not the message expected on this channel.
    Message(serde_json::Error),
    /// Raw bytes where a message was due, or the other way round.
    Unexpected,
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kind(kind) => write!(formatter, "frame of unknown kind {kind}"),
            Self::Length(length) => write!(formatter, "frame of {length} bytes is above its bound"),
            Self::Message(error) => write!(formatter, "not a message of this channel: {error}"),
            Self::Unexpected => write!(formatter, "frame of the other kind was due"),
        }
    }
}

impl std::error::Error for FrameError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Message(error) => Some(error),
            _ => None,
        }
    }
}

/// Encodes a message.
///
/// # Errors
/// [`FrameError::Length`] when the message is longer than [`MAX_JSON`].
pub fn json(message: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    let payload = serde_json::to_vec(message).map_err(FrameError::Message)?;
    encode(JSON, &payload, MAX_JSON)
}

/// Encodes a piece of a file.
///
/// # Errors
/// [`FrameError::Length`] when the piece is longer than [`MAX_BYTES`].
pub fn bytes(piece: &[u8]) -> Result<Vec<u8>, FrameError> {
    encode(BYTES, piece, MAX_BYTES)
}

fn encode(kind: u8, payload: &[u8], bound: usize) -> Result<Vec<u8>, FrameError> {
    if payload.len() > bound {
        return Err(FrameError::Length(payload.len()));
    }
    let length = u32::try_from(payload.len()).map_err(|_| FrameError::Length(payload.len()))?;
    let mut frame = Vec::with_capacity(HEADER + payload.len());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.push(kind);
    frame.extend_from_slice(payload);
    Ok(frame)
}

/// Decodes a frame into the message that its channel carries.
///
/// # Errors
/// [`FrameError::Unexpected`] for raw bytes, [`FrameError::Message`] for other JSON.
pub fn parse<M: DeserializeOwned>(frame: &Frame) -> Result<M, FrameError> {
    match frame {
        Frame::Json(payload) => serde_json::from_slice(payload).map_err(FrameError::Message),
        Frame::Bytes(_) => Err(FrameError::Unexpected),
    }
}

/// Cuts a stream of bytes into frames. Never holds more than one frame and the piece last pushed.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
}

impl Decoder {
    /// Adds what was read.
    pub fn push(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// How many bytes are still missing from the next frame, as far as is known: never more than the
    /// frame has, so a reader that reads no more than this leaves the rest in the socket.
    #[must_use]
    pub fn missing(&self) -> usize {
        match self.header() {
            None => HEADER - self.buffer.len(),
            Some((length, _)) => (HEADER + length).saturating_sub(self.buffer.len()),
        }
    }

    /// The next whole frame, if there is one.
    ///
    /// # Errors
    /// A header that no frame may have. The stream is of no use afterwards.
    pub fn frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some((length, kind)) = self.header() else { return Ok(None) };
        let bound = match kind {
            JSON => MAX_JSON,
            BYTES => MAX_BYTES,
            other => return Err(FrameError::Kind(other)),
        };
        if length > bound {
            return Err(FrameError::Length(length));
        }
        if self.buffer.len() < HEADER + length {
            return Ok(None);
        }
        let rest = self.buffer.split_off(HEADER + length);
        let mut payload = std::mem::replace(&mut self.buffer, rest);
        payload.drain(..HEADER);
        Ok(Some(if kind == JSON { Frame::Json(payload) } else { Frame::Bytes(payload) }))
    }

    fn header(&self) -> Option<(usize, u8)> {
        let [a, b, c, d, kind, ..] = self.buffer.as_slice() else { return None };
        Some((u32::from_le_bytes([*a, *b, *c, *d]) as usize, *kind))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn frames_survive_any_cut() {
        let stream = [json(&"one").unwrap(), bytes(b"two").unwrap(), json(&3).unwrap()].concat();
        for size in 1..=stream.len() {
            let mut decoder = Decoder::default();
            let mut frames = Vec::new();
            for piece in stream.chunks(size) {
                decoder.push(piece);
                while let Some(frame) = decoder.frame().unwrap() {
                    frames.push(frame);
                }
            }
            let expected =
                [Frame::Json(b"\"one\"".to_vec()), Frame::Bytes(b"two".to_vec()), Frame::Json(b"3".to_vec())];
            assert_eq!(frames, expected);
        }
    }

    #[test]
    fn reading_what_is_missing_stops_at_the_frame() {
        let frame = json(&"message").unwrap();
        let stream = [frame.clone(), b"next".to_vec()].concat();
        let mut decoder = Decoder::default();
        let mut read = 0;
        while decoder.frame().unwrap().is_none() {
            let missing = decoder.missing();
            decoder.push(&stream[read..read + missing]);
            read += missing;
        }
        assert_eq!(read, frame.len());
    }

    #[test]
    fn what_no_frame_may_have_is_refused_before_its_payload() {
        let mut decoder = Decoder::default();
        decoder.push(&[0xff, 0xff, 0xff, 0xff, JSON]);
        assert!(matches!(decoder.frame(), Err(FrameError::Length(0xffff_ffff))));
        let mut decoder = Decoder::default();
        decoder.push(&[1, 0, 0, 0, 7]);
        assert!(matches!(decoder.frame(), Err(FrameError::Kind(7))));
    }
}
