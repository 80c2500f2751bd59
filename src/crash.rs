//! Named places where a test ends the process as a power cut would: between a commit and what it
//! promises, inside a fork, inside a swap.
//!
//! `MOTOREACH_CRASH_AT=<name>` kills at the first time that the place is reached,
//! `MOTOREACH_CRASH_AT=<name>:<n>` at the n-th; `MOTOREACH_STALL_AT=<name>` has the thread stand still
//! there for good. Only builds with debug assertions look; in what is shipped a point is nothing at all.

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    /// Where to end, and after how many times of passing.
    struct Asked {
        name: String,
        left: AtomicU32,
    }

    static ASKED: OnceLock<Option<Asked>> = OnceLock::new();

    pub(super) fn reached(name: &str) {
        if std::env::var("MOTOREACH_STALL_AT").is_ok_and(|at| at == name) {
            tracing::error!(
                point = name,
                "stands still here, as asked by MOTOREACH_STALL_AT"
            );
            loop {
                std::thread::park();
            }
        }
        let asked = ASKED.get_or_init(|| {
            let text = std::env::var("MOTOREACH_CRASH_AT").ok()?;
            let (name, times) = super::parse(&text)?;
            Some(Asked {
                name: name.to_owned(),
                left: AtomicU32::new(times),
            })
        });
        let Some(asked) = asked.as_ref().filter(|asked| asked.name == name) else {
            return;
        };
        if asked.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            tracing::error!(point = name, "ended here, as asked by MOTOREACH_CRASH_AT");
            // Nothing is flushed, nothing dropped, nothing answered.
            let _ = kill_process(getpid(), Signal::KILL);
            std::process::abort();
        }
    }
}

/// Ends the process here if a test asked for it.
#[inline]
pub fn point(name: &'static str) {
    #[cfg(debug_assertions)]
    armed::reached(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// What a test has this process pretend, such as another version; nothing in what is shipped.
#[cfg(debug_assertions)]
pub fn pretended(variable: &str) -> Option<String> {
    std::env::var(variable).ok()
}

/// What a test has this process pretend, such as another version; nothing in what is shipped.
#[cfg(not(debug_assertions))]
pub fn pretended(_variable: &str) -> Option<String> {
    None
}

/// `name` or `name:n`, n from 1.
#[cfg(any(debug_assertions, test))]
fn parse(text: &str) -> Option<(&str, u32)> {
    let (name, times) = match text.split_once(':') {
        Some((name, times)) => (name, times.parse().ok()?),
        None => (text, 1),
    };
    (!name.is_empty() && times > 0).then_some((name, times))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_asked_for_by_name_and_by_time() {
        assert_eq!(parse("relay-applied"), Some(("relay-applied", 1)));
        assert_eq!(parse("relay-applied:3"), Some(("relay-applied", 3)));
        for nothing in ["", ":2", "a:0", "a:x", "a:"] {
            assert_eq!(parse(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_point_that_nobody_asked_for_is_passed() {
        point("nobody-asks-for-this");
    }
}
