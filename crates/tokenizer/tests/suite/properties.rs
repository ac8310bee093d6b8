//! What holds for any text.

use proptest::prelude::*;
use qianshou_chat::Message;
use qianshou_tokenizer::{ChatMl, Specials};

use crate::support::{ADDED, CONTROLS, base, exact, small};

/// Any text, with a liking for what is hard: control tokens and their fragments, white space, joined
/// characters, words of the small vocabulary.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let hard = CONTROLS.into_iter().chain([
        ADDED,
        "<|",
        "|>",
        "<|im_",
        "im_end|>",
        " ",
        "  ",
        "\n",
        "\r\n",
        "\t",
        "e\u{301}",
        "\u{301}",
        "千手",
        "🤖",
        "👨‍👩‍👧",
        "the",
        " the",
        "'s",
        "'LL",
        "12",
        "٣",
        "²",
        "\u{a0}",
        "\u{2028}",
        "\0",
        "\u{85}",
    ]);
    let hard = prop::sample::select(hard.map(str::to_owned).collect::<Vec<_>>());
    prop::collection::vec(prop_oneof![hard, any::<String>()], 0..12).prop_map(|parts| parts.concat())
}

/// Some of the special tokens.
fn allowed() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(CONTROLS.into_iter().chain([ADDED]).collect::<Vec<_>>(), 0..=5)
}

proptest! {
    #[test]
    fn decoding_gives_the_text_back(text in text(), allowed in allowed()) {
        for specials in [Specials::None, Specials::All, Specials::Only(&allowed)] {
            prop_assert_eq!(exact().decode(&exact().encode(&text, specials)), text.as_str());
        }
    }

    #[test]
    fn normalised_text_decodes_to_itself(text in text()) {
        let once = small().decode(&small().encode(&text, Specials::None));
        let again = small().decode(&small().encode(&once, Specials::None));
        prop_assert_eq!(once, again);
    }

    #[test]
    fn only_allowed_specials_come_out(text in text(), allowed in allowed()) {
        for tokenizer in [exact(), small()] {
            let ids = tokenizer.encode(&text, Specials::Only(&allowed));
            for (id, name) in tokenizer.specials().filter(|(_, name)| !allowed.contains(name)) {
                prop_assert!(!ids.contains(&id), "{}", name);
            }
        }
    }

    #[test]
    fn text_in_a_message_stays_between_its_borders(text in text()) {
        let chatml = ChatMl::new(exact()).unwrap();
        let messages = [Message::user(text.as_str())];
        let ids = chatml.encode(&messages, false).unwrap();
        prop_assert_eq!(exact().decode(&ids), chatml.render(&messages, false).unwrap());
        let borders = ids.iter().filter(|id| chatml.stop_ids().contains(id)).count();
        prop_assert_eq!(borders, 3);
    }
}

/// The vocabulary is read before the property is tried, so that a missing file is not taken for a
/// counter-example.
#[test]
fn the_base_vocabulary_gives_the_text_back() {
    let tokenizer = base();
    proptest!(|(text in text())| {
        // It has no token for these bytes.
        let lost = |byte: &u8| matches!(byte, 0x04 | 0x06 | 0x13 | 0x14 | 0x16 | 0x1d | 0xf1 | 0xf2);
        let kept: Vec<_> = text.bytes().filter(|byte| !lost(byte)).collect();
        let expected = String::from_utf8_lossy(&kept);
        let ids = tokenizer.encode(&text, Specials::None);
        prop_assert_eq!(tokenizer.decode(&ids), expected.as_ref());
        prop_assert!(tokenizer.specials().all(|(id, _)| !ids.contains(&id)));
        prop_assert_eq!(tokenizer.decode(&tokenizer.encode(&text, Specials::All)), expected.as_ref());
    });
}
