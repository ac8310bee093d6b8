//! A server on this machine that answers as a test says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a client asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Method and target: `GET /page?a=b`.
    pub(crate) line: String,
    /// Lines such as `accept: */*`.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

/// What the server answers: status, headers and body.
pub(crate) struct Answered {
    pub(crate) status: &'static str,
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Answered {
    pub(crate) fn new(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: "200 OK", headers: vec![format!("Content-Type: {content_type}")], body: body.into() }
    }

    pub(crate) fn redirect(target: impl std::fmt::Display) -> Self {
        Self { status: "302 Found", headers: vec![format!("Location: {target}")], body: Vec::new() }
    }

    pub(crate) fn with_status(self, status: &'static str) -> Self {
        Self { status, ..self }
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Serves until the test process ends.
pub(crate) fn serve(answer: impl Fn(&Asked) -> Answered + Send + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server { address: listener.local_addr().unwrap(), asked: Arc::default() };
    let record = Arc::clone(&server.asked);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let asked = read(&connection);
            record.lock().unwrap().push(asked.clone());
            // A client that hangs up early is none of our business.
            let _ = write(&mut connection, answer(&asked));
        }
    });
    server
}

fn read(connection: &TcpStream) -> Asked {
    let mut reader = BufReader::new(connection);
    let head: Vec<_> = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let line = head[0].trim_end_matches(" HTTP/1.1").to_owned();
    Asked { line, headers: head[1..].to_vec(), body: String::from_utf8(body).unwrap() }
}

fn write(connection: &mut TcpStream, Answered { status, headers, body }: Answered) -> std::io::Result<()> {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    write!(connection, "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    connection.write_all(&body)
}
