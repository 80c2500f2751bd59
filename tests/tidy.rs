//! The house rules that a compiler does not know (`architecture.md`, `style.md`), as tests.
//!
//! Reads the repository's own files and nothing else. A rule that must bend says so here, with its
//! reason, and nowhere else.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may use whom. A module may always use itself; nothing points up.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("seal", &["domain"]),
    ("wire", &["seal", "domain"]),
    ("clock", &["domain"]),
    ("password", &["domain"]),
    ("config", &["domain", "discovery", "update"]),
    ("telemetry", &[]),
    ("crash", &[]),
    // The store makes and takes apart what the link carries, within the link's limits.
    ("store", &["wire", "seal", "domain", "clock"]),
    // What the kernel tells of the machine, and how the box fares by it.
    ("machine", &["domain"]),
    (
        "health",
        &[
            "machine",
            "discovery",
            "hub",
            "store",
            "wire",
            "domain",
            "clock",
        ],
    ),
    ("hub", &["wire", "domain"]),
    ("discovery", &["clock"]),
    ("commands", &["store", "seal", "domain"]),
    // A file is made of what the store reads and is verified without it.
    ("export", &["store", "wire", "seal", "domain"]),
    (
        "http",
        &[
            "commands",
            "store",
            "health",
            "hub",
            "wire",
            "seal",
            "domain",
            "clock",
            "password",
            "net",
            "export",
            "discovery",
            "update",
        ],
    ),
    (
        "sync",
        &[
            "commands", "store", "hub", "wire", "seal", "domain", "clock", "net",
        ],
    ),
    (
        "relay",
        &[
            "sync", "http", "wire", "seal", "domain", "clock", "config", "net", "ops",
        ],
    ),
    // Connections to elsewhere: TLS, and whom to trust.
    ("net", &["domain", "clock"]),
    // Signed programs: what is downloaded comes over a connection of ours.
    ("update", &["net", "clock"]),
    // The words of the command line and what carries them out lie beside each other.
    ("cli", &["ops", "config", "domain"]),
    (
        "appliance",
        &[
            "ops",
            "http",
            "sync",
            "commands",
            "store",
            "health",
            "machine",
            "hub",
            "wire",
            "seal",
            "domain",
            "clock",
            "password",
            "config",
            "net",
            "discovery",
            "update",
        ],
    ),
    (
        "ops",
        &[
            "appliance",
            "relay",
            "sync",
            "net",
            "discovery",
            "update",
            "cli",
            "http",
            "commands",
            "export",
            "store",
            "health",
            "machine",
            "hub",
            "wire",
            "seal",
            "domain",
            "clock",
            "password",
            "config",
            "telemetry",
        ],
    ),
    ("main", &["cli", "ops", "telemetry"]),
    ("lib", &[]),
];

/// Folders that may use more than their module: the machinery of SQLite is shared, and nothing else
/// of the relay may come near the box's store.
const FOLDER_MAY_USE: &[(&str, &str)] = &[("relay/sqlite", "store")];

/// Where SQL may stand.
const SQL_LIVES_IN: &[&str] = &["store", "relay/sqlite"];

/// Words that a module must not contain, whatever it is used for.
const FOREIGN: &[(&str, &[&str])] = &[
    (
        "domain",
        &[
            "tokio",
            "serde",
            "rusqlite",
            "axum",
            "hyper",
            "std::fs",
            "std::net",
            "std::time",
            "jiff",
        ],
    ),
    (
        "seal",
        &[
            "tokio",
            "serde",
            "rusqlite",
            "axum",
            "hyper",
            "std::fs",
            "std::net",
            "std::time",
            "crate::clock",
            "SystemRandom",
        ],
    ),
    (
        "wire",
        &["tokio", "rusqlite", "axum", "hyper", "std::fs", "std::net"],
    ),
    ("commands", &["tokio", "rusqlite", "axum", "hyper", "serde"]),
    ("hub", &["rusqlite", "axum", "hyper", "std::fs", "std::net"]),
    ("http", &["rusqlite"]),
    ("ops", &["rusqlite"]),
    ("appliance", &["rusqlite", "axum"]),
];

