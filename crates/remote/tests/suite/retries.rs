//! What is tried again, when, and how often. Time is paused: it moves on when everybody waits for it.

use std::time::Duration;

use qianshou_chat::{ChatError, ChatErrorKind, ChatModel as _};
use qianshou_remote::{Failure, Retries};
use tokio::time::Instant;

use crate::server::{Answer, HEAD, Server, all, ask, body, events, reply, says, status, text};

/// A server that is too busy.
fn busy(headers: &str) -> Answer {
    status("429 Too Many Requests", headers, r#"{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}"#)
}

/// Asks once; the answer or the error, and how long it took.
async fn asked(server: &Server, retries: Retries) -> (Result<String, ChatError>, Duration) {
    let start = Instant::now();
    let reply = server.builder().retries(retries).build().unwrap().complete(ask()).await;
    (reply.map(|reply| reply.text()), start.elapsed())
}

fn seconds(range: std::ops::RangeInclusive<f64>, elapsed: Duration) {
    assert!(range.contains(&elapsed.as_secs_f64()), "{elapsed:?} is not in {range:?}");
}

#[tokio::test(start_paused = true)]
async fn passing_faults_are_tried_again() {
    let cut = || body(&events(&[])[..0]);
    for passing in [
        busy(""),
        status("500 Internal Server Error", "", "oh"),
        status("503 Service Unavailable", "", ""),
        status("408 Request Timeout", "", ""),
        // The connection is closed without an answer, in its head, in its body.
        Answer::Bytes(Vec::new()),
        Answer::Bytes(b"HTTP/1.1 200 OK\r\ncont".to_vec()),
        cut(),
        body("data: {\"choices\":[{\"del"),
        body(": only a comment\n\n"),
        // An error in place of the first piece.
        body("data: {\"error\": {\"message\": \"engine is loading\", \"code\": 503}}\n\n"),
        // The chunk that was promised does not come.
        Answer::Bytes(
            [HEAD.replace("connection", "transfer-encoding: chunked\r\nconnection").as_bytes(), b"20\r\nda"].concat(),
        ),
    ] {
        let server = Server::start([passing, says("fine")]).await;
        let (answer, elapsed) = asked(&server, Retries::default()).await;
        assert_eq!(answer.unwrap(), "fine");
        assert_eq!(server.requests().len(), 2);
        seconds(0.25..=0.5, elapsed);
        let [first, second] = &server.requests()[..] else { unreachable!() };
        assert_eq!((&first.head, &first.body), (&second.head, &second.body));
    }
}

#[tokio::test(start_paused = true)]
async fn lasting_faults_are_not() {
    for (lasting, kind) in [
        (status("400 Bad Request", "", "no"), ChatErrorKind::InvalidRequest),
        (status("401 Unauthorized", "", "no"), ChatErrorKind::Denied),
        (status("404 Not Found", "", "no"), ChatErrorKind::InvalidRequest),
        (status("501 Not Implemented", "", "no"), ChatErrorKind::Failed),
        (status("200 OK", "content-type: application/json\r\n", "{\"choices\": []}"), ChatErrorKind::Failed),
        (
            status("429 Too Many Requests", "", r#"{"error": {"message": "pay", "code": "insufficient_quota"}}"#),
            ChatErrorKind::Denied,
        ),
        (body("data: {\"error\": {\"message\": \"no\", \"code\": 400}}\n\n"), ChatErrorKind::InvalidRequest),
        (body("data: hello\n\n"), ChatErrorKind::Failed),
    ] {
        let server = Server::start([lasting, says("fine")]).await;
        let error = asked(&server, Retries::default()).await.0.unwrap_err();
        assert_eq!((error.kind(), server.requests().len()), (kind, 1), "{error}");
        assert!(!Failure::of(&error).unwrap().is_retryable());
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_double_until_the_attempts_are_used_up() {
    let server = Server::start((0..4).map(|_| busy(""))).await;
    let (answer, elapsed) = asked(&server, Retries { attempts: 4, ..Retries::default() }).await;
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), ChatErrorKind::Unavailable);
    assert_eq!(error.to_string(), format!("{} answered 429 Too Many Requests: slow down", server.address));
    assert_eq!(error.hint(), Some("try again later"));
    let failure = Failure::of(&error).unwrap();
    assert_eq!((failure.attempts(), failure.status(), failure.is_retryable()), (4, Some(429), true));
    assert_eq!((failure.endpoint(), failure.received()), (server.address.to_string().as_str(), ""));
    assert_eq!(failure.to_string(), "attempt 4 failed before anything was said");
    assert_eq!(server.requests().len(), 4);
    // At most 0.5 + 1 + 2, at least half of it.
    seconds(1.75..=3.5, elapsed);

    let server = Server::start((0..9).map(|_| busy(""))).await;
    let longest_pause = Duration::from_millis(600);
    let (answer, elapsed) = asked(&server, Retries { attempts: 9, longest_pause, ..Retries::default() }).await;
    assert_eq!(Failure::of(&answer.unwrap_err()).unwrap().attempts(), 9);
    seconds(2.35..=4.7, elapsed);

    for attempts in [0, 1] {
        let server = Server::start([busy("")]).await;
        let (answer, elapsed) = asked(&server, Retries { attempts, ..Retries::default() }).await;
        assert_eq!((Failure::of(&answer.unwrap_err()).unwrap().attempts(), elapsed.as_millis()), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_may_say_how_long_to_wait() {
    let server = Server::start([busy("retry-after: 7\r\n"), busy("Retry-After: 3\r\n"), says("fine")]).await;
    let (answer, elapsed) = asked(&server, Retries::default()).await;
    assert_eq!((answer.unwrap().as_str(), elapsed.as_secs()), ("fine", 10));

    // A date that has passed is no reason to wait longer than anyhow.
    let server = Server::start([busy("retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), says("fine")]).await;
    let (answer, elapsed) = asked(&server, Retries::default()).await;
    assert_eq!(answer.unwrap(), "fine");
    seconds(0.25..=0.5, elapsed);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_is_allowed() {
    let in_years = "retry-after: Tue, 31 Dec 2999 23:59:59 GMT\r\n";
    for headers in ["retry-after: 3600\r\n", in_years, "retry-after: 18446744073709551615\r\n"] {
        let server = Server::start([busy(headers), says("fine")]).await;
        let (answer, elapsed) = asked(&server, Retries::default()).await;
        let error = answer.unwrap_err();
        assert!(error.hint().unwrap().starts_with("the server asks to wait "), "{:?}", error.hint());
        assert_eq!((elapsed.as_millis(), server.requests().len()), (0, 1));
    }
    let server = Server::start((0..3).map(|_| busy("retry-after: 50\r\n"))).await;
    let (answer, elapsed) = asked(&server, Retries::default()).await;
    // Twice 50 seconds are within two minutes; three times are not.
    assert_eq!((Failure::of(&answer.unwrap_err()).unwrap().attempts(), elapsed.as_secs()), (3, 100));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_tried_again_once_something_was_said() {
    for rest in ["", "data: {\"choi", "data: {\"error\": {\"message\": \"out of memory\", \"code\": 500}}\n\n"] {
        let server = Server::start([body(&(events(&[text("It is "), text("5")]) + rest)), says("fine")]).await;
        let (seen, error) = all(&server.model(), ask()).await;
        let error = error.unwrap();
        assert_eq!((seen.len(), server.requests().len()), (2, 1));
        let failure = Failure::of(&error).unwrap();
        assert_eq!((failure.received(), failure.is_retryable(), failure.attempts()), ("It is 5", true, 1));
        assert_eq!(failure.to_string(), "attempt 1 failed after 7 characters");
        let said = error.to_string();
        let expected = if rest.contains("error") {
            "failed to answer: out of memory"
        } else {
            "broke off the reply: it closed the connection"
        };
        assert_eq!(said, format!("{} {expected}", server.address));
    }
}

/// What is held back because a stop string could begin in it has not been said.
#[tokio::test(start_paused = true)]
async fn text_that_was_held_back_does_not_count_as_said() {
    let server = Server::start([body(&events(&[text("Obser")])), says("fine")]).await;
    let request = crate::server::ask_until(&["Observation:"]);
    assert_eq!(server.model().complete(request).await.unwrap().text(), "fine");
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_server_is_tried_again_too() {
    let server = Server::start([]).await;
    let model = server.model();
    let address = server.address;
    drop(server);
    tokio::task::yield_now().await;
    let error = model.complete(ask()).await.unwrap_err();
    assert_eq!(error.kind(), ChatErrorKind::Unavailable);
    assert!(error.to_string().starts_with(&format!("{address} cannot be reached: Connection refused")), "{error}");
    assert_eq!(error.hint(), Some("check that the server is running, and its URL"));
    assert_eq!(Failure::of(&error).unwrap().attempts(), 5);
}

#[tokio::test]
async fn a_reply_without_an_end_is_no_reply() {
    let server = Server::start([reply(&[text("a")])]).await;
    let error = server.model().complete(ask()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{} broke off the reply: nothing tells why it ended", server.address));
}
