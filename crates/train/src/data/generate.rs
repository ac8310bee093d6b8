//! Prompts with their episodes, part by part.

use std::collections::BTreeMap;
use std::sync::Arc;

use qianshou_agent::{AnyTool, ToolSpec, python_json};
use qianshou_interpreter::Interpreter;
use qianshou_tools::Calculator;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Map, Value};

use super::act::{Script, act};
use super::authored::{Request, draw};
use super::builtin::{BuiltIn, NAMES, own};
use super::filter::Filter;
use super::sources::{Also, AuthoredTool, Beyond, NoTool, PythonTask, Sources};
use super::split::{Part, Splits, hash};
use super::style::Style;
use super::template::fill;
use super::tools::Rehearsed;
use super::vary::is_formula;
use crate::TrainError;
use crate::episode::{Call, Episode, Group, Kind};

/// How much of what is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Decides everything that is drawn.
    pub seed: u64,
    /// Prompts for training.
    pub prompts: usize,
    /// Episodes behind each of them.
    pub episodes: usize,
    /// Episodes of each test split, at least.
    pub tests: usize,
    /// Episodes for development, at least.
    pub development: usize,
}

/// Makes all splits, and counts what the rules dropped. Without an interpreter there is no Python in them.
///
/// # Errors
/// When a source cannot be used, or the agent cannot be built.
pub async fn generate(
    sources: &Sources,
    plan: Plan,
    interpreter: Option<&Interpreter>,
) -> Result<(Splits, BTreeMap<&'static str, usize>), TrainError> {
    let mut dropped = BTreeMap::new();
    let mut splits = Vec::new();
    for (number, (part, unseen, episodes, size)) in [
        (Part::Training, false, plan.prompts * plan.episodes, plan.episodes),
        (Part::Development, false, plan.development, 4),
        (Part::Test, false, plan.tests, 4),
        (Part::Test, true, plan.tests, 4),
    ]
    .into_iter()
    .enumerate()
    {
        let random = Xoshiro256PlusPlus::seed_from_u64(plan.seed.wrapping_add(number as u64));
        let mut maker = Maker::new(sources, part, unseen, interpreter, random);
        splits.push(maker.groups(episodes, size).await?);
        for (rule, count) in maker.dropped {
            *dropped.entry(rule).or_default() += count;
        }
    }
    let [training, development, test_seen, mut test_unseen] = <[_; 4]>::try_from(splits).unwrap_or_default();
    test_unseen.extend(unseen_python(sources, plan.seed, interpreter).await?);
    Ok((Splits { training, development, test_seen, test_unseen }, dropped))
}

/// Python tasks of kinds that no other split has, each once, with the built-in tools offered.
async fn unseen_python(
    sources: &Sources,
    seed: u64,
    interpreter: Option<&Interpreter>,
) -> Result<Vec<Group>, TrainError> {
    let mut groups = Vec::new();
    if interpreter.is_none() {
        return Ok(groups);
    }
    let built_in = BuiltIn { sources, part: Part::Test, interpreter };
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    for tasks in sources.unseen_python.chunks(4) {
        let tools = built_in.tools(&mut random)?.iter().map(|tool| tool.spec()).collect();
        let mut episodes = Vec::new();
        for task in tasks {
            let episode = built_in.python(task, &mut random).await?;
            episodes.extend(episode.map(|episode| Episode { kind: Kind::UnseenPython, ..episode }));
        }
        groups.push(Group { tools, episodes });
    }
    Ok(groups)
}

/// Whether a tool is for *test-unseen* alone: one of seven is, by its description.
fn is_unseen(tool: &AuthoredTool) -> bool {
    hash(&tool.description).is_multiple_of(7)
}

/// Makes groups of one split.
struct Maker<'a> {
    built_in: BuiltIn<'a>,
    tools: Vec<&'a AuthoredTool>,
    no_tool: Vec<&'a NoTool>,
    python: Vec<&'a PythonTask>,
    /// Those of them for which the calculator is not enough.
    programs: Vec<&'a PythonTask>,
    /// All phrasings of the tools are of this split.
    unseen: bool,
    random: Xoshiro256PlusPlus,
    filter: Filter,
    dropped: BTreeMap<&'static str, usize>,
}

