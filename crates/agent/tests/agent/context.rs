//! The context window: what is left out of prompts, and when.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use proptest::prelude::*;
use qianshou_agent::{Agent, Answer, StopReason, ToolContext, Warning, tool_fn};
use qianshou_chat::{
    ChatError, ChatErrorKind, ChatModel, ChatRequest, ChatStream, Message, ModelInfo, Role, ScriptedModel,
};

use crate::common::{answer, call, characters};

/// A model with a small window, which refuses what does not fit; tokens are characters.
struct Small {
    window: usize,
    counts: bool,
    replies: ScriptedModel,
    requests: Mutex<Vec<ChatRequest>>,
}

impl Small {
    fn new(window: usize, counts: bool, replies: impl IntoIterator<Item = String>) -> Arc<Self> {
        Arc::new(Self { window, counts, replies: ScriptedModel::new(replies), requests: Mutex::default() })
    }

    fn requests(&self) -> Vec<ChatRequest> {
        self.requests.lock().unwrap().clone()
    }
}

#[async_trait]
impl ChatModel for Small {
    fn info(&self) -> ModelInfo {
        ModelInfo { context_window: Some(self.window), ..self.replies.info() }
    }

    fn count_tokens(&self, request: &ChatRequest) -> Option<usize> {
        self.counts.then(|| characters(request))
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, ChatError> {
        self.requests.lock().unwrap().push(request.clone());
        if characters(&request) > self.window {
            return Err(ChatError::new(ChatErrorKind::ContextExceeded, "the prompt is too long"));
        }
        self.replies.stream(request).await
    }
}

fn agent(model: &Arc<Small>, reserved: usize) -> Agent {
    let says = tool_fn("says", "", |(): (), context: ToolContext| async move {
        Ok(format!("<{} {}>", context.call_id(), "x".repeat(200)).into())
    });
    let model = Arc::clone(model) as Arc<dyn ChatModel>;
    Agent::builder(model).tool(says).reserved_tokens(reserved).max_repeated_actions(99).max_steps(99).build().unwrap()
}

/// Five calls, each with an observation of 211 characters and more, then an answer.
fn replies() -> Vec<String> {
    let calls = (0..5).map(|_| call("says", "{}"));
    calls.chain([answer("done")]).collect()
}

fn warnings(answer: &Answer) -> Vec<Vec<Warning>> {
    answer.steps.iter().map(|step| step.warnings.clone()).collect()
}

/// The length of the first prompt.
async fn first_prompt(conversation: Vec<Message>) -> usize {
    let model = Small::new(1 << 20, true, replies());
    agent(&model, 100).run(conversation).await.unwrap();
    characters(&model.requests()[0])
}

#[tokio::test]
async fn the_oldest_steps_are_left_out_and_it_is_told() {
    let question = vec![Message::user("The question?")];
    let window = first_prompt(question.clone()).await + 100 + 2 * 290;
    for counts in [true, false] {
        let model = Small::new(window, counts, replies());
        let answer = agent(&model, 100).run(question.clone()).await.unwrap();
        assert_eq!((answer.text(), answer.steps.len()), ("done", 6));
        let requests = model.requests();
        for request in requests.iter().filter(|_| counts) {
            assert!(characters(request) <= window - 100, "the reply has its room");
        }
        let last = requests.last().unwrap();
        assert!(last.messages[1].text().ends_with("Question: The question?"));
        let steps = last.messages[2].text();
        // The message goes on in a thought; the scripted reply repeats the keyword.
        assert!(steps.starts_with("Thought:Thought: I use says."), "{steps}");
        // Whole steps, the newest ones.
        let kept: Vec<_> = (1..=5).filter(|step| steps.contains(&format!("<call-{step} "))).collect();
        assert_eq!(kept.last(), Some(&5));
        assert_eq!(steps.matches("Action: says").count(), kept.len());
        assert_eq!(steps.matches("\nObservation: <call-").count(), kept.len());
        let left_out: Vec<_> = warnings(&answer).concat();
        let expected: Vec<_> = (1..kept[0]).map(|step| Warning::StepLeftOut { step }).collect();
        assert!(!expected.is_empty());
        assert_eq!(left_out, expected);
        // The history has them all.
        assert_eq!(answer.messages.last().unwrap().text().matches("Action: says").count(), 5);
    }
}

#[tokio::test]
async fn the_oldest_turns_go_first_and_the_instruction_stays() {
    let turn = |text: &str| [Message::user(text.repeat(100)), Message::assistant(text.repeat(100))];
    let history = [turn("a"), turn("b"), turn("c")].concat();
    let conversation = [history.clone(), vec![Message::user("The question?")]].concat();
    let window = first_prompt(conversation.clone()).await + 100 - 250;
    let model = Small::new(window, true, [answer("done")]);
    let answer = agent(&model, 100).run(conversation).await.unwrap();
    assert_eq!(warnings(&answer), [[Warning::TurnLeftOut, Warning::TurnLeftOut]]);
    let request = &model.requests()[0];
    let roles: Vec<_> = request.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::User]);
    assert!(request.messages[1].text().ends_with(&format!("Question: {}", "c".repeat(100))));
    assert_eq!(request.messages[3].text(), "The question?");
    assert_eq!(answer.messages.len(), 1 + 6 + 2, "nothing is forgotten");
}

#[tokio::test]
async fn what_cannot_be_left_out_ends_the_run() {
    for counts in [true, false] {
        let model = Small::new(300, counts, replies());
        let answer = agent(&model, 100).run("The question?").await.unwrap();
        assert_eq!((answer.stop_reason, answer.steps.len()), (StopReason::ContextFull, 0));
        // A model that counts is not even asked.
        assert_eq!(model.requests().len(), usize::from(!counts));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever the window is, a run ends with an answer or says that the window is full, and prompts grow
    /// at their end as long as nothing was left out.
    #[test]
    fn prompts_fit_and_their_prefix_moves_only_with_a_warning(
        window in 600_usize..3000,
        counts: bool,
        turns in 0_usize..4,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let model = Small::new(window, counts, replies());
        let history = (0..turns).flat_map(|turn| {
            [Message::user(format!("question {turn}?")), Message::assistant("answer ".repeat(20))]
        });
        let conversation: Vec<_> = history.chain([Message::user("The question?")]).collect();
        let answer = runtime.block_on(agent(&model, 100).run(conversation)).unwrap();
        prop_assert!(matches!(answer.stop_reason, StopReason::Answered | StopReason::ContextFull));

        let requests: Vec<_> =
            model.requests().into_iter().filter(|request| characters(request) <= window).collect();
        let texts: Vec<String> = requests
            .iter()
            .map(|request| request.messages.iter().map(|message| message.text()).collect::<Vec<_>>().join("\n"))
            .collect();
        let moved = |step: usize| {
            let warnings = answer.steps.get(step).map(|step| step.warnings.as_slice()).unwrap_or_default();
            warnings.iter().any(|warning| matches!(warning, Warning::StepLeftOut { .. } | Warning::TurnLeftOut))
        };
        for step in 1..texts.len() {
            prop_assert!(moved(step) || texts[step].starts_with(&texts[step - 1]));
        }
        for request in &requests {
            prop_assert!(!counts || characters(request) + 100 <= window);
        }
    }
}