/// What an SQL statement begins with, in small letters as ours are written.
const SQL: &[&str] = &[
    "\"select ",
    "\"insert into ",
    "\"insert or ",
    "\"update ",
    "\"delete from ",
    "\"create table ",
    "\"pragma ",
    "\"begin immediate",
];

/// A file of `src` is looked at again at this length.
const LINES_MAX: usize = 400;
/// Longer files, each with the reason why it was not cut.
const LONG: &[(&str, &str)] = &[(
    "http/token/hostile.rs",
    "tests only: one list of hostile tokens",
)];

/// SHA-256 of every migration: append-only, so a line here is added and never changed.
const MIGRATIONS: &[(&str, &str)] = &[
    (
        "appliance/0001_journal.sql",
        "9ce2a01c78e92cbed42f107650b6303841655bdd7a53677f66e50d703b717fa4",
    ),
    (
        "appliance/0002_link.sql",
        "8486a13c7ec6ea517e4acb25369a44e0a471bf70363fd36af712a93c0f0e571f",
    ),
    (
        "appliance/0003_erasure.sql",
        "11e6d897ef590029907548642df0459b4d270c8c3bc72201e59b6a3b8564fccc",
    ),
    (
        "relay/0001_relay.sql",
        "3690cd7c109c8cd0ffeb03b048b3afc3ffd1656701efef583760b028c84c12c9",
    ),
    (
        "relay/0002_alarm.sql",
        "66f7cbca4436ed1f81aa8a70f0cdad738c2a82386a7a066c70db931d5ae2e413",
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below `folder`, in a fixed order, without what is built or fetched.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let built = [
                "target",
                "node_modules",
                "dist",
                ".git",
                ".venv",
                "__pycache__",
            ];
            if built.contains(&name) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// One file of `src`.
struct Source {
    /// As `http/chat.rs`.
    name: String,
    /// As `http`.
    module: String,
    text: String,
    /// Whether all of it is a test.
    only_tests: bool,
}

impl Source {
    /// Whether it is the folder's own file or one in it.
    fn lies_in(&self, folder: &str) -> bool {
        self.name
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with(['/', '.']))
    }

    /// The lines that ship: no comments, no test module; with their numbers.
    fn shipped(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = if self.only_tests { 0 } else { usize::MAX };
        self.text
            .lines()
            .take(lines)
            .enumerate()
            .take_while(|(_, line)| *line != "#[cfg(test)]")
            .map(|(number, line)| (number + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// All of `src`, read once by each test.
fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut sources: Vec<_> = files(&src)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let name = path
                .strip_prefix(&src)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let module = name.split(['/', '.']).next().unwrap().to_owned();
            Source {
                text: read(&path),
                name,
                module,
                only_tests: false,
            }
        })
        .collect();
    let tests: Vec<_> = sources.iter().flat_map(test_files).collect();
    for source in &mut sources {
        // A module of tests may be a folder.
        source.only_tests = tests
            .iter()
            .any(|test| source.lies_in(test.trim_end_matches(".rs")));
    }
    sources
}

/// The files that this one names as tests: `#[cfg(test)] mod x;`, with or without a `#[path]`.
fn test_files(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = source.text.lines();
    while let Some(line) = lines.next() {
        if line != "#[cfg(test)]" {
            continue;
        }
        let folder = source
            .name
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        let own = source.name.trim_end_matches(".rs").trim_end_matches("/mod");
        let mut next = lines.next().unwrap_or_default();
        if let Some(path) = next.strip_prefix("#[path = \"") {
            found.push(format!("{folder}/{}", path.trim_end_matches("\"]")));
            next = lines.next().unwrap_or_default();
        }
        let module = next
            .trim_start_matches("pub(crate) ")
            .trim_start_matches("pub ");
        if let Some(module) = module
            .strip_prefix("mod ")
            .and_then(|it| it.strip_suffix(';'))
        {
            found.push(format!("{own}/{module}.rs"));
        }
    }
    found
}

/// Fails with every offence in it, one a line.
#[track_caller]
fn none(rule: &str, offences: &str) {
    assert!(offences.is_empty(), "{rule}\n{offences}");
}

/// The modules that a line names: `crate::store::…` gives `store`.
fn used(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        &rest[..end.unwrap_or(rest.len())]
    })
}

