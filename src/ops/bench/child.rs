//! The box that is measured: a sample workshop on a port that was free.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpStream;

use super::process::{Patience, Process, Scratch, free_address, until_it_answers};
use crate::domain::Status;

/// What the sample workshop tells about itself.
#[derive(Deserialize)]
pub(super) struct Sample {
    pub(super) people: Vec<SamplePerson>,
    pub(super) requests: Vec<SampleRequest>,
}

/// Somebody in the sample workshop.
#[derive(Deserialize)]
pub(super) struct SamplePerson {
    pub(super) id: i64,
    pub(super) role: String,
    pub(super) token: String,
}

/// A request in the sample workshop.
#[derive(Deserialize)]
pub(super) struct SampleRequest {
    pub(super) id: i64,
    pub(super) owner_id: i64,
    pub(super) invite_url: Option<String>,
    status: String,
}

/// A box in a process of its own; it and its data end with this value.
pub(super) struct Box {
    pub(super) address: SocketAddr,
    pub(super) sample: Sample,
    process: Process,
    scratch: Scratch,
}

impl Box {
    /// Starts a sample workshop with so many requests.
    pub(super) async fn start(requests: usize) -> anyhow::Result<Self> {
        let scratch = Scratch::new("box")?;
        let address = free_address()?;
        let file = scratch.path().join("sample.json");
        let process = Process::start(|command| {
            command
                .args(["demo", "--no-relay", "--requests", &requests.to_string()])
                .args(["--listen", &address.to_string()])
                .arg("--data")
                .arg(scratch.path())
                .arg("--json")
                .arg(&file);
        })?;
        let patience = Patience::new();
        let mut sample: Sample = loop {
            if let Ok(text) = std::fs::read(&file) {
                break serde_json::from_slice(&text)?;
            }
            patience.wait("the sample workshop").await?;
        };
        // Nobody may write in what was called off.
        let takes_messages =
            |status: &str| Status::from_word(status).is_some_and(Status::takes_messages);
        sample
            .requests
            .retain(|request| takes_messages(&request.status));
        Ok(Self {
            address,
            sample,
            process,
            scratch,
        })
    }

    /// Ends the process without a word, as a power cut would.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill()
    }

    /// Serves the same data again, and waits for the first answer.
    pub(super) async fn start_again(&mut self) -> anyhow::Result<()> {
        let (address, data) = (self.address.to_string(), self.scratch.path().join("box"));
        self.process = Process::start(|command| {
            command
                .args(["serve", "--listen", &address])
                .arg("--data")
                .arg(data)
                .stderr(Stdio::null());
        })?;
        until_it_answers(self.address).await
    }

    /// Resident memory of the process, in KiB.
    pub(super) fn memory_kib(&self) -> anyhow::Result<u64> {
        self.process.memory_kib()
    }

    /// Asks as an admin would, and gives the answer's JSON.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<Value> {
        let mut people = self.sample.people.iter();
        let admin = people.find(|person| person.role == "workshop_admin");
        let token = &admin.context("the sample workshop has no admin")?.token;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())))?;
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends with `sender`.
        tokio::spawn(connection);
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let text = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!(
                "{path} answered {status}: {}",
                String::from_utf8_lossy(&text)
            );
        }
        Ok(serde_json::from_slice(&text)?)
    }
}
