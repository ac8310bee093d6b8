//! A server whose answers are written down beforehand.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use qianshou_chat::{ChatError, ChatEvent, ChatModel as _, ChatRequest, Message, Reply};
use qianshou_remote::{RemoteBuilder, RemoteModel, Timeouts};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// What happens to one request.
pub(crate) enum Answer {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes, then the next request may come.
    Kept(Vec<u8>),
    /// These bytes, then nothing until the client has closed the connection.
    Open(Vec<u8>),
    /// These bytes, then these again and again, one each second.
    Endless(Vec<u8>, Vec<u8>),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The first line and the headers.
    pub(crate) head: String,
    pub(crate) body: Value,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    answers: Mutex<VecDeque<Answer>>,
    requests: Mutex<Vec<Request>>,
    /// How many connections there were.
    connections: AtomicUsize,
    /// A permit for each connection that the client has closed.
    closed: Semaphore,
}

impl Server {
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answers = Mutex::new(answers.into_iter().collect());
        let shared = Arc::new(Shared {
            answers,
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            closed: Semaphore::new(0),
        });
        let task = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, Arc::clone(&shared)));
                }
            }
        });
        Self { address, shared, task }
    }

    /// The URL of its API.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The only request so far.
    pub(crate) fn request(&self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.into_iter().next().unwrap()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Waits until the client has closed a connection.
    pub(crate) async fn closed(&self) {
        self.shared.closed.acquire().await.unwrap().forget();
    }

    /// A model on this server. Nothing of it waits for a clock, so that paused time moves for pauses alone.
    pub(crate) fn builder(&self) -> RemoteBuilder {
        builder().endpoint(self.url())
    }

    pub(crate) fn model(&self) -> RemoteModel {
        self.builder().build().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    shared.connections.fetch_add(1, Ordering::Relaxed);
    let mut answer = next_answer(&mut stream, &shared).await;
    while let Some(Answer::Kept(bytes)) = answer {
        stream.write_all(&bytes).await.unwrap();
        answer = next_answer(&mut stream, &shared).await;
    }
    match answer {
        None | Some(Answer::Kept(_)) => {}
        Some(Answer::Bytes(bytes)) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Some(Answer::Open(bytes)) => {
            stream.write_all(&bytes).await.unwrap();
            let _ = stream.read(&mut [0]).await;
            shared.closed.add_permits(1);
        }
        Some(Answer::Endless(bytes, again)) => {
            let mut written = stream.write_all(&bytes).await;
            while written.is_ok() {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                written = stream.write_all(&again).await;
            }
            shared.closed.add_permits(1);
        }
    }
}

/// The answer to the next request on this connection.
async fn next_answer(stream: &mut TcpStream, shared: &Shared) -> Option<Answer> {
    let request = read(stream).await?;
    shared.requests.lock().unwrap().push(request);
    let answer = shared.answers.lock().unwrap().pop_front();
    Some(answer.unwrap_or_else(|| status("418 I'm a teapot", "", "the script has no answer left")))
}

/// Reads one request with its body.
async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.ok().filter(|&read| read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length: usize = header(&head, "content-length").unwrap().parse().unwrap();
        if bytes.len() == end + 4 + length {
            return Some(Request { head, body: serde_json::from_slice(&bytes[end + 4..]).unwrap() });
        }
    }
}

/// The value of a header.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).filter_map(|line| line.split_once(": ")).find(|(header, _)| *header == name).map(|of| of.1)
}

/// A model without servers.
pub(crate) fn builder() -> RemoteBuilder {
    let timeouts = Timeouts { connect: None, read: None, total: None };
    RemoteModel::builder("qwen").timeouts(timeouts).no_key().no_proxy()
}

/// An answer with this status line, these header lines and this body.
pub(crate) fn status(status: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n");
    Answer::Bytes([head.as_bytes(), body.as_bytes()].concat())
}

/// The head of a reply, whose body ends with the connection.
pub(crate) const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n\r\n";

/// A reply with this body.
pub(crate) fn body(body: &str) -> Answer {
    Answer::Bytes([HEAD, body].concat().into_bytes())
}

/// The events of a reply, as a body.
pub(crate) fn events(events: &[Value]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

/// A whole reply of these events.
pub(crate) fn reply(said: &[Value]) -> Answer {
    body(&(events(said) + "data: [DONE]\n\n"))
}

/// A piece of text.
pub(crate) fn text(text: &str) -> Value {
    json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}]})
}

/// The end of a reply.
pub(crate) fn finish(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

pub(crate) fn usage(prompt: usize, generated: usize) -> Value {
    json!({"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": generated}})
}

/// A reply that says this and ends its turn.
pub(crate) fn says(said: &str) -> Answer {
    reply(&[text(said), finish("stop")])
}

pub(crate) fn ask() -> ChatRequest {
    ChatRequest::new([Message::user("Why?")])
}

pub(crate) fn ask_until(stops: &[&str]) -> ChatRequest {
    ChatRequest { stop: stops.iter().map(|&stop| stop.to_owned()).collect(), ..ask() }
}

/// What a model makes of this answer.
pub(crate) async fn answered(answer: Answer, request: ChatRequest) -> Result<Reply, ChatError> {
    Server::start([answer]).await.model().complete(request).await
}

/// All events up to the end or an error.
pub(crate) async fn all(model: &RemoteModel, request: ChatRequest) -> (Vec<ChatEvent>, Option<ChatError>) {
    let mut stream = match model.stream(request).await {
        Ok(stream) => stream,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut seen = Vec::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(event) => seen.push(event),
            Err(error) => {
                assert!(stream.next().await.is_none(), "an error is the end");
                return (seen, Some(error));
            }
        }
    }
    (seen, None)
}
