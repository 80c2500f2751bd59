//! What the network is told beside the name: a service's instance and its TXT record (RFC 6763 §6).
//!
//! Everybody on the network reads it: it holds what the sign over the door says, and no secret.

use super::name::Label;

/// The longest name of a service's instance, in bytes: one label (RFC 6763 §4.1.1).
const INSTANCE_BYTES_MAX: usize = 63;
/// Room kept at its end for a number, in bytes: ` (9999)`.
const NUMBER_BYTES_MAX: usize = 7;
/// The longest workshop's name in a TXT record, in bytes: all of it shall stay below 200 (RFC 6763
/// §6.2).
const WORKSHOP_BYTES_MAX: usize = 100;
/// What a box is called that is no workshop's yet.
const NOBODYS: &str = "MotoReach";

/// What a browser of services finds: both lead to the same page.
pub(super) const SERVICES: [&str; 2] = ["_http._tcp.local.", "_motoreach._tcp.local."];

/// The name that a list of services shows for this box.
///
/// Boxes have different numbers in their names, so two workshops of one name are told apart; `again`
/// counts further where that was not enough.
pub(super) fn instance(workshop: Option<&str>, label: &Label, again: u16) -> String {
    let name = without_controls(workshop.unwrap_or(NOBODYS));
    let name = cut(&name, INSTANCE_BYTES_MAX - NUMBER_BYTES_MAX).trim_end();
    match label.number().max(1) + again {
        1 => name.to_owned(),
        number => format!("{name} ({number})"),
    }
}

/// Keys and values, the version of this list first (RFC 6763 §6.7).
pub(super) fn txt(workshop: Option<&str>) -> Vec<(&'static str, String)> {
    let setup = if workshop.is_some() { "done" } else { "needed" };
    let mut txt = vec![
        ("txtvers", "1".to_owned()),
        ("path", "/".to_owned()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("setup", setup.to_owned()),
    ];
    if let Some(name) = workshop {
        let name = without_controls(name);
        txt.push(("workshop", cut(&name, WORKSHOP_BYTES_MAX).to_owned()));
    }
    txt
}

/// At most so many bytes, whole characters.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

fn without_controls(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_of_one_workshop_are_told_apart_in_a_list() {
        let first = Label::default();
        assert_eq!(instance(None, &first, 0), "MotoReach");
        assert_eq!(instance(Some("Nair & Sons"), &first, 0), "Nair & Sons");
        assert_eq!(instance(None, &first.next(), 0), "MotoReach (2)");
        assert_eq!(instance(None, &first, 1), "MotoReach (2)");
    }

    #[test]
    fn a_long_name_is_cut_between_letters() {
        let long = "ü".repeat(200);
        let named = instance(Some(&long), &Label::default().next(), 0);
        assert!(named.len() <= INSTANCE_BYTES_MAX, "{}", named.len());
        assert!(named.ends_with("ü (2)"), "{named}");
        let told = txt(Some(&long));
        let bytes: usize = told
            .iter()
            .map(|(key, value)| key.len() + value.len() + 2)
            .sum();
        assert!(bytes <= 200, "{bytes}");
    }

    #[test]
    fn the_network_hears_whether_the_box_waits_for_its_first_run() {
        let told = |workshop| {
            let told = txt(workshop).into_iter();
            told.map(|(key, value)| format!("{key}={value}"))
                .collect::<Vec<_>>()
        };
        assert!(told(None).contains(&"setup=needed".into()));
        assert!(!told(None).iter().any(|it| it.starts_with("workshop")));
        assert!(told(Some("Nair")).contains(&"setup=done".into()));
        assert!(told(Some("Nair")).contains(&"workshop=Nair".into()));
    }
}
