//! What is taken from a model, to see whether it reads it.

use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom as _;
use serde::Serialize;

use crate::Group;

/// Which parts of a prompt say nothing true about its tools. A model that reads names or descriptions selects by
/// [`chance`] once both are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ablation {
    /// Names tell nothing: `tool_1`, `tool_2`, in the order of the prompt.
    pub names: bool,
    /// Descriptions and parameters are shuffled among the tools of the prompt. The order is drawn, so a tool may
    /// keep its own.
    pub descriptions: bool,
}

impl Ablation {
    /// Whether anything is taken.
    pub fn is_some(self) -> bool {
        self.names || self.descriptions
    }

    /// Changes the tools of groups, and the names in the calls that are expected. The same groups are changed in the
    /// same way each time.
    pub fn apply(self, groups: &mut [Group]) {
        for (number, group) in (0..).zip(groups) {
            if self.descriptions {
                shuffle_descriptions(group, number);
            }
            if self.names {
                hide_names(group);
            }
        }
    }
}

fn shuffle_descriptions(group: &mut Group, seed: u64) {
    let mut order: Vec<usize> = (0..group.tools.len()).collect();
    order.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
    let names: Vec<_> = group.tools.iter().map(|spec| (spec.name.clone(), spec.name_for_people.clone())).collect();
    let mut tools: Vec<_> = order.into_iter().map(|place| group.tools[place].clone()).collect();
    for (spec, (name, name_for_people)) in tools.iter_mut().zip(names) {
        (spec.name, spec.name_for_people) = (name, name_for_people);
    }
    group.tools = tools;
}

fn hide_names(group: &mut Group) {
    let hidden = |place: usize| format!("tool_{}", place + 1);
    let names: Vec<String> = group.tools.iter().map(|spec| spec.name.clone()).collect();
    for call in group.episodes.iter_mut().flat_map(|episode| &mut episode.calls) {
        if let Some(place) = names.iter().position(|name| *name == call.tool) {
            call.tool = hidden(place);
        }
    }
    for (place, spec) in group.tools.iter_mut().enumerate() {
        (spec.name, spec.name_for_people) = (hidden(place), hidden(place));
    }
}

/// The share of right selections, where one is needed, of who calls any tool of the prompt blindly.
pub fn chance(groups: &[Group]) -> f64 {
    let needed = |group: &Group| group.episodes.iter().filter(|episode| !episode.calls.is_empty()).count();
    let hits: f64 = groups.iter().map(|group| needed(group) as f64 / group.tools.len().max(1) as f64).sum();
    hits / groups.iter().map(needed).sum::<usize>().max(1) as f64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use qianshou_agent::ToolSpec;
    use serde_json::json;

    use super::*;
    use crate::{Call, Episode, Kind};

    fn group() -> Group {
        let tool = |name: &str| {
            let schema = json!({"type": "object", "properties": {name: {"type": "string"}}});
            ToolSpec::from_schema(name, schema).description(format!("Is {name}."))
        };
        let call = Call {
            thought: String::new(),
            tool: "second".to_owned(),
            input: "{}".to_owned(),
            observation: String::new(),
            mistake: false,
        };
        let episode = Episode {
            kind: Kind::Authored,
            question: String::new(),
            calls: vec![call],
            thought: String::new(),
            answer: String::new(),
            files: Vec::new(),
        };
        Group { tools: ["first", "second", "third"].map(tool).into(), episodes: vec![episode] }
    }

    #[test]
    fn names_tell_nothing_and_descriptions_stay() {
        let mut groups = vec![group()];
        Ablation { names: true, descriptions: false }.apply(&mut groups);
        let names: Vec<&str> = groups[0].tools.iter().map(|spec| spec.name.as_str()).collect();
        assert_eq!(names, ["tool_1", "tool_2", "tool_3"]);
        assert_eq!(groups[0].tools[1].name_for_people, "tool_2");
        assert_eq!(groups[0].tools[1].description, "Is second.");
        assert_eq!(groups[0].episodes[0].calls[0].tool, "tool_2");
    }

    #[test]
    fn descriptions_are_shuffled_with_their_parameters() {
        let mut groups = vec![group(); 40];
        Ablation { names: false, descriptions: true }.apply(&mut groups);
        let mut of_second = BTreeSet::new();
        for group in &groups {
            let names: Vec<&str> = group.tools.iter().map(|spec| spec.name.as_str()).collect();
            assert_eq!(names, ["first", "second", "third"]);
            for spec in &group.tools {
                let said = spec.description.trim_start_matches("Is ").trim_end_matches('.');
                assert!(spec.parameters["properties"].get(said).is_some(), "{spec:?}");
            }
            of_second.insert(group.tools[1].description.clone());
        }
        assert_eq!(of_second.len(), 3);
        assert!((chance(&groups) - 1.0 / 3.0).abs() < 1e-9);
    }
}
