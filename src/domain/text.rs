//! What people type, parsed at the border: a value in hand is trimmed, not empty and within bounds.
//! Everything that could identify somebody hides itself from `Debug`, so that it reaches no log.

use std::fmt;

/// Longest message, in Unicode scalar values after trimming (`wire.md` §2).
pub const MESSAGE_CHARS_MAX: usize = 8_000;
const DESCRIPTION_CHARS_MAX: usize = 2_000;
const NAME_CHARS_MAX: usize = 120;
const USERNAME_CHARS_MIN: usize = 2;
/// Longest sign-in name, in characters.
pub const USERNAME_CHARS_MAX: usize = 64;
const PHONE_CHARS_MAX: usize = 32;
const PHONE_DIGITS_MIN: usize = 3;
const EMAIL_CHARS_MAX: usize = 254; // RFC 5321 §4.5.3.1.3, less the angle brackets
const PLATE_CHARS_MAX: usize = 20;
const VEHICLE_CHARS_MAX: usize = 60;
const PASSWORD_CHARS_MIN: usize = 8; // NIST SP 800-63B §5.1.1.2
const PASSWORD_CHARS_MAX: usize = 256;

/// Why a text was not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// More characters than the limit, which is given.
    #[error("must not be longer than {0} characters")]
    TooLong(usize),
    /// Fewer characters than the limit, which is given.
    #[error("must have at least {0} characters")]
    TooShort(usize),
    /// Characters that do not belong there, or a form that it does not have.
    #[error("{0}")]
    Form(&'static str),
}

fn bounded(text: &str, chars_max: usize) -> Result<String, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.chars().count() > chars_max {
        return Err(TextError::TooLong(chars_max));
    }
    Ok(text.to_owned())
}

fn one_line(text: &str, chars_max: usize) -> Result<String, TextError> {
    let text = bounded(text, chars_max)?;
    if text.chars().any(char::is_control) {
        return Err(TextError::Form(
            "must be a single line of ordinary characters",
        ));
    }
    Ok(text)
}

macro_rules! define_text {
    ($(#[$doc:meta])* $name:ident, $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The text, trimmed and checked.
            ///
            /// # Errors
            /// Says which bound or form was broken.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                let parse: fn(&str) -> Result<String, TextError> = $parse;
                parse(text).map(Self)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, given away.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} chars)"), self.0.chars().count())
            }
        }
    };
}

define_text! {
    /// What a message says.
    Body, |text| {
        // NUL would end the text early in programs written in C that read an export.
        if text.contains('\0') {
            return Err(TextError::Form("must not contain a NUL character"));
        }
        bounded(text, MESSAGE_CHARS_MAX)
    }
}
define_text! {
    /// What is wrong with the vehicle, in the words of whoever took the job in.
    Description, |text| bounded(text, DESCRIPTION_CHARS_MAX)
}
define_text! {
    /// The name of a person or a workshop.
    FullName, |text| one_line(text, NAME_CHARS_MAX)
}
define_text! {
    /// A sign-in name: lower case, so that a capital letter never locks anybody out.
    Username, |text| {
        let name = one_line(text, USERNAME_CHARS_MAX)?.to_lowercase();
        if name.chars().count() < USERNAME_CHARS_MIN {
            return Err(TextError::TooShort(USERNAME_CHARS_MIN));
        }
        if name.chars().any(char::is_whitespace) {
            return Err(TextError::Form("must not contain spaces"));
        }
        Ok(name)
    }
}
define_text! {
    /// A phone number as it was typed, without the decoration: digits and one leading `+`.
    Phone, |text| {
        let typed = one_line(text, PHONE_CHARS_MAX)?;
        let mut number = String::with_capacity(typed.len());
        for (at, c) in typed.chars().enumerate() {
            match c {
                '0'..='9' => number.push(c),
                '+' if at == 0 => number.push(c),
                ' ' | '-' | '.' | '/' | '(' | ')' => {}
                _ => return Err(TextError::Form("must be a phone number: digits, spaces, + - ( )")),
            }
        }
        if number.trim_start_matches('+').len() < PHONE_DIGITS_MIN {
            return Err(TextError::Form("must be a phone number with at least 3 digits"));
        }
        Ok(number)
    }
}
define_text! {
    /// An e-mail address, lower case.
    Email, |text| {
        let email = one_line(text, EMAIL_CHARS_MAX)?.to_lowercase();
        match email.split_once('@') {
            Some((name, host))
                if !name.is_empty()
                    && host.contains(|c| c != '.')
                    && !host.contains('@')
                    && !email.contains(char::is_whitespace) =>
            {
                Ok(email)
            }
            Some(_) | None => Err(TextError::Form("must be an e-mail address like name@example.org")),
        }
    }
}
define_text! {
    /// A number plate in capitals, inner white space made single.
    Plate, |text| {
        let plate = one_line(text, PLATE_CHARS_MAX)?;
        Ok(plate.to_uppercase().split_whitespace().collect::<Vec<_>>().join(" "))
    }
}
define_text! {
    /// A vehicle's make or model.
    VehicleText, |text| one_line(text, VEHICLE_CHARS_MAX)
}

