//! Chat templates.

use std::fs;

use proptest::prelude::*;
use qianshou_chat::{Generated, Image, Message, NativeCall, NativeTool, Part, Role};
use qianshou_gguf::Gguf;
use qianshou_tokenizer::{ChatMl, ChatMlError, ChatTemplate, ChatTemplateError, Specials, Tokenizer};
use serde_json::{Value, json};

use crate::gguf::writer::Writer;
use crate::properties::text;
use crate::support::{ADDED, CONTROLS, Small, exact};

/// ChatML, written as the Qwen family writes it.
const CHATML: &str = "
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
";

/// Contents beside each other, within brackets, and taken apart: what a template could do to make a token.
const CARELESS: &str = "
{%- for message in messages %}
    {{- message.content + message.content }}<{{ message.content }}><|{{ message.content | trim }}|>
    {{- message.content | replace(' ', '') | upper | lower }}{{ message.content.split('x') | join }}
    {{- message.content | reverse }}<|im_{{ message.content }}{{ message.content[:2] }}
{%- endfor %}<|im_end|>";

/// Looks at what is said, with which texts that are marked everywhere would not agree.
const CURIOUS: &str = "
{%- for message in messages %}
    {%- if message.content.startswith('the') %}<|im_start|>{% endif %}
    {{- '<' + message.content.strip() + '>' }}
{%- endfor %}<|im_end|>";

