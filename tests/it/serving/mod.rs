//! `byoc serve` as a process, against an emulated org over real sockets, with its store in a real file.

mod day_two;
mod doctor;
mod ends;
mod faulty;
mod killed;
mod logins;
mod org_setup;
mod orgs;
mod probes;
mod refused;
mod reload;
mod tls;
mod told;
mod unheard;
mod unreadable;
mod webhooks;
mod world;
