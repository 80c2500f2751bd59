//! Puts the web app where `src/http/assets.rs` embeds it: `$OUT_DIR/web`, gzipped where that pays.
//!
//! Builds `web/dist` first when it is missing or older than its sources. With
//! `MOTOREACH_WEB_DIST=prebuilt` (cross builds, packages, CI) it only checks that it is there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Vite needs this one (package.json says the same to npm).
const NODE_OLDEST: (u32, u32) = (20, 19);

/// How often, and how long apart, we look again at a `dist` that somebody else is writing.
const COPY_ATTEMPTS: u32 = 50;
const COPY_PAUSE: Duration = Duration::from_millis(200);

fn main() {
    let web = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("web");
    let page = web.join("dist/index.html");
    println!("cargo:rerun-if-env-changed=MOTOREACH_WEB_DIST");
    // What updates are signed for (`src/update`), and whose signature counts.
    println!("cargo:rustc-env=MOTOREACH_TARGET={}", variable("TARGET"));
    println!("cargo:rerun-if-env-changed=MOTOREACH_UPDATE_KEY");
    let prebuilt = std::env::var("MOTOREACH_WEB_DIST").is_ok_and(|how| how == "prebuilt");
    if !prebuilt {
        build_if_stale(&web, &page);
    }
    // A folder without its page is one that somebody is writing: `embed` waits for that.
    if !web.join("dist").is_dir() {
        stop("web/dist is missing: run `npm ci && npm run build` in web/.");
    }
    println!("cargo:rerun-if-changed={}", page.display());
    embed(
        &web.join("dist"),
        &PathBuf::from(variable("OUT_DIR")).join("web"),
    );
}

fn build_if_stale(web: &Path, page: &Path) {
    let sources = sources(web);
    for source in &sources {
        println!("cargo:rerun-if-changed={}", source.display());
    }
    // Two cargo processes (a test and a lint) build the app once: the second waits, then looks again.
    let folder = File::open(web).and_then(|folder| folder.lock().map(|()| folder));
    let _held = folder.unwrap_or_else(|error| stop(&format!("cannot open web/: {error}.")));
    let newest = sources.iter().filter_map(|source| newest_in(source)).max();
    let Some(newest) = newest.filter(|newest| changed(page).is_none_or(|built| built < *newest))
    else {
        return;
    };
    check_node();
    let installed = changed(&web.join("node_modules/.package-lock.json"));
    if installed.is_none() || installed < changed(&web.join("package-lock.json")) {
        npm(web, &["ci"]);
    }
    npm(web, &["run", "build"]);
    // As new as what it was made from: newer than this run, it would make cargo run us again.
    let stamped = File::options()
        .write(true)
        .open(page)
        .and_then(|it| it.set_modified(newest));
    if let Err(error) = stamped {
        stop(&format!(
            "npm run build left no web/dist/index.html: {error}."
        ));
    }
}

/// What the app is made from: web/src, web/public, web/scripts and the settings beside them.
fn sources(web: &Path) -> Vec<PathBuf> {
    let beside = fs::read_dir(web)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    let settings = beside.map(|entry| entry.path()).filter(|path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        path.is_file() && extension.is_some_and(|it| ["json", "ts", "js", "html"].contains(&it))
    });
    let folders = ["src", "public", "scripts"]
        .map(|name| web.join(name))
        .into_iter()
        .filter(|path| path.is_dir());
    let mut sources: Vec<_> = folders.chain(settings).collect();
    sources.sort();
    sources
}

fn newest_in(path: &Path) -> Option<SystemTime> {
    let inside = fs::read_dir(path)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    inside
        .filter_map(|entry| newest_in(&entry.path()))
        .chain(changed(path))
        .max()
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}

fn check_node() {
    let (major, minor) = NODE_OLDEST;
    let told = Command::new("node").arg("--version").output();
    let told = told.ok().filter(|told| told.status.success()).unwrap_or_else(|| {
        stop(&format!(
            "the web app must be built and Node.js was not found: install Node {major}.{minor} or \
             newer, or bring web/dist and set MOTOREACH_WEB_DIST=prebuilt."
        ))
    });
    let version = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    let mut figures = version
        .trim_start_matches('v')
        .split('.')
        .map(|figure| figure.parse().ok());
    let found: Option<(u32, u32)> = figures.next().flatten().zip(figures.next().flatten());
    if found.is_none_or(|found| found < NODE_OLDEST) {
        stop(&format!(
            "Node {version} is too old to build the web app: install {major}.{minor} or newer, or \
             bring web/dist and set MOTOREACH_WEB_DIST=prebuilt."
        ));
    }
}

fn npm(web: &Path, arguments: &[&str]) {
    let told = format!("npm {}", arguments.join(" "));
    match Command::new("npm")
        .args(arguments)
        .current_dir(web)
        .output()
    {
        Ok(run) if run.status.success() => {}
        Ok(run) => {
            let words = [run.stdout, run.stderr].concat();
            stop(&format!(
                "`{told}` failed in web/:\n{}",
                String::from_utf8_lossy(&words)
            ));
        }
        Err(error) => stop(&format!(
            "`{told}` did not start ({error}): is npm installed?"
        )),
    }
}

/// Copies `dist` into `out`; again when somebody wrote to it meanwhile.
fn embed(dist: &Path, out: &Path) {
    for _ in 0..COPY_ATTEMPTS {
        let before = listing(dist);
        if let Ok(files) = &before
            && files.contains_key(Path::new("index.html"))
            && copy(files.keys(), dist, out).is_ok()
            && listing(dist).is_ok_and(|after| after == *files)
        {
            return;
        }
        thread::sleep(COPY_PAUSE);
    }
    stop("web/dist has no index.html, or keeps changing: let its build finish, then try again.");
}

type Listing = BTreeMap<PathBuf, (u64, SystemTime)>;

/// Every file below `dist`, with what shows that it was written.
fn listing(dist: &Path) -> io::Result<Listing> {
    let mut files = Listing::new();
    let mut folders = vec![dist.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let metadata = fs::metadata(&path)?;
            if metadata.is_dir() {
                folders.push(path);
            } else if let Ok(name) = path.strip_prefix(dist) {
                files.insert(name.to_owned(), (metadata.len(), metadata.modified()?));
            }
        }
    }
    Ok(files)
}

fn copy<'a>(names: impl Iterator<Item = &'a PathBuf>, dist: &Path, out: &Path) -> io::Result<()> {
    if out.exists() {
        fs::remove_dir_all(out)?;
    }
    for name in names {
        let plain = fs::read(dist.join(name))?;
        // No time and no name inside: the same app gives the same binary.
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&plain)?;
        let packed = packer.finish()?;
        let target = out.join(name);
        fs::create_dir_all(target.parent().unwrap_or(out))?;
        if packed.len() < plain.len() {
            let mut target = target.into_os_string();
            target.push(".gz");
            fs::write(target, packed)?;
        } else {
            fs::write(target, plain)?;
        }
    }
    Ok(())
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| stop(&format!("cargo did not set {name}.")))
}

/// Ends the build with a sentence in place of a panic's.
fn stop(sentence: &str) -> ! {
    println!("cargo::error={}", sentence.replace('\n', " | "));
    std::process::exit(1);
}
