//! What a relay's operator could read: the database as it lies on the disk, and the memory of the
//! process. Neither has one of the words that were written.

use std::fs;

use crate::harness::{Workshop, contains};

/// Words that no program contains by itself. Put together at run time, and sent as they stand.
fn words() -> Vec<String> {
    ["brake", "clutch", "gasket", "invoice"]
        .iter()
        .map(|word| format!("{word}-zyxw-{}", uuid::Uuid::new_v4().simple()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_has_none_of_the_words_neither_on_its_disk_nor_in_its_memory() {
    let workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let words = words();
    let (of_owner, of_staff) = words.split_at(2);
    for (mine, theirs) in of_owner.iter().zip(of_staff) {
        owner.writes(mine);
        workshop.staff_writes(0, theirs).await;
        owner.sees(theirs).await;
    }
    workshop.agrees(&[&owner]).await;

    // What stands in every conversation of the sample, too: names, plates, what is wrong.
    let mut secret: Vec<String> = words;
    for k in 0..3 {
        secret.extend(workshop.private_words(k).await);
    }
    let secret: Vec<&str> = secret.iter().map(String::as_str).collect();
    println!("{} words that nobody may read", secret.len());

    // The check itself works: the box has them, on its disk and in its memory.
    assert!(!found_below(&workshop.box_data(), &secret).is_empty());
    let process = workshop.relay().process();
    let in_memory = process.words_in_memory(&secret);
    assert_eq!(in_memory, [""; 0], "in the relay's memory");
    let on_disk = found_below(&workshop.relay_data(), &secret);
    assert_eq!(on_disk, [""; 0], "on the relay's disk");
    let log = workshop.relay().log();
    for word in secret {
        assert!(!log.contains(word), "{word} is in the relay's log");
    }
}

/// Which of the words are in any file of a directory.
fn found_below<'a>(directory: &std::path::Path, words: &[&'a str]) -> Vec<&'a str> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            let bytes = fs::read(entry.path()).unwrap();
            let here = words
                .iter()
                .filter(|word| contains(&bytes, word.as_bytes()));
            found.extend(here.copied());
        }
    }
    found
}
