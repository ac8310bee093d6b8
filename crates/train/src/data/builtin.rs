//! Episodes with the built-in tools at work.

use std::sync::Arc;

use jiff::ToSpan as _;
use jiff::civil::date;
use qianshou_agent::AnyTool;
use qianshou_interpreter::Interpreter;
use qianshou_tools::{Calculator, CodeInterpreter, ListFiles, ReadFile};
use rand::RngExt as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom as _;

use super::act::{Script, act};
use super::arithmetic::exercise;
use super::sources::{FileTask, Problem, PythonTask, Sources, Told};
use super::split::Part;
use super::template::fill;
use super::tools::ClockAt;
use crate::TrainError;
use crate::episode::{Episode, Kind};

/// The names of the built-in tools, in the order in which `ask` shows them.
pub(super) const NAMES: [&str; 5] = ["calculator", "current_time", "read_file", "list_files", "code_interpreter"];

/// Makes episodes of one part of the data.
pub(super) struct BuiltIn<'a> {
    pub(super) sources: &'a Sources,
    pub(super) part: Part,
    pub(super) interpreter: Option<&'a Interpreter>,
}

impl BuiltIn<'_> {
    /// The five tools, the clock at a moment that is drawn.
    pub(super) fn tools(&self, random: &mut Xoshiro256PlusPlus) -> Result<Vec<Arc<dyn AnyTool>>, TrainError> {
        let clock = clock(random)?;
        let mut tools: Vec<Arc<dyn AnyTool>> =
            vec![Arc::new(Calculator), Arc::new(clock), Arc::new(ReadFile), Arc::new(ListFiles)];
        if let Some(interpreter) = self.interpreter {
            tools.push(Arc::new(CodeInterpreter::new(interpreter.clone())?));
        }
        Ok(tools)
    }

    /// A thought for an occasion.
    fn phrase(phrases: &[String], random: &mut Xoshiro256PlusPlus) -> String {
        phrases.choose(random).cloned().unwrap_or_default()
    }

    pub(super) async fn arithmetic(&self, random: &mut Xoshiro256PlusPlus) -> Result<Option<Episode>, TrainError> {
        let problems = own(&self.sources.problems, self.part, |problem: &Problem| &problem.question);
        let Some(exercise) = problems.choose(random).and_then(|problem| exercise(problem, self.part, random)) else {
            return Ok(None);
        };
        let input = serde_json::json!({ "expression": exercise.expression });
        let call = [
            Self::phrase(&self.sources.phrases.arithmetic, random),
            "calculator".to_owned(),
            qianshou_agent::python_json(&input),
        ];
        let script = self.script(Kind::Arithmetic, exercise.question, vec![call], random);
        act(self.tools(random)?, script, |calls| {
            let result = number(&calls.first()?.observation)?;
            Some(fill(&exercise.answer, |name| (name == "result").then(|| result.to_owned())))
        })
        .await
    }

    pub(super) async fn time(&self, random: &mut Xoshiro256PlusPlus) -> Result<Option<Episode>, TrainError> {
        let questions = own(&self.sources.clock, self.part, |told: &Told| &told.question);
        let Some(&told) = questions.choose(random) else {
            return Ok(None);
        };
        let thought = Self::phrase(&self.sources.phrases.clock, random);
        let calls = vec![[thought, "current_time".to_owned(), "{}".to_owned()]];
        let script = self.script(Kind::Time, told.question.clone(), calls, random);
        act(self.tools(random)?, script, |calls| {
            let parts = clock_parts(&calls.first()?.observation)?;
            Some(fill(&told.answer, |name| parts.iter().find(|(part, _)| *part == name).map(|(_, text)| text.clone())))
        })
        .await
    }

    pub(super) async fn files(&self, random: &mut Xoshiro256PlusPlus) -> Result<Option<Episode>, TrainError> {
        let tasks = own(&self.sources.files, self.part, |task: &FileTask| &task.name);
        let chosen: Vec<&FileTask> = tasks.sample(random, 3).copied().collect();
        let Some((task, told)) = chosen.first().and_then(|task| Some((*task, task.questions.choose(random)?))) else {
            return Ok(None);
        };
        let files = chosen.iter().map(|task| (task.name.clone(), task.text.clone())).collect();
        let read = |path: &str, random: &mut Xoshiro256PlusPlus| {
            let input = qianshou_agent::python_json(&serde_json::json!({ "path": path }));
            [Self::phrase(&self.sources.phrases.read, random), "read_file".to_owned(), input]
        };
        let phrases = &self.sources.phrases;
        let list = |random: &mut Xoshiro256PlusPlus| {
            [Self::phrase(&phrases.list, random), "list_files".to_owned(), "{\"path\": \".\"}".to_owned()]
        };
        let (question, calls, answer) = match random.random_range(0..10) {
            0 | 1 => {
                let questions = own(&self.sources.listing, self.part, |told: &Told| &told.question);
                let Some(&told) = questions.choose(random) else { return Ok(None) };
                (told.question.clone(), vec![list(random)], &told.answer)
            }
            // The file is not called so: the error is read, and the folder is looked at.
            2 if task.name.contains('_') => {
                let wrong = task.name.replace('_', "-");
                let question = told.question.replace(&task.name, &wrong);
                if question == told.question {
                    return Ok(None);
                }
                (question, vec![read(&wrong, random), list(random), read(&task.name, random)], &told.answer)
            }
            _ => (told.question.clone(), vec![read(&task.name, random)], &told.answer),
        };
        let script = Script { files, ..self.script(Kind::Files, question, calls, random) };
        let mut names: Vec<&str> = chosen.iter().map(|task| task.name.as_str()).collect();
        names.sort_unstable();
        act(self.tools(random)?, script, |_| {
            Some(fill(answer, |name| match name {
                "count" => Some(names.len().to_string()),
                "names" => Some(names.join(", ")),
                _ => None,
            }))
        })
        .await
    }

    pub(super) async fn python(
        &self,
        task: &PythonTask,
        random: &mut Xoshiro256PlusPlus,
    ) -> Result<Option<Episode>, TrainError> {
        // What is tested stays as it was written.
        let vary = self.part == Part::Training && random.random_bool(0.6);
        if let Some(varied) = vary.then(|| super::vary::vary(task, random)).flatten() {
            let answer = |observation: &str| {
                let result = printed_line(observation)?;
                // A number of days, of coins, of anything that is asked for does not change its sign.
                (result.starts_with('-') == task.stdout.starts_with('-')).then_some(())?;
                Some(fill(&varied.answer, |name| (name == "result").then(|| result.to_owned())))
            };
            // Other numbers may be none that the code can work with.
            if let Some(episode) = self.act_python(&varied, answer, random).await? {
                return Ok(Some(episode));
            }
        }
        // What was written down has to be what the code really prints.
        let is_printed = |observation: &str| task.stdout.lines().all(|line| observation.contains(line.trim_end()));
        let answer = |observation: &str| is_printed(observation).then(|| task.answer.clone());
        self.act_python(task, answer, random).await
    }

    async fn act_python(
        &self,
        task: &PythonTask,
        answer: impl FnOnce(&str) -> Option<String>,
        random: &mut Xoshiro256PlusPlus,
    ) -> Result<Option<Episode>, TrainError> {
        let input = format!("```py\n{}\n```", task.code.trim());
        let calls = vec![[Self::phrase(&self.sources.phrases.python, random), "code_interpreter".to_owned(), input]];
        let script = Script {
            files: task.files.clone().into_iter().collect(),
            ..self.script(Kind::Python, task.question.clone(), calls, random)
        };
        act(self.tools(random)?, script, |calls| answer(&calls.first()?.observation)).await
    }

    fn script(&self, kind: Kind, question: String, calls: Vec<[String; 3]>, random: &mut Xoshiro256PlusPlus) -> Script {
        let thought = Self::phrase(&self.sources.phrases.known, random);
        Script { kind, question, calls, thought, files: Vec::new() }
    }
}

