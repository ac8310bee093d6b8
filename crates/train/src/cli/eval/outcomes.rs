//! A file of outcomes: an evaluation that was broken off goes on with it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use qianshou_train::{Group, Outcome, TrainError};
use serde_json::Value;

use crate::cli::Failure;

/// One line with the conditions, then an outcome a line, in the order of the episodes.
#[derive(Debug)]
pub(super) struct OutcomeFile {
    path: PathBuf,
    file: File,
}

impl OutcomeFile {
    /// Opens or begins the file, and reads what is done. A last line that was cut off while it was written is done
    /// again.
    pub(super) fn open(path: &Path, conditions: &Value, groups: &[Group]) -> Result<(Self, Vec<Outcome>), Failure> {
        let text = if path.exists() { std::fs::read_to_string(path)? } else { String::new() };
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        let mut lines = whole.lines();
        let refuse = |reason: &str| Failure::from(format!("{} {reason}; use another file", path.display()));
        match lines.next().map(serde_json::from_str::<Value>) {
            Some(Ok(found)) if are_same(&found, conditions) => {}
            Some(Ok(found)) => return Err(refuse(&format!("is of an evaluation under other conditions: {found}"))),
            Some(Err(_)) => return Err(refuse("is no file of outcomes")),
            None => std::fs::write(path, format!("{conditions}\n"))?,
        }
        let outcomes: Vec<Outcome> = lines
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .map_err(|error| refuse(&format!("has an outcome that cannot be read ({error})")))?;
        let episodes = groups.iter().flat_map(|group| &group.episodes);
        let fits = outcomes.iter().zip(episodes.clone()).all(|(outcome, episode)| outcome.question == episode.question);
        if !fits || outcomes.len() > episodes.count() {
            return Err(refuse("is of other episodes"));
        }
        if !whole.is_empty() && whole.len() < text.len() {
            std::fs::write(path, whole)?;
        }
        let file = OpenOptions::new().append(true).open(path)?;
        Ok((Self { path: path.to_owned(), file }, outcomes))
    }

    pub(super) fn push(&mut self, outcome: &Outcome) -> Result<(), TrainError> {
        let line = serde_json::to_string(outcome).map_err(Into::into).map(|line| line + "\n");
        let written = line.and_then(|line| self.file.write_all(line.as_bytes()));
        written.map_err(|source| TrainError::Io { path: self.path.clone(), source })
    }
}

/// Whether a file goes on under these conditions. One that was begun before fingerprints were kept is known by the
/// others alone.
fn are_same(found: &Value, conditions: &Value) -> bool {
    let mut conditions = conditions.clone();
    if found.get("fingerprint").is_none()
        && let Some(fields) = conditions.as_object_mut()
    {
        fields.remove("fingerprint");
    }
    *found == conditions
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use qianshou_train::{Episode, Kind};
    use serde_json::json;

    use super::*;

    fn groups() -> Vec<Group> {
        let episode = |question: &str| Episode {
            kind: Kind::NoNeed,
            question: question.to_owned(),
            calls: Vec::new(),
            thought: String::new(),
            answer: "Yes.".to_owned(),
            files: Vec::new(),
        };
        vec![Group { tools: Vec::new(), episodes: ["One?", "Two?", "Three?"].map(episode).into() }]
    }

    fn outcome(question: &str) -> Outcome {
        Outcome {
            kind: Kind::NoNeed,
            question: question.to_owned(),
            expected: None,
            call: None,
            selected: true,
            exact: true,
            observed: true,
            right: true,
            expected_answer: "Yes.".to_owned(),
            answer: "Yes.".to_owned(),
        }
    }

    #[test]
    fn what_is_done_is_kept_and_a_cut_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outcomes.jsonl");
        let conditions = json!({"constrained": true});
        let (mut file, done) = OutcomeFile::open(&path, &conditions, &groups()).unwrap();
        assert_eq!(done, []);
        file.push(&outcome("One?")).unwrap();
        let mut text = std::fs::read_to_string(&path).unwrap();
        text += "{\"kind\": \"no-ne";
        std::fs::write(&path, text).unwrap();
        let (mut file, done) = OutcomeFile::open(&path, &conditions, &groups()).unwrap();
        assert_eq!(done, [outcome("One?")]);
        file.push(&outcome("Two?")).unwrap();
        let (_, done) = OutcomeFile::open(&path, &conditions, &groups()).unwrap();
        assert_eq!(done, [outcome("One?"), outcome("Two?")]);
    }

    #[test]
    fn a_file_of_another_evaluation_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outcomes.jsonl");
        let conditions = json!({"constrained": true, "fingerprint": "1"});
        let (mut file, _) = OutcomeFile::open(&path, &conditions, &groups()).unwrap();
        let refused = |conditions: &Value| OutcomeFile::open(&path, conditions, &groups()).unwrap_err().to_string();
        let message = refused(&json!({"constrained": false, "fingerprint": "1"}));
        assert!(message.contains("other conditions: {\"constrained\":true,"), "{message}");
        // The same paths, and another model behind them.
        assert!(refused(&json!({"constrained": true, "fingerprint": "2"})).contains("other conditions"));
        file.push(&outcome("Another?")).unwrap();
        assert!(refused(&conditions).contains("is of other episodes"));
        std::fs::write(&path, "1, 2, 3\n").unwrap();
        assert!(refused(&conditions).contains("is no file of outcomes"));
    }

    #[test]
    fn a_file_without_a_fingerprint_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outcomes.jsonl");
        let (mut file, _) = OutcomeFile::open(&path, &json!({"constrained": true}), &groups()).unwrap();
        file.push(&outcome("One?")).unwrap();
        let open = |conditions: Value| OutcomeFile::open(&path, &conditions, &groups()).map(|(_, done)| done);
        assert_eq!(open(json!({"constrained": true, "fingerprint": "1"})).unwrap(), [outcome("One?")]);
        assert!(open(json!({"constrained": false, "fingerprint": "1"})).is_err());
    }
}