/// A prompt in the making: its specs, and what is behind them.
struct Offer<'a> {
    specs: Vec<ToolSpec>,
    /// The authored tools, by their place in `specs`.
    authored: Vec<(usize, &'a AuthoredTool)>,
}

impl<'a> Offer<'a> {
    fn tools(&self) -> impl Iterator<Item = &'a AuthoredTool> {
        self.authored.iter().map(|&(_, tool)| tool)
    }

    fn has(&self, name: &str) -> bool {
        self.specs.iter().any(|spec| spec.name == name)
    }
}

impl<'a> Maker<'a> {
    fn new(
        sources: &'a Sources,
        part: Part,
        unseen: bool,
        interpreter: Option<&'a Interpreter>,
        random: Xoshiro256PlusPlus,
    ) -> Self {
        let python = own(&sources.python, part, |task| &task.question);
        Self {
            built_in: BuiltIn { sources, part, interpreter },
            tools: sources.tools.iter().filter(|tool| is_unseen(tool) == unseen).collect(),
            no_tool: own(&sources.no_tool, part, |task| &task.question),
            programs: python.iter().copied().filter(|task| !is_formula(&task.code)).collect(),
            python,
            unseen,
            random,
            filter: Filter::default(),
            dropped: BTreeMap::new(),
        }
    }

    async fn groups(&mut self, episodes: usize, size: usize) -> Result<Vec<Group>, TrainError> {
        let mut groups = Vec::new();
        let mut made = 0;
        // Each round makes an episode or two at least, unless the sources have nothing for this split.
        for _ in 0..episodes {
            if made >= episodes {
                break;
            }
            let group = self.group(size).await?;
            made += group.episodes.len();
            if !group.episodes.is_empty() {
                groups.push(group);
            }
        }
        Ok(groups)
    }

    async fn group(&mut self, size: usize) -> Result<Group, TrainError> {
        let offer = self.offer().await?;
        // What is learned may be asked again among other tools; what is measured counts once.
        if self.built_in.part == Part::Training {
            self.filter = Filter::default();
        }
        let mut episodes = Vec::new();
        for _ in 0..size + size / 4 {
            if episodes.len() == size {
                break;
            }
            let episode = self.episode(&offer).await?;
            episodes.extend(episode.filter(|episode| self.filter.keeps(episode)));
        }
        for (rule, count) in std::mem::take(&mut self.filter.dropped) {
            *self.dropped.entry(rule).or_default() += count;
        }
        Ok(Group { tools: offer.specs, episodes })
    }

