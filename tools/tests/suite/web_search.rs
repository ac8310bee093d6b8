use qianshou_agent::{AnyTool, Artifact, ToolContext};
use qianshou_tools::WebSearch;
use serde_json::json;

use crate::server::{Answered, serve};
use crate::told;

fn results() -> String {
    let hit = |number: usize| {
        json!({
            "title": format!("Page\n {number}"), "url": format!("https://example.org/{number}"),
            "content": "word ".repeat(if number == 2 { 100 } else { 2 }), "engine": "x",
        })
    };
    json!({"query": "q", "results": (1..=9).map(hit).collect::<Vec<_>>(), "answers": []}).to_string()
}

#[tokio::test]
async fn the_first_results_are_shown_with_title_address_and_text() {
    let server = serve(|_| Answered::new("application/json", results()));
    let tool = WebSearch::at(server.url("/searx/")).results(2);
    let output = AnyTool::call(&tool, json!({"query": "rust & 天气"}), &ToolContext::default()).await.unwrap();
    let cut = "word ".repeat(60);
    let expected = format!("1. Page 1\nhttps://example.org/1\nword word\n\n2. Page 2\nhttps://example.org/2\n{cut}…");
    assert_eq!(output.text, expected);
    let Some(Artifact::Json(structured)) = output.artifacts.first() else { panic!("{:?}", output.artifacts) };
    assert_eq!(structured[1]["url"], "https://example.org/2");
    assert_eq!(server.asked()[0].line, "GET /searx/search?q=rust+%26+%E5%A4%A9%E6%B0%94&format=json");
}

#[tokio::test]
async fn the_address_may_be_that_of_the_search_itself() {
    let server = serve(|_| Answered::new("application/json", r#"{"results": [{"url": "https://a.example/"}]}"#));
    let tool = WebSearch::at(server.url("/search?engines=x"));
    assert_eq!(told(&tool, json!({"query": "a"})).await, "1. https://a.example/\nhttps://a.example/");
    assert_eq!(server.asked()[0].line, "GET /search?engines=x&q=a&format=json");
}

#[tokio::test]
async fn nothing_found_and_what_goes_wrong_are_told() {
    let cases = [
        (Answered::new("application/json", r#"{"results": []}"#), "nothing was found for \"a\""),
        (Answered::new("text/html", "<html>"), "error: the search service answers in a form that is not known"),
        (Answered::new("text/plain", "").with_status("403 Forbidden"), "error: `127.0.0.1` answers 403 Forbidden"),
    ];
    for (answer, expected) in cases {
        let body = answer.body.clone();
        let (status, headers) = (answer.status, answer.headers.clone());
        let server = serve(move |_| Answered { status, headers: headers.clone(), body: body.clone() });
        assert_eq!(told(&WebSearch::at(server.url("")), json!({"query": "a"})).await, expected);
    }
    let error = told(&WebSearch::at("localhost:8888"), json!({"query": "a"})).await;
    assert_eq!(error, "error: the search service is not set up right");
}

#[tokio::test]
async fn without_a_service_the_operator_is_told_how_to_set_one() {
    assert!(std::env::var_os("QIANSHOU_SEARCH_URL").is_none(), "this test needs the variable unset");
    let error = AnyTool::call(&WebSearch::default(), json!({"query": "a"}), &ToolContext::default()).await.unwrap_err();
    assert_eq!(error.text(), "no search service is set up in this program");
    let expected = "set QIANSHOU_SEARCH_URL to the address of a SearXNG service";
    assert_eq!(error.diagnostics().as_deref(), Some(expected));
}
