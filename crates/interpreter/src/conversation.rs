//! The host's end of a session's socket. What comes from it is hostile: bounded, then decoded, then checked.

use std::time::Duration;

use qianshou_interpreter_protocol::{Decoder, Event, Frame, FrameError, MAX_BYTES, Request, bytes, json, parse};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Why a session's socket is of no more use, in words.
pub(crate) type Broken = String;

/// A socket that a session can be behind.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

pub(crate) struct Conversation {
    socket: Box<dyn Socket>,
    decoder: Decoder,
}

impl Conversation {
    #[cfg_attr(not(sandboxed), expect(dead_code, reason = "there is nobody to talk to"))]
    pub(crate) fn new(socket: impl Socket + 'static) -> Self {
        Self { socket: Box::new(socket), decoder: Decoder::default() }
    }

    pub(crate) async fn ask(&mut self, request: &Request) -> Result<(), Broken> {
        let frame = json(request).map_err(|error| error.to_string())?;
        self.write(&frame).await
    }

    pub(crate) async fn give(&mut self, content: &[u8]) -> Result<(), Broken> {
        for piece in content.chunks(MAX_BYTES) {
            let frame = bytes(piece).map_err(|error| error.to_string())?;
            self.write(&frame).await?;
        }
        Ok(())
    }

    async fn write(&mut self, frame: &[u8]) -> Result<(), Broken> {
        self.socket.write_all(frame).await.map_err(|error| error.to_string())
    }

    /// The next event. May be cancelled at any time without losing one.
    pub(crate) async fn event(&mut self) -> Result<Event, Broken> {
        let frame = self.frame().await?;
        match parse(&frame).map_err(|error| error.to_string())? {
            Event::Failed { message } => Err(message),
            event => Ok(event),
        }
    }

    /// The next event, if it comes in time.
    pub(crate) async fn event_within(&mut self, time: Duration) -> Result<Event, Broken> {
        let event = tokio::time::timeout(time, self.event()).await;
        event.unwrap_or_else(|_| Err(format!("no word for {} seconds", time.as_secs())))
    }

    /// `length` bytes of a file.
    pub(crate) async fn content(&mut self, length: u64) -> Result<Vec<u8>, Broken> {
        let mut content = Vec::new();
        while (content.len() as u64) < length {
            match self.frame().await? {
                Frame::Bytes(piece) if !piece.is_empty() => content.extend(piece),
                _ => return Err(FrameError::Unexpected.to_string()),
            }
        }
        if content.len() as u64 == length { Ok(content) } else { Err("a file longer than was said".into()) }
    }

    /// Says good-bye and waits until the other end is closed, which it is when the session's last process ends.
    pub(crate) async fn finish(&mut self, time: Duration) {
        // What goes wrong here has ended the conversation as well.
        drop(self.socket.shutdown().await);
        drop(tokio::time::timeout(time, async { while self.frame().await.is_ok() {} }).await);
    }

    async fn frame(&mut self) -> Result<Frame, Broken> {
        loop {
            if let Some(frame) = self.decoder.frame().map_err(|error| error.to_string())? {
                return Ok(frame);
            }
            let mut piece = [0; 65536];
            match self.socket.read(&mut piece).await {
                Ok(0) => return Err("its supervisor is gone".into()),
                Ok(length) => self.decoder.push(&piece[..length]),
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

/// Decodes what a supervisor might send, for fuzzing: how many events `stream` has before it ends or is wrong.
#[doc(hidden)]
#[must_use]
pub fn decode_events(stream: &[u8]) -> usize {
    let mut decoder = Decoder::default();
    decoder.push(stream);
    let mut events = 0;
    while let Ok(Some(frame)) = decoder.frame() {
        match parse::<Event>(&frame) {
            Ok(Event::Done { completion, .. }) => drop(crate::Cell::new(*completion, Vec::new())),
            Ok(_) => {}
            Err(_) => return events,
        }
        events += 1;
    }
    events
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;
    use qianshou_interpreter_protocol::{Completion, Printed, State, Status, Stream};

    use super::*;

    /// Length and kind of a frame, in bytes.
    const HEADER: usize = 5;

    fn stream() -> Vec<u8> {
        let printed = Printed { text: "\u{1b}[31mred".into(), bytes: 8 };
        let completion = Completion {
            status: Status::Crashed(9),
            state: State::Earlier { cell: 2 },
            stdout: printed.clone(),
            stderr: printed,
            value: Some([("image/png".to_owned(), "iVBORw0KGgo=".to_owned())].into()),
            error: None,
            notes: vec!["a note".into()],
            files: Vec::new(),
            microseconds: 1,
            peak_memory_bytes: 1,
        };
        let events = [
            Event::Hello { version: 2 },
            Event::Output { stream: Stream::Stderr, text: "text".into() },
            Event::Display { data: [("text/plain".to_owned(), "shown".to_owned())].into() },
            Event::Done { id: 1, completion: Box::new(completion) },
        ];
        events.iter().flat_map(|event| json(event).unwrap()).collect()
    }

    #[test]
    fn whole_events_are_decoded() {
        assert_eq!(decode_events(&stream()), 4);
    }

    proptest! {
        #[test]
        fn what_a_supervisor_might_send_is_decoded_or_refused(noise in prop::collection::vec(any::<u8>(), 0..512)) {
            prop_assert!(decode_events(&noise) <= noise.len() / HEADER);
        }

        #[test]
        fn damaged_events_are_decoded_or_refused(
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
            end in any::<prop::sample::Index>(),
        ) {
            let mut stream = stream();
            for (place, byte) in damage {
                let place = place.index(stream.len());
                stream[place] = byte;
            }
            stream.truncate(end.index(stream.len() + 1));
            prop_assert!(decode_events(&stream) <= 4);
        }
    }
}