    /// Draws the tools of a prompt.
    async fn offer(&mut self) -> Result<Offer<'a>, TrainError> {
        let built_in: Vec<ToolSpec> = self.built_in.tools(&mut self.random)?.iter().map(|tool| tool.spec()).collect();
        let draws_built_in = !self.unseen && self.random.random_bool(0.4);
        if draws_built_in && self.random.random_bool(0.6) {
            // As `ask` shows them.
            return Ok(Offer { specs: built_in, authored: Vec::new() });
        }
        // One tool alone is the hardest to decline, and what many programs have.
        let most = if self.random.random_bool(0.25) { 1 } else { 5 };
        let count = self.random.random_range(1..=if draws_built_in { 2 } else { most });
        let near = self.random.random_bool(0.6);
        let field = self.tools.choose(&mut self.random).map(|tool| tool.field.clone()).unwrap_or_default();
        let pool: Vec<&AuthoredTool> = self.tools.iter().copied().filter(|tool| !near || tool.field == field).collect();
        let chosen: Vec<&AuthoredTool> = pool.sample(&mut self.random, count).copied().collect();
        let style = Style::draw(&mut self.random);
        let mut shown: Vec<(ToolSpec, Option<&AuthoredTool>)> = Vec::new();
        for tool in chosen {
            shown.push((style.spec(tool)?, Some(tool)));
        }
        if draws_built_in {
            let count = self.random.random_range(1..=3);
            shown.extend(built_in.sample(&mut self.random, count).cloned().map(|spec| (spec, None)));
        } else if self.random.random_bool(0.2) {
            shown.extend(built_in.first().cloned().map(|spec| (spec, None)));
        }
        shown.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        shown.dedup_by(|(a, _), (b, _)| a.name == b.name);
        shown.shuffle(&mut self.random);
        let authored = shown.iter().enumerate().filter_map(|(place, (_, tool))| Some((place, (*tool)?))).collect();
        Ok(Offer { specs: shown.into_iter().map(|(spec, _)| spec).collect(), authored })
    }

    async fn episode(&mut self, offer: &Offer<'a>) -> Result<Option<Episode>, TrainError> {
        let has_authored = !offer.authored.is_empty();
        let weights = [
            (Kind::Authored, if has_authored { 72 } else { 0 }),
            (Kind::Repair, if has_authored { 5 } else { 0 }),
            (Kind::Steps, if has_authored && offer.has(NAMES[0]) { 20 } else { 0 }),
            (Kind::Cannot, 16),
            (Kind::NoNeed, 10),
            (Kind::Arithmetic, if offer.has(NAMES[0]) && !self.unseen { 110 } else { 0 }),
            (Kind::Time, if offer.has(NAMES[1]) { 9 } else { 0 }),
            (Kind::Files, if offer.has(NAMES[2]) && offer.has(NAMES[3]) { 14 } else { 0 }),
            (Kind::Python, if offer.has(NAMES[4]) { 60 } else { 0 }),
        ];
        let Ok(&(kind, _)) = weights.choose_weighted(&mut self.random, |(_, weight)| *weight) else {
            return Ok(None);
        };
        match kind {
            Kind::Arithmetic => self.built_in.arithmetic(&mut self.random).await,
            Kind::Time => self.built_in.time(&mut self.random).await,
            Kind::Files => self.built_in.files(&mut self.random).await,
            Kind::Python => {
                let tasks = if offer.has(NAMES[0]) { &self.programs } else { &self.python };
                match tasks.choose(&mut self.random).copied() {
                    Some(task) => self.built_in.python(task, &mut self.random).await,
                    None => Ok(None),
                }
            }
            Kind::NoNeed => Ok(self.no_need(offer)),
            Kind::Cannot => Ok(self.cannot(offer)),
            _ => self.authored(kind, offer).await,
        }
    }

    /// A question that needs no tool, most of them on the topic of one that is offered.
    fn no_need(&mut self, offer: &Offer<'a>) -> Option<Episode> {
        let (part, unseen) = (self.built_in.part, self.unseen);
        let near: Vec<&NoTool> = offer
            .tools()
            .flat_map(|tool| &tool.known)
            .filter(|task| unseen || Part::of_text(&task.question) == part)
            .collect();
        let near = near.choose(&mut self.random).copied().filter(|_| self.random.random_bool(0.7));
        let task = near.or_else(|| self.no_tool.choose(&mut self.random).copied())?;
        let thought = self.phrase(|phrases| &phrases.no_need)?;
        Some(plain(Kind::NoNeed, task.question.clone(), thought, task.answer.clone()))
    }

    /// A request that no tool fulfils: close to those that one of them does, or for a tool that is not offered.
    fn cannot(&mut self, offer: &Offer<'a>) -> Option<Episode> {
        let near = if self.random.random_bool(0.4) { self.beyond(offer) } else { None };
        let (question, purpose) = match near {
            Some(beyond) => (beyond.question.clone(), &beyond.purpose),
            None => self.absent(offer)?,
        };
        let purpose = |name: &str| (name == "purpose").then(|| purpose.clone());
        let thought = fill(&self.phrase(|phrases| &phrases.cannot)?, purpose);
        let is_chinese = question.chars().any(|letter| letter >= '\u{2e80}');
        let declined = self.phrase(|phrases| if is_chinese { &phrases.declined_chinese } else { &phrases.declined })?;
        let declined = fill(&declined, purpose);
        Some(plain(Kind::Cannot, question, thought, declined))
    }

    /// A request beyond one of the tools, and not for one of the others.
    fn beyond(&mut self, offer: &Offer<'a>) -> Option<&'a Beyond> {
        let (part, unseen) = (self.built_in.part, self.unseen);
        let is_own = |beyond: &&Beyond| unseen || Part::of_text(&beyond.question) == part;
        let is_beyond_all = |tool: &AuthoredTool, beyond: &Beyond| {
            let mut others = offer.tools().filter(|other| other.name != tool.name);
            others.all(|other| !alike(&beyond.purpose, &purpose(other)))
        };
        let all: Vec<&Beyond> = offer
            .tools()
            .flat_map(|tool| tool.beyond.iter().filter(is_own).filter(move |beyond| is_beyond_all(tool, beyond)))
            .collect();
        all.choose(&mut self.random).copied()
    }

    /// A request for a tool that is not offered, half of them for one of the same field as one that is.
    fn absent(&mut self, offer: &Offer<'a>) -> Option<(String, &'a String)> {
        let computes = offer.has(NAMES[0]) || offer.has(NAMES[4]);
        let is_absent = |tool: &&AuthoredTool| {
            let fulfilled = match tool.also {
                Some(Also::Computation) => computes,
                Some(Also::Language) => true,
                None => false,
            };
            !fulfilled && offer.tools().all(|own| !alike(&purpose(own), &purpose(tool)))
        };
        let absent: Vec<&AuthoredTool> = self.tools.iter().copied().filter(is_absent).collect();
        let is_near = |tool: &&AuthoredTool| offer.tools().any(|own| own.field == tool.field);
        let near: Vec<&AuthoredTool> = absent.iter().copied().filter(is_near).collect();
        let near = near.choose(&mut self.random).copied().filter(|_| self.random.random_bool(0.5));
        let tool = near.or_else(|| absent.choose(&mut self.random).copied())?;
        let request = draw(tool, self.built_in.part, self.unseen, &mut self.random)?;
        Some((request.question, &tool.purpose))
    }

    /// A request for one of the tools: right at once, mended, or followed by arithmetic.
    async fn authored(&mut self, kind: Kind, offer: &Offer<'a>) -> Result<Option<Episode>, TrainError> {
        let Some(&(place, tool)) = offer.authored.choose(&mut self.random) else {
            return Ok(None);
        };
        let Some(request) = draw(tool, self.built_in.part, self.unseen, &mut self.random) else {
            return Ok(None);
        };
        let spec = &offer.specs[place];
        let named = |name: &str| match name {
            "purpose" => Some(tool.purpose.clone()),
            "tool" => Some(spec.name.clone()),
            _ => None,
        };
        let Some(thought) = self.phrase(|phrases| &phrases.call) else { return Ok(None) };
        let right = [fill(&thought, named), spec.name.clone(), python_json(&Value::Object(request.arguments.clone()))];
        match kind {
            Kind::Repair => self.repaired(offer, place, tool, request, right).await,
            Kind::Steps => self.followed_up(offer, place, request, right).await,
            _ => {
                let script = self.script(Kind::Authored, request.question, vec![right]);
                self.act(offer, place, request.observation, script, |_| Some(request.answer)).await
            }
        }
    }

    /// The first call lacks an argument, or has one of another type; the agent says so, and the second is right.
    async fn repaired(
        &mut self,
        offer: &Offer<'a>,
        place: usize,
        tool: &AuthoredTool,
        request: Request,
        right: [String; 3],
    ) -> Result<Option<Episode>, TrainError> {
        let Some(wrong) = self.spoiled(tool, &request.arguments) else {
            return Ok(None);
        };
        let Some(mend) = self.phrase(|phrases| &phrases.repair) else { return Ok(None) };
        let [thought, name, input] = right;
        let calls = vec![[thought, name.clone(), python_json(&Value::Object(wrong))], [mend, name, input]];
        let script = self.script(Kind::Repair, request.question, calls);
        let episode = self.act(offer, place, request.observation, script, |_| Some(request.answer)).await?;
        // A mistake that the agent did not notice is no mistake.
        Ok(episode.filter(|episode| episode.calls.first().is_some_and(|call| call.mistake)))
    }

    fn spoiled(&mut self, tool: &AuthoredTool, arguments: &Map<String, Value>) -> Option<Map<String, Value>> {
        let mut wrong = arguments.clone();
        let required: Vec<&str> = tool.required().collect();
        let name = required.choose(&mut self.random)?;
        match wrong.get_mut(*name) {
            Some(value) if value.is_number() && self.random.random_bool(0.5) => {
                *value = Value::from(format!("{value} units"))
            }
            _ => {
                wrong.shift_remove(*name);
            }
        }
        Some(wrong)
    }

    /// The tool tells a number, and the calculator goes on with it.
    async fn followed_up(
        &mut self,
        offer: &Offer<'a>,
        place: usize,
        request: Request,
        right: [String; 3],
    ) -> Result<Option<Episode>, TrainError> {
        let Some(number) = &request.number else {
            return Ok(None);
        };
        let follow_ups = &self.built_in.sources.phrases.follow_ups;
        let Some(follow_up) = follow_ups.choose(&mut self.random) else { return Ok(None) };
        let n = self.random.random_range(2..40_u32).to_string();
        let text = |name: &str| match name {
            "num" => Some(number.clone()),
            "n" => Some(n.clone()),
            _ => None,
        };
        let question = format!("{} {}", request.question, fill(&follow_up.question, text));
        let Some(thought) = self.phrase(|phrases| &phrases.arithmetic) else { return Ok(None) };
        let input = serde_json::json!({ "expression": fill(&follow_up.expression, text) });
        let calls = vec![right, [thought, NAMES[0].to_owned(), python_json(&input)]];
        let answer = |calls: &[Call]| {
            let result = &calls.last()?.observation;
            let text = |name: &str| if name == "result" { Some(result.clone()) } else { text(name) };
            Some(format!("{} {}", request.answer, fill(&follow_up.answer, text)))
        };
        let script = self.script(Kind::Steps, question, calls);
        self.act(offer, place, request.observation.clone(), script, answer).await
    }

    fn script(&mut self, kind: Kind, question: String, calls: Vec<[String; 3]>) -> Script {
        let thought = self.phrase(|phrases| &phrases.known).unwrap_or_default();
        Script { kind, question, calls, thought, files: Vec::new() }
    }

    /// Acts a script in which the tool at `place` tells something, and no other authored tool does.
    async fn act(
        &self,
        offer: &Offer<'a>,
        place: usize,
        observation: String,
        script: Script,
        answer: impl FnOnce(&[Call]) -> Option<String>,
    ) -> Result<Option<Episode>, TrainError> {
        let tool = |(index, spec): (usize, &ToolSpec)| -> Arc<dyn AnyTool> {
            if spec.name == NAMES[0] {
                return Arc::new(Calculator);
            }
            Arc::new(Rehearsed::new(spec.clone(), (index == place).then(|| observation.clone())))
        };
        act(offer.specs.iter().enumerate().map(tool).collect(), script, answer).await
    }

    fn phrase(&mut self, of: impl Fn(&'a super::sources::Phrases) -> &'a Vec<String>) -> Option<String> {
        of(&self.built_in.sources.phrases).choose(&mut self.random).cloned()
    }
}

/// An episode without a call.
fn plain(kind: Kind, question: String, thought: String, answer: String) -> Episode {
    Episode { kind, question, calls: Vec::new(), thought, answer, files: Vec::new() }
}

/// What a tool is for, in words.
fn purpose(tool: &AuthoredTool) -> String {
    format!("{} {}", tool.purpose, tool.description)
}

/// Whether what fulfils one purpose could fulfil the other: too many of their words are the same.
fn alike(one: &str, other: &str) -> bool {
    let words = |text: &str| -> std::collections::BTreeSet<String> {
        let text = text.to_lowercase();
        let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.len() > 3);
        words.map(str::to_owned).collect()
    };
    let (one, other) = (words(one), words(other));
    let shared = one.intersection(&other).count();
    shared * 4 >= one.len().min(other.len())
}
