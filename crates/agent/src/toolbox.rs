//! The registered tools of an agent.

use std::fmt;
use std::sync::Arc;

use jsonschema::Validator;

use crate::{AnyTool, BuildError, SchemaError, ToolSpec};

/// A tool with the spec that it had when it was registered.
#[derive(Clone)]
pub(crate) struct Registered {
    pub(crate) validator: Arc<Validator>,
    pub(crate) tool: Arc<dyn AnyTool>,
}

/// Tools by name, in the order of their registration.
#[derive(Clone, Default)]
pub(crate) struct Toolbox {
    specs: Vec<ToolSpec>,
    tools: Vec<Registered>,
}

impl fmt::Debug for Toolbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.specs.iter().map(|spec| &spec.name)).finish()
    }
}

impl Toolbox {
    pub(crate) fn new(tools: impl IntoIterator<Item = Arc<dyn AnyTool>>) -> Result<Self, BuildError> {
        let mut toolbox = Self::default();
        for tool in tools {
            let mut spec = tool.spec();
            let name = spec.name.clone();
            if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control() || ",[]".contains(c)) {
                return Err(BuildError::ToolName { name, rule: "letters, digits, `_`, `-` and `.`" });
            }
            if toolbox.specs.iter().any(|other| other.name == name) {
                return Err(BuildError::DuplicateTool { name });
            }
            if let Some(source) = spec.problem.take() {
                return Err(BuildError::ToolSchema { name, source });
            }
            let validator = jsonschema::validator_for(&spec.schema).map_err(|error| {
                let source = SchemaError::Invalid { message: error.to_string() };
                BuildError::ToolSchema { name, source }
            })?;
            toolbox.specs.push(spec);
            toolbox.tools.push(Registered { validator: Arc::new(validator), tool });
        }
        Ok(toolbox)
    }

    pub(crate) fn specs(&self) -> &[ToolSpec] {
        &self.specs
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.specs.iter().map(|spec| spec.name.as_str())
    }

    /// The tool of exactly this name.
    pub(crate) fn get(&self, name: &str) -> Option<(&ToolSpec, &Registered)> {
        self.specs.iter().zip(&self.tools).find(|(spec, _)| spec.name == name)
    }

    /// The tool that a model means by what it wrote: the very name, or else the name without the
    /// brackets, quotes and case that models put around and into it, where that leaves no doubt.
    pub(crate) fn resolve(&self, written: &str) -> Option<(&ToolSpec, &Registered)> {
        let bare = written.trim_matches(|c: char| c.is_whitespace() || "[]\"'`*<>.".contains(c));
        let bare = bare.strip_suffix("()").unwrap_or(bare);
        self.get(written).or_else(|| self.get(bare)).or_else(|| {
            let mut same = self.names().filter(|name| name.to_lowercase() == bare.to_lowercase());
            match (same.next(), same.next()) {
                (Some(name), None) => self.get(name),
                _ => None,
            }
        })
    }
}

/// The candidate that looks most like `name`, if one does.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.75;
    let likeness = |candidate: &str| strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase());
    let scored = candidates.into_iter().map(|candidate| (likeness(candidate), candidate));
    scored.filter(|(score, _)| *score >= ALIKE).max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ToolContext, tool_fn};

    fn tool(name: &str) -> Arc<dyn AnyTool> {
        Arc::new(tool_fn(name, "", |_: (), _: ToolContext| async { Ok("".into()) }))
    }

    fn resolved(toolbox: &Toolbox, written: &str) -> Option<String> {
        toolbox.resolve(written).map(|(spec, _)| spec.name.clone())
    }

    #[test]
    fn a_name_is_found_in_what_models_put_around_it() {
        let tools = ["weather", "units.convert", "Add", "add"].map(tool);
        let Ok(toolbox) = Toolbox::new(tools) else { panic!("the names are good") };
        for written in ["weather", "[weather]", "`weather`", "Weather", "weather()", "**weather**", " weather."] {
            assert_eq!(resolved(&toolbox, written).as_deref(), Some("weather"), "{written}");
        }
        assert_eq!(resolved(&toolbox, "add").as_deref(), Some("add"));
        assert_eq!(resolved(&toolbox, "ADD"), None);
        assert_eq!(resolved(&toolbox, "weathr"), None);
        assert_eq!(nearest("weathr", toolbox.names()), Some("weather"));
        assert_eq!(nearest("zzz", toolbox.names()), None);
    }

    #[test]
    fn bad_names_are_refused() {
        let refused = |names: &[&str]| Toolbox::new(names.iter().map(|name| tool(name))).err();
        assert!(matches!(refused(&["a", "a"]), Some(BuildError::DuplicateTool { name }) if name == "a"));
        for name in ["", "a b", "a\n", "a,b"] {
            assert!(matches!(refused(&[name]), Some(BuildError::ToolName { .. })), "{name:?}");
        }
    }
}
