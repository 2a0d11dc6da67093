//! How a login is set: keys and addresses as people have them.

mod addresses;
mod keys;

use std::path::{Path, PathBuf};

use byoc_connector::config::{Environment, Error, Org, Serving};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// The only org of a configuration with these lines in `[org]` and these variables.
fn org(lines: &str, variables: &[(&str, &str)]) -> Result<Org, String> {
    let text = format!(
        "[channel_definition]\ndeveloper_name = 'Acme_Messaging'\nrouting_owner = 'Partner'\n\
         custom_platform_event = 'acme__Routing__e'\n\
         [org]\nid = '00DHs0000000001'\nconsumer_key = 'key'\nusername = 'user@acme.example'\n{lines}\n"
    );
    let variables: Environment =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    match Serving::parse(&fixture("x.toml"), &text, &variables) {
        Ok(mut serving) => Ok(serving.orgs.remove(0)),
        Err(Error::Mistaken { mistakes }) => {
            assert_eq!(mistakes.len(), 1, "{mistakes:?}");
            Err(mistakes[0].to_string())
        }
        Err(other) => panic!("{other}"),
    }
}
