//! Keys: where they come from, and where they never are.
//!
//! The environment of a process is one for all its tests, so each of these runs again in a process of its
//! own, with the environment that it asks for.

use std::fmt::Write as _;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::{env, fmt};

use qianshou_chat::{ChatErrorKind, ChatModel as _, Recorder};
use qianshou_remote::{RemoteBuilder, RemoteError, RemoteModel, Retries};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::server::{Server, ask, body, finish, header, reply, says, status};

const SECRET: &str = "sk-very-secret-0123456789";

/// Where a test finds that it runs in its own process.
const CHILD: &str = "QIANSHOU_TEST_CHILD";

/// Runs `test` in a process of its own with these variables, and no keys besides.
fn with_environment(name: &str, variables: &[(&str, &str)], test: impl AsyncFnOnce()) {
    if env::var_os(CHILD).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        return runtime.unwrap().block_on(test());
    }
    let mut command = Command::new(env::current_exe().unwrap());
    for variable in ["QIANSHOU_API_KEY", "OPENAI_API_KEY", "DASHSCOPE_API_KEY"] {
        command.env_remove(variable);
    }
    command.args(["--exact", &format!("keys::{name}"), "--nocapture"]).env(CHILD, "1").envs(variables.iter().copied());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// A builder as a user makes it.
fn remote(url: impl AsRef<str>) -> RemoteBuilder {
    RemoteModel::builder("qwen").endpoint(url).retries(Retries { attempts: 2, ..Retries::default() })
}

fn problem(builder: RemoteBuilder) -> RemoteError {
    builder.build().unwrap_err()
}

#[test]
fn the_key_goes_into_one_header() {
    with_environment("the_key_goes_into_one_header", &[("QIANSHOU_API_KEY", &format!(" {SECRET}\n"))], async || {
        let server = Server::start([says("fine"), says("fine")]).await;
        remote(server.url()).build().unwrap().complete(ask()).await.unwrap();
        let request = server.request();
        assert_eq!(header(&request.head, "authorization"), Some(format!("Bearer {SECRET}").as_str()));
        assert_eq!(request.head.matches(SECRET).count(), 1);
        assert!(!request.body.to_string().contains(SECRET));
        // Unless it is not wanted.
        remote(server.url()).no_key().build().unwrap().complete(ask()).await.unwrap();
        assert!(!server.requests()[1].head.contains(SECRET));
    });
}

#[test]
fn a_custom_variable_goes_before_all_others() {
    let variables = [("QIANSHOU_API_KEY", "other"), ("MY_KEY", SECRET)];
    with_environment("a_custom_variable_goes_before_all_others", &variables, async || {
        let server = Server::start([says("fine")]).await;
        remote(server.url()).key_variable("MY_KEY").build().unwrap().complete(ask()).await.unwrap();
        assert!(server.request().head.contains(SECRET));
        let error = problem(remote(server.url()).key_variable("NO_KEY"));
        assert_eq!(error.to_string(), "127.0.0.1 needs a key, and the environment variable NO_KEY is not set");
    });
}

#[test]
fn known_hosts_have_variables_of_their_own() {
    let variables = [("OPENAI_API_KEY", SECRET), ("QIANSHOU_API_KEY", "")];
    with_environment("known_hosts_have_variables_of_their_own", &variables, async || {
        remote("https://api.openai.com/v1").build().unwrap();
        let dashscope = "https://dashscope.aliyuncs.com/compatible-mode/v1";
        assert_eq!(
            problem(remote(dashscope)).to_string(),
            "dashscope.aliyuncs.com needs a key, and the environment variable DASHSCOPE_API_KEY is not set"
        );
        // It goes nowhere else.
        let server = Server::start([says("fine")]).await;
        remote(server.url()).build().unwrap().complete(ask()).await.unwrap();
        assert!(!server.request().head.contains(SECRET));
    });
}

#[test]
fn a_key_never_goes_unencrypted_to_another_machine() {
    let variables = [("QIANSHOU_API_KEY", SECRET), ("OPENAI_API_KEY", SECRET)];
    with_environment("a_key_never_goes_unencrypted_to_another_machine", &variables, async || {
        let insecure = |host: &str| RemoteError::InsecureKey { variable: "QIANSHOU_API_KEY".into(), host: host.into() };
        for host in ["10.0.0.7", "example.org", "localhost.example.org", "127.0.0.1.example.org", "[fe80::1]"] {
            assert_eq!(problem(remote(format!("http://{host}:8000/v1"))), insecure(host));
            remote(format!("http://{host}:8000/v1")).no_key().build().unwrap();
            remote(format!("https://{host}/v1")).build().unwrap();
        }
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"] {
            remote(format!("http://{host}:8000/v1")).build().unwrap();
        }
        // One bad server among several is enough.
        assert_eq!(problem(remote("http://localhost").endpoint("http://10.0.0.7")), insecure("10.0.0.7"));
        let said = insecure("10.0.0.7").to_string();
        assert_eq!(
            said,
            "the key in QIANSHOU_API_KEY would go to 10.0.0.7 unencrypted; use https, or leave the key out"
        );
    });
}

