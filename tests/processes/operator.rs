//! The operator's commands: the same words, answers and exit codes with a server and without one.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Outcome, Program, get, post, run};

/// Runs `motoreach … --data DATA --json`.
async fn operate(data: &Path, words: &[&str], input: &str) -> Outcome {
    let data = data.to_str().unwrap();
    let words: Vec<_> = words
        .iter()
        .copied()
        .chain(["--data", data, "--json"])
        .collect();
    run(&[], &words, input).await
}

async fn done(data: &Path, words: &[&str], input: &str) -> Value {
    let outcome = operate(data, words, input).await;
    assert_eq!(outcome.code, Some(0), "{words:?}: {outcome:?}");
    outcome.json()
}

/// Everything an operator does, under names of its own so that it can be done twice.
async fn a_day_of_an_operator(data: &Path, tag: &str) {
    let username = format!("asha-{tag}");
    let add = [
        "person",
        "add",
        "--name",
        "Asha Menon",
        "--role",
        "mechanic",
        "--username",
    ];
    let add: Vec<_> = add.into_iter().chain([username.as_str()]).collect();
    let added = done(data, &add, "").await;
    let id = added["person"]["id"]
        .as_i64()
        .unwrap_or_else(|| panic!("{added}"));
    assert!(
        added["password"].as_str().unwrap().len() >= 12,
        "a password is made up: {added}"
    );

    let twice = operate(data, &add, "").await;
    assert_eq!(twice.code, Some(1), "{twice:?}");
    assert!(
        !twice.json()["error"]["detail"].as_str().unwrap().is_empty(),
        "{twice:?}"
    );
    assert!(!twice.err.is_empty(), "{twice:?}");

    let listed = done(data, &["person", "list"], "").await;
    let people = listed["people"].as_array().unwrap();
    assert!(
        people.iter().any(|person| person["username"] == username),
        "{listed}"
    );
    assert!(
        people.iter().all(|person| person["role"] != "user"),
        "staff only: {listed}"
    );
    let owners = done(data, &["person", "list", "--role", "owner"], "").await;
    assert!(!owners["people"].as_array().unwrap().is_empty());

    let id = id.to_string();
    let words = ["person", "password", "--person", &id, "--password-stdin"];
    done(data, &words, "correct horse battery\n").await;
    let nobody = operate(data, &["person", "password", "--person", "999999"], "").await;
    assert_eq!(nobody.code, Some(1), "{nobody:?}");

    let request = done(
        data,
        &[
            "request",
            "add",
            "--owner",
            "Dev Pillai",
            "--plate",
            "KL 07 AB 1234",
            "--description",
            "Brakes squeal",
            "--base-url",
            "http://box.example",
        ],
        "",
    )
    .await;
    assert!(request["request"]["id"].as_i64().unwrap() > 0, "{request}");
    let link = request["request"]["invite_url"]
        .as_str()
        .unwrap_or_else(|| panic!("{request}"));
    assert!(
        link.starts_with("http://box.example/o/") && link.contains('#'),
        "{link}"
    );

    let token = done(data, &["token", "--person", &id, "--ttl", "5m"], "").await;
    assert_eq!(
        token["access"].as_str().unwrap().split('.').count(),
        3,
        "{token}"
    );
    let doctor = done(data, &["doctor"], "").await;
    assert_eq!(doctor["faults"], json!([]), "{doctor}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operators_commands_work_with_a_server_and_without_one() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data/box");
    let program = Program::start(home.path()).await;
    a_day_of_an_operator(&data, "running").await;

    // What the operator did is true at once in the running server.
    let url = program.sample.url();
    let login = json!({ "username": "asha-running", "password": "correct horse battery" });
    let signed_in = post(url, "/api/auth/login/", "", &login).await.unwrap();
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    let id = signed_in.body["user"]["id"].to_string();
    let token = done(&data, &["token", "--person", &id], "").await;
    let me = get(url, "/api/me/", token["access"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(me.status, 200, "{me:?}");
    assert_eq!(me.body["user"]["full_name"], "Asha Menon");

    let rebuild = operate(&data, &["doctor", "--rebuild"], "").await;
    assert_eq!(
        rebuild.code,
        Some(1),
        "not under a running server: {rebuild:?}"
    );

    assert!(program.stop().await.success());
    a_day_of_an_operator(&data, "at-rest").await;
    done(&data, &["doctor", "--rebuild"], "").await;
    let _ = fs::remove_file(data.join("control.sock"));
}

#[tokio::test]
async fn a_command_where_there_is_no_data_is_refused_and_makes_none() {
    let home = tempfile::tempdir().unwrap();
    let nowhere = home.path().join("nowhere");
    for words in [
        &["person", "list"][..],
        &["doctor"],
        &["token", "--person", "1"],
    ] {
        let outcome = operate(&nowhere, words, "").await;
        assert_eq!(outcome.code, Some(3), "{words:?}: {outcome:?}");
        assert!(!nowhere.exists(), "{words:?} made a directory");
    }
}

#[tokio::test]
async fn without_json_it_speaks_in_sentences() {
    let home = tempfile::tempdir().unwrap();
    assert!(Program::start(home.path()).await.stop().await.success());
    let data = home.path().join("data/box");
    let data = data.to_str().unwrap();
    let doctor = run(&[], &["doctor", "--data", data], "").await;
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    assert!(
        doctor.out.contains("SQLite") && doctor.out.ends_with(".\n"),
        "{doctor:?}"
    );
    let listed = run(&[], &["person", "list", "--data", data], "").await;
    assert!(listed.out.contains("Meera Nair"), "{listed:?}");
}
