//! What strace wrote down of a program, as operations on the files below one directory, in the order in
//! which they were done, and what was said to clients in between.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// For strace: everything that changes a file or makes it durable, and what goes to clients.
pub const CALLS: &str = "trace=openat,write,writev,pwrite64,pwritev,ftruncate,fallocate,fsync,\
                         fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,\
                         copy_file_range,sendfile,sendto,sendmsg";

/// One thing that a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A file is there from now on; or a directory.
    Made {
        path: PathBuf,
        directory: bool,
    },
    /// A file has this length.
    Cut {
        path: PathBuf,
        bytes: usize,
    },
    Written {
        path: PathBuf,
        offset: usize,
        data: Vec<u8>,
    },
    /// Flushed to the disk; or the disk said that it could not.
    Flushed {
        path: PathBuf,
        done: bool,
    },
    Renamed {
        from: PathBuf,
        to: PathBuf,
    },
    Removed {
        path: PathBuf,
    },
    /// Something went to a client.
    Said {
        text: Vec<u8>,
    },
}

/// Everything done below `root` (paths are relative to it) and everything said.
pub fn read(trace: &str, root: &Path) -> Vec<Deed> {
    let mut reader = Reader {
        root: root.to_str().unwrap().to_owned(),
        begun: HashMap::new(),
        positions: HashMap::new(),
        deeds: Vec::new(),
    };
    for line in trace.lines() {
        reader.line(line);
    }
    reader.deeds
}

struct Reader {
    root: String,
    /// Calls that did not end yet, by thread.
    begun: HashMap<String, String>,
    /// Where the next plain write goes, by descriptor.
    positions: HashMap<String, usize>,
    deeds: Vec<Deed>,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let Some((thread, rest)) = line.split_once(' ') else {
            return;
        };
        let rest = rest.trim_start();
        if let Some(begin) = rest.strip_suffix(" <unfinished ...>") {
            // What goes to a client may be there before the call ends.
            if says(begin) {
                self.said(begin);
            }
            self.begun.insert(thread.to_owned(), begin.to_owned());
        } else if let Some(resumed) = rest.strip_prefix("<... ") {
            let end = resumed.split_once(" resumed>").map_or("", |(_, end)| end);
            if let Some(begin) = self.begun.remove(thread)
                && !says(&begin)
            {
                self.call(&format!("{begin}{end}"));
            }
        } else if says(rest) {
            self.said(rest);
        } else {
            self.call(rest);
        }
    }

    fn said(&mut self, call: &str) {
        let text = strings(call).concat();
        self.deeds.push(Deed::Said { text });
    }

    fn call(&mut self, call: &str) {
        let Some((name, rest)) = call.split_once('(') else {
            return;
        };
        let Some((arguments, result)) = rest.rsplit_once(" = ") else {
            return;
        };
        let result_number = result.split([' ', '<']).next().unwrap_or_default();
        let done = !result_number.starts_with('-') && !result_number.starts_with('?');
        match name {
            "fsync" | "fdatasync" => {
                if let Some(path) = self.below(&descriptor_path(arguments)) {
                    self.deeds.push(Deed::Flushed { path, done });
                }
            }
            _ if done => self.done(name, arguments, result_number),
            _ => {}
        }
    }

    fn done(&mut self, name: &str, arguments: &str, result: &str) {
        let path = self.below(&descriptor_path(arguments));
        let number = |text: &str| text.trim().trim_end_matches(')').parse::<usize>().unwrap();
        match (name, path) {
            ("openat", _) => self.opened(arguments, result),
            ("write" | "writev", Some(path)) => {
                let mut data = strings(arguments).concat();
                data.truncate(number(result));
                let key = arguments.split('<').next().unwrap_or_default().to_owned();
                let position = self.positions.entry(key).or_insert(0);
                let offset = *position;
                *position += data.len();
                self.deeds.push(Deed::Written { path, offset, data });
            }
            ("pwrite64", Some(path)) => {
                let mut data = strings(arguments).concat();
                data.truncate(number(result));
                let offset = number(arguments.rsplit(',').next().unwrap());
                self.deeds.push(Deed::Written { path, offset, data });
            }
            ("ftruncate", Some(path)) => {
                let bytes = number(arguments.rsplit(',').next().unwrap());
                self.deeds.push(Deed::Cut { path, bytes });
            }
            ("rename" | "renameat" | "renameat2", _) => {
                let paths: Vec<_> = paths(arguments);
                match [self.below(&paths[0]), self.below(&paths[1])] {
                    [Some(from), Some(to)] => self.deeds.push(Deed::Renamed { from, to }),
                    [None, None] => {}
                    other => panic!("renamed in or out: {other:?}"),
                }
            }
            ("unlink" | "unlinkat", _) => {
                if let Some(path) = self.below(&paths(arguments)[0]) {
                    self.deeds.push(Deed::Removed { path });
                }
            }
            ("mkdir" | "mkdirat", _) => {
                if let Some(path) = self.below(&paths(arguments)[0]) {
                    let directory = true;
                    self.deeds.push(Deed::Made { path, directory });
                }
            }
            ("pwritev" | "copy_file_range" | "sendfile", Some(path)) => {
                panic!("{name} on {} is not understood here", path.display())
            }
            _ => {}
        }
    }

    fn opened(&mut self, arguments: &str, result: &str) {
        let Some(path) = self.below(&paths(arguments)[0]) else {
            return;
        };
        self.positions.insert(result.to_owned(), 0);
        let flags = arguments.rsplit("\", ").next().unwrap_or_default();
        let directory = false;
        if flags.contains("O_CREAT") {
            let path = path.clone();
            self.deeds.push(Deed::Made { path, directory });
        }
        if flags.contains("O_TRUNC") {
            self.deeds.push(Deed::Cut { path, bytes: 0 });
        }
    }

    fn below(&self, path: &str) -> Option<PathBuf> {
        let rest = path.strip_prefix(&self.root)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/').into())
    }
}

