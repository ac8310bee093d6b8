//! Judges of plots: a vision model is asked whether an image is what was asked for.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use qianshou_chat::{ChatModel, ChatRequest, Image, Message, Part, RecordFile, RecordingError, Records, Sampling};
use qianshou_prompts::{Prompt, Prompts};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

use crate::Fault;
use crate::hash::sha256;

/// Something that looks at plots.
#[async_trait]
pub trait Judge: Send + Sync {
    /// Its name, for the header of a log.
    fn name(&self) -> String;

    /// Whether the image is what the question asks for. The same question has the same verdict.
    ///
    /// # Errors
    /// When the judge cannot be reached.
    async fn judge(&self, question: &str, is_chinese: bool, image: &Image) -> Result<Judgement, Fault>;
}

/// What a judge said of a plot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Its words.
    pub reply: String,
}

impl Judgement {
    /// What the official exam takes for yes: the word `right`, wherever it stands.
    pub fn is_right(&self) -> bool {
        self.says("right")
    }

    /// `right` or `wrong`; `unclear` when it said both or neither.
    pub fn class(&self) -> &'static str {
        match (self.is_right(), self.says("wrong")) {
            (true, false) => "right",
            (false, true) => "wrong",
            _ => "unclear",
        }
    }

    fn says(&self, word: &str) -> bool {
        self.reply.to_lowercase().contains(word)
    }
}

/// A vision model that is asked once for each question and image: its verdicts are stored, so that a log can be
/// scored again without it.
pub struct VisionJudge {
    model: Option<Arc<dyn ChatModel>>,
    name: String,
    prompts: Prompts,
    stored: Mutex<Stored>,
}

#[derive(Debug)]
struct Stored {
    file: RecordFile,
    verdicts: HashMap<String, String>,
}

const KIND: &str = "judgement";
const VERSION: u32 = 1;

/// A stored verdict: `{"record":"judgement","version":1,"key":"…","judge":"…","reply":"…"}`. The key is the
/// SHA-256 of judge, prompt and image.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    key: String,
    judge: String,
    reply: String,
}

impl VisionJudge {
    /// A judge with its verdicts in this file. Without a model, only what is stored can be told.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(
        name: impl Into<String>,
        model: Option<Arc<dyn ChatModel>>,
        prompts: Prompts,
        path: &Path,
    ) -> Result<Self, RecordingError> {
        let (file, records): (RecordFile, Records) = RecordFile::append(path)?;
        let mut verdicts = HashMap::new();
        for line in records.lines.iter().filter(|line| line.kind() == KIND) {
            let Line { key, reply, .. } = line.parse(VERSION..=VERSION)?;
            verdicts.insert(key, reply);
        }
        Ok(Self { model, name: name.into(), prompts, stored: Mutex::new(Stored { file, verdicts }) })
    }
}

impl std::fmt::Debug for VisionJudge {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("VisionJudge").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl Judge for VisionJudge {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn judge(&self, question: &str, is_chinese: bool, image: &Image) -> Result<Judgement, Fault> {
        let prompt = if is_chinese { Prompt::JudgePlotZh } else { Prompt::JudgePlotEn };
        let prompt = self.prompts.fill(prompt, &[("question", question)]);
        let key = sha256(format!("{}\0{prompt}\0{}", self.name, sha256(&image.bytes)).as_bytes());
        if let Some(reply) = self.stored.lock().await.verdicts.get(&key) {
            return Ok(Judgement { reply: reply.clone() });
        }
        let missing =
            || Fault::lasting("a plot has no stored verdict, and there is no judge to ask; name it with `--judge`");
        let model = self.model.as_ref().ok_or_else(missing)?;
        let mut message = Message::user(prompt);
        message.content.insert(0, Part::Image(image.clone()));
        let request = ChatRequest { sampling: Sampling::greedy(), ..ChatRequest::new([message]) };
        let reply = model.complete(request).await.map_err(|error| Fault::from(&error))?.text();
        let line = json!({"record": KIND, "version": VERSION, "key": key, "judge": self.name, "reply": reply});
        let mut stored = self.stored.lock().await;
        stored.file.write(format!("{line}\n").as_bytes()).map_err(|error| Fault::of(&error, true))?;
        stored.verdicts.insert(key, reply.clone());
        Ok(Judgement { reply })
    }
}
