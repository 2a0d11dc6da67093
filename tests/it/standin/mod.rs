//! What the stand-in Salesforce does as the org does, held against what is published.

mod rig;

mod as_the_org_takes_it;
mod checks_have_a_source;
mod published_events;
