//! The readable part of a file, format 1: made by `make` and made again by `verify`, which compares the
//! two byte for byte. So it may use nothing but the file's own data, and a change to a single letter
//! here is a new format.
//!
//! Whatever people wrote stands in it escaped. There is no script, no picture and no link to elsewhere:
//! the page's own policy forbids them.

use std::io::{self, Write};

use super::{DATA_ENDS, SIGNATURE_OPENS, fingerprint};
use crate::domain::Timestamp;
use crate::seal::FROM_OWNER;
use crate::wire::export::{
    About, ClearEntry, Conversation, Fixed, Header, Signature, Words, json_in_html,
};
use crate::wire::rfc3339;

const STYLE: &str = include_str!("page.css");

/// Everything before the first conversation.
pub(super) fn begin(
    out: &mut impl Write,
    header: &Header,
    public_key: &Fixed<32>,
) -> io::Result<()> {
    let title = escaped(&title(header));
    let workshop = escaped(&header.workshop.name);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>{title}</h1>\n<p class=\"soft\">{workshop} · made {made} by MotoReach</p>\n",
        made = readable(&header.made_at),
    )?;
    writeln!(
        out,
        "<p>{} signed by the workshop's own box. Anybody can check that nothing was changed: \
         <code>motoreach verify FILE</code>. The key's fingerprint is <code>{}</code>.</p>",
        counted(header),
        fingerprint(public_key),
    )?;
    match &header.about {
        About::Request { .. } => Ok(()),
        About::Owner {
            full_name,
            phone,
            email,
            ..
        } => {
            writeln!(out, "<dl>")?;
            row(out, "Name", Some(full_name))?;
            row(out, "Telephone", phone.as_deref())?;
            row(out, "E-mail", email.as_deref())?;
            writeln!(out, "</dl>")
        }
    }
}

/// The head of one conversation.
pub(super) fn request(
    out: &mut impl Write,
    header: &Header,
    request: &Conversation,
) -> io::Result<()> {
    let year = request.year.map(|year| year.to_string());
    let vehicle: Vec<&str> = [
        year.as_deref(),
        request.make.as_deref(),
        request.model.as_deref(),
    ]
    .into_iter()
    .flatten()
    .collect();
    writeln!(
        out,
        "<section>\n<h2>Request {} · {}</h2>\n<dl>",
        request.number,
        escaped(&request.plate)
    )?;
    if let About::Request { .. } = header.about {
        row(out, "Owner", Some(&request.owner))?;
    }
    let vehicle = Some(vehicle.join(" ")).filter(|vehicle| !vehicle.is_empty());
    row(out, "Vehicle", vehicle.as_deref())?;
    row(out, "Work", Some(&request.description))?;
    row(out, "Status", Some(&status(&request.status)))?;
    writeln!(out, "</dl>")
}

/// The end of one conversation.
pub(super) fn request_ends(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "</section>")
}

/// One entry of a conversation.
pub(super) fn entry(out: &mut impl Write, entry: &ClearEntry) -> io::Result<()> {
    let at = readable(&rfc3339(Timestamp(entry.at_ms)));
    if entry.kind == "message_posted" {
        return message(out, entry, &at);
    }
    let words = entry.body.as_deref().and_then(Words::of);
    let Some(words) = words else {
        let gone = "Something that was noted here was erased.";
        return writeln!(out, "<p class=\"event gone\">{gone}</p>");
    };
    let by = words.by.as_deref().unwrap_or("The box");
    let what = match entry.kind.as_str() {
        "request_opened" => "The request was opened.".to_owned(),
        "status_changed" => format!("Now {}.", status(words.status.as_deref().unwrap_or(""))),
        "request_described" => format!(
            "The work is now described so: {}",
            words.description.as_deref().unwrap_or("")
        ),
        "message_redacted" => format!("{by} took a message back."),
        "message_expired" => "A message's time was up.".to_owned(),
        "event_erased" => "Something was erased because its owner asked for it.".to_owned(),
        "messages_read" => format!("{by} read everything up to here."),
        "device_linked" => format!(
            "A device opened the owner's link: {}.",
            words.name.as_deref().unwrap_or("")
        ),
        "post_refused" => "Something that the owner sent could not be taken.".to_owned(),
        other => format!("Noted: {other}."),
    };
    writeln!(
        out,
        "<p class=\"event\">{} <span>{at}</span></p>",
        escaped(&what)
    )
}

