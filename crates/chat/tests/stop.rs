//! Stop strings, against a reference that sees the whole text at once.

use proptest::prelude::*;
use qianshou_chat::{StopMatch, StopScanner};

/// The first stop string that is complete, the longest of those that end at one byte.
fn reference(text: &[u8], stops: &[Vec<u8>]) -> Option<StopMatch> {
    (0..=text.len()).find_map(|end| {
        let ends_here = |stop: &&Vec<u8>| !stop.is_empty() && text[..end].ends_with(stop);
        let longest = stops.iter().filter(ends_here).map(Vec::len).max()?;
        let index = stops.iter().position(|stop| stop.len() == longest && text[..end].ends_with(stop))?;
        Some(StopMatch { start: end - longest, index })
    })
}

/// How much of `text`, in which no stop string is complete, cannot be the beginning of one.
fn safe_reference(text: &[u8], stops: &[Vec<u8>]) -> usize {
    let begins = |start: &usize| stops.iter().any(|stop| stop.starts_with(&text[*start..]));
    (0..text.len()).find(begins).unwrap_or(text.len())
}

/// Texts and stop strings over so few letters that matches, and matches that fail late, are frequent.
fn letters(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b"ab:".as_slice()), 0..longest)
}

fn stops() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(letters(6), 0..4)
}

/// The pieces of `text` between the given places.
fn split<'a>(text: &'a [u8], places: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut borders: Vec<_> = places.iter().map(|place| place.index(text.len() + 1)).collect();
    borders.extend([0, text.len()]);
    borders.sort_unstable();
    borders.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

/// Pushes until a stop string is found, as a model does that stops there.
fn scan(stops: &[Vec<u8>], pieces: &[&[u8]]) -> (Option<StopMatch>, StopScanner) {
    let mut scanner = StopScanner::new(stops);
    let found = pieces.iter().find_map(|piece| scanner.push(piece));
    (found, scanner)
}

proptest! {
    #[test]
    fn any_split_finds_what_the_reference_finds(
        text in letters(40),
        stops in stops(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let (found, scanner) = scan(&stops, &split(&text, &places));
        // Of two equal stop strings either may be named.
        let known = |found: Option<StopMatch>| found.map(|found| (found.start, &stops[found.index]));
        prop_assert_eq!(known(found), known(reference(&text, &stops)));
        let (whole, _) = scan(&stops, &[&text]);
        prop_assert_eq!(found, whole);
        let safe = found.map_or_else(|| safe_reference(&text, &stops), |found| found.start);
        prop_assert_eq!(scanner.safe(), safe);
    }

    #[test]
    fn no_part_of_a_stop_string_is_ever_shown(
        text in letters(40),
        stops in stops(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let end = reference(&text, &stops).map_or(text.len(), |found| found.start);
        let mut scanner = StopScanner::new(&stops);
        let mut shown = 0;
        for piece in split(&text, &places) {
            scanner.push(piece);
            prop_assert!(scanner.safe() >= shown, "what was shown cannot be taken back");
            shown = scanner.safe();
            prop_assert!(shown <= end, "{} bytes were shown of {}", shown, end);
        }
    }
}

#[test]
fn stop_strings_hold_across_borders() {
    let mut scanner = StopScanner::new(["Observation:", "\nObservation:"]);
    assert_eq!(scanner.push(b"Action Input: {}\nObserv"), None);
    assert_eq!(scanner.safe(), "Action Input: {}".len());
    assert_eq!(scanner.push(b"ation"), None);
    // Both end at the colon; the longer one takes the line break with it.
    let found = scanner.push(b": 3 and more");
    assert_eq!(found, Some(StopMatch { start: 16, index: 1 }));
    assert_eq!(scanner.safe(), 16);
    assert_eq!(scanner.push(b"Observation:"), found, "after a match nothing more is read");
}

#[test]
fn an_almost_complete_stop_string_is_shown_once_it_fails() {
    let mut scanner = StopScanner::new(["aab"]);
    assert_eq!(scanner.push(b"aa"), None);
    assert_eq!(scanner.safe(), 0);
    assert_eq!(scanner.push(b"a"), None);
    assert_eq!(scanner.safe(), 1, "the last two may still become a stop string");
    assert_eq!(scanner.push(b"b"), Some(StopMatch { start: 1, index: 0 }));
}

#[test]
fn without_stop_strings_everything_is_shown() {
    for stops in [Vec::<&str>::new(), vec![""]] {
        let mut scanner = StopScanner::new(stops);
        assert_eq!(scanner.push("千手".as_bytes()), None);
        assert_eq!(scanner.safe(), 6);
    }
}
