//! Text with placeholders.

/// A piece of a template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Text(&'a str),
    /// The name between the braces.
    Placeholder(&'a str),
}

/// Cuts a template into text and placeholders. Braces around anything but a name are text.
pub(crate) fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = placeholder(rest) {
            rest = after;
            return Some(Piece::Placeholder(name));
        }
        let end = rest.match_indices('{').map(|(at, _)| at).find(|&at| at > 0 && placeholder(&rest[at..]).is_some());
        let (text, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        Some(Piece::Text(text))
    })
}

/// The placeholder that `text` begins with, and what follows it.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_name.then_some((name, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn braces_around_anything_but_a_name_are_text() {
        let found: Vec<_> = pieces(r#"{"a": {b}} {} {C} {d_e"#).collect();
        let expected = [Piece::Text("{\"a\": "), Piece::Placeholder("b"), Piece::Text("} {} {C} {d_e")];
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn no_text_is_lost(template in "[{}a-c_ é]{0,40}") {
            let joined: String = pieces(&template)
                .map(|piece| match piece {
                    Piece::Text(text) => text.to_owned(),
                    Piece::Placeholder(name) => format!("{{{name}}}"),
                })
                .collect();
            prop_assert_eq!(joined, template);
        }
    }
}
