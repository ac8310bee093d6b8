//! Addresses with places for arguments.

use reqwest::Url;

/// An address in which `{name}` stands for the argument of that name, in its path or query.
#[derive(Clone, Debug)]
pub(super) struct Template {
    /// Texts, each with the name of the argument that follows; none follows the last.
    parts: Vec<(String, Option<String>)>,
    /// The address with something harmless in all places.
    example: Url,
}

impl Template {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(written: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = written;
        while let Some((text, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or("a `{` is never closed")?;
            parts.push((text.to_owned(), Some(name.to_owned())));
            rest = after;
        }
        parts.push((rest.to_owned(), None));
        let filled = |value: &str| {
            let text = fill(&parts, |_| Some(value.to_owned())).unwrap_or_default();
            Url::parse(&text).map_err(|error| format!("this is not an address ({error})"))
        };
        let (example, other) = (filled("a")?, filled("b")?);
        if !matches!(example.scheme(), "http" | "https") {
            return Err("an address begins with http:// or https://".to_owned());
        }
        let server = |url: &Url| (url.origin(), url.username().to_owned(), url.password().map(str::to_owned));
        if server(&example) != server(&other) {
            return Err("arguments can only stand in the path and in the query".to_owned());
        }
        Ok(Self { parts, example })
    }

    /// An address of the same server.
    pub(super) fn example(&self) -> &Url {
        &self.example
    }

    /// The names of the arguments.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|(_, name)| name.as_deref())
    }

    /// The address with the values of the arguments. Nothing when one is missing, or when one would lead
    /// to another part of the path: up (`..`), or to the collection instead of a thing in it (`.`, or nothing).
    pub(super) fn fill(&self, value: impl Fn(&str) -> Option<String>) -> Option<Url> {
        let url = Url::parse(&fill(&self.parts, value)?).ok()?;
        let segments = |url: &Url| Some(url.path_segments()?.filter(|segment| !segment.is_empty()).count());
        (segments(&url) == segments(&self.example)).then_some(url)
    }
}

fn fill(parts: &[(String, Option<String>)], value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut filled = String::new();
    for (text, name) in parts {
        filled.push_str(text);
        if let Some(name) = name {
            filled.push_str(&encoded(&value(name)?));
        }
    }
    Some(filled)
}

/// The value as a part of an address: every byte but the unreserved ones (RFC 3986, section 2.3) encoded.
fn encoded(value: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(template: &str, value: &str) -> Option<String> {
        Template::parse(template).ok()?.fill(|_| Some(value.to_owned())).map(String::from)
    }

    #[test]
    fn values_stay_in_their_place() {
        let cases = [
            ("https://a.example/{x}/now", "北京", Some("https://a.example/%E5%8C%97%E4%BA%AC/now")),
            ("https://a.example/{x}/now", "a/b?c#d", Some("https://a.example/a%2Fb%3Fc%23d/now")),
            ("https://a.example/v1?q={x}&f=1", "a&b=c d", Some("https://a.example/v1?q=a%26b%3Dc%20d&f=1")),
            ("https://a.example/{x}.json", "v1.2", Some("https://a.example/v1.2.json")),
            ("https://a.example/v1?q={x}", "", Some("https://a.example/v1?q=")),
            ("https://a.example/v1/{x}", "..", None),
            ("https://a.example/v1/{x}", ".", None),
            ("https://a.example/v1/{x}", "", None),
            ("https://a.example/v1/{x}/", "", None),
            ("https://a.example/v1/{x}/now", "", None),
            ("https://a.example/v1/{x}/now", ".", None),
            ("https://a.example/v1/.{x}", ".", None),
            ("https://a.example/{x}/{x}", "..", None),
        ];
        for (template, value, expected) in cases {
            assert_eq!(filled(template, value).as_deref(), expected, "{template} {value}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        let cases = [
            ("https://a.example/{x", "a `{` is never closed"),
            ("/cities/{x}", "this is not an address (relative URL without a base)"),
            ("ftp://a.example/{x}", "an address begins with http:// or https://"),
            ("https://{x}.example/", "arguments can only stand in the path and in the query"),
            ("https://a.example:1{x}/", "this is not an address (invalid port number)"),
            ("https://{x}@a.example/", "arguments can only stand in the path and in the query"),
        ];
        for (written, expected) in cases {
            assert_eq!(Template::parse(written).err().as_deref(), Some(expected), "{written}");
        }
    }

    proptest! {
        #[test]
        fn no_value_changes_server_or_shape(value in "\\PC{0,8}|[./%\\\\?#@:]{0,6}") {
            if let Some(url) = filled("https://a.example/v1/{x}/now?q={x}", &value) {
                prop_assert!(url.starts_with("https://a.example/v1/"), "{}", url);
                prop_assert_eq!(url.matches("/now?q=").count(), 1, "{}", url);
                prop_assert_eq!(url.matches(['/', '?', '#', '&', '=']).count(), 7, "{}", url);
            }
        }

        #[test]
        fn no_value_addresses_the_collection(value in "\\PC{0,8}|[./%\\\\?#@:]{0,6}") {
            if let Some(url) = filled("https://a.example/v1/{x}", &value) {
                let last = url.strip_prefix("https://a.example/v1/").unwrap_or_default();
                prop_assert!(!last.is_empty() && !last.contains(['/', '?', '#']), "{}", url);
            }
        }

        #[test]
        fn any_text_is_a_template_or_refused(written in "\\PC{0,20}|https?://[a-z{}/?@:.]{0,20}") {
            if let Ok(template) = Template::parse(&written) {
                let _ = template.fill(|name| Some(name.to_owned()));
            }
        }
    }
}
