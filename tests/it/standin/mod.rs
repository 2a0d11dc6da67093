//! What the stand-in Salesforce does as the org does, held against what is published.

mod rig;

mod as_the_org_takes_it;
mod checks_have_a_source;
#[cfg(feature = "emulator")]
mod over_tls;
mod published_events;
#[cfg(feature = "emulator")]
mod who_may_drive;
