//! A file is made, read, and anything changed in it is noticed.

use super::*;
use crate::clock::Clock;
use crate::commands::{Customer, ExpireMessages, OpenRequest, PostMessage, RedactMessage, SetUp};
use crate::domain::{
    Actor, Body, Description, EventId, FullName, LogId, MessageId, PersonId, Plate, Timestamp,
    Username, Vehicle,
};
use crate::seal::RootSecret;
use crate::store::memory::MemoryStore;
use crate::store::messages;
use crate::wire::export::EXPORT_BYTES_MAX;

const NOON: Timestamp = Timestamp(1_800_000_000_000);

/// A workshop with two owners whose conversations go on at once.
struct Shop {
    store: MemoryStore,
    requests: [RequestId; 2],
}

impl Shop {
    fn open(secret: u8) -> Self {
        let root = RootSecret::from_bytes([secret; 32]);
        let store = MemoryStore::new(root, LogId::from_bytes([1; 16]), Clock::manual(NOON));
        let set_up = SetUp {
            workshop_name: FullName::parse("Nair & Sons <Motors>").unwrap(),
            full_name: FullName::parse("Meera Nair").unwrap(),
            username: Username::parse("meera").unwrap(),
            password_hash: "none".to_owned(),
        };
        store.write(|tx| set_up.run(tx)).unwrap();
        let requests = ["Asha Nair", "Bilal Khan"].map(|name| {
            let open = OpenRequest {
                id: EventId::new(uuid::Uuid::new_v4()),
                customer: Customer::Named {
                    full_name: FullName::parse(name).unwrap(),
                    phone: None,
                    email: None,
                },
                vehicle: Vehicle {
                    plate: Plate::parse("KL 07 AB 1234").unwrap().into_string(),
                    make: Some("Maruti".to_owned()),
                    model: None,
                    year: Some(2014),
                },
                description: Description::parse("Brakes </script> squeal").unwrap(),
                assign_to: None,
            };
            let opened = store.write(|tx| open.run(tx, &Actor::the_box()));
            opened.unwrap().request.id
        });
        Self { store, requests }
    }

    /// Says something in both conversations, the second one's words a secret of its own.
    fn talk(&self, times: usize) -> Vec<MessageId> {
        let mut said = Vec::new();
        for turn in 0..times {
            for request in self.requests {
                let words = if request == self.requests[0] {
                    format!("Word {turn} <b>&amp; </script>")
                } else {
                    format!("bilals secret {turn}")
                };
                let post = PostMessage {
                    id: EventId::new(uuid::Uuid::new_v4()),
                    request,
                    body: Body::parse(&words).unwrap(),
                    reply_to: said.last().copied().filter(|_| request == self.requests[0]),
                    expires_in_s: None,
                };
                let posted = self.store.write(|tx| post.run(tx, &Actor::the_box()));
                if request == self.requests[0] {
                    said.push(posted.unwrap().message.id);
                }
            }
        }
        said
    }

    fn export(&self, wish: Wish) -> Vec<u8> {
        let mut file = Vec::new();
        self.store
            .read(|view| make(view, wish, EXPORT_BYTES_MAX, &mut file))
            .unwrap();
        file
    }
}

fn faults(file: &[u8]) -> Vec<String> {
    verify(file, None).faults
}

fn text(file: &[u8]) -> String {
    String::from_utf8(file.to_vec()).unwrap()
}

#[test]
fn a_file_is_sound_shows_the_words_and_nothing_of_others() {
    let shop = Shop::open(7);
    let said = shop.talk(3);
    let file = shop.export(Wish::Request(shop.requests[0]));
    let keys = shop.store.keys();
    let mut opens = |entry: &_| export::opens_to_its_words(keys, entry);
    let verdict = verify(&file, Some(&mut opens));
    assert_eq!(verdict.faults, Vec::<String>::new());
    assert_eq!((verdict.messages, verdict.erased), (said.len(), 0));
    let text = text(&file);
    assert!(text.contains("<p>Word 2 &lt;b&gt;&amp;amp; &lt;/script&gt;</p>"));
    assert_eq!(text.matches("</script>").count(), 2, "only its own");
    assert!(!text.contains("bilal") && !text.contains("Bilal"));
    assert!(text.contains("Nair &amp; Sons &lt;Motors&gt;"));

    let of_owner = shop.export(Wish::Owner(PersonId(2)));
    let verdict = verify(&of_owner, None);
    assert!(verdict.is_sound(), "{:?}", verdict.faults);
    assert_eq!(verdict.messages, 3);
}

#[test]
fn no_flipped_byte_goes_unnoticed() {
    let shop = Shop::open(7);
    shop.talk(2);
    let file = shop.export(Wish::Request(shop.requests[0]));
    assert_eq!(faults(&file), Vec::<String>::new());
    let mut broken = file.clone();
    for (at, right) in file.iter().enumerate() {
        broken[at] = right ^ 1;
        assert!(!faults(&broken).is_empty(), "byte {at}");
        broken[at] = *right;
    }
    for end in (0..file.len()).step_by(7) {
        assert!(!faults(&file[..end]).is_empty(), "cut off at {end}");
    }
    broken.push(b'\n');
    assert!(!faults(&broken).is_empty(), "something was added");
}

