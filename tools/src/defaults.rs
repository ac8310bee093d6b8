//! Which tools an agent gets when nothing else is said.

use std::sync::Arc;

use qianshou_agent::AnyTool;

use crate::{Calculator, CurrentTime};

/// The default tools, in the order in which a model is shown them.
pub fn default_tools() -> Vec<Arc<dyn AnyTool>> {
    vec![Arc::new(Calculator), Arc::new(CurrentTime)]
}
