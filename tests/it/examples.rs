//! The examples do what they say.

#[allow(dead_code, unreachable_pub, clippy::print_stdout, reason = "an example is a program of its own")]
#[path = "../../examples/drive.rs"]
mod drive;

#[test]
fn a_channel_is_driven_by_whoever_likes() {
    let story = drive::drive().unwrap();
    assert_eq!(
        story,
        [
            "processed",
            "call post-route",
            "call post-agent-work",
            "call post-routing-result",
            "processed",
            "tell that 005000000000002 joined: true",
            "joined: The rep accepted.",
        ]
    );
}
