//! From a bare program to a box that comes back, on a machine that systemd runs.

use std::path::Path;
use std::time::Duration;

use motoreach::clock::stopwatch;
use serde_json::{Value, json};

use super::machine::Machine;
use crate::harness::{SOON, program_path, until};

/// By when a box that was killed serves again.
const BACK_WITHIN: Duration = Duration::from_secs(2);
/// The watchdog of this test, and by when it has done its work.
const WATCHDOG: &str = "[Service]\nWatchdogSec=2\n";

const PROGRAM: &str = "/usr/local/bin/motoreach";
const PASSWORD: &str = "correct horse";
/// Where the restored box listens: a machine of its own has every port free.
const AGAIN: u16 = 8081;

#[tokio::test]
async fn it_installs_itself_comes_back_from_kill_and_stall_and_leaves_as_asked() {
    let machine = Machine::boot().await;
    machine.put(Path::new(program_path()), "srv/motoreach");
    let said = machine.sh("chmod +x /srv/motoreach && /srv/motoreach install");
    assert!(said.contains("Open http://motoreach.local"), "{said}");
    assert!(said.contains("set-up code"), "{said}");
    assert!(machine.serves(), "{}", machine.log());
    let status = machine.sh("systemctl status --no-pager motoreach.service");
    assert!(status.contains("Waiting on [::]:80"), "{status}");
    let again = machine.sh("/srv/motoreach install && motoreach where");
    assert!(again.contains("is installed and runs"), "{again}");

    comes_back_from_kill(&machine).await;
    comes_back_from_a_stall(&machine).await;
    logs_with_fields(&machine);
    waits_for_its_port(&machine).await;
    takes_a_disk(&machine);
    is_backed_up_at_night_and_brought_back(&machine).await;

    machine.sh("motoreach uninstall");
    assert!(!machine.serves());
    machine.sh("test -e /var/lib/motoreach/motoreach.db && test ! -e /usr/local/bin/motoreach");
    machine.sh("/srv/motoreach install && curl --silent --fail http://127.0.0.1/api/setup/ | grep -q Miller");
    let refused = machine.run("echo no | motoreach uninstall --purge");
    assert!(refused.text.contains("nothing was removed"), "{refused:?}");
    assert!(machine.serves());
    machine.sh("echo Miller | motoreach uninstall --purge");
    machine.sh(
        "test ! -e /var/lib/motoreach && test ! -e /etc/motoreach && ! id motoreach 2>/dev/null",
    );
    let left = machine.sh("find /etc /usr/local /var/lib -name '*motoreach*'");
    assert_eq!(left, "");
}

async fn comes_back_from_kill(machine: &Machine) {
    let first = machine.main_pid("motoreach");
    machine.sh(&format!("kill -KILL {first}"));
    let killed = stopwatch();
    until("it comes back", SOON, async || {
        machine.serves().then_some(())
    })
    .await;
    let back = killed.elapsed();
    println!("kill -9: serves again after {} ms", back.as_millis());
    assert!(back < BACK_WITHIN, "{back:?}\n{}", machine.log());
    assert_ne!(machine.main_pid("motoreach"), first);
}

async fn comes_back_from_a_stall(machine: &Machine) {
    let folder = "/run/systemd/system/motoreach.service.d";
    machine.sh(&format!(
        "mkdir -p {folder} && printf '{WATCHDOG}' >{folder}/test.conf"
    ));
    machine.sh("systemctl daemon-reload && systemctl restart motoreach.service");
    let stalled = machine.main_pid("motoreach");
    machine.sh(&format!("kill -STOP {stalled}"));
    let since = stopwatch();
    until("the watchdog starts it again", SOON, async || {
        (machine.main_pid("motoreach") != stalled && machine.serves()).then_some(())
    })
    .await;
    println!(
        "stalled, with a watchdog of 2 s: serves again after {} ms",
        since.elapsed().as_millis()
    );
    let log = machine.sh("journalctl --unit=motoreach --no-pager");
    assert!(log.contains("Watchdog timeout"), "{log}");
    machine.sh(&format!(
        "rm -r {folder} && systemctl daemon-reload && systemctl restart motoreach"
    ));
}

fn logs_with_fields(machine: &Machine) {
    let entry =
        machine.sh("journalctl --unit=motoreach MOTOREACH_MIGRATION=1 --output=verbose --no-pager");
    assert!(
        entry.contains("PRIORITY=6") && entry.contains("MESSAGE=database migrated"),
        "{entry}"
    );
    let said = machine.sh("motoreach log debug --for 10m && motoreach log usual");
    assert!(
        said.contains("motoreach=debug (as usual again in"),
        "{said}"
    );
    machine.sh("journalctl --sync; journalctl --unit=motoreach --output=cat | grep -q 'an operator changed the log'");
}