/// Whoever takes a message out must also sign the file again, and then it is not the workshop's key.
#[test]
fn a_message_that_was_left_out_moved_or_edited_is_noticed_even_when_the_data_are_signed_again() {
    let (shop, forger) = (Shop::open(7), Shop::open(8));
    shop.talk(3);
    let file = text(&shop.export(Wish::Request(shop.requests[0])));
    let key = verify(file.as_bytes(), None).fingerprint;
    let (before, rest) = file.split_once(DATA_OPENS).unwrap();
    let (data, _) = rest.split_once(DATA_ENDS).unwrap();
    let (header, entries) = data.split_once(ENTRIES_OPEN).unwrap();
    let lines: Vec<&str> = entries.trim_end_matches(ENTRIES_END).split(",\n").collect();
    let message = lines.iter().position(|l| l.contains("Word 1")).unwrap();
    let sign_again = |lines: &[&str]| {
        let data = format!("{header}{ENTRIES_OPEN}{}{ENTRIES_END}", lines.join(",\n"));
        let sha = digest(&SHA256, data.as_bytes())
            .as_ref()
            .try_into()
            .unwrap();
        let mut end = Vec::new();
        page::end(&mut end, &export::signature(forger.store.keys(), &sha)).unwrap();
        format!("{before}{DATA_OPENS}{data}{DATA_ENDS}{}", text(&end))
    };
    let told = |lines: &[&str]| {
        let verdict = verify(sign_again(lines).as_bytes(), None);
        assert_ne!(verdict.fingerprint, key);
        verdict.faults.join(" ")
    };
    let mut dropped = lines.clone();
    dropped.remove(message);
    assert!(told(&dropped).contains("do not lead to the end"));
    let mut moved = lines.clone();
    moved.swap(message, message + 2);
    assert!(told(&moved).contains("left out or moved"));
    let edited = lines[message].replace("Word 1", "Word 9");
    let mut with_edited = lines.clone();
    with_edited[message] = &edited;
    assert!(told(&with_edited).contains("What it shows is not what its data say"));
    assert!(told(&lines).contains("not signed by the key that signed the file"));
}

#[test]
fn words_that_were_taken_back_are_shown_as_erased_and_the_rest_still_proves_sound() {
    let shop = Shop::open(7);
    let said = shop.talk(2);
    let redact = RedactMessage {
        request: shop.requests[0],
        message: said[0],
    };
    shop.store
        .write(|tx| redact.run(tx, &Actor::the_box()))
        .unwrap();
    shop.store.write(|tx| ExpireMessages.run(tx)).unwrap();
    let file = shop.export(Wish::Request(shop.requests[0]));
    let verdict = verify(&file, None);
    assert!(verdict.is_sound(), "{:?}", verdict.faults);
    assert_eq!((verdict.messages, verdict.erased), (1, 1));
    let text = text(&file);
    assert!(!text.contains("Word 0"));
    assert!(text.contains("The words of this message were erased."));
    let erased = shop
        .store
        .read(|view| messages::load(view, said[0]))
        .unwrap();
    assert_eq!(erased.unwrap().content.shown(), "");
}

#[test]
fn what_is_not_there_or_too_large_is_refused_in_words() {
    let shop = Shop::open(7);
    shop.talk(1);
    let ask = |wish, bytes_max| {
        let made = shop
            .store
            .read(|view| make(view, wish, bytes_max, io::sink()));
        made.unwrap_err().to_string()
    };
    assert!(ask(Wish::Request(RequestId(99)), EXPORT_BYTES_MAX).contains("no such request"));
    // Person 1 is of the staff.
    assert!(ask(Wish::Owner(PersonId(1)), EXPORT_BYTES_MAX).contains("no such owner"));
    assert!(ask(Wish::Request(shop.requests[0]), 4_096).contains("export requests one by one"));
}

/// Years from now this program must still show format 1 as it showed it when the file was made.
#[test]
fn format_1_is_shown_as_it_always_was() {
    let fixture = include_bytes!("../../tests/fixtures/export/format-1.html");
    let verdict = verify(fixture, None);
    assert_eq!(verdict.faults, Vec::<String>::new());
    assert_eq!((verdict.messages, verdict.erased), (2, 1));
}

#[test]
fn ids_in_a_file_are_the_journals() {
    let id = EventId::from_bytes([9; 16]);
    let line = crate::wire::export::Stub(Fixed(*id.as_bytes()), "x".to_owned(), 0, Fixed([0; 32]));
    assert_eq!(
        json_in_html(&line),
        format!(
            "[\"{}\",\"x\",0,\"{}\"]",
            "CQkJCQkJCQkJCQkJCQkJCQ",
            "A".repeat(43)
        )
    );
}
