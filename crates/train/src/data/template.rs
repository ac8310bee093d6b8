//! Texts with placeholders.

/// Fills `{name}` in one pass; a name without a value stays as it is.
pub(super) fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        match after.split_once('}').and_then(|(name, after)| Some((value(name).filter(|_| is_name(name))?, after))) {
            Some((value, after)) => {
                filled.push_str(&value);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled + rest
}

/// The names in a template, in order.
pub(super) fn names(template: &str) -> impl Iterator<Item = &str> {
    let after_braces = template.split('{').skip(1);
    after_braces.filter_map(|part| part.split_once('}')).map(|(name, _)| name).filter(|name| is_name(name))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in_a_single_pass() {
        let value = |name: &str| (name == "city").then(|| "{day}".to_owned());
        assert_eq!(fill("{\"in\": \"{city}\", {day}}", value), "{\"in\": \"{day}\", {day}}");
        assert_eq!(names("{\"in\": \"{city}\", {day}}").collect::<Vec<_>>(), ["city", "day"]);
    }
}
