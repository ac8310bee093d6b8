//! What is sent.

use qianshou_chat::{
    ChatError, ChatErrorKind, ChatModel as _, ChatRequest, Constraint, Generated, Image, Message, NativeCall,
    NativeTool, Part, Role, Sampling,
};
use qianshou_remote::Flavour;
use serde_json::{Value, json};

use crate::server::{Server, ask, builder, header, says};

const ALL: [Flavour; 7] = [
    Flavour::Generic,
    Flavour::OpenAi,
    Flavour::Vllm,
    Flavour::DashScope,
    Flavour::LlamaCpp,
    Flavour::LlamaCppPython,
    Flavour::Ollama,
];

/// The body that is sent, without what is in all of them, or the refusal.
async fn body(flavour: Flavour, request: ChatRequest) -> Result<Value, ChatError> {
    let server = Server::start([says("fine")]).await;
    server.builder().flavour(flavour).build().unwrap().complete(request).await?;
    let mut body = server.request().body;
    let fields = body.as_object_mut().unwrap();
    assert_eq!(fields.remove("model"), Some("qwen".into()));
    assert_eq!(fields.remove("stream"), Some(true.into()));
    let options = fields.remove("stream_options").unwrap();
    assert_eq!(
        (&options["include_usage"], options.get("continuous_usage_stats").is_some()),
        (&true.into(), flavour == Flavour::Vllm)
    );
    Ok(body)
}

/// The same without the messages.
async fn settings(flavour: Flavour, request: ChatRequest) -> Result<Value, ChatError> {
    let mut body = body(flavour, request).await?;
    body.as_object_mut().unwrap().remove("messages");
    Ok(body)
}

/// The messages that are sent.
async fn messages(flavour: Flavour, messages: &[Message], continue_last: bool) -> Result<Value, ChatError> {
    let request = ChatRequest { continue_last, ..ChatRequest::new(messages.iter().cloned()) };
    Ok(body(flavour, request).await?["messages"].take())
}

fn sampled(sampling: Sampling) -> ChatRequest {
    ChatRequest { sampling, ..ask() }
}

fn constrained(constraint: Constraint) -> ChatRequest {
    ChatRequest { constraint: Some(constraint), ..ask() }
}

#[track_caller]
fn unsupported(result: Result<Value, ChatError>, expected: &str) {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ChatErrorKind::Unsupported, expected));
}

#[tokio::test]
async fn urls_lead_to_the_chat_completions() {
    for (path, query, expected) in [
        ("", "", "/v1/chat/completions"),
        ("/", "", "/v1/chat/completions"),
        ("/v1/", "", "/v1/chat/completions"),
        ("/compatible-mode/v1", "", "/compatible-mode/v1/chat/completions"),
        ("/v1/chat/completions", "", "/v1/chat/completions"),
        ("/chat/completions/", "", "/chat/completions"),
        ("/api", "?version=2", "/api/chat/completions?version=2"),
    ] {
        let server = Server::start([says("fine")]).await;
        let url = format!("http://{}{path}{query}", server.address);
        builder().endpoint(url).build().unwrap().complete(ask()).await.unwrap();
        let head = server.request().head;
        assert!(head.starts_with(&format!("POST {expected} HTTP/1.1\r\n")), "{head}");
        assert_eq!(header(&head, "content-type"), Some("application/json"));
        assert_eq!(header(&head, "accept"), Some("text/event-stream"));
        assert_eq!(header(&head, "authorization"), None);
    }
}

