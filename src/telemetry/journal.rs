//! The system's journal, spoken to directly: fields stay fields (`journalctl MOTOREACH_REQUEST=17`), levels
//! become priorities, and the text of an entry still shows everything, as on a terminal.
//!
//! `telemetry` uses it when the service manager says that stderr goes there anyway. A journal that does
//! not take what it is told is not waited for: an entry is lost then, and the box goes on.

use std::fmt::{self, Write};
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Where the journal listens (systemd.io/JOURNAL_NATIVE_PROTOCOL).
pub(super) const JOURNAL: &str = "/run/systemd/journal/socket";
/// Longest wait for a journal that is busy.
const SEND_WAIT: Duration = Duration::from_millis(100);
/// What is kept of one value: an entry fits into one datagram.
const VALUE_BYTES_MAX: usize = 4 * 1024;
/// Fields of one entry, spans included.
const FIELDS_MAX: usize = 32;

/// Sends entries to the journal.
pub(super) struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journal {
    /// Finds the journal.
    ///
    /// # Errors
    /// Nobody listens there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(SEND_WAIT))?;
        // An empty datagram is no entry; it only shows that somebody takes them.
        socket.send_to(&[], path)?;
        Ok(Self {
            socket,
            path: path.to_owned(),
        })
    }
}

impl<S> Layer<S> for Journal
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        if let Some(span) = ctx.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        if let Some(span) = ctx.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        for span in ctx.event_scope(event).into_iter().flatten() {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.others.extend(of_span.others.iter().cloned());
            }
        }
        fields.others.truncate(FIELDS_MAX);
        let (meta, mut entry) = (event.metadata(), Entry::default());
        entry.put("PRIORITY", priority(*meta.level()));
        entry.put("SYSLOG_IDENTIFIER", "motoreach");
        entry.put("TARGET", meta.target());
        if let (Some(file), Some(line)) = (meta.file(), meta.line()) {
            entry.put("CODE_FILE", file);
            entry.put("CODE_LINE", &line.to_string());
        }
        let mut text = fields.message;
        for (name, value) in &fields.others {
            let _ = write!(text, " {name}={value}");
            entry.put(&journal_name(name), value);
        }
        entry.put("MESSAGE", &text);
        // There is nowhere left to complain to.
        let _ = self.socket.send_to(&entry.0, &self.path);
    }
}

/// Debug and trace are one to syslog (RFC 5424).
const fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        Level::DEBUG | Level::TRACE => "7",
    }
}

/// Capital letters, digits and underscores, with a prefix of our own: the journal takes no others.
fn journal_name(name: &str) -> String {
    let letters = name.trim_start_matches("r#").chars();
    let safe = letters.map(|letter| match letter.to_ascii_uppercase() {
        letter @ ('A'..='Z' | '0'..='9') => letter,
        _ => '_',
    });
    "MOTOREACH_".chars().chain(safe).take(64).collect()
}

/// What was said in an event or a span.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = cut(format!("{value:?}"));
        if field.name() == "message" {
            self.message = text;
        } else {
            self.others.push((field.name(), text));
        }
    }
}

fn cut(mut text: String) -> String {
    if text.len() > VALUE_BYTES_MAX {
        text.truncate(text.floor_char_boundary(VALUE_BYTES_MAX));
        text.push('…');
    }
    text
}

/// One datagram of the journal's own protocol: each value with its length, so that any text is one.
#[derive(Default)]
struct Entry(Vec<u8>);

impl Entry {
    fn put(&mut self, name: &str, value: &str) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'\n');
        self.0
            .extend_from_slice(&(value.len() as u64).to_le_bytes());
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::prelude::*;

    use super::*;

    /// The entry as the journal reads it.
    fn read(datagram: &[u8]) -> Vec<(String, String)> {
        let (mut rest, mut found) = (datagram, Vec::new());
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let name = String::from_utf8(rest[..end].to_vec()).unwrap();
            let length = u64::from_le_bytes(rest[end + 1..end + 9].try_into().unwrap());
            let value = &rest[end + 9..end + 9 + usize::try_from(length).unwrap()];
            found.push((name, String::from_utf8(value.to_vec()).unwrap()));
            rest = &rest[end + 10 + value.len()..];
        }
        found
    }

    #[test]
    fn an_entry_has_its_fields_those_of_its_spans_and_all_of_it_in_its_text() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("journal");
        let journal = UnixDatagram::bind(&path).unwrap();
        let layer = Journal::open(&path).unwrap();
        let mut datagram = [0; 16 * 1024];
        assert_eq!(journal.recv(&mut datagram).unwrap(), 0);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let _span = tracing::info_span!("connection", remote = %"10.0.0.7").entered();
            tracing::warn!(request = 17, error = %"two\nlines", "not well");
        });
        let length = journal.recv(&mut datagram).unwrap();
        let entry = read(&datagram[..length]);
        let of = |name: &str| {
            let mut named = entry.iter().filter(|(found, _)| found == name);
            let value = named.next().unwrap().1.clone();
            assert!(named.next().is_none(), "{name} comes once");
            value
        };
        assert_eq!(of("PRIORITY"), "4");
        assert_eq!(of("MOTOREACH_REQUEST"), "17");
        assert_eq!(of("MOTOREACH_ERROR"), "two\nlines");
        assert_eq!(of("MOTOREACH_REMOTE"), "10.0.0.7");
        assert_eq!(
            of("MESSAGE"),
            "not well request=17 error=two\nlines remote=10.0.0.7"
        );
        assert!(of("CODE_FILE").ends_with("journal.rs"));
    }

    #[test]
    fn a_journal_that_is_not_there_is_known_and_a_long_value_is_cut() {
        let home = tempfile::tempdir().unwrap();
        assert!(Journal::open(&home.path().join("none")).is_err());
        let long = cut("ä".repeat(VALUE_BYTES_MAX));
        assert!(long.len() <= VALUE_BYTES_MAX + '…'.len_utf8() && long.ends_with('…'));
        assert_eq!(journal_name("r#type.of-it"), "MOTOREACH_TYPE_OF_IT");
    }
}
