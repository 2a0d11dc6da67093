//! `byoc serve` as a process, against an emulated org over real sockets, with its store in a real file.

mod faulty;
mod killed;
mod webhooks;
mod world;