/// Whether a call sends to a socket.
fn says(call: &str) -> bool {
    let sends = ["sendto(", "sendmsg(", "write(", "writev("];
    sends.iter().any(|name| call.starts_with(name))
        && descriptor_path(call.split_once('(').map_or("", |(_, rest)| rest)).starts_with("socket:")
}

/// The path of the descriptor that comes first: `5</a/b>, …`.
fn descriptor_path(arguments: &str) -> String {
    let path = arguments
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    path.map_or_else(String::new, |(path, _)| {
        String::from_utf8_lossy(&decoded(path)).into_owned()
    })
}

/// The paths that are named, with the directory that each is relative to.
fn paths(arguments: &str) -> Vec<String> {
    let mut found = Vec::new();
    let parts: Vec<_> = arguments.split('"').collect();
    for pair in parts.chunks(2) {
        let [before, named] = pair else { break };
        let named = String::from_utf8_lossy(&decoded(named)).into_owned();
        if named.starts_with('/') {
            found.push(named);
        } else {
            found.push(format!("{}/{named}", descriptor_path(before)));
        }
    }
    found
}

/// The strings of a call.
fn strings(call: &str) -> Vec<Vec<u8>> {
    let parts: Vec<_> = call.split('"').collect();
    parts
        .iter()
        .skip(1)
        .step_by(2)
        .map(|it| decoded(it))
        .collect()
}

/// `\x61\x62`, as strace -xx writes every string.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len() / 4);
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'\\' && bytes.get(at + 1) == Some(&b'x') {
            let digit = |at: usize| (bytes[at] as char).to_digit(16).unwrap();
            let byte = digit(at + 2) * 16 + digit(at + 3);
            decoded.push(u8::try_from(byte).unwrap());
            at += 4;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_read_in_the_order_in_which_calls_ended() {
        let trace = r#"1  openat(AT_FDCWD<\x2f>, "\x2f\x64\x2f\x61", O_WRONLY|O_CREAT|O_TRUNC, 0600) = 3<\x2f\x64\x2f\x61>
1  write(3<\x2f\x64\x2f\x61>, "\x31\x32\x33", 3) = 3
1  write(3<\x2f\x64\x2f\x61>, "\x34", 1 <unfinished ...>
2  sendto(9<\x73\x6f\x63\x6b\x65\x74\x3a\x5b\x31\x5d>, "\x6f\x6b", 2, 0, NULL, 0 <unfinished ...>
1  <... write resumed>) = 1
2  <... sendto resumed>) = 2
1  fsync(3<\x2f\x64\x2f\x61>) = -1 EIO (Input/output error)
1  rename("\x2f\x64\x2f\x61", "\x2f\x64\x2f\x62") = 0
1  openat(AT_FDCWD<\x2f>, "\x2f\x64\x64\x2f\x61", O_RDONLY|O_CREAT) = 4<\x2f\x64\x64\x2f\x61>
"#;
        let a = || PathBuf::from("a");
        let written = |offset, data: &[u8]| Deed::Written {
            path: a(),
            offset,
            data: data.to_vec(),
        };
        let expected = [
            Deed::Made {
                path: a(),
                directory: false,
            },
            Deed::Cut {
                path: a(),
                bytes: 0,
            },
            written(0, b"123"),
            Deed::Said {
                text: b"ok".to_vec(),
            },
            written(3, b"4"),
            Deed::Flushed {
                path: a(),
                done: false,
            },
            Deed::Renamed {
                from: a(),
                to: "b".into(),
            },
        ];
        assert_eq!(read(trace, Path::new("/d")), expected);
    }
}
