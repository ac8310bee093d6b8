//! What the attribute [`tool`](crate::tool) writes into programs besides the public traits. Not for use
//! by hand, and free to change.

use std::any::Any;
use std::fmt::Display;

pub use schemars;
pub use serde;

use crate::{ToolError, ToolOutput};

/// What a function under the attribute may give back.
#[diagnostic::on_unimplemented(
    message = "a tool cannot give back `{Self}`",
    note = "it gives back text, a `ToolOutput`, or a `Result` of one of them whose error can be displayed"
)]
pub trait ToolReturn {
    /// As [`Tool::call`](crate::Tool::call) gives it.
    fn into_result(self) -> Result<ToolOutput, ToolError>;
}

#[diagnostic::do_not_recommend]
impl<Output: Into<ToolOutput>> ToolReturn for Output {
    fn into_result(self) -> Result<ToolOutput, ToolError> {
        Ok(self.into())
    }
}

#[diagnostic::do_not_recommend]
impl<Output: Into<ToolOutput>, Failure: Display + 'static> ToolReturn for Result<Output, Failure> {
    fn into_result(self) -> Result<ToolOutput, ToolError> {
        self.map(Into::into).map_err(tool_error)
    }
}

/// A [`ToolError`] as it is; any other error as text for the model and, where its alternate form tells
/// more, as diagnostics for the operator.
fn tool_error(failure: impl Display + 'static) -> ToolError {
    let (text, more) = (failure.to_string(), format!("{failure:#}"));
    let failure: Box<dyn Any> = Box::new(failure);
    failure.downcast().map_or_else(
        |_| if more == text { ToolError::new(text) } else { ToolError::new(text).with_diagnostics(more) },
        |error| *error,
    )
}
