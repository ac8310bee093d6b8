//! Episodes acted by the agent, with a model that reads from a script.

use std::sync::Arc;

use qianshou_agent::{Agent, AnyTool, ReAct};
use qianshou_chat::ScriptedModel;
use tempfile::TempDir;

use crate::TrainError;
use crate::episode::{Call, Episode, Kind};

/// What the model is made to do.
pub(super) struct Script {
    pub(super) kind: Kind,
    pub(super) question: String,
    /// Thought, tool and input of each call.
    pub(super) calls: Vec<[String; 3]>,
    /// The thought before the answer.
    pub(super) thought: String,
    /// Files in the workspace.
    pub(super) files: Vec<(String, String)>,
}

/// Acts a script, and answers by what came back. `None` when the agent does not get through it, or there is no
/// answer to what came back: such a sample is bad.
pub(super) async fn act(
    tools: Vec<Arc<dyn AnyTool>>,
    script: Script,
    answer: impl FnOnce(&[Call]) -> Option<String>,
) -> Result<Option<Episode>, TrainError> {
    let Script { kind, question, calls, thought, files } = script;
    let keyword = |index: usize| if index == 0 { "Thought:" } else { "" };
    let mut replies: Vec<String> = Vec::new();
    for [thought, tool, input] in &calls {
        let keyword = keyword(replies.len());
        replies.push(format!("{keyword} {thought}\nAction: {tool}\nAction Input: {input}\nObservation:"));
    }
    replies.push(format!("{} {thought}\nFinal Answer: …", keyword(replies.len())));
    let workspace = workspace(&files)?;
    let agent = Agent::builder(Arc::new(ScriptedModel::new(replies)))
        .any_tools(tools)
        .protocol(ReAct::default())
        .workspace(workspace.path())
        .build()?;
    let run = agent.run(question.as_str()).await?;
    let episode = Episode::of_run(kind, question, &run).filter(|episode| episode.calls.len() == calls.len());
    Ok(episode.and_then(|episode| {
        let answer = answer(&episode.calls)?;
        Some(Episode { answer, files, ..episode })
    }))
}

/// A folder with these files, which is removed when it is dropped.
pub(crate) fn workspace(files: &[(String, String)]) -> Result<TempDir, TrainError> {
    let folder = TempDir::with_prefix("qianshou-train-").map_err(TrainError::io(std::env::temp_dir()))?;
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, text).map_err(TrainError::io(path))?;
    }
    Ok(folder)
}
