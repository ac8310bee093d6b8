//! What a tool is told about the run that calls it.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// Values that the application hands to its tools, one of each type.
#[derive(Clone, Default)]
pub(crate) struct Extensions(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl Extensions {
    pub(crate) fn insert<Value: Send + Sync + 'static>(&mut self, value: Value) {
        self.0.insert(TypeId::of::<Value>(), Arc::new(value));
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Extensions({})", self.0.len())
    }
}

/// The surroundings of one tool call. Cloning is cheap.
///
/// A tool that runs longer than a moment watches [`cancellation`](Self::cancellation); one that starts
/// children hands them [`remaining`](Self::remaining) as their time limit. When a call is cancelled or
/// takes too long its future is dropped, too.
///
/// The default context, for calling a tool directly, is never cancelled and has no workspace.
#[derive(Clone, Debug, Default)]
pub struct ToolContext {
    pub(crate) call: String,
    pub(crate) cancellation: CancellationToken,
    pub(crate) deadline: Option<Instant>,
    pub(crate) workspace: Option<Arc<Path>>,
    pub(crate) extensions: Arc<Extensions>,
}

impl ToolContext {
    /// The id of the call, unique within its run.
    pub fn call_id(&self) -> &str {
        &self.call
    }

    /// Fires when the run is cancelled, dropped or out of time, or this call is.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }

    /// When the call will be stopped.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How long the call may still take.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// The folder that the run's files live in.
    pub fn workspace(&self) -> Option<&Path> {
        self.workspace.as_deref()
    }

    /// The value of this type that the application set for its tools.
    pub fn extension<Value: Send + Sync + 'static>(&self) -> Option<&Value> {
        self.extensions.0.get(&TypeId::of::<Value>())?.downcast_ref()
    }

    /// The same context with a workspace.
    #[must_use]
    pub fn with_workspace(mut self, folder: impl Into<PathBuf>) -> Self {
        self.workspace = Some(Arc::from(folder.into()));
        self
    }

    /// The same context with this value for the tools.
    #[must_use]
    pub fn with_extension<Value: Send + Sync + 'static>(mut self, value: Value) -> Self {
        let mut extensions = Extensions::clone(&self.extensions);
        extensions.insert(value);
        self.extensions = Arc::new(extensions);
        self
    }
}
