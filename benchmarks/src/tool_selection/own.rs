//! Our own data: `tools.jsonl` and `tool-selection.jsonl`.

use std::collections::HashMap;
use std::path::Path;

use qianshou_agent::ToolSpec;
use serde::Deserialize;
use serde_json::Value;

use super::reading::offered;
use super::{ExpectedCall, ToolQuestion, ToolSample};
use crate::{DataError, DataFile, JsonLines};

/// A tool that samples may offer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolLine {
    name: String,
    name_for_human: String,
    description: String,
    parameters: Value,
}

/// A sample.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleLine {
    id: String,
    lang: Language,
    query: String,
    tools: Vec<String>,
    calls: Vec<ExpectedCall>,
    #[serde(default)]
    why: Option<Why>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Language {
    En,
    Zh,
}

/// Why a sample needs no call.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Why {
    NoNeed,
    Cannot,
}

/// Reads tools and samples.
///
/// # Errors
/// When a file cannot be read or something in it does not fit, with line and field.
pub fn read(
    (tools_path, tools): (&Path, &[u8]),
    (samples_path, samples): (&Path, &[u8]),
) -> Result<(Vec<ToolSample>, Vec<DataFile>), DataError> {
    let tools = JsonLines::<ToolLine>::of(tools_path, tools)?;
    tools.unique("name", |tool| &tool.name)?;
    let mut specs = HashMap::new();
    for (line, tool) in &tools.lines {
        let spec = ToolSpec::from_schema(&tool.name, tool.parameters.clone())
            .named_for_people(&tool.name_for_human)
            .description(&tool.description);
        let usable = offered(vec![spec.clone()]);
        if usable.first() != Some(&spec) {
            return Err(tools.error(*line, "parameters", "this is no schema that an agent can show and check"));
        }
        specs.insert(tool.name.as_str(), spec);
    }
    let lines = JsonLines::<SampleLine>::of(samples_path, samples)?;
    lines.unique("id", |sample| &sample.id)?;
    let mut samples = Vec::new();
    for (line, sample) in &lines.lines {
        samples.push(checked(sample, &specs).map_err(|(field, problem)| lines.error(*line, field, problem))?);
    }
    Ok((samples, vec![tools.file, lines.file]))
}

fn checked(sample: &SampleLine, specs: &HashMap<&str, ToolSpec>) -> Result<ToolSample, (String, String)> {
    let fault = |field: String, problem: &str| Err((field, problem.to_owned()));
    let mut tools: Vec<ToolSpec> = Vec::new();
    for (index, name) in sample.tools.iter().enumerate() {
        let Some(spec) = specs.get(name.as_str()) else {
            return fault(format!("tools[{index}]"), &format!("there is no tool {name:?}"));
        };
        if tools.contains(spec) {
            return fault(format!("tools[{index}]"), &format!("{name:?} stands there twice"));
        }
        tools.push(spec.clone());
    }
    if tools.is_empty() {
        return fault("tools".to_owned(), "a sample offers at least one tool");
    }
    for (index, call) in sample.calls.iter().enumerate() {
        let Some(spec) = tools.iter().find(|spec| spec.name == call.name) else {
            return fault(format!("calls[{index}].name"), &format!("{:?} is not among the tools", call.name));
        };
        let known = |name: &String| spec.schema.get("properties").is_some_and(|all| all.get(name).is_some());
        if let Some(name) = call.arguments.keys().chain(call.accepted.keys()).find(|name| !known(name)) {
            return fault(format!("calls[{index}]"), &format!("{} has no parameter {name:?}", call.name));
        }
    }
    let kind = match (sample.calls.len(), sample.why) {
        (0, Some(Why::NoNeed)) => "no need",
        (0, Some(Why::Cannot)) => "cannot",
        (0, None) => return fault("why".to_owned(), "a sample without calls says why: \"no-need\" or \"cannot\""),
        (_, Some(_)) => return fault("why".to_owned(), "a sample with calls has no `why`"),
        (1, None) => "one call",
        (_, None) => "parallel calls",
    };
    let language = match sample.lang {
        Language::En => "en",
        Language::Zh => "zh",
    };
    Ok(ToolSample {
        id: sample.id.clone(),
        category: format!("{language}, {kind}"),
        question: ToolQuestion::Question(sample.query.clone()),
        tools,
        calls: sample.calls.clone(),
        needs_call: !sample.calls.is_empty(),
        golden: ToolSample::golden_of(&sample.calls),
    })
}
