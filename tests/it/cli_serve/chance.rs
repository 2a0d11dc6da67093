//! Whatever is changed in a good configuration is either read or told with its key.

use proptest::prelude::*;

use super::*;

/// Either a configuration or reasons why not, each in one line that is not empty.
fn is_told(text: &str) {
    if let Err(error) = read(text) {
        let told = error.to_string();
        assert!(!told.is_empty() && told.lines().all(|line| line.len() > 20), "{told:?}");
    }
}

/// A change to a text: what is at a place is taken out, and something else is put there.
fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, String)>> {
    let put = prop_oneof![
        any::<String>(),
        "[\\[\\]{}='\"#,.\n0-9-]{0,6}",
        Just("nan".to_owned()),
        Just("\u{0}".to_owned()),
        Just("99999999999999999999".to_owned()),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), 0_usize..40, put), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        is_told(&text);
    }

    #[test]
    fn no_toml_makes_it_panic(text in "(\\[{0,2}(org|orgs|store|server|webhooks|people|routing|reps|channel_definition)\\]{0,2}\n|(id|listen|channels|path|choice|begin|roster|ring) = ('[ -~]{0,9}'|-?[0-9]{1,20}|\\[\\]|true|\\{id = 1\\}|\\['x', 2\\])\n){0,12}") {
        is_told(&text);
    }

    #[test]
    fn no_change_to_a_good_one_makes_it_panic(changes in changes()) {
        let mut text: Vec<char> = sample().chars().collect();
        for (at, taken, put) in changes {
            let at = at.index(text.len() + 1);
            let end = (at + taken).min(text.len());
            text.splice(at..end, put.chars());
        }
        is_told(&text.into_iter().collect::<String>());
    }
}
