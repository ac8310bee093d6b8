//! Which tools an agent gets when nothing else is said.

use std::sync::Arc;

use qianshou_agent::AnyTool;

use crate::{Calculator, CurrentTime, ListFiles, ReadFile};

/// The default tools, in the order in which a model is shown them. None of them changes anything or leaves
/// the machine; those that read files need an agent with a workspace.
pub fn default_tools() -> Vec<Arc<dyn AnyTool>> {
    vec![Arc::new(Calculator), Arc::new(CurrentTime), Arc::new(ReadFile), Arc::new(ListFiles)]
}
