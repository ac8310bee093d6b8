use std::error::Error as _;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use qianshou_agent::AnyTool;
use qianshou_tools::{ManifestError, ManifestTool, read_manifests};
use serde_json::{Map, Value, json};

use crate::server::{Answered, serve};
use crate::told;

/// A manifest with this endpoint.
fn manifest(endpoint: Value) -> Value {
    json!({
        "name_for_human": "天气查询", "name_for_model": "weather", "description_for_model": "查询城市的天气。",
        "parameters": [
            {"name": "city", "description": "城市名", "required": true, "schema": {"type": "string"}},
            {"name": "days", "description": "天数", "required": false, "schema": {"type": "integer"}},
            {"name": "tags", "type": "array"},
        ],
        "logo_url": "ignored",
        "endpoint": endpoint,
    })
}

fn fault(manifest: &Value) -> String {
    ManifestTool::new(manifest).map_or_else(|fault| fault.to_string(), |_| "none".to_owned())
}

#[test]
fn the_model_is_shown_the_manifest_s_own_words() {
    let manifest = manifest(json!({"url": "https://weather.example/{city}"}));
    let spec = ManifestTool::new(&manifest).unwrap().spec();
    assert_eq!((spec.name.as_str(), spec.name_for_people.as_str()), ("weather", "天气查询"));
    assert_eq!(spec.description, "查询城市的天气。");
    assert_eq!(spec.parameters, manifest["parameters"]);
    assert_eq!(spec.schema["required"], json!(["city"]));
}

