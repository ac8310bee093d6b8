//! Names and addresses as people write them.

use proptest::prelude::*;
use qianshou_chat::{Capabilities, ChatModel as _};
use qianshou_remote::{Flavour, RemoteBuilder, RemoteError, RemoteModel, RemoteSpec};

fn spec(text: &str) -> Result<RemoteSpec, RemoteError> {
    text.parse()
}

#[test]
fn a_spec_is_a_name_and_where_the_model_is() {
    for (text, name, urls, flavour) in [
        ("qwen@http://localhost:8000/v1", "qwen", &["http://localhost:8000/v1"][..], None),
        ("Qwen/Qwen2.5-7B@https://a.b/c", "Qwen/Qwen2.5-7B", &["https://a.b/c"], None),
        ("@cf/qwen@1.5@https://a.b/c@http://d", "@cf/qwen@1.5", &["https://a.b/c@http://d"], None),
        ("q@http://a,https://b/v1#vllm", "q", &["http://a", "https://b/v1"], Some(Flavour::Vllm)),
        ("qwen2.5:7b@http://[::1]:11434#ollama", "qwen2.5:7b", &["http://[::1]:11434"], Some(Flavour::Ollama)),
    ] {
        let parsed = spec(text).unwrap();
        assert_eq!((parsed.name(), parsed.flavour()), (name, flavour));
        assert_eq!(parsed.urls(), urls);
        assert_eq!(parsed.to_string(), text);
        assert_eq!(parsed.builder().no_key().build().unwrap().info().name, name);
    }
}

#[test]
fn what_is_wrong_with_a_spec_is_said() {
    for (text, expected) in [
        ("qwen", "`qwen` names no server; write NAME@URL"),
        ("qwen@localhost:8000", "`qwen@localhost:8000` names no server"),
        ("qwen@ftp://localhost", "`qwen@ftp://localhost` names no server"),
        ("@http://localhost", "the name of the model is missing"),
        ("qwen@http://", "`http://` is no address of a server: empty host"),
        ("qwen@http://a:99999", "`http://a:99999` is no address of a server: invalid port number"),
        ("qwen@http://a,b", "`b` is no address of a server: relative URL without a base"),
        ("qwen@http://a,", "`` is no address of a server: relative URL without a base"),
        ("qwen@http://a,ftp://b", "`ftp://b` is no address of a server: it has to begin with http"),
        ("qwen@http://a#gpu", "`gpu` is no kind of server; known are generic, openai, vllm, dashscope, llama.cpp, "),
        ("qwen@http://me:secret@a/v1", "the URL of a holds a user name or password; give the key in an environment"),
    ] {
        let error = spec(text).unwrap_err().to_string();
        assert!(error.starts_with(expected) && !error.contains("secret"), "{error}");
    }
}

#[test]
fn a_model_needs_a_name_a_server_and_a_usable_proxy() {
    let problem = |builder: RemoteBuilder| builder.no_key().build().unwrap_err();
    assert_eq!(problem(RemoteModel::builder("")), RemoteError::NoName);
    assert_eq!(problem(RemoteModel::builder("qwen")), RemoteError::NoUrl("qwen".to_owned()));
    let error = problem(RemoteModel::builder("qwen").endpoint("https://a").proxy("://:secret@")).to_string();
    assert!(error.starts_with("the proxy cannot be used: ") && !error.contains("secret"), "{error}");
}

#[test]
fn flavours_are_told_by_name_or_host() {
    for (host, flavour) in [
        ("api.openai.com", Flavour::OpenAi),
        ("dashscope.aliyuncs.com", Flavour::DashScope),
        ("dashscope-intl.aliyuncs.com", Flavour::DashScope),
        ("cn-hongkong.dashscope.aliyuncs.com", Flavour::DashScope),
        ("oss.aliyuncs.com", Flavour::Generic),
        ("dashscope.aliyuncs.com.example.org", Flavour::Generic),
        ("api.openai.com.example.org", Flavour::Generic),
        ("localhost", Flavour::Generic),
    ] {
        assert_eq!(Flavour::of_host(host), flavour, "{host}");
    }
    for name in ["generic", "openai", "vllm", "dashscope", "llama.cpp", "llama-cpp-python", "ollama"] {
        assert_eq!(name.parse::<Flavour>().unwrap().to_string(), name);
    }
}

#[test]
fn a_model_says_what_it_can_do() {
    let info = |flavour| {
        RemoteModel::builder("q").endpoint("http://localhost").no_key().flavour(flavour).build().unwrap().info()
    };
    let known = Capabilities { continue_last: false, constraints: false, native_tools: true, images: true };
    for flavour in [Flavour::Generic, Flavour::OpenAi, Flavour::LlamaCpp, Flavour::Ollama] {
        assert_eq!(info(flavour).capabilities, known, "{flavour}");
    }
    assert_eq!(info(Flavour::DashScope).capabilities, Capabilities { continue_last: true, ..known });
    assert_eq!(info(Flavour::Vllm).capabilities, Capabilities { continue_last: true, constraints: true, ..known });
    assert_eq!(info(Flavour::Vllm).context_window, None);
    let model = RemoteModel::builder("q").endpoint("http://localhost").no_key().context_window(9).build().unwrap();
    assert_eq!(model.info().context_window, Some(9));
}

proptest! {
    /// No text makes the parser panic, and what it accepts is what it writes.
    #[test]
    fn any_text_can_be_read(text in prop_oneof![any::<String>(), "[a@]{0,3}(@https?://[a-z:,#@/.\\[\\]]{0,12}){0,2}"]) {
        if let Ok(parsed) = spec(&text) {
            prop_assert_eq!(parsed.to_string(), text);
            let _ = parsed.builder().build();
        }
    }
}
