//! The same tool in other clothes: how its name is spelled, and in which form its parameters are shown.

use qianshou_agent::{PluginError, ToolSpec};
use rand::RngExt as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom as _;
use serde_json::{Map, Value, json};

use super::sources::AuthoredTool;

/// How a name is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    Author,
    Snake,
    Camel,
    Dotted,
}

/// How a tool is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    spelling: Spelling,
    /// A JSON schema, or Qwen's list of parameters.
    schema: bool,
}

impl Style {
    /// Mostly the author's spelling and a schema.
    pub(super) fn draw(random: &mut Xoshiro256PlusPlus) -> Self {
        let spellings = [Spelling::Author, Spelling::Author, Spelling::Snake, Spelling::Camel, Spelling::Dotted];
        let spelling = *spellings.choose(random).unwrap_or(&Spelling::Author);
        Self { spelling, schema: random.random_bool(0.7) }
    }

    /// The spec of a tool in this style.
    pub(super) fn spec(self, tool: &AuthoredTool) -> Result<ToolSpec, PluginError> {
        let name = self.spelling.spell(&tool.name);
        ToolSpec::from_plugin(&json!({
            "name_for_model": name,
            "name_for_human": name,
            "description_for_model": tool.description,
            "parameters": if self.schema { schema(tool) } else { list(tool) },
        }))
    }
}

impl Spelling {
    fn spell(self, name: &str) -> String {
        let words = words(name);
        match self {
            Self::Author => name.to_owned(),
            Self::Snake => words.join("_"),
            Self::Camel => {
                let capital = |word: &String| word[..1].to_uppercase() + &word[1..];
                words.iter().take(1).cloned().chain(words.iter().skip(1).map(capital)).collect()
            }
            Self::Dotted => match words.split_first() {
                Some((first, rest)) if !rest.is_empty() => format!("{first}.{}", rest.join("_")),
                _ => words.concat(),
            },
        }
    }
}

/// The words of a name, in small letters.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut small = false;
    for letter in name.chars().filter(char::is_ascii) {
        let border = !letter.is_ascii_alphanumeric() || (small && letter.is_ascii_uppercase());
        if border && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        small = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        if let Some(word) = words.last_mut()
            && letter.is_ascii_alphanumeric()
        {
            word.push(letter.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn schema(tool: &AuthoredTool) -> Value {
    let property = |parameter: &super::ToolParameter| {
        (parameter.name.clone(), json!({ "type": parameter.kind, "description": parameter.description }))
    };
    let properties: Map<String, Value> = tool.parameters.iter().map(property).collect();
    let required: Vec<&str> = tool.required().collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn list(tool: &AuthoredTool) -> Value {
    let parameter = |parameter: &super::ToolParameter| {
        json!({
            "name": parameter.name,
            "description": parameter.description,
            "required": parameter.required,
            "schema": { "type": parameter.kind },
        })
    };
    tool.parameters.iter().map(parameter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_every_spelling() {
        for (name, expected) in [
            ("set_price_alert", ["set_price_alert", "setPriceAlert", "set.price_alert"]),
            ("dilution.calc", ["dilution_calc", "dilutionCalc", "dilution.calc"]),
            ("k8s.getPods", ["k8s_get_pods", "k8sGetPods", "k8s.get_pods"]),
            ("gcd", ["gcd", "gcd", "gcd"]),
        ] {
            assert_eq!(
                [Spelling::Snake, Spelling::Camel, Spelling::Dotted].map(|spelling| spelling.spell(name)),
                expected
            );
            assert_eq!(Spelling::Author.spell(name), name);
        }
    }
}
