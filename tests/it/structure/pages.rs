//! The pages of errors say what the tables in the code say.

use byoc_connector::interaction::auth::KNOWN_REFUSALS;
use byoc_connector::model::error_codes::{About, ErrorCode};

use super::*;

/// The page of all error codes, as the table in `model::error_codes` has them.
fn page_of_error_codes() -> String {
    let mut page = String::from(
        "# Salesforce's error codes\n\n\
         What each code of the Interaction Service means, whether the connector tries again by itself, and what \
         to do about it. The words are ours; Salesforce's own message is kept beside them in logs and \
         recordings. Logins that are refused are on [a page of their own](login.md).\n\n\
         This page is written from `src/model/error_codes/table.rs`: correct it there, then run \
         `BYOC_REWRITE_DOCS=1 cargo test --test it page_of`.\n\n\
         | code | what it means | tried again | what to do |\n| --- | --- | --- | --- |\n",
    );
    let cell = |text: &str| text.replace('|', "\\|");
    for code in ErrorCode::all() {
        let retry = match (code.retry(), code.about()) {
            (true, _) => "yes",
            (false, About::Rep) => "with the next rep",
            (false, About::Request) => "no",
        };
        writeln!(page, "| {code} | {} | {retry} | {} |", cell(code.meaning()), cell(code.advice())).unwrap();
    }
    page
}

/// The page of refused logins, as `interaction::auth` knows them.
fn page_of_logins() -> String {
    let mut page = String::from(
        "# Logins that Salesforce refuses\n\n\
         What the token endpoint says, what it means, and what to do in each kind of app. Since Spring '26 new orgs have \
         External Client Apps; connected apps that exist go on. How either is set up is in \
         [operating](../operating.md#logging-in). The words are ours; Salesforce's own are kept beside them in the log, \
         in `/readyz` and by `byoc doctor`.\n\n\
         A login that is refused is tried again, at most once a second: nothing needs a restart.\n\n\
         This page is written from `src/interaction/auth/refusals.rs`: correct it there, then run \
         `BYOC_REWRITE_DOCS=1 cargo test --test it page_of`.\n\n\
         | error | its description says | what it means | External Client App | connected app |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for known in KNOWN_REFUSALS {
        let list =
            |texts: &[&str]| texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ");
        let errors = if known.errors.is_empty() { "`invalid_grant`".to_owned() } else { list(known.errors) };
        let connected = if known.connected.is_empty() { "the same" } else { known.connected };
        let (says, meaning, external) = (list(known.says), known.meaning, known.external);
        writeln!(page, "| {errors} | {says} | {meaning} | {external} | {connected} |").unwrap();
    }
    page.push_str(
        "\nWhat is no token endpoint's answer is told as what it is: an HTML page (a login page, a maintenance page, a \
         proxy's), a redirect with where it leads, an empty body. Then `token_url` leads elsewhere, or something \
         between this machine and Salesforce answers in its place.\n",
    );
    page
}

#[test]
fn the_page_of_logins_says_what_the_table_says() {
    let path = root().join("docs/errors/login.md");
    let page = page_of_logins();
    if std::env::var_os("BYOC_REWRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/errors/login.md is stale: run this test with BYOC_REWRITE_DOCS=1");
}

#[test]
fn the_page_of_error_codes_says_what_the_table_says() {
    let path = root().join("docs/errors/README.md");
    let page = page_of_error_codes();
    if std::env::var_os("BYOC_REWRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/errors/README.md is stale: run this test with BYOC_REWRITE_DOCS=1");
}