fn message(out: &mut impl Write, entry: &ClearEntry, at: &str) -> io::Result<()> {
    let words = entry.body.as_deref().map(Words::of);
    let side = match &words {
        Some(Some(words)) => words.side.as_deref(),
        Some(None) | None if entry.flags & FROM_OWNER != 0 => Some("user"),
        Some(None) | None => Some("workshop"),
    };
    let class = if side == Some("workshop") {
        "message workshop"
    } else {
        "message"
    };
    writeln!(out, "<article class=\"{class}\" id=\"m{}\">", entry.id)?;
    match words {
        None => writeln!(
            out,
            "<p class=\"gone\">The words of this message were erased.</p>\
             <span class=\"soft\">{at}</span>"
        )?,
        Some(words) => {
            let words = words.unwrap_or_default();
            if let Some(answered) = words.reply_to {
                writeln!(
                    out,
                    "<span class=\"soft\">In answer to <a href=\"#m{answered}\">an earlier \
                     message</a></span>"
                )?;
            }
            let name = words.by.or(words.from).unwrap_or_default();
            writeln!(
                out,
                "<p>{}</p><span class=\"soft\">{} · {at}</span>",
                escaped(&words.content.unwrap_or_default()),
                escaped(&name)
            )?;
        }
    }
    writeln!(out, "</article>")
}

/// What the file proves, after the last conversation.
pub(super) fn proof(
    out: &mut impl Write,
    header: &Header,
    public_key: &Fixed<32>,
) -> io::Result<()> {
    writeln!(
        out,
        "<section>\n<h2>What this file proves</h2>\n\
         <p>The workshop's box signed every word above, in this order, and that nothing stands \
         between the first and the last that its owner may read and that is not shown. A word that was \
         changed, a message that was left out or moved, a file that was cut short: checking it shows \
         that.</p>\n\
         <p>Where it says that words were erased, they are gone for good, and the rest still proves \
         sound. Notes that the staff keep to themselves are not shown.</p>\n\
         <p>It does not prove that the box's clock was right, whose hands held a telephone, or whose \
         key it is: ask the workshop for its key's fingerprint and compare.</p>\n<dl>"
    )?;
    row(
        out,
        "Entries",
        Some(&format!("{} to {}", header.before.seq + 1, header.head.seq)),
    )?;
    row(out, "Journal", Some(&header.head.log.to_string()))?;
    row(out, "Workshop", Some(&header.workshop.id.to_string()))?;
    row(out, "Key", Some(&fingerprint(public_key)))?;
    writeln!(out, "</dl>\n</section>")
}

/// The signature, and everything after it.
pub(super) fn end(out: &mut impl Write, signature: &Signature) -> io::Result<()> {
    write!(
        out,
        "{SIGNATURE_OPENS}{}{DATA_ENDS}</body>\n</html>\n",
        json_in_html(signature)
    )
}

fn title(header: &Header) -> String {
    match (&header.about, header.requests.first()) {
        (About::Request { number }, Some(request)) => {
            format!("Request {number}: {}", request.plate)
        }
        (About::Request { number }, None) => format!("Request {number}"),
        (About::Owner { full_name, .. }, _) => full_name.clone(),
    }
}

fn counted(header: &Header) -> String {
    let number = |count: i64, one: &str| match count {
        1 => format!("1 {one}"),
        more => format!("{more} {one}s"),
    };
    let requests = i64::try_from(header.requests.len()).unwrap_or(i64::MAX);
    format!(
        "{} with {},",
        number(requests, "request"),
        number(header.messages, "message")
    )
}

fn row(out: &mut impl Write, name: &str, value: Option<&str>) -> io::Result<()> {
    match value {
        None => Ok(()),
        Some(value) => writeln!(out, "<dt>{name}</dt><dd>{}</dd>", escaped(value)),
    }
}

/// `IN_PROGRESS` as people say it.
fn status(word: &str) -> String {
    word.to_lowercase().replace('_', " ")
}

/// `2026-11-22T09:30:00.123Z` as people read it; they may be anywhere, so it stays UTC.
fn readable(at: &str) -> String {
    match (at.get(..10), at.get(11..16)) {
        (Some(day), Some(time)) => format!("{} {time} UTC", escaped(day)),
        _ => escaped(at),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Invisible letters that turn the order of what follows around.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() && c != '\n' && c != '\t' => {}
            c => out.push(c),
        }
    }
    out
}
