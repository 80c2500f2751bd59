//! `motoreach demo` with its relay: two processes that come and go together, and a line between them
//! that anybody may take down.

use std::fs;
use std::path::Path;

use crate::harness::{Owner, Plan, Program, SOON, get, post, run, until};

const WITH_RELAY: Plan<'_> = Plan {
    program: None,
    before: &[],
    environment: &[],
    requests: None,
    relay: true,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_and_its_relay_are_paired_and_leave_together() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let program = Program::start_as(home.path(), &data, &WITH_RELAY).await;
    let sample = program.sample.clone();
    let relay = sample.relay_pid();
    assert!(is_alive(relay));
    let owner = Owner::opens(sample.relay_invite_url(0), sample.relay_address());
    owner.is_open().await;
    owner.writes("from elsewhere");
    owner.has_nothing_waiting(SOON).await;
    assert!(program.stop().await.success());
    is_gone(relay).await;
    assert!(!data.join("line.sock").exists() && !data.join("box/control.sock").exists());

    // It goes on with what is there, on both sides.
    let program = Program::start_as(home.path(), &data, &WITH_RELAY).await;
    let sample = program.sample.clone();
    let again = Owner::opens(sample.relay_invite_url(0), sample.relay_address());
    again.is_open().await;
    assert!(again.conversation().contains(&"from elsewhere".to_owned()));
    // Killed in the worst way, it still takes its relay with it.
    let relay = sample.relay_pid();
    program.kill();
    is_gone(relay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_line_of_a_sample_is_taken_down_and_up_from_elsewhere() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let program = Program::start_as(home.path(), &data, &WITH_RELAY).await;
    let sample = program.sample.clone();
    let owner = Owner::opens(sample.relay_invite_url(0), sample.relay_address());
    owner.is_open().await;
    let cut = ["demo", "--cut", "--data", data.to_str().unwrap()];
    let said = run(&[], &cut, "").await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("down"), "{said:?}");
    let path = format!("/api/service-requests/{}/messages/", sample.request(0));
    let words = serde_json::json!({ "content": "while the line is down" });
    let sent = post(sample.url(), &path, sample.admin(), &words)
        .await
        .unwrap();
    assert_eq!(sent.status, 201, "{sent:?}");
    let waits = async || {
        let link = get(sample.url(), "/api/relay/", sample.admin())
            .await
            .unwrap();
        (link.body["waiting_messages"] == 1).then_some(())
    };
    until("the message waits", SOON, waits).await;
    assert!(
        !owner
            .conversation()
            .contains(&"while the line is down".to_owned())
    );
    let said = run(&[], &cut, "").await;
    assert!(said.out.contains("up again"), "{said:?}");
    owner.sees("while the line is down").await;
    assert!(program.stop().await.success());
    let nobody = run(&[], &cut, "").await;
    assert_eq!(nobody.code, Some(1), "{nobody:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_of_a_sample_that_is_killed_comes_back_with_everything() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let program = Program::start_as(home.path(), &data, &WITH_RELAY).await;
    let sample = program.sample.clone();
    let owner = Owner::opens(sample.relay_invite_url(0), sample.relay_address());
    owner.is_open().await;
    let before = owner.connects();
    kill(sample.relay_pid());
    let back = async || (owner.connects() > before).then_some(());
    until("the relay is there again", SOON, back).await;
    owner.writes("still here");
    owner.has_nothing_waiting(SOON).await;
    assert!(program.stop().await.success());
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

async fn is_gone(pid: u32) {
    let gone = async || (!is_alive(pid)).then_some(());
    until("the relay is gone", SOON, gone).await;
}

/// Whether there is such a process that is not only waited for.
fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    stat.is_ok_and(|stat| {
        let state = stat
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.chars().next());
        state.is_some_and(|state| state != 'Z')
    })
}
