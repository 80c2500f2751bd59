//! `motoreach doctor --recovery-words`: the 24 words on paper become `root.secret` again.
//!
//! A secret that does not belong to the database would lock it up, so nothing is written before the
//! journal's own seals have been made again with it.

use std::io::IsTerminal;

use anyhow::{Context, bail};
use serde_json::json;

use super::desk::{must_be_ours, must_be_there};
use super::failure::Exit;
use super::{say, stdin};
use crate::seal::{RECOVERY_WORDS, RootSecret};
use crate::store::inspect::{self, Belonging};
use crate::store::{BoxKeys, DataDir, OpenError};

/// Reads the words from standard input and puts the secret back.
pub(super) fn run(dir: &DataDir, in_json: bool) -> anyhow::Result<Exit> {
    must_be_there(dir)?;
    must_be_ours(dir.path())?;
    if std::io::stdin().is_terminal() && !in_json {
        say(format_args!(
            "Type the {RECOVERY_WORDS} recovery words in their order, then Enter:"
        ));
    }
    let words = stdin::words(RECOVERY_WORDS)
        .context("The recovery words cannot be read from standard input.")?;
    let root = || RootSecret::from_recovery_words(&words);
    let found = root().map_err(|wrong| anyhow::anyhow!("Nothing was changed: {wrong}."))?;
    match inspect::belongs_to(dir, &BoxKeys::new(found))? {
        Belonging::Theirs => {}
        Belonging::Another => bail!(
            "Nothing was changed: these are recovery words, but of another workshop than the one in \
             {}.",
            dir.path().display()
        ),
        Belonging::Empty => bail!(
            "Nothing was changed: nothing was written in this database yet, so it needs no recovery. \
             Move {} away and start the server: it makes a new one.",
            dir.path().display()
        ),
    }
    let found = root()?;
    let (done, sentence) = match dir.root() {
        Ok(there) if there.as_bytes() == found.as_bytes() => (
            "already_there",
            "root.secret is in its place and is what these words say.",
        ),
        Ok(_) => bail!(
            "Nothing was changed: there is a root.secret, but of another workshop; these words are \
             the right ones. Move that file away, then run this again."
        ),
        Err(OpenError::NoRoot(_)) => {
            dir.put_back_root(&found)?;
            (
                "put_back",
                "root.secret is back in its place. Start the server again.",
            )
        }
        Err(error) => return Err(error.into()),
    };
    if in_json {
        say(json!({ "root_secret": done }));
    } else {
        say(sentence);
    }
    Ok(Exit::Done)
}