#[test]
fn nothing_points_up() {
    let mut offences = String::new();
    for source in sources() {
        let Some((_, allowed)) = MAY_USE.iter().find(|(module, _)| *module == source.module) else {
            let _ = writeln!(
                offences,
                "{}: a module without a row in MAY_USE",
                source.name
            );
            continue;
        };
        for (number, line) in source.shipped() {
            if line.contains("use crate::{") {
                let _ = writeln!(offences, "{}:{number}: one `use` per module", source.name);
            }
            for used in used(line).chain(line.split("motoreach::").skip(1).filter_map(first_word)) {
                // A crash point may stand anywhere.
                if used == "crash" {
                    continue;
                }
                let module = MAY_USE.iter().any(|(module, _)| *module == used);
                let folder = FOLDER_MAY_USE
                    .iter()
                    .any(|(folder, more)| source.lies_in(folder) && *more == used);
                if module && used != source.module && !folder && !allowed.contains(&used) {
                    let _ = writeln!(
                        offences,
                        "{}:{number}: {} may not use {used}",
                        source.name, source.module
                    );
                }
            }
        }
    }
    none("nothing points up (architecture.md)", &offences);
}

fn first_word(text: &str) -> Option<&str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .next()
}

#[test]
fn no_module_knows_what_is_not_its_business() {
    let mut offences = String::new();
    for source in sources() {
        let foreign = FOREIGN.iter().find(|(module, _)| *module == source.module);
        for (number, line) in source.shipped() {
            for word in foreign.map_or(&[][..], |(_, words)| words) {
                if names(line, word) {
                    let _ = writeln!(offences, "{}:{number}: {word}", source.name);
                }
            }
        }
    }
    none(
        "invariants 5 and 8: these words do not belong there",
        &offences,
    );
}

/// Whether the line names a crate or path, not a longer word that contains it.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let letter = |it: Option<char>| it.is_some_and(|it| it.is_alphanumeric() || it == '_');
        !letter(before) && !letter(after)
    })
}

#[test]
fn sql_lives_in_the_stores_alone() {
    let mut offences = String::new();
    for source in sources()
        .iter()
        .filter(|source| !SQL_LIVES_IN.iter().any(|folder| source.lies_in(folder)))
    {
        for (number, line) in source.shipped() {
            if names(line, "rusqlite") || SQL.iter().any(|start| line.contains(start)) {
                let _ = writeln!(offences, "{}:{number}: {}", source.name, line.trim());
            }
        }
    }
    none("invariant 8: SQL lives only in the stores", &offences);
}

#[test]
fn migrations_are_added_and_never_changed() {
    let folder = root().join("migrations");
    let mut offences = String::new();
    for path in files(&folder) {
        let name = path.strip_prefix(&folder).unwrap().to_str().unwrap();
        let digest = ring::digest::digest(&ring::digest::SHA256, &fs::read(&path).unwrap());
        let hash = digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        match MIGRATIONS.iter().find(|(known, _)| *known == name) {
            Some((_, kept)) if *kept == hash => {}
            Some(_) => {
                let _ = writeln!(
                    offences,
                    "{name} was changed: add another migration instead"
                );
            }
            None => {
                let _ = writeln!(offences, "add (\"{name}\", \"{hash}\") to MIGRATIONS");
            }
        }
    }
    for (name, _) in MIGRATIONS {
        if !folder.join(name).is_file() {
            let _ = writeln!(offences, "{name} is gone");
        }
    }
    none("migrations are append-only", &offences);
}