#[tokio::test]
async fn a_bare_request_has_bare_fields() {
    for flavour in ALL {
        let expected = json!({"messages": [{"role": "user", "content": "Why?"}]});
        assert_eq!(body(flavour, ask()).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn common_settings_are_known_everywhere() {
    let stop: Vec<_> = ["a", "b", "c", "d", "e"].map(str::to_owned).into();
    let sampling = Sampling { temperature: Some(0.7), top_p: Some(0.95), seed: Some(7), ..Sampling::default() };
    let request = ChatRequest { stop: stop.clone(), max_tokens: Some(9), ..sampled(sampling) };
    for flavour in ALL {
        let mut expected = json!({"stop": stop, "max_tokens": 9, "temperature": 0.7, "top_p": 0.95, "seed": 7});
        if flavour == Flavour::OpenAi {
            expected =
                json!({"stop": stop[..4], "max_completion_tokens": 9, "temperature": 0.7, "top_p": 0.95, "seed": 7});
        }
        assert_eq!(settings(flavour, request.clone()).await.unwrap(), expected, "{flavour}");
    }
}

#[tokio::test]
async fn sampling_that_a_server_does_not_know_is_refused() {
    let top_k = |top_k| sampled(Sampling { top_k: Some(top_k), ..Sampling::default() });
    let penalty = |penalty| sampled(Sampling { repetition_penalty: Some(penalty), ..Sampling::default() });
    for flavour in [Flavour::Vllm, Flavour::LlamaCpp, Flavour::LlamaCppPython, Flavour::DashScope] {
        assert_eq!(settings(flavour, top_k(20)).await.unwrap(), json!({"top_k": 20}));
    }
    assert_eq!(settings(Flavour::Vllm, top_k(0)).await.unwrap(), json!({"top_k": 0}));
    assert_eq!(settings(Flavour::DashScope, top_k(0)).await.unwrap(), json!({"top_k": 101}));
    assert_eq!(settings(Flavour::Vllm, penalty(1.1)).await.unwrap(), json!({"repetition_penalty": 1.1}));
    for flavour in [Flavour::LlamaCpp, Flavour::LlamaCppPython] {
        assert_eq!(settings(flavour, penalty(1.0)).await.unwrap(), json!({"repeat_penalty": 1.0}));
    }
    for flavour in [Flavour::Generic, Flavour::OpenAi, Flavour::Ollama] {
        let refusal = format!("servers of the kind `{flavour}` are not known to support");
        unsupported(settings(flavour, top_k(20)).await, &format!("{refusal} top-k sampling"));
        unsupported(settings(flavour, penalty(1.1)).await, &format!("{refusal} a repetition penalty"));
        // What does nothing can be left out.
        assert_eq!(settings(flavour, top_k(0)).await.unwrap(), json!({}));
        assert_eq!(settings(flavour, sampled(Sampling::greedy())).await.unwrap(), json!({"temperature": 0.0}));
    }
}

#[tokio::test]
async fn constraints_are_sent_where_they_hold() {
    let schema = json!({"type": "object"});
    let by_schema = || constrained(Constraint::JsonSchema(schema.clone()));
    let strict = json!({"response_format": {"type": "json_schema",
        "json_schema": {"name": "reply", "strict": true, "schema": schema}}});
    for flavour in [Flavour::OpenAi, Flavour::Vllm, Flavour::Ollama] {
        assert_eq!(settings(flavour, by_schema()).await.unwrap(), strict);
    }
    let llama = json!({"response_format": {"type": "json_object", "schema": schema}});
    for flavour in [Flavour::LlamaCpp, Flavour::LlamaCppPython] {
        assert_eq!(settings(flavour, by_schema()).await.unwrap(), llama);
    }
    let (regex, grammar) = (Constraint::Regex("a+".to_owned()), Constraint::Grammar("start: \"a\"".to_owned()));
    let expected = json!({"structured_outputs": {"regex": "a+"}});
    assert_eq!(settings(Flavour::Vllm, constrained(regex.clone())).await.unwrap(), expected);
    let expected = json!({"structured_outputs": {"grammar": "start: \"a\""}});
    assert_eq!(settings(Flavour::Vllm, constrained(grammar.clone())).await.unwrap(), expected);
    for flavour in [Flavour::Generic, Flavour::DashScope] {
        let refusal =
            format!("servers of the kind `{flavour}` are not known to support replies that fit a JSON schema");
        unsupported(settings(flavour, by_schema()).await, &refusal);
    }
    for flavour in ALL.into_iter().filter(|&flavour| flavour != Flavour::Vllm) {
        let refusal = format!("servers of the kind `{flavour}` are not known to support replies that fit a");
        unsupported(settings(flavour, constrained(regex.clone())).await, &format!("{refusal} regular expression"));
        unsupported(settings(flavour, constrained(grammar.clone())).await, &format!("{refusal} grammar"));
    }
}

#[tokio::test]
async fn a_message_is_continued_where_the_server_can() {
    let generated = Part::Generated(Generated { text: "So".to_owned(), ids: vec![7] });
    let open = Message { role: Role::Assistant, content: vec![generated, Part::Text(": ".to_owned())] };
    let conversation = [Message::user("Why?"), open];
    let request = ChatRequest { continue_last: true, ..ChatRequest::new(conversation.clone()) };
    let user = json!({"role": "user", "content": "Why?"});
    let vllm = json!({"messages": [user, {"role": "assistant", "content": "So: "}],
        "continue_final_message": true, "add_generation_prompt": false});
    assert_eq!(body(Flavour::Vllm, request.clone()).await.unwrap(), vllm);
    let dashscope = json!({"messages": [user, {"role": "assistant", "content": "So: ", "partial": true}]});
    assert_eq!(body(Flavour::DashScope, request.clone()).await.unwrap(), dashscope);
    for flavour in ALL.into_iter().filter(|flavour| !matches!(flavour, Flavour::Vllm | Flavour::DashScope)) {
        let refusal = "this model does not support continuing an assistant's message";
        unsupported(body(flavour, request.clone()).await, refusal);
        assert!(messages(flavour, &conversation, false).await.is_ok());
    }
}

#[tokio::test]
async fn tools_are_offered() {
    let parameters = json!({"type": "object", "properties": {"b": {}, "a": {}}});
    let tool = NativeTool { name: "add".to_owned(), description: "Adds.".to_owned(), parameters: parameters.clone() };
    let request = ChatRequest { tools: vec![tool], ..ask() };
    let function = json!({"name": "add", "description": "Adds.", "parameters": parameters});
    let tools = json!([{"type": "function", "function": function}]);
    // That one is asked in another way: see `calls`.
    for flavour in ALL.into_iter().filter(|&flavour| flavour != Flavour::LlamaCppPython) {
        let expected = match flavour {
            Flavour::DashScope => json!({"tools": tools, "tool_choice": "auto", "parallel_tool_calls": true}),
            _ => json!({"tools": tools, "tool_choice": "auto"}),
        };
        assert_eq!(settings(flavour, request.clone()).await.unwrap(), expected);
    }
}

fn call(arguments: &str) -> Part {
    Part::Call(NativeCall { id: "c1".to_owned(), name: "add".to_owned(), arguments: arguments.to_owned() })
}

#[tokio::test]
async fn calls_and_results_are_part_of_the_history() {
    let calling = |arguments: &str| Message {
        role: Role::Assistant,
        content: vec![Part::Text("So".to_owned()), call(arguments)],
    };
    for (written, sent) in [
        // What the model wrote, to the letter, where a server can read it.
        ("{ \"x\": 1.0 }", "{ \"x\": 1.0 }"),
        ("", "{}"),
        ("{\"x\": ", r#"{"invalid_arguments":"{\"x\": "}"#),
        ("[1]", r#"{"invalid_arguments":"[1]"}"#),
    ] {
        let conversation = [calling(written), Message::result("c1", "3")];
        let call = json!({"id": "c1", "type": "function", "function": {"name": "add", "arguments": sent}});
        let expected = json!([
            {"role": "assistant", "content": "So", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "3"},
        ]);
        assert_eq!(messages(Flavour::Generic, &conversation, false).await.unwrap(), expected);
    }
    let error = messages(Flavour::Generic, &[Message::new(Role::Tool, "3")], false).await.unwrap_err();
    assert_eq!(error.kind(), ChatErrorKind::InvalidRequest);
    assert_eq!(error.to_string(), "a tool's message holds something else than the result of a native call");
}

#[tokio::test]
async fn images_are_sent_with_the_text_around_them() {
    let image = |bytes: &[u8], media_type: &str| {
        Part::Image(Image { media_type: media_type.to_owned(), bytes: bytes.to_vec() })
    };
    let asking =
        |image: Part| Message { role: Role::User, content: vec![Part::Text("What is this?".to_owned()), image] };
    let sent = messages(Flavour::Generic, &[asking(image(&[0, 255, 16], "image/png"))], false).await.unwrap();
    let expected = json!([{"role": "user", "content": [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AP8Q"}},
    ]}]);
    assert_eq!(sent, expected);

    let error = messages(Flavour::Generic, &[asking(image(&[1], "text/html"))], false).await.unwrap_err();
    assert_eq!(error.to_string(), "the image in message 0 has the media type `text/html`");
    let model = builder().endpoint("http://localhost").image_bytes(5).build().unwrap();
    let request = ChatRequest::new([asking(image(&[1; 3], "image/png")), asking(image(&[1; 3], "image/png"))]);
    let error = model.complete(request).await.unwrap_err();
    assert_eq!(error.kind(), ChatErrorKind::InvalidRequest);
    assert_eq!(error.to_string(), "the images of the request have 6 bytes together, and 5 may be sent");
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_not_sent() {
    let server = Server::start([]).await;
    let error = server.model().complete(ChatRequest::default()).await.unwrap_err();
    assert_eq!(error.kind(), ChatErrorKind::InvalidRequest);
    assert!(server.requests().is_empty());
}