/// Cuts the thinking off, and writes it anew after the last question.
const THINKING: &str = "
{%- for message in messages %}
    {%- set content = message.content %}
    {%- set thinking = message.reasoning_content or '' %}
    {%- if not thinking and '</think>' in content %}
        {%- set thinking = content.split('</think>')[0].split('<think>')[-1].strip('\\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '<|im_start|>' + message.role + '\\n' }}
    {%- if thinking and loop.last %}{{ '<think>\\n' + thinking + '\\n</think>\\n\\n' }}{% endif %}
    {{- content + '<|im_end|>\\n' }}
{%- endfor %}
{{- '<|im_start|>assistant\\n' }}";

/// Calls and results in blocks, results that follow each other in one turn: the form of Qwen 2.5.
const CALLING: &str = "
{%- for message in messages %}
    {%- if message.role == 'tool' %}
        {%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}{{ '<|im_start|>user' }}{% endif %}
        {{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
        {%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}{{ '<|im_end|>\\n' }}{% endif %}
    {%- elif message.tool_calls %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}{{ '\\n' + message.content }}{% endif %}
        {%- for call in message.tool_calls %}
            {%- if call.function is defined %}{% set call = call.function %}{% endif %}
            {{- '\\n<tool_call>\\n{\"name\": \"' + call.name + '\", \"arguments\": ' }}
            {{- call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{{- '<|im_start|>assistant\\n' }}";

fn template(source: &str) -> ChatTemplate {
    ChatTemplate::new(source, exact()).unwrap()
}

fn generated(text: &str, ids: &[u32]) -> Part {
    Part::Generated(Generated { text: text.to_owned(), ids: ids.to_vec() })
}

fn plain(text: &str) -> Vec<u32> {
    exact().encode(text, Specials::None)
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::Call(NativeCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() })
}

/// The small vocabulary with the tokens of thinking.
fn thinker() -> Tokenizer {
    let mut json = Small::new().json(Value::Null);
    for (id, text) in [(5, "<think>"), (6, "</think>")] {
        let id = Small::new().first_added() + id;
        json["added_tokens"].as_array_mut().unwrap().push(json!({"id": id, "content": text}));
    }
    Tokenizer::from_json(json.to_string()).unwrap()
}

fn tool(name: &str) -> NativeTool {
    let parameters = json!({"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "integer"}}});
    NativeTool { name: name.to_owned(), description: "Says <|im_end|> \"é\".".to_owned(), parameters }
}

#[test]
fn control_tokens_are_those_of_the_template() {
    let messages = [Message::system("<|im_end|>the"), Message::user("<tool_call>")];
    let ids = template(CHATML).encode(&messages, &[], false).unwrap();
    let [start, end] = ["<|im_start|>", "<|im_end|>"].map(|token| exact().special_id(token).unwrap());
    let expected = [
        vec![start],
        plain("system\n<|im_end|>the"),
        vec![end],
        plain("\n"),
        vec![start],
        plain("user\n<tool_call>"),
        vec![end],
        plain("\n"),
        vec![start],
        plain("assistant\n"),
    ];
    assert_eq!(ids, expected.concat());
    let text = "<|im_start|>system\n<|im_end|>the<|im_end|>\n<|im_start|>user\n<tool_call><|im_end|>\n\
                <|im_start|>assistant\n";
    assert_eq!(template(CHATML).render(&messages, &[], false).unwrap(), text);
}

#[test]
fn an_open_message_goes_on_behind_what_the_template_opened() {
    let parts = vec![generated("the", &[7, 8, 9]), Part::Text("\n<|im_end|> and".into())];
    let messages = [Message::user("Hi."), Message { role: Role::Assistant, content: parts }];
    let before = template(CHATML).encode(&messages[..1], &[], false).unwrap();
    let ids = template(CHATML).encode(&messages, &[], true).unwrap();
    assert_eq!(ids, [before, vec![7, 8, 9], plain("\n<|im_end|> and")].concat());
    // Text without ids is one piece with the template's own.
    let ids = template(CHATML).encode(&[Message::user("Hi."), Message::assistant("\nthe")], &[], true).unwrap();
    assert!(ids.ends_with(&plain("assistant\n\nthe")));
    for (messages, found) in [(&messages[..1], "user"), (&[], "missing")] {
        let error = template(CHATML).encode(messages, &[], true).unwrap_err();
        assert!(matches!(error, ChatTemplateError::ContinueLast { found: role } if role == found), "{error}");
    }
}

#[test]
fn tools_are_written_as_python_writes_them() {
    let source = "{% if tools %}{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}{% endif %}<|im_end|>";
    let text = template(source).render(&[], &[tool("f<|im_end|>")], false).unwrap();
    let expected = concat!(
        r#"{"type": "function", "function": {"name": "f<|im_end|>", "description": "Says <|im_end|> \"é\".", "#,
        r#""parameters": {"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "integer"}}}}}"#,
        "\n<|im_end|>",
    );
    assert_eq!(text, expected);
    let ids = template(source).encode(&[], &[tool("f<|im_end|>")], false).unwrap();
    let end = exact().special_id("<|im_end|>").unwrap();
    assert_eq!(ids.iter().filter(|&&id| id == end).count(), 1);
    assert_eq!(template(source).render(&[], &[], false).unwrap(), "<|im_end|>");
    assert!(template(source).takes_tools());
    assert!(!template(CHATML).takes_tools());

    // A template that looks at the schema finds what is in it.
    let source = "{% for name, of in tools[0].function.parameters.properties.items() %}
        {%- if of.type == 'string' %}<{{ name }}>{% else %}{{ name }}{% endif %}{% endfor %}";
    assert_eq!(template(source).render(&[], &[tool("f")], false).unwrap(), "<b>a");
    let source =
        "{{ [1, none, true, {'a': '<>&\\''}] | tojson }}{{ {'a': [1]} | tojson(indent=2) }}{{ none }}{{ true }}";
    let expected = "[1, null, true, {\"a\": \"<>&'\"}]{\n  \"a\": [\n    1\n  ]\n}NoneTrue";
    assert_eq!(template(source).render(&[], &[], false).unwrap(), expected);
}

#[test]
fn native_calls_are_where_templates_look_for_them() {
    let calls = vec![
        Part::Text("Two.".to_owned()),
        call("a", "add", r#"{"x":1,"of":["é",{"y":null}]}"#),
        call("b", "now", ""),
        call("c", "say", "{\"text\": <tool_call>"),
    ];
    let messages = [
        Message::user("?"),
        Message { role: Role::Assistant, content: calls },
        Message::result("a", "3"),
        Message::result("b", "<tool_call>"),
        Message { role: Role::Assistant, content: vec![call("d", "now", "{}")] },
        Message::result("d", "noon"),
    ];
    let expected = concat!(
        "<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\nTwo.\n<tool_call>\n",
        r#"{"name": "add", "arguments": {"x": 1, "of": ["é", {"y": null}]}}"#,
        "\n</tool_call>\n<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>\n<tool_call>\n",
        r#"{"name": "say", "arguments": {"invalid_arguments": "{\"text\": <tool_call>"}}"#,
        "\n</tool_call><|im_end|>\n<|im_start|>user\n<tool_response>\n3\n</tool_response>\n<tool_response>\n",
        "<tool_call>\n</tool_response><|im_end|>\n<|im_start|>assistant\n<tool_call>\n",
        "{\"name\": \"now\", \"arguments\": {}}\n</tool_call><|im_end|>\n<|im_start|>user\n<tool_response>\nnoon\n",
        "</tool_response><|im_end|>\n<|im_start|>assistant\n",
    );
    assert_eq!(template(CALLING).render(&messages, &[], false).unwrap(), expected);
    // The token is in the vocabulary: it counts where the template wrote it, and not where a message did.
    let token = exact().encode("<tool_call>", Specials::All)[0];
    let ids = template(CALLING).encode(&messages, &[], false).unwrap();
    assert_eq!(ids.iter().filter(|&&id| id == token).count(), 4);

    let ids = "{% for message in messages %}{{ message.tool_call_id }}
        {%- for call in message.tool_calls or [] %}{{ call.id }}{% endfor %} {% endfor %}";
    assert_eq!(template(ids).render(&messages[1..4], &[], false).unwrap(), "abc a b ");
    let error = template(CALLING).render(&messages[..2], &[], true).unwrap_err().to_string();
    assert_eq!(error, "only an assistant's message can be continued, but the last message is one that calls tools");
    let chatml = ChatMl::new(exact()).unwrap();
    assert!(chatml.render(&messages[2..4], false).unwrap().starts_with("<|im_start|>tool\n3<|im_end|>"));
    assert_eq!(chatml.render(&messages, false).unwrap_err(), ChatMlError::Call { index: 1 });
}

#[test]
fn thinking_is_cut_off_as_the_template_does_it() {
    let tokenizer = thinker();
    let turn = [
        Message::user("<think>?</think>"),
        Message::assistant("<think>\nso\n</think>\n\nfirst"),
        Message::user("!"),
        Message::assistant("<think>\nwell\n</think>\n\nsecond"),
    ];
    let expected = "<|im_start|>user\n<think>?</think><|im_end|>\n<|im_start|>assistant\nfirst<|im_end|>\n\
                    <|im_start|>user\n!<|im_end|>\n<|im_start|>assistant\n<think>\nwell\n</think>\n\nsecond\
                    <|im_end|>\n<|im_start|>assistant\n";
    let field = ChatTemplate::new(THINKING, &tokenizer).unwrap();
    assert_eq!(field.render(&turn, &[], false).unwrap(), expected);
    let ids = field.encode(&turn, &[], false).unwrap();
    let end = tokenizer.special_id("</think>").unwrap();
    assert_eq!(ids.iter().filter(|&&id| id == end).count(), 1);

    // A template that only drops it.
    let source = CHATML.replace("message.content", "message.content.split('</think>')[-1].lstrip('\\n')");
    let dropped = ChatTemplate::new(&source, &tokenizer).unwrap();
    assert!(dropped.render(&turn[1..2], &[], false).unwrap().contains("assistant\nfirst<|im_end|>"));
    // One that does nothing to it.
    let kept = ChatTemplate::new(CHATML, &tokenizer).unwrap();
    assert!(kept.render(&turn[1..2], &[], false).unwrap().contains("assistant\n<think>\nso\n</think>\n\nfirst"));

    // What was generated loses its thinking once there is another question, and not before.
    let ids = tokenizer.encode("<think>\nso\n</think>\n\nfirst", Specials::All);
    let answer = Message { role: Role::Assistant, content: vec![generated("<think>\nso\n</think>\n\nfirst", &ids)] };
    let tokens = |messages: &[Message]| dropped.encode(messages, &[], false).unwrap();
    let holds = |all: &[u32], some: &[u32]| all.windows(some.len()).any(|window| window == some);
    let first = tokenizer.encode("first", Specials::None);
    let asked = tokens(&[Message::user("?"), answer.clone(), Message::new(Role::Tool, "3")]);
    assert!(holds(&asked, &ids));
    let asked = tokens(&[Message::user("?"), answer, Message::user("!")]);
    assert!(holds(&asked, &first) && !asked.contains(&end));
}

#[test]
fn templates_are_found_in_folders() {
    let folder = tempfile::tempdir().unwrap();
    let open = || ChatTemplate::from_folder(folder.path(), exact());
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    assert!(open().unwrap().is_none());
    write("tokenizer_config.json", r#"{"eos_token": "<|im_end|>", "pad_token": null}"#);
    assert!(open().unwrap().is_none());
    let config = json!({
        "bos_token": {"content": "<|im_start|>", "special": true},
        "eos_token": "<|im_end|>",
        "chat_template": "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}",
    });
    write("tokenizer_config.json", &config.to_string());
    let template = open().unwrap().unwrap();
    let text =
        |template: &ChatTemplate, tools: &[NativeTool]| template.render(&[Message::user("the")], tools, false).unwrap();
    assert_eq!(text(&template, &[]), "<|im_start|>the<|im_end|>");
    assert_eq!(template.end_id(), exact().special_id("<|im_end|>"));
    assert!(template.source().starts_with("{{ bos_token }}"));
    let ids = template.encode(&[Message::user("the")], &[], false).unwrap();
    assert_eq!(ids, exact().encode("<|im_start|>the<|im_end|>", Specials::All));

    let named = json!([{"name": "default", "template": "default"}, {"name": "tool_use", "template": "tools"},
                       {"name": "rag", "template": "{{"}]);
    write("tokenizer_config.json", &json!({"chat_template": named}).to_string());
    let template = open().unwrap().unwrap();
    assert_eq!((text(&template, &[]), text(&template, &[tool("f")])), ("default".to_owned(), "tools".to_owned()));
    // A file of its own goes first.
    write("chat_template.jinja", "{% set x = 1 %}\n    {% if x %}\nown\n{% endif %}\n");
    assert_eq!(text(&open().unwrap().unwrap(), &[tool("f")]), "own\n");

    fs::remove_file(folder.path().join("chat_template.jinja")).unwrap();
    write("tokenizer_config.json", r#"{"chat_template": [{"name": "tool_use", "template": ""}]}"#);
    assert!(open().unwrap_err().to_string().ends_with("`chat_template` has no template `default`"));
    write("tokenizer_config.json", "{");
    assert!(matches!(open(), Err(ChatTemplateError::Config { .. })));
    fs::remove_file(folder.path().join("tokenizer_config.json")).unwrap();
    fs::create_dir(folder.path().join("tokenizer_config.json")).unwrap();
    assert!(matches!(open(), Err(ChatTemplateError::Read { .. })));
}

#[test]
fn templates_are_found_in_ggufs() {
    let first = Small::new().first_added();
    let open = |writer: Writer| ChatTemplate::from_gguf(&Gguf::parse(&writer.finish()).unwrap(), exact());
    assert!(open(Writer::default()).unwrap().is_none());
    let file = Writer::default()
        .string("tokenizer.chat_template", "{{ bos_token }}|{{ eos_token }}|{{ date }}")
        .u32("tokenizer.ggml.bos_token_id", first + 1)
        .u32("tokenizer.ggml.eos_token_id", 7);
    let template = open(file).unwrap().unwrap().with_variable("date", "today".into());
    // The end is no special token, so it is not known by its name.
    assert_eq!(template.render(&[], &[], false).unwrap(), "<|im_start|>|None|today");
    assert_eq!(template.end_id(), None);
    assert!(matches!(open(Writer::default().u32("tokenizer.chat_template", 1)), Err(ChatTemplateError::Gguf(_))));
}

#[test]
fn what_a_template_refuses_is_said() {
    let error = |source: &str| template(source).render(&[Message::user("the")], &[], false).unwrap_err().to_string();
    assert_eq!(error("\n{{ raise_exception('no ' + messages[0].content) }}"), "line 2 of the chat template: no the");
    assert!(error("{{ messages | nothing }}").starts_with("line 1 of the chat template: "));
    assert!(error("{{ 1 | tojson(sort_keys=true) }}").starts_with("line 1 of the chat template: "));
    assert!(error("{{ 1 | tojson(ensure_ascii=true) }}").contains("`ensure_ascii`"));
    // A hostile one ends.
    let endless = "{% for a in range(99999) %}{% for b in range(99999) %}{{ 'x' * 9999 }}{% endfor %}{% endfor %}";
    assert_eq!(error(endless), "line 1 of the chat template: engine ran out of fuel");
    assert!(error("{{ 'x' * 999999999 }}").starts_with("line 1"));
    for long in ["{{ (['x' * 9999] * 99999999) | tojson }}", "{{ ['x' * 9999] * 99999 }}"] {
        assert_eq!(error(long), "line 1 of the chat template: a value has more than 16 MiB as text");
    }
    let error = ChatTemplate::new("\n{% if %}", exact()).unwrap_err();
    assert!(matches!(error, ChatTemplateError::Syntax { line: 2, .. }), "{error}");

    let image = Part::Image(Image { media_type: String::new(), bytes: vec![] });
    let message = Message { role: Role::User, content: vec![image] };
    let error = template(CHATML).encode(&[message], &[], false).unwrap_err();
    assert!(matches!(error, ChatTemplateError::Image { index: 0 }));
    let private: String = ('\u{e000}'..=char::MAX).collect();
    let error = template(CHATML).encode(&[Message::user(private)], &[], false).unwrap_err();
    assert!(matches!(error, ChatTemplateError::Marks));
}

#[test]
fn private_characters_in_a_message_are_text() {
    let messages = [Message::user("\u{e000}<|im_end|>\u{e001}\u{f8ff}")];
    let ids = template(CHATML).encode(&messages, &[], false).unwrap();
    assert_eq!(ids, ChatMl::new(exact()).unwrap().encode(&messages, false).unwrap());
}

/// The special tokens in `ids`.
fn controls(ids: &[u32]) -> Vec<u32> {
    ids.iter().copied().filter(|id| exact().specials().any(|(special, _)| special == *id)).collect()
}

/// What a message could say to become a control token, in this template or that.
fn attack() -> impl Strategy<Value = String> {
    let pieces = CONTROLS.into_iter().chain([ADDED, "im_end", "|im_end|", "tool_call", "end|>", "<|", "|>", "<", ">"]);
    let pieces = prop::sample::select(pieces.chain(["<|im_", "the", " ", "x", "\u{e000}"]).collect::<Vec<_>>());
    prop_oneof![text(), prop::collection::vec(pieces, 0..6).prop_map(|pieces| pieces.concat())]
}

fn message() -> impl Strategy<Value = Message> {
    let role = prop::sample::select(vec![Role::System, Role::User, Role::Assistant, Role::Tool]);
    let part = prop_oneof![
        3 => attack().prop_map(Part::Text),
        1 => (attack(), prop::collection::vec(0..250_u32, 0..4)).prop_map(|(text, ids)| generated(&text, &ids)),
    ];
    (role, prop::collection::vec(part, 0..3)).prop_map(|(role, content)| Message { role, content })
}

proptest! {
    #[test]
    fn a_template_of_chatml_is_chatml(
        mut messages in prop::collection::vec(message(), 0..4),
        last in prop::option::of(message()),
    ) {
        let continue_last = last.is_some();
        messages.extend(last.map(|last| Message { role: Role::Assistant, ..last }));
        let (chatml, template) = (ChatMl::new(exact()).unwrap(), template(CHATML));
        prop_assert_eq!(
            template.encode(&messages, &[], continue_last).unwrap(),
            chatml.encode(&messages, continue_last).unwrap()
        );
        prop_assert_eq!(
            template.render(&messages, &[], continue_last).unwrap(),
            chatml.render(&messages, continue_last).unwrap()
        );
    }

    #[test]
    fn no_text_becomes_a_control_token(said in prop::collection::vec(attack(), 1..3), name in attack()) {
        let messages: Vec<_> = said.iter().map(|text| Message::user(text.as_str())).collect();
        let harmless = vec![Message::user("-"); messages.len()];
        for source in [CHATML, CARELESS] {
            let template = template(source);
            let ids = template.encode(&messages, &[], false).unwrap();
            let expected = template.encode(&harmless, &[], false).unwrap();
            prop_assert_eq!(controls(&ids), controls(&expected), "{}", source);
            prop_assert_eq!(exact().decode(&ids), template.render(&messages, &[], false).unwrap());
        }
        let tools = "{% for tool in tools %}<{{ tool.function.name }}>{{ tool | tojson }}{% endfor %}<|im_end|>";
        let ids = template(tools).encode(&[], &[tool(&name)], false).unwrap();
        prop_assert_eq!(controls(&ids).len(), 1);
    }

    #[test]
    fn no_call_becomes_a_control_token(said in prop::collection::vec(attack(), 5), fields in any::<bool>()) {
        let conversation = |said: &[String]| {
            let arguments = if fields { json!({&said[0]: said[1]}).to_string() } else { said[1].clone() };
            let content = vec![Part::Text(said[2].clone()), call(&said[3], &said[3], &arguments)];
            [Message { role: Role::Assistant, content }, Message::result(said[3].as_str(), said[4].as_str())]
        };
        let ids = template(CALLING).encode(&conversation(&said), &[], false).unwrap();
        let harmless = vec!["-".to_owned(); said.len()];
        let expected = template(CALLING).encode(&conversation(&harmless), &[], false).unwrap();
        prop_assert_eq!(controls(&ids), controls(&expected));
        prop_assert_eq!(exact().decode(&ids), template(CALLING).render(&conversation(&said), &[], false).unwrap());
    }

    #[test]
    fn a_template_that_looks_at_texts_finds_them(said in "[a-z \n]{0,12}") {
        let messages = [Message::user(said.as_str())];
        let begins = if said.starts_with("the") { "<|im_start|>" } else { "" };
        let expected = format!("{begins}<{}><|im_end|>", said.trim());
        prop_assert_eq!(template(CURIOUS).render(&messages, &[], false).unwrap(), expected);
    }
}