#[test]
fn no_file_outgrows_its_reader() {
    let mut offences = String::new();
    let sources = sources();
    for source in &sources {
        let lines = source.text.lines().count();
        let excused = LONG.iter().any(|(name, _)| *name == source.name);
        if lines > LINES_MAX && !excused {
            let _ = writeln!(offences, "{}: {lines} lines, over {LINES_MAX}", source.name);
        }
        if lines <= LINES_MAX && excused {
            let _ = writeln!(
                offences,
                "{}: short again, take it out of LONG",
                source.name
            );
        }
    }
    for (name, _) in LONG {
        if !sources.iter().any(|source| source.name == *name) {
            let _ = writeln!(offences, "{name}: gone, take it out of LONG");
        }
    }
    none("look at a file again at 400 lines", &offences);
}

#[test]
fn every_file_of_the_source_says_what_lives_in_it() {
    let mut offences = String::new();
    for source in sources() {
        if !source.text.starts_with("//!") {
            let _ = writeln!(offences, "{}", source.name);
        }
    }
    none("a file begins with //! and what lives here", &offences);
}

#[test]
fn nothing_that_ships_unwraps() {
    let mut offences = String::new();
    for source in sources() {
        for (number, line) in source.shipped() {
            if line.contains(".unwrap()") {
                let _ = writeln!(offences, "{}:{number}: {}", source.name, line.trim());
            }
        }
    }
    none("unwrap() only in tests", &offences);
}

#[test]
fn every_crate_says_why_it_is_here() {
    let manifest = read(&root().join("Cargo.toml"));
    let mut offences = String::new();
    let (mut in_dependencies, mut explained) = (false, false);
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        }
        let blank = line.trim().is_empty();
        if in_dependencies && !blank && !line.starts_with(['[', '#']) && !explained {
            let _ = writeln!(offences, "{line}");
        }
        // One comment may stand above several crates that belong together; a blank line ends it.
        explained = line.starts_with('#') || (explained && !blank && !line.starts_with('['));
    }
    none("a crate in Cargo.toml has a comment above it", &offences);
}

#[test]
fn the_map_names_every_module() {
    let map = read(&root().join("src/lib.rs"));
    let mut offences = String::new();
    let modules: BTreeSet<_> = sources().into_iter().map(|source| source.module).collect();
    for module in modules
        .iter()
        .filter(|module| !["lib", "main"].contains(&module.as_str()))
    {
        if !map.lines().any(|line| line == format!("pub mod {module};")) {
            let _ = writeln!(offences, "{module}: no `pub mod` in lib.rs");
        }
        if !map
            .lines()
            .any(|line| line.starts_with("//!") && names(line, module))
        {
            let _ = writeln!(offences, "{module}: not in the map at the head of lib.rs");
        }
    }
    for number in 1..=11 {
        if !map.contains(&format!("//! {number}. ")) {
            let _ = writeln!(offences, "invariant {number} is not in lib.rs");
        }
    }
    none("lib.rs is the map (architecture.md)", &offences);
}

#[test]
fn nothing_is_left_for_later_and_nothing_is_about_one_machine() {
    // Written apart, so that this file does not find itself.
    let later = ["TO DO", "FIX ME", "XX X"].map(|word| word.replace(' ', ""));
    let machine = [
        "/ro ot/",
        "/ho me/",
        // An address that npm wrote down where it fetched from; a hash alone is enough.
        "\"resol ved\":",
    ]
    .map(|word| word.replace(' ', ""));
    let mut offences = String::new();
    for path in files(root()) {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        // Pictures and fonts are not text.
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            let number = number + 1;
            let (later, machine) = (
                later.iter().find(|word| names(line, word)),
                // `/home/a` stands for anybody's; a lock file names what it locked by hash alone.
                machine
                    .iter()
                    .find(|word| line.contains(*word) && !line.contains("/home/a")),
            );
            for word in later.into_iter().chain(machine) {
                let _ = writeln!(offences, "{name}:{number}: {word}");
            }
        }
    }
    none(
        "no machine's paths or registries, nothing left for later",
        &offences,
    );
}
