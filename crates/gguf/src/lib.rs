//! A reader and a writer for GGUF, the container in which quantised models are shared.
//!
//! [`Gguf::parse`] takes the bytes of a file (usually a memory map), copies the metadata out and
//! checks where each tensor lies; it never touches tensor data. What it returns borrows nothing, and
//! a [`TensorInfo`] says which bytes of the file to read and how they are to be understood. Versions
//! 2 and 3 are read, in their little-endian form.
//!
//! Files come from strangers. Every count and offset is checked against the bytes that are there
//! before anything is allocated or indexed, so a damaged file is a [`GgufError`] that names the place.
//!
//! [`GgufWriter`] writes files, tensor by tensor; their elements come quantised.
//!
//! ```
//! use qianshou_gguf::Gguf;
//!
//! // The smallest file: magic, version, no tensor and one metadata entry.
//! let mut file = b"GGUF\x03\0\0\0".to_vec();
//! file.extend(0u64.to_le_bytes());
//! file.extend(1u64.to_le_bytes());
//! for text in ["general.architecture", "qwen2"] {
//!     file.extend((text.len() as u64).to_le_bytes());
//!     file.extend(text.as_bytes());
//!     if text.starts_with("general") {
//!         file.extend(8u32.to_le_bytes()); // The value is a string.
//!     }
//! }
//!
//! let gguf = Gguf::parse(&file)?;
//! assert_eq!(gguf.architecture()?, "qwen2");
//! assert!(gguf.require_u32("qwen2.block_count").is_err());
//! # Ok::<(), qianshou_gguf::GgufError>(())
//! ```

#![forbid(unsafe_code)]

mod error;
mod file;
mod reader;
mod tensor;
mod value;
mod write;

pub use error::GgufError;
pub use file::Gguf;
pub use tensor::{TensorInfo, TensorKind};
pub use value::{Array, Value};
pub use write::{GgufWriter, NewTensor};
