//! What is said about faults, and what a server cannot do to us.

use std::time::Duration;

use qianshou_chat::{ChatError, ChatErrorKind, ChatModel as _};
use qianshou_remote::{Failure, Retries, Timeouts};
use serde_json::json;

use crate::server::{Answer, HEAD, Server, all, ask, body, builder, events, finish, reply, says, status, text};

const ONCE: Retries =
    Retries { attempts: 1, first_pause: Duration::ZERO, longest_pause: Duration::ZERO, total_pause: Duration::ZERO };

/// The error for an answer, with the server called SERVER.
async fn error(answer: Answer) -> (ChatErrorKind, String, Option<String>) {
    let server = Server::start([answer]).await;
    let error = server.builder().retries(ONCE).build().unwrap().complete(ask()).await.unwrap_err();
    let message = error.to_string().replace(&server.address.to_string(), "SERVER");
    (error.kind(), message, error.hint().map(str::to_owned))
}

#[tokio::test]
async fn servers_say_what_is_wrong_in_many_forms() {
    for (said, expected) in [
        (r#"{"error": {"message": "no such model", "type": "x", "code": null}}"#, "no such model"),
        (r#"{"error": "no such model"}"#, "no such model"),
        (r#"{"object": "error", "message": "no such model", "code": 404}"#, "no such model"),
        (r#"{"detail": [{"loc": ["body", "stop"], "msg": "wrong"}]}"#, r#"[{"loc":["body","stop"],"msg":"wrong"}]"#),
        ("<html>\n  <h1>Bad\tGateway</h1>\n</html>", "<html> <h1>Bad Gateway</h1> </html>"),
        (r#""no such model""#, "no such model"),
        (r#"{"errors": ["no\/such\/model"]}"#, r#"{"errors":["no/such/model"]}"#),
        ("  ", "nothing is said about it"),
        ("\u{1b}[31mred", "[31mred"),
    ] {
        let (kind, message, _) = error(status("400 Bad Request", "", said)).await;
        assert_eq!(
            (kind, message),
            (ChatErrorKind::InvalidRequest, format!("SERVER answered 400 Bad Request: {expected}"))
        );
    }
}

#[tokio::test]
async fn long_messages_are_cut() {
    let (_, message, _) = error(status("400 Bad Request", "", &"千".repeat(99_999))).await;
    assert_eq!(message, format!("SERVER answered 400 Bad Request: {}…", "千".repeat(300)));
    // Nobody reads on for ever.
    let endless = Answer::Endless(b"HTTP/1.1 500 Internal Server Error\r\n\r\n".to_vec(), vec![b'x'; 99_999]);
    tokio::time::pause();
    let (kind, message, _) = error(endless).await;
    assert_eq!(kind, ChatErrorKind::Unavailable);
    assert_eq!(message, format!("SERVER answered 500 Internal Server Error: {}…", "x".repeat(300)));
}

#[tokio::test]
async fn a_full_context_is_told_apart() {
    let code = json!({"error": {"message": "too long", "code": "context_length_exceeded"}}).to_string();
    let kind = json!({"error": {"message": "too long", "type": "exceed_context_size_error", "code": 400}}).to_string();
    let words = json!({"message": "This model's maximum context length is 2048 tokens."}).to_string();
    for said in [code, kind, words] {
        let (kind, _, hint) = error(status("400 Bad Request", "", &said)).await;
        assert_eq!(kind, ChatErrorKind::ContextExceeded);
        assert_eq!(hint.as_deref(), Some("shorten the question or use fewer tools"));
    }
}

#[tokio::test]
async fn hints_say_how_to_mend_it() {
    let (kind, _, hint) = error(status("404 Not Found", "", "no such model")).await;
    assert_eq!(kind, ChatErrorKind::InvalidRequest);
    assert!(hint.unwrap().contains("the name of the model"));
    let (kind, _, hint) = error(status("403 Forbidden", "", "no")).await;
    assert_eq!((kind, hint.as_deref()), (ChatErrorKind::Denied, Some("the model is set up to be asked without a key")));
    let quota = r#"{"error": {"message": "no", "code": "insufficient_quota"}}"#;
    let (_, _, hint) = error(status("429 Too Many Requests", "", quota)).await;
    assert_eq!(hint.as_deref(), Some("the quota of the account is used up"));
    let (kind, message, _) = error(reply(&[finish("content_filter")])).await;
    assert_eq!(kind, ChatErrorKind::Failed);
    assert_eq!(message, "SERVER withheld the reply: its content filter took offence");
    let (_, message, _) = error(reply(&[finish("tired")])).await;
    assert_eq!(message, "SERVER ended the reply for a reason that is not known here: `tired`");
    let (_, message, _) = error(body("data: {\"choices\": 1}\n\n")).await;
    assert!(message.starts_with("SERVER sent what is no piece of a reply (invalid type"), "{message}");
    let json = "content-type: application/json\r\n";
    let (_, message, _) = error(status("200 OK", json, r#"{"error": "no"}"#)).await;
    assert_eq!(message, "SERVER failed to answer: no");
    let (_, message, _) = error(status("200 OK", json, r#"{"status": "ok"}"#)).await;
    assert_eq!(message, "SERVER answered with something else than a reply");
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let other = Server::start([says("fine")]).await;
    let location = format!("location: {}/chat/completions?x=1\r\n", other.url());
    for code in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let (kind, message, hint) = error(status(code, &location, "")).await;
        assert_eq!(kind, ChatErrorKind::InvalidRequest);
        let target = format!("http://{}", other.address);
        assert_eq!(
            message,
            format!("SERVER answered {code} and sends the request on to {target}, which is not followed")
        );
        assert_eq!(hint.as_deref(), Some("name the server by its final URL"));
    }
    assert!(other.requests().is_empty());
}

/// A line without an end, lines without an event, and events without an end of the reply.
#[tokio::test(start_paused = true)]
async fn a_reply_cannot_fill_the_memory() {
    let piece = events(&[text("and so on ")]);
    let lines = "data: x\n".repeat(4096);
    for endless in ["x".repeat(32 * 1024).as_str(), &lines, &piece.repeat(500)] {
        let server = Server::start([Answer::Endless(HEAD.into(), endless.into())]).await;
        let model = server.builder().reply_bytes(1024 * 1024).build().unwrap();
        let error = all(&model, ask()).await.1.unwrap();
        assert_eq!(error.to_string(), format!("{} sent a reply of more than 1048576 bytes", server.address));
        assert_eq!(error.kind(), ChatErrorKind::Failed);
        assert_eq!(server.requests().len(), 1);
        server.closed().await;
    }
}

async fn timed_out(answer: Answer, timeouts: Timeouts) -> (Server, Vec<qianshou_chat::ChatEvent>, ChatError) {
    let server = Server::start([answer]).await;
    let model = server.builder().retries(ONCE).timeouts(timeouts).build().unwrap();
    let (seen, error) = all(&model, ask()).await;
    (server, seen, error.unwrap())
}

#[tokio::test(start_paused = true)]
async fn silence_has_a_limit() {
    let timeouts = Timeouts { connect: None, read: Some(Duration::from_secs(60)), total: None };
    let started = (HEAD.to_owned() + &events(&[text("a")])).into_bytes();
    for (answer, said) in [(Vec::new(), 0), (HEAD.into(), 0), (started, 1)] {
        let (server, seen, error) = timed_out(Answer::Open(answer), timeouts).await;
        assert_eq!((seen.len(), error.kind()), (said, ChatErrorKind::Unavailable));
        assert_eq!(error.to_string(), format!("{} did not answer in time", server.address));
        assert!(Failure::of(&error).unwrap().is_retryable());
        server.closed().await;
    }
}

#[tokio::test(start_paused = true)]
async fn so_does_the_whole_reply() {
    let timeouts =
        Timeouts { connect: None, read: Some(Duration::from_secs(60)), total: Some(Duration::from_secs(600)) };
    let dripping = Answer::Endless(HEAD.into(), b": still here\n\n".to_vec());
    let (server, seen, error) = timed_out(dripping, timeouts).await;
    assert!(seen.is_empty());
    assert_eq!(error.to_string(), format!("{} did not answer in time", server.address));
    server.closed().await;
}

#[tokio::test]
async fn a_proxy_is_asked_for_other_machines() {
    let proxy = Server::start([says("fine"), says("fine")]).await;
    let through = builder().endpoint("http://model.invalid/v1").proxy(format!("http://{}", proxy.address));
    assert_eq!(through.build().unwrap().complete(ask()).await.unwrap().text(), "fine");
    assert!(proxy.request().head.starts_with("POST http://model.invalid/v1/chat/completions HTTP/1.1"));

    // The loopback of the proxy is not ours.
    let server = Server::start([says("direct")]).await;
    let direct = server.builder().proxy(format!("http://{}", proxy.address)).build().unwrap();
    assert_eq!(direct.complete(ask()).await.unwrap().text(), "direct");
    assert_eq!(proxy.requests().len(), 1);
}
