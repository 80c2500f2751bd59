//! TLS of the box's own making, seen from another machine on the network by those who know nothing of
//! it: curl and openssl.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::lan::{Host, Lan, on_a_lan};
use super::machines::{a_box, a_box_as, a_box_with};
use crate::harness::{SOON, until};

#[test]
fn a_device_that_trusts_the_box_reaches_it_by_name_and_by_number() {
    on_a_lan(
        "secure::a_device_that_trusts_the_box_reaches_it_by_name_and_by_number",
        async |lan| {
            let (box_host, desk) = (lan.host("b", "10.9.0.1/24"), lan.host("d", "10.9.0.2/24"));
            let running = a_box_with(lan, &box_host, "box", &["--tls", "auto"]);
            running.is_known_as("motoreach.local").await;
            let root = download(lan, &desk);
            let by_name = secured(&desk, &root, "motoreach.local", "/healthz");
            let answer = by_name.expect("by name").to_ascii_lowercase();
            assert!(
                answer.contains("cross-origin-opener-policy: same-origin"),
                "{answer}"
            );
            // A browser that was told to insist would find no box once TLS is switched off.
            assert!(!answer.contains("strict-transport-security"), "{answer}");
            secured(&desk, &root, "10.9.0.1", "/healthz").expect("by number");
            secured(
                &desk,
                Path::new("/etc/ssl/certs/ca-certificates.crt"),
                "10.9.0.1",
                "/healthz",
            )
            .expect_err("nobody else vouches for it");
            let plain = desk.run(&["curl", "-sS", "--fail", "http://10.9.0.1/healthz"]);
            assert!(plain.status.success(), "{plain:?}");

            // A sign-in over TLS leaves a cookie that never goes without.
            let set_up = r#"{"workshop_name":"Nair","full_name":"Eva","username":"eva",
                "password":"spanner and socket"}"#;
            let mut curl = box_host.command("curl");
            let done = curl
                .args([
                    "-sS",
                    "--fail",
                    "-D-",
                    "-H",
                    "content-type: application/json",
                    "-d",
                    set_up,
                ])
                .args(["--resolve", "motoreach.local:443:10.9.0.1", "--cacert"])
                .arg(&root)
                .arg("https://motoreach.local/api/setup/")
                .output()
                .unwrap();
            let said = String::from_utf8(done.stdout).unwrap();
            let cookie = said.lines().find(|line| line.starts_with("set-cookie:"));
            let cookie = cookie.unwrap_or_else(|| panic!("{said}"));
            assert!(cookie.contains("__Secure-motoreach_refresh="), "{cookie}");
            assert!(cookie.ends_with("; Secure"), "{cookie}");

            // Another address: another certificate, the same authority.
            box_host.has_address("10.9.0.77/24");
            until("the new address is vouched for", SOON, async || {
                secured(&desk, &root, "10.9.0.77", "/healthz").ok()
            })
            .await;
        },
    );
}

#[test]
fn what_the_box_vouches_for_ends_at_the_workshops_door() {
    on_a_lan(
        "secure::what_the_box_vouches_for_ends_at_the_workshops_door",
        async |lan| {
            let box_host = lan.host("b", "10.9.0.1/24");
            let running = a_box_with(lan, &box_host, "box", &["--tls", "auto"]);
            running.is_known_as("motoreach.local").await;
            let tls = lan.files().join("box/tls");
            let authority = tls.join("authority.pem");
            verified(&authority, &tls.join("server.pem")).expect("its own certificate");
            // Whoever steals its key signs whatever they like; devices believe a part of it.
            verified(&authority, &signed(lan, &authority, "DNS:other.local")).expect("a neighbour");
            for stolen in ["DNS:bank.example", "IP:8.8.8.8", "DNS:local.bank.example"] {
                let error = verified(&authority, &signed(lan, &authority, stolen))
                    .expect_err("no device may believe this");
                assert!(
                    error.contains("permitted subtree violation"),
                    "{stolen}: {error}"
                );
            }
        },
    );
}

#[test]
fn a_box_whose_tls_cannot_be_had_serves_plain_http_and_says_why() {
    on_a_lan(
        "secure::a_box_whose_tls_cannot_be_had_serves_plain_http_and_says_why",
        async |lan| {
            let box_host = lan.host("b", "10.9.0.1/24");
            let first = a_box(lan, &box_host, "first");
            first.says_words("Listening on").await;
            // Port 443 stands for any that another program has.
            let elsewhere = [
                "--listen",
                "[::]:81",
                "--tls",
                "auto",
                "--tls-listen",
                "[::]:80",
            ];
            let second = a_box_as(lan, &box_host, "second", &elsewhere);
            second
                .says_words("No TLS: port 80 on :: is already in use")
                .await;
            let plain = box_host.run(&["curl", "-sS", "--fail", "http://10.9.0.1:81/healthz"]);
            assert!(plain.status.success(), "{plain:?}");
        },
    );
}

/// Gets what a device is to trust, as a device does.
fn download(lan: &Lan, desk: &Host) -> PathBuf {
    let path = lan.files().join("motoreach.crt");
    let mut curl = desk.command("curl");
    let done = curl
        .args([
            "-sS",
            "--fail",
            "http://10.9.0.1/certificate/motoreach.crt",
            "-o",
        ])
        .arg(&path)
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    path
}

/// Head and body of the answer, or what curl has against it.
fn secured(from: &Host, root: &Path, name: &str, path: &str) -> Result<String, String> {
    let mut curl = from.command("curl");
    let done = curl
        .args(["-sS", "--fail", "-i", "--max-time", "10"])
        .args(["--resolve", "motoreach.local:443:10.9.0.1", "--cacert"])
        .arg(root)
        .arg(format!("https://{name}{path}"))
        .output()
        .unwrap();
    if done.status.success() {
        Ok(String::from_utf8(done.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

/// A certificate for this name, signed with the authority's key.
fn signed(lan: &Lan, authority: &Path, name: &str) -> PathBuf {
    let folder = lan.files();
    let script = format!(
        "cd {} && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem \
         -subj /CN=stolen -out r.pem && printf 'subjectAltName={name}' > e.txt && \
         openssl x509 -req -in r.pem -CA {authority} -CAkey {authority} -CAcreateserial \
         -extfile e.txt -days 5 -out stolen.pem",
        folder.display(),
        authority = authority.display()
    );
    let done = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    folder.join("stolen.pem")
}

fn verified(authority: &Path, certificate: &Path) -> Result<(), String> {
    let done = Command::new("openssl")
        .args(["verify", "-CAfile"])
        .args([authority, certificate])
        .output()
        .unwrap();
    if done.status.success() {
        Ok(())
    } else {
        let said = [done.stdout, done.stderr].concat();
        Err(String::from_utf8_lossy(&said).into_owned())
    }
}
