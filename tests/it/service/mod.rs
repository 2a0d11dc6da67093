//! The running service, as those see it who embed it.

mod causes;
mod history;
mod panics;