impl Plate {
    /// The plate without spaces and dashes: `KL 07-AB 1234` and `KL07AB1234` are one vehicle.
    pub fn key(&self) -> String {
        self.0.chars().filter(|c| c.is_alphanumeric()).collect()
    }
}

/// A password as it was typed: kept only until it is hashed.
#[derive(zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub struct Password(String);

impl Password {
    /// A new password, not trimmed: spaces count.
    ///
    /// # Errors
    /// Shorter than 8 or longer than 256 characters.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let chars = text.chars().count();
        if chars < PASSWORD_CHARS_MIN {
            return Err(TextError::TooShort(PASSWORD_CHARS_MIN));
        }
        if chars > PASSWORD_CHARS_MAX {
            return Err(TextError::TooLong(PASSWORD_CHARS_MAX));
        }
        Ok(Self(text.to_owned()))
    }

    /// The password's bytes, for hashing.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_trimmed_and_counted_in_characters_not_bytes() {
        assert_eq!(
            Body::parse("  Is it ready?\n").unwrap().as_str(),
            "Is it ready?"
        );
        assert_eq!(Body::parse(" \t\n"), Err(TextError::Empty));
        assert!(Body::parse(&"ക".repeat(MESSAGE_CHARS_MAX)).is_ok());
        assert_eq!(
            Body::parse(&"a".repeat(MESSAGE_CHARS_MAX + 1)),
            Err(TextError::TooLong(MESSAGE_CHARS_MAX))
        );
    }

    #[test]
    fn a_plate_is_one_vehicle_however_it_is_spaced() {
        let spaced = Plate::parse("kl 07-ab  1234").unwrap();
        assert_eq!(spaced.as_str(), "KL 07-AB 1234");
        assert_eq!(spaced.key(), Plate::parse("KL07AB1234").unwrap().key());
    }

    #[test]
    fn a_phone_number_loses_its_decoration_and_nothing_else() {
        assert_eq!(
            Phone::parse("+91 (98) 765-4321").unwrap().as_str(),
            "+91987654321"
        );
        assert!(Phone::parse("call me").is_err());
        assert!(Phone::parse("1+2345").is_err());
    }

    #[test]
    fn an_email_has_a_name_and_a_host() {
        assert_eq!(
            Email::parse("Asha@Example.org").unwrap().as_str(),
            "asha@example.org"
        );
        for wrong in ["asha", "@x", "a@", "a@b@c", "a b@c"] {
            assert!(Email::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn texts_of_people_do_not_show_in_debug() {
        let body = format!("{:?}", Body::parse("my secret").unwrap());
        assert_eq!(body, "Body(9 chars)");
        assert_eq!(
            format!("{:?}", Password::parse("correct horse").unwrap()),
            "Password(hidden)"
        );
    }
}
