use std::net::{IpAddr, TcpListener};
use std::time::Duration;

use proptest::prelude::*;
use qianshou_agent::{AnyTool, ToolContext};
use qianshou_tools::HttpGet;
use serde_json::json;

use crate::server::{Answered, serve};
use crate::told;

async fn got(tool: &HttpGet, url: &str) -> String {
    told(tool, json!({ "url": url })).await
}

fn local() -> HttpGet {
    HttpGet::new(["127.0.0.1"]).unwrap().permit_private_addresses()
}

#[tokio::test]
async fn pages_are_read_as_text_and_other_text_as_it_is() {
    let server = serve(|asked| match asked.line.as_str() {
        "GET /page?a=b" => Answered::new("text/html", "<h1>Title</h1><p>Some <b>text</b>."),
        "GET /data" => Answered::new("application/json", r#"{"a": [1, 2]}"#),
        "GET /moved" => Answered::redirect("/data"),
        _ => Answered::new("image/png", "\u{fffd}PNG"),
    });
    let tool = local();
    assert_eq!(got(&tool, &server.url("/page?a=b")).await, "# Title\n\nSome **text**.\n");
    assert_eq!(got(&tool, &server.url("/data")).await, r#"{"a": [1, 2]}"#);
    assert_eq!(got(&tool, &server.url("/moved")).await, r#"{"a": [1, 2]}"#);
    assert_eq!(got(&tool, &server.url("/image")).await, "error: the answer is `image/png` of 6 bytes, not text");
    let agent = server.asked()[0].headers.iter().any(|header| header.starts_with("user-agent: qianshou/"));
    assert!(agent, "{:?}", server.asked());
}

#[tokio::test]
async fn an_error_is_told_with_what_the_server_says() {
    let server = serve(|asked| match asked.line.as_str() {
        "GET /a" => Answered::new("text/plain", "no such city").with_status("404 Not Found"),
        _ => Answered::new("image/png", "x").with_status("500 Internal Server Error"),
    });
    assert_eq!(got(&local(), &server.url("/a")).await, "error: `127.0.0.1` answers 404 Not Found: no such city");
    assert_eq!(got(&local(), &server.url("/b")).await, "error: `127.0.0.1` answers 500 Internal Server Error");
}

#[tokio::test]
async fn only_allowed_hosts_are_asked() {
    let server = serve(|_| Answered::new("text/plain", "reached"));
    let url = server.url("/");
    let none = HttpGet::new([""; 0]).unwrap().permit_private_addresses();
    assert_eq!(got(&none, &url).await, "error: no host is allowed in this program");
    let other = HttpGet::new(["docs.rs", "*.example.org"]).unwrap().permit_private_addresses();
    let refused = "error: the host `127.0.0.1` is not allowed; allowed are docs.rs, *.example.org";
    assert_eq!(got(&other, &url).await, refused);
    assert_eq!(got(&other, "file:///etc/passwd").await, "error: `file` addresses cannot be used, only http and https");
    assert!(server.asked().is_empty());
    assert_eq!(got(&local(), &url).await, "reached");
}

#[tokio::test]
async fn the_model_is_told_which_hosts_are_allowed() {
    let description = |hosts: &[&str]| AnyTool::spec(&HttpGet::new(hosts).unwrap()).description;
    assert_eq!(description(&[]), "Gets a web page as text, or a text or JSON file.");
    let expected = "Gets a web page as text, or a text or JSON file. Allowed hosts: docs.rs, *.example.org.";
    assert_eq!(description(&["docs.rs", "*.example.org"]), expected);
}

#[tokio::test]
async fn private_addresses_are_refused_however_they_are_written() {
    let server = serve(|_| Answered::new("text/plain", "reached"));
    let port = server.address.port();
    let tool = HttpGet::new(["*"]).unwrap();
    // The last one is a name that has to be resolved.
    for host in ["127.0.0.1", "127.1", "0x7f.0.0.1", "2130706433", "0", "[::1]", "[::ffff:127.0.0.1]", "localhost"] {
        let told = got(&tool, &format!("http://{host}:{port}/")).await;
        assert!(told.ends_with("is not on the public internet"), "{host}: {told}");
    }
    assert!(server.asked().is_empty());
    // The name does lead there.
    let permitted = HttpGet::new(["localhost"]).unwrap().permit_private_addresses();
    assert_eq!(got(&permitted, &format!("http://localhost:{port}/")).await, "reached");
}

#[tokio::test]
async fn redirects_are_checked_and_counted() {
    let server = serve(|asked| match asked.line.as_str() {
        "GET /out" => Answered::redirect("http://169.254.169.254/latest/meta-data/"),
        "GET /file" => Answered::redirect("file:///etc/passwd"),
        line => Answered::redirect(format!("{}x", line.trim_start_matches("GET "))),
    });
    let led = |to: &str| format!("error: `127.0.0.1` leads elsewhere: {to}");
    let tool = local();
    assert_eq!(
        got(&tool, &server.url("/out")).await,
        led("the host `169.254.169.254` is not allowed; allowed are 127.0.0.1")
    );
    assert_eq!(got(&tool, &server.url("/x")).await, led("there are more than 5 redirects"));
    assert_eq!(server.asked().len(), 7);
    // A scheme that the client does not know ends it at the redirect itself.
    assert!(!got(&tool, &server.url("/file")).await.contains("root:"));
}

#[tokio::test]
async fn long_answers_are_cut_and_slow_ones_given_up() {
    let server = serve(|_| Answered::new("text/plain", "x".repeat(100_000)));
    let cut = got(&local().max_bytes(1000), &server.url("/")).await;
    assert_eq!(cut, "x".repeat(1000) + "\n[this is the text of the first 1000 bytes; there are more]");

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let tool = local().timeout(Duration::from_millis(50));
    let told = got(&tool, &format!("http://{}/", silent.local_addr().unwrap())).await;
    assert_eq!(told, "error: `127.0.0.1` did not answer within 0.05 s");
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_apart_from_the_cause() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let arguments = json!({"url": format!("http://{closed}/secret")});
    let error = AnyTool::call(&local(), arguments, &ToolContext::default()).await.unwrap_err();
    assert_eq!(error.text(), "`127.0.0.1` cannot be reached");
    let diagnostics = error.diagnostics().unwrap();
    assert!(diagnostics.contains("refused") && !diagnostics.contains("secret"), "{diagnostics}");
    let unfit = AnyTool::call(&local(), json!({"url": "docs.rs/serde"}), &ToolContext::default()).await.unwrap_err();
    assert!(unfit.is_invalid_arguments());
    assert!(unfit.text().ends_with("write it whole, such as https://example.org/page"), "{unfit}");
}

proptest! {
    /// Nothing is sent for these: the property would take its time if it was.
    #[test]
    fn no_special_address_is_asked(low: u32, kind in 0..6_u8) {
        let bits = u128::from(low);
        let address = match kind {
            0 => IpAddr::from((0x7f00_0000 | low & 0xff_ffff).to_be_bytes()),
            1 => IpAddr::from((0x0a00_0000 | low & 0xff_ffff).to_be_bytes()),
            2 => IpAddr::from((0xa9fe_0000 | low & 0xffff).to_be_bytes()),
            3 => IpAddr::from(((0xffff << 32) | bits).to_be_bytes()),
            4 => IpAddr::from(((0xfd00 << 112) | bits).to_be_bytes()),
            _ => IpAddr::from(((0xfe80 << 112) | bits).to_be_bytes()),
        };
        let url = if address.is_ipv4() { format!("http://{address}/") } else { format!("http://[{address}]/") };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let told = runtime.block_on(got(&HttpGet::new(["*"]).unwrap(), &url));
        prop_assert!(told.ends_with("is not on the public internet"), "{}", told);
    }
}