/// What was written for one part, by its text.
pub(super) fn own<T>(all: &[T], part: Part, text: impl Fn(&T) -> &String) -> Vec<&T> {
    all.iter().filter(|item| Part::of_text(text(item)) == part).collect()
}

/// What Python printed, if it is one line that reads well in a sentence.
fn printed_line(observation: &str) -> Option<&str> {
    let line = observation.strip_prefix("stdout:\n\n```\n")?.strip_suffix("\n```")?;
    (!line.is_empty() && line.len() <= 60 && !line.contains('\n')).then_some(line)
}

/// A result that reads well in a sentence.
fn number(observation: &str) -> Option<&str> {
    let digits = observation.chars().filter(char::is_ascii_digit).count();
    let is_number = observation.parse::<f64>().is_ok();
    (is_number && digits <= 12).then_some(observation)
}

fn clock(random: &mut Xoshiro256PlusPlus) -> Result<ClockAt, TrainError> {
    let minutes = random.random_range(0..12 * 365 * 24 * 60_i64);
    let failed = |error: jiff::Error| TrainError::Computation { reason: error.to_string() };
    let start = date(2021, 1, 1).at(0, 0, 0, 0);
    let time = start.checked_add(minutes.minutes()).map_err(failed)?;
    let time = time.checked_add(random.random_range(0..60_i64).seconds()).map_err(failed)?;
    let offset = jiff::tz::Offset::from_hours(random.random_range(-8..=9)).map_err(failed)?;
    time.to_zoned_datetime(jiff::tz::TimeZone::fixed(offset)).map(ClockAt).map_err(failed)
}

/// The parts of what the clock tells: `Sunday, 1 March 2026, 09:05:07 (UTC+08:00)`.
fn clock_parts(told: &str) -> Option<[(&'static str, String); 7]> {
    let [weekday, day, rest]: [&str; 3] = told.split(", ").collect::<Vec<_>>().try_into().ok()?;
    let (time, zone) = rest.split_once(" (")?;
    let [number, month, year]: [&str; 3] = day.split(' ').collect::<Vec<_>>().try_into().ok()?;
    Some([
        ("weekday", weekday.to_owned()),
        ("date", day.to_owned()),
        ("time", time.get(..5)?.to_owned()),
        ("zone", zone.trim_end_matches(')').to_owned()),
        ("day", number.to_owned()),
        ("month", month.to_owned()),
        ("year", year.to_owned()),
    ])
}
