//! The words that a value may be, as a parser lists them, for people: each once, and not in every spelling that is
//! taken. Knows nothing of where they were read.

/// The words that a value may be, where they are listed, and each in its first spelling: `one-at-a-time` is no choice
/// beside `one at a time`.
pub(crate) fn one_spelling_each(expected: &str) -> Option<String> {
    let listed = expected.strip_prefix("one of ").unwrap_or(expected);
    let words: Vec<&str> = listed.split('`').skip(1).step_by(2).collect();
    let plain = |word: &str| word.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let mut told: Vec<&str> = Vec::new();
    for word in words {
        if !told.iter().any(|known| plain(known) == plain(word)) {
            told.push(word);
        }
    }
    match told.as_slice() {
        [] => None,
        [one] => Some(format!("`{one}`")),
        [one, other] => Some(format!("`{one}` or `{other}`")),
        [others @ .., last] => Some(format!("`{}` or `{last}`", others.join("`, `"))),
    }
}

/// The message of a parser that lists such words at its end; any other as it is.
pub(crate) fn in_one_spelling(message: &str) -> String {
    let listed = message.rsplit_once("expected ");
    match listed.and_then(|(found, expected)| Some((found, one_spelling_each(expected)?))) {
        Some((found, choices)) => format!("{found}expected {choices}"),
        None => message.to_owned(),
    }
}