#[test]
fn what_cannot_be_a_key_is_refused() {
    let variables = [("QIANSHOU_API_KEY", "two\nlines")];
    with_environment("what_cannot_be_a_key_is_refused", &variables, async || {
        let error = problem(remote("http://localhost"));
        assert_eq!(error, RemoteError::InvalidKey { variable: "QIANSHOU_API_KEY".to_owned() });
        assert!(!error.to_string().contains("lines;") && !format!("{error:?}").contains("two"));
    });
}

#[test]
fn without_tls_no_certificates_are_needed() {
    let variables = [("SSL_CERT_FILE", "/no/such/file"), ("SSL_CERT_DIR", "/no/such/folder")];
    with_environment("without_tls_no_certificates_are_needed", &variables, async || {
        for url in ["http://10.0.0.7:8000/v1", "http://localhost:8000/v1"] {
            remote(url).build().unwrap();
        }
        // Other systems keep their certificates elsewhere.
        if cfg!(target_os = "linux") {
            assert!(matches!(problem(remote("https://10.0.0.7/v1")), RemoteError::Client { .. }));
        }
    });
}

#[test]
fn the_loopback_needs_no_proxy() {
    let variables = [("HTTP_PROXY", "http://127.0.0.1:9"), ("http_proxy", "http://127.0.0.1:9"), ("NO_PROXY", "")];
    with_environment("the_loopback_needs_no_proxy", &variables, async || {
        let server = Server::start([says("fine")]).await;
        assert_eq!(remote(server.url()).build().unwrap().complete(ask()).await.unwrap().text(), "fine");
    });
}

/// Collects all that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        writeln!(self.0.lock().unwrap(), "{}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn the_key_is_in_nothing_that_people_see() {
    let proxy = "http://user:proxy-secret@127.0.0.1:9";
    let variables = [("QIANSHOU_API_KEY", SECRET)];
    with_environment("the_key_is_in_nothing_that_people_see", &variables, async || {
        let log = Log::default();
        let _guard = tracing::subscriber::set_default(log.clone());
        // Servers that repeat the key in what they say.
        let repeats = format!("{{\"error\": {{\"message\": \"wrong key {SECRET}\"}}}}");
        let server = Server::start([
            status("500 Internal Server Error", "", &repeats),
            status("401 Unauthorized", "", &repeats),
            body(&format!("data: {repeats}\n\n")),
            body(&format!("data: {SECRET}\n\n")),
            body(&format!("data: \"wrong key {SECRET}\"\n\n")),
            body(&format!("data: {{\"choices\": \"wrong key \\u0073{}\"}}\n\n", &SECRET[1..])),
            reply(&[finish(SECRET)]),
        ])
        .await;
        let builder = remote(server.url()).proxy(proxy);
        let model = builder.clone().build().unwrap();
        let mut seen = format!("{builder:?}{model:?}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recording.jsonl");
        let recorder = Recorder::create(model, &path).unwrap();
        let error = recorder.complete(ask()).await.unwrap_err();
        assert_eq!(error.kind(), ChatErrorKind::Denied);
        assert_eq!(error.to_string(), format!("{} answered 401 Unauthorized: wrong key [key]", server.address));
        assert_eq!(error.hint(), Some("check the key in the environment variable QIANSHOU_API_KEY"));
        write!(seen, "{error}{error:?}").unwrap();
        // The first of these is asked again, as the first of all was.
        for _ in 0..4 {
            let error = recorder.complete(ask()).await.unwrap_err();
            assert!(error.to_string().contains("[key]"), "{error}");
            write!(seen, "{error}{error:?}").unwrap();
        }
        assert_eq!(server.requests().len(), 7);
        seen += &std::fs::read_to_string(&path).unwrap();
        let logged = log.0.lock().unwrap().clone();
        assert!(logged.contains("asks again"), "{logged}");
        seen += &logged;
        for secret in ["very-secret", "proxy-secret"] {
            assert!(!seen.contains(secret), "{seen}");
        }
    });
}
