//! Compiles the Pub/Sub API's proto file, without a `protoc` on the machine.

#[cfg(feature = "pubsub")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto/pubsub_api.proto");
    let files = protox::compile(["proto/pubsub_api.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .build_transport(false)
        .build_server(cfg!(feature = "emulator"))
        .compile_fds(files)?;
    Ok(())
}

#[cfg(not(feature = "pubsub"))]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