/// What the timer does at night, and what that is for: the box on an empty disk, and the conversation
/// going on.
async fn is_backed_up_at_night_and_brought_back(machine: &Machine) {
    let done = call(
        machine,
        80,
        "/api/setup/",
        "",
        &json!({
            "workshop_name": "Miller", "full_name": "Ada", "username": "ada", "password": PASSWORD,
        }),
    );
    let words: Vec<_> = done["recovery_words"].as_array().unwrap().iter().collect();
    let words: Vec<_> = words.iter().map(|word| word.as_str().unwrap()).collect();
    let opened =
        machine.sh("motoreach request add --json --owner Bo --plate 'M 1' --description Brakes");
    let opened: Value = serde_json::from_str(&opened).unwrap();
    let messages = format!(
        "/api/service-requests/{}/messages/",
        opened["request"]["id"]
    );
    let access = done["access"].as_str().unwrap();
    call(
        machine,
        80,
        &messages,
        access,
        &json!({ "content": "before the card died" }),
    );

    machine.sh("systemctl is-active motoreach-backup.timer");
    machine.sh("systemctl start motoreach-backup.service");
    let made = machine.sh("ls /var/lib/motoreach/backups");
    assert_eq!(made.lines().count(), 1, "{made}");

    let file = format!("/var/lib/motoreach/backups/{}", made.trim());
    machine.sh(&format!(
        "echo '{}' | motoreach restore {file} --data /srv/again",
        words.join(" ")
    ));
    machine.sh(&format!(
        "systemd-run --quiet --unit=again {PROGRAM} serve --data /srv/again --listen 127.0.0.1:{AGAIN}"
    ));
    let healthy = format!("curl --silent --fail http://127.0.0.1:{AGAIN}/healthz");
    until("the restored box serves", SOON, async || {
        machine.run(&healthy).fine.then_some(())
    })
    .await;
    let login = json!({ "username": "ada", "password": PASSWORD });
    let done = call(machine, AGAIN, "/api/auth/login/", "", &login);
    let access = done["access"].as_str().unwrap();
    call(
        machine,
        AGAIN,
        &messages,
        access,
        &json!({ "content": "and on it goes" }),
    );
    let page = machine.sh(&format!(
        "curl --silent --fail --header 'Authorization: Bearer {access}' http://127.0.0.1:{AGAIN}{messages}"
    ));
    assert!(
        page.contains("before the card died") && page.contains("and on it goes"),
        "{page}"
    );
    machine.sh("systemctl stop again");
}

/// Sends something to a box in the machine.
fn call(machine: &Machine, port: u16, path: &str, access: &str, body: &Value) -> Value {
    let bearer = format!("--header 'Authorization: Bearer {access}'");
    let bearer = if access.is_empty() { "" } else { &bearer };
    let said = machine.sh(&format!(
        "curl --silent --fail-with-body {bearer} --json '{body}' http://127.0.0.1:{port}{path}"
    ));
    serde_json::from_str(&said).unwrap()
}

/// A stick that is plugged in while the box runs: the box sees it, writes to it, and lets go of it.
fn takes_a_disk(machine: &Machine) {
    let file = "/srv/stick.img";
    machine.sh(&format!(
        "truncate --size=16M {file} && mkfs.ext4 -q -L 'MY STICK' {file}"
    ));
    let device = machine.sh(&format!(
        "losetup --find {file} && losetup --noheadings --output=NAME --associated {file}"
    ));
    let device = device.trim();
    let name = device.trim_start_matches("/dev/");
    machine.sh(&format!("motoreach usb mount {name}"));
    let pid = machine.main_pid("motoreach");
    let seen = machine.sh(&format!("grep motoreach-MY_STICK /proc/{pid}/mountinfo"));
    assert!(seen.contains("nosuid,nodev,noexec"), "{seen}");
    machine.sh("setpriv --reuid=motoreach --regid=motoreach --clear-groups touch /media/motoreach-MY_STICK/a");
    machine.sh(&format!(
        "motoreach usb unmount {name} && test ! -e /media/motoreach-MY_STICK"
    ));
    machine.sh(&format!("losetup --detach {device}"));
}

/// Somebody else has the port: told, tried again, and found once it is free.
async fn waits_for_its_port(machine: &Machine) {
    machine.sh("systemctl stop motoreach.service motoreach.socket");
    machine.sh("systemd-run --quiet --unit=squatter systemd-socket-activate --listen=80 cat");
    until("somebody else listens", SOON, async || {
        machine.run("ss -tln | grep -q ':80 '").fine.then_some(())
    })
    .await;
    let refused = machine.run("systemctl start motoreach.service");
    assert!(!refused.fine);
    machine.sh("systemctl is-failed motoreach.socket");
    machine.sh("systemctl is-active motoreach-again@motoreach.service | grep -q activating");
    machine.sh("systemctl stop squatter");
    // The minute of the pause is not waited for: what follows it is.
    machine.sh("pkill -x sleep");
    until("the box has its port back", SOON, async || {
        machine.serves().then_some(())
    })
    .await;
}