#[tokio::test]
async fn arguments_go_where_the_manifest_says() {
    let server = serve(|_| Answered::new("application/json", r#"{"ok": true}"#));
    let calls = [
        (json!({"url": "/v1/{city}/now"}), "GET /v1/%E5%8C%97%E4%BA%AC/now?days=2&tags=a&tags=1", ""),
        (
            json!({"url": "/v1?q={city}", "method": "DELETE"}),
            "DELETE /v1?q=%E5%8C%97%E4%BA%AC&days=2&tags=a&tags=1",
            "",
        ),
        (json!({"url": "/v1/{city}", "method": "POST"}), "POST /v1/%E5%8C%97%E4%BA%AC", r#"{"days":2,"tags":["a",1]}"#),
        (
            json!({"url": "/v1", "method": "PUT", "send": "query"}),
            "PUT /v1?city=%E5%8C%97%E4%BA%AC&days=2&tags=a&tags=1",
            "",
        ),
    ];
    for (mut endpoint, line, body) in calls {
        endpoint["url"] = server.url(endpoint["url"].as_str().unwrap()).into();
        endpoint["allow_private_addresses"] = true.into();
        let tool = ManifestTool::new(&manifest(endpoint)).unwrap();
        let arguments = json!({"city": "北京", "days": 2, "tags": ["a", 1]});
        assert_eq!(told(&tool, arguments).await, r#"{"ok": true}"#);
        let asked = server.asked().pop().unwrap();
        assert_eq!((asked.line.as_str(), asked.body.as_str()), (line, body));
        let typed = asked.headers.iter().any(|header| header == "content-type: application/json");
        assert_eq!(typed, !body.is_empty(), "{asked:?}");
    }
}

#[tokio::test]
async fn what_is_left_out_is_not_sent_and_a_way_up_is_refused() {
    let server = serve(|_| Answered::new("text/plain", "ok"));
    let endpoint = json!({"url": server.url("/v1/{city}"), "allow_private_addresses": true});
    let tool = ManifestTool::new(&manifest(endpoint)).unwrap();
    assert_eq!(told(&tool, json!({"city": "a/b", "days": null})).await, "ok");
    assert_eq!(server.asked()[0].line, "GET /v1/a%2Fb");
    let up = ["..", ".", ""].map(|city| json!({"city": city}));
    for wrong in up.into_iter().chain([json!({"days": 1}), json!({"city": null})]) {
        assert_eq!(told(&tool, wrong).await, "error: `city` cannot be a part of an address");
    }
    assert_eq!(told(&tool, json!("a")).await, "error: the arguments are not an object");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn headers_are_sent_and_take_keys_from_the_environment() {
    let server = serve(|_| Answered::new("text/plain", "ok"));
    let headers = json!({"Accept": "text/plain", "X-Key": "key ${CARGO_PKG_NAME}"});
    let endpoint = json!({"url": server.url("/"), "headers": headers, "allow_private_addresses": true});
    let tool = ManifestTool::new(&manifest(endpoint)).unwrap();
    assert!(!format!("{tool:?}").contains("qianshou-tools"), "{tool:?}");
    assert_eq!(told(&tool, json!({"city": "a"})).await, "ok");
    let sent = &server.asked()[0].headers;
    assert!(sent.contains(&"accept: text/plain".to_owned()), "{sent:?}");
    assert!(sent.contains(&"x-key: key qianshou-tools".to_owned()), "{sent:?}");
}

#[tokio::test]
async fn a_manifest_reaches_its_own_host_and_private_ones_only_if_it_says_so() {
    let server = serve(|_| Answered::redirect("http://localhost:1/"));
    let private = ManifestTool::new(&manifest(json!({"url": server.url("/")}))).unwrap();
    assert_eq!(told(&private, json!({"city": "a"})).await, "error: `127.0.0.1` is not on the public internet");
    assert!(server.asked().is_empty());
    let endpoint = json!({"url": server.url("/"), "allow_private_addresses": true});
    let elsewhere = ManifestTool::new(&manifest(endpoint)).unwrap();
    let expected = "error: `127.0.0.1` leads elsewhere: the host `localhost` is not allowed; allowed are 127.0.0.1";
    assert_eq!(told(&elsewhere, json!({"city": "a"})).await, expected);
}

#[test]
fn a_fault_names_the_field() {
    let url = "https://a.example/";
    let cases = [
        (json!({}), "`endpoint`: missing field `url`"),
        (json!({"url": url, "metod": "GET"}), "`endpoint.metod`: unknown field `metod`"),
        (json!({"url": url, "method": "get"}), "`endpoint.method`: unknown variant `get`"),
        (json!({"url": 7}), "`endpoint.url`: invalid type: integer `7`"),
        (json!({"url": "a.example"}), "`endpoint.url`: this is not an address"),
        (json!({"url": "ftp://a.example/"}), "`endpoint.url`: an address begins with http"),
        (
            json!({"url": "https://a.example/{town}"}),
            "`endpoint.url`: `{town}` is not the name of a required parameter",
        ),
        (
            json!({"url": "https://a.example/{days}"}),
            "`endpoint.url`: `{days}` is not the name of a required parameter",
        ),
        (json!({"url": url, "send": "json"}), "`endpoint.send`: a GET has no body"),
        (json!({"url": url, "headers": {"a b": ""}}), "`endpoint.headers.a b`: this is not the name of a header"),
        (json!({"url": url, "headers": {"a": "${"}}), "`endpoint.headers.a`: a `${` is never closed"),
        (json!({"url": url, "headers": {"a": "\n"}}), "`endpoint.headers.a`: this cannot be the value of a header"),
        (
            json!({"url": url, "headers": {"a": "${NO_SUCH_VARIABLE}"}}),
            "`endpoint.headers.a`: the environment variable NO_SUCH_VARIABLE is not set",
        ),
    ];
    for (endpoint, expected) in cases {
        let told = fault(&manifest(endpoint));
        assert!(told.starts_with(expected), "{told}");
    }
    let good = || manifest(json!({"url": url}));
    let with = |field: &str, value: Value| {
        let mut manifest = good();
        manifest[field] = value;
        fault(&manifest)
    };
    assert_eq!(fault(&good()), "none");
    assert_eq!(with("endpoint", Value::Null), "`endpoint`: invalid type: null, expected an object with a `url`");
    assert_eq!(with("name_for_model", json!(1)), "`name_for_model` of the plugin manifest is not text");
}

#[tokio::test]
async fn parameters_may_be_a_json_schema() {
    let server = serve(|_| Answered::new("text/plain", "ok"));
    let mut manifest = manifest(json!({"url": server.url("/{town}"), "allow_private_addresses": true}));
    let properties = json!({"town": {"type": "string"}, "days": {"type": "integer"}});
    manifest["parameters"] = json!({"type": "object", "properties": properties, "required": ["town"]});
    let tool = ManifestTool::new(&manifest).unwrap();
    assert_eq!(tool.spec().parameters, manifest["parameters"]);
    assert_eq!(told(&tool, json!({"town": "Oslo", "days": 2})).await, "ok");
    assert_eq!(server.asked()[0].line, "GET /Oslo?days=2");
}

fn message(error: &ManifestError) -> String {
    let cause = error.source().map_or_else(String::new, |source| format!(": {source}"));
    format!("{error}{cause}")
}

#[test]
fn files_and_folders_of_them_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let failed =
        |path: &Path| message(&read_manifests(path).err().unwrap()).replace(folder.path().to_str().unwrap(), "…");
    assert_eq!(failed(folder.path()), "… has no files that end in .json");
    assert!(failed(&path("a.json")).starts_with("cannot read …/a.json: "));

    let named = |name: &str| {
        let mut manifest = manifest(json!({"url": "https://a.example/"}));
        manifest["name_for_model"] = name.into();
        manifest
    };
    fs::write(path("b.json"), json!([named("second"), named("third")]).to_string()).unwrap();
    fs::write(path("a.json"), named("first").to_string()).unwrap();
    fs::write(path("notes.txt"), "not read").unwrap();
    let names: Vec<_> = read_manifests(folder.path()).unwrap().iter().map(|tool| tool.spec().name).collect();
    assert_eq!(names, ["first", "second", "third"]);

    fs::write(path("c.json"), json!([named("fourth"), {"name_for_model": "x"}]).to_string()).unwrap();
    let expected = "the manifest …/c.json cannot be used: `[1]`: the plugin manifest has no `parameters`";
    assert_eq!(failed(folder.path()), expected);
    fs::write(path("c.json"), "{").unwrap();
    assert!(failed(folder.path()).starts_with("…/c.json is not JSON: EOF"), "{}", failed(folder.path()));
}

#[test]
fn the_samples_can_be_used() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let names: Vec<_> = read_manifests(samples).unwrap().iter().map(|tool| tool.spec().name).collect();
    assert_eq!(names, ["exchange_rates", "forecast", "wikipedia"]);
}

/// Any JSON, with the words of manifests in it.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(
        &[
            "name_for_human",
            "name_for_model",
            "description_for_model",
            "parameters",
            "endpoint",
            "url",
            "method",
            "send",
            "headers",
            "name",
            "required",
            "schema",
            "properties",
            "https://a.example/{name}",
            "GET",
            "json",
            "code",
            "${x}",
        ][..],
    );
    let text = prop_oneof![word.prop_map(str::to_owned), "\\PC{0,6}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|pairs| Value::from(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_a_manifest_or_refused(json in any_json()) {
        let _ = ManifestTool::new(&json);
    }

    /// A good manifest with any one part replaced.
    #[test]
    fn a_manifest_with_a_strange_part_is_read_or_refused(
        at in prop::sample::select(&["/parameters", "/parameters/0", "/parameters/0/name", "/endpoint", "/endpoint/url", "/endpoint/headers", "/endpoint/method", "/args_format"][..]),
        part in any_json(),
    ) {
        let mut json = manifest(json!({"url": "https://a.example/{city}", "headers": {}, "method": "GET"}));
        json["args_format"] = "json".into();
        *json.pointer_mut(at).unwrap() = part;
        if let Ok(tool) = ManifestTool::new(&json) {
            prop_assert_eq!(tool.spec().parameters, json["parameters"].clone());
        }
    }
}
