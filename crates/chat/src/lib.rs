//! The words in which everything else speaks to a chat model.
//!
//! This crate holds no model. It defines messages made of [parts](Part), the [request](ChatRequest)
//! with its sampling and stop strings, the object-safe [`ChatModel`] trait with its stream of
//! [events](ChatEvent), and errors that say whose fault they are. The engine, the remote client and
//! the agent meet here and know nothing of each other.
//!
//! Text is text: no part of a message is ever read as a control token, whatever it looks like. What a
//! model generated keeps the token ids that it was made of ([`Part::Generated`]), so that a later
//! request can continue from exactly those ids instead of from a re-encoding of their text.
//!
//! What a model was asked and answered can be [recorded](Recorder) to a file and [replayed](Replay)
//! without the model; an [`Exchange`] is the record of one such call.
//!
//! ```
//! use qianshou_chat::{ChatModel, ChatRequest, Message, ScriptedModel};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), qianshou_chat::ChatError> {
//! let model = ScriptedModel::new(["Paris."]);
//! let reply = model.complete(ChatRequest::new([Message::user("Capital of France?")])).await?;
//! assert_eq!(reply.text(), "Paris.");
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub mod bytes;
mod difference;
mod error;
mod exchange;
mod message;
mod model;
mod native;
mod recorder;
mod recording;
mod records;
mod replay;
mod request;
mod scripted;
mod stop;

pub use difference::Difference;
pub use error::{ChatError, ChatErrorKind};
pub use exchange::{Exchange, RecordedError};
pub use message::{Generated, Image, Message, Part, Role};
pub use model::{Capabilities, ChatEvent, ChatModel, ChatStream, Delta, End, FinishReason, ModelInfo, Reply, Usage};
pub use native::{NativeCall, NativeResult, NativeTool};
pub use recorder::Recorder;
pub use recording::{EXCHANGE_VERSION, Recorded, Recording};
pub use records::{RecordBuffer, RecordFile, RecordLine, RecordingError, Records};
pub use replay::Replay;
pub use request::{ChatRequest, Constraint, Sampling};
pub use scripted::{ScriptedModel, ScriptedReply};
pub use stop::{StopMatch, StopScanner};
