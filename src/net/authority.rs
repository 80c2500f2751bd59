//! The workshop's own certificate authority, and the box's certificate that it signs (`--tls auto`).
//!
//! No authority of the world signs a name that ends in `.local`. So the box has one of its own, which
//! devices are asked to trust once: it can vouch for `.local` names and private addresses only (RFC
//! 5280 §4.2.1.10), so that whoever steals its key impersonates no bank. Its certificate for the box is
//! made anew whenever names or addresses change, and long before it ends.
//!
//! A Pi may believe that it is any year, and a browser does not: so a certificate begins as long before
//! the moment it was made as it ends after it, and both ends together stay below the 825 days that
//! Apple's devices accept.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, date_time_ymd,
};
use ring::digest;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::domain::Timestamp;

const DAY_MS: i64 = 24 * 3_600 * 1_000;
/// How long the box's certificate is good, from the moment it is made; as long before it.
const CERTIFICATE_DAYS: i64 = 397;
/// It is made anew when the clock is so far from that moment, in either direction.
const RENEWED_AFTER_DAYS: i64 = 300;
/// How long devices trust the authority.
const AUTHORITY_DAYS: i64 = 10 * 365;
/// The first year in which it is good: before this program existed, whatever the clock says.
const AUTHORITY_BEGINS: (i32, u8, u8) = (2025, 1, 1);

/// What it may vouch for beside `.local`: addresses that exist in private networks only.
const PRIVATE: [(IpAddr, u8); 9] = [
    (v4(10, 0, 0, 0), 8),
    (v4(172, 16, 0, 0), 12),
    (v4(192, 168, 0, 0), 16),
    (v4(169, 254, 0, 0), 16),
    (v4(127, 0, 0, 0), 8),
    (v6(0xfc00, 0), 7),
    (v6(0xfe80, 0), 10),
    (v6(0, 1), 128),
    // Shared by a carrier's customers (RFC 6598); some routers give these out.
    (v4(100, 64, 0, 0), 10),
];

/// Where a folder's certificates and keys are.
#[derive(Clone, Debug)]
pub struct AuthorityFiles {
    folder: PathBuf,
}

impl AuthorityFiles {
    /// Names a folder; touches nothing.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The box's certificate and its key, one after the other.
    pub fn server(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    /// The authority's certificate and its key.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// The authority's certificate, for devices to trust; none was made yet, or the file is no good.
    pub fn root(&self) -> Option<Root> {
        let certificate = CertificateDer::from_pem_file(self.authority()).ok()?;
        Some(Root(certificate))
    }

    /// Whole or not at all, and only its owner may read it: half of it is a key.
    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        let beside = path.with_extension("new");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(&self.folder)?.sync_all()
    }
}

/// The authority's certificate, as devices get it.
#[derive(Clone, Debug)]
pub struct Root(CertificateDer<'static>);

impl Root {
    /// Its bytes (X.509, DER).
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// SHA-256 over it, in pairs of digits as devices show it.
    pub fn fingerprint(&self) -> String {
        let sha = digest::digest(&digest::SHA256, &self.0);
        let pairs: Vec<_> = sha.as_ref().iter().map(|it| format!("{it:02X}")).collect();
        pairs.join(":")
    }
}

/// Signs the box's certificates.
pub struct LocalAuthority {
    files: AuthorityFiles,
    issuer: Issuer<'static, KeyPair>,
}

impl LocalAuthority {
    /// The authority of this folder; made now if there is none.
    ///
    /// # Errors
    /// The file system says no, or what is there is no authority of ours.
    pub fn open(files: AuthorityFiles, now: Timestamp) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&files.folder)?;
        fs::set_permissions(&files.folder, Permissions::from_mode(0o700))?;
        let path = files.authority();
        let key = match fs::read(&path) {
            Ok(text) => read_key(&text).map_err(|why| broken(&path, &why))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(&files, now)?,
            Err(error) => return Err(error),
        };
        if files.root().is_none() {
            return Err(broken(&path, &"no certificate in it"));
        }
        let issuer = Issuer::new(params(&key, now)?, key);
        Ok(Self { files, issuer })
    }

    /// Where everything is.
    pub const fn files(&self) -> &AuthorityFiles {
        &self.files
    }

    /// Sees to it that there is a certificate for these names and addresses that is good for a while;
    /// tells whether one was made. What no device would believe is left out.
    ///
    /// # Errors
    /// The file system says no.
    pub fn certify(
        &self,
        names: &[String],
        addresses: &[IpAddr],
        now: Timestamp,
    ) -> io::Result<bool> {
        let addresses = addresses.iter().filter(|ip| is_private(**ip));
        let subjects: Vec<_> = names
            .iter()
            .filter(|name| name.ends_with(".local"))
            .cloned()
            .chain(addresses.map(ToString::to_string))
            .collect();
        let path = self.files.server();
        let head = format!("for {}", subjects.join(" "));
        if is_good(&fs::read_to_string(&path).unwrap_or_default(), &head, now) {
            return Ok(false);
        }
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let mut params = CertificateParams::new(subjects).map_err(io::Error::other)?;
        params.distinguished_name = called(&names.first().cloned().unwrap_or_default());
        params.not_before =
            date_time_ymd(1970, 1, 1) + since_1970(now.0 - CERTIFICATE_DAYS * DAY_MS);
        params.not_after =
            date_time_ymd(1970, 1, 1) + since_1970(now.0 + CERTIFICATE_DAYS * DAY_MS);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(io::Error::other)?;
        let text = format!(
            "{head}\nmade {}\n{}{}",
            now.0,
            certificate.pem(),
            key.serialize_pem()
        );
        self.files.write(&path, &text)?;
        Ok(true)
    }
}

/// Whether the file that begins so need not be made anew. A PEM file may begin with words (RFC 7468
/// §5.2).
fn is_good(text: &str, head: &str, now: Timestamp) -> bool {
    let mut lines = text.lines();
    let is_for_them = lines.next() == Some(head);
    let made = lines.next().and_then(|it| it.strip_prefix("made "));
    let made = made.and_then(|it| it.parse::<i64>().ok());
    is_for_them
        && made.is_some_and(|made| (now.0 - made).abs() <= RENEWED_AFTER_DAYS * DAY_MS)
        && text.trim_end().ends_with("-----END PRIVATE KEY-----")
}

/// The key of a file that holds a certificate as well.
fn read_key(text: &[u8]) -> Result<KeyPair, String> {
    let key = PrivateKeyDer::from_pem_slice(text).map_err(|error| error.to_string())?;
    KeyPair::try_from(&key).map_err(|error| error.to_string())
}

/// A new authority.
fn make(files: &AuthorityFiles, now: Timestamp) -> io::Result<KeyPair> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let certificate = params(&key, now)?
        .self_signed(&key)
        .map_err(io::Error::other)?;
    let text = format!("{}{}", certificate.pem(), key.serialize_pem());
    files.write(&files.authority(), &text)?;
    tracing::info!(file = %files.authority().display(), "a certificate authority for this box was made");
    Ok(key)
}

/// What the authority's certificate says; for the issuer only its name and its uses count.
fn params(key: &KeyPair, now: Timestamp) -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
    // Two boxes have two authorities; a device tells them apart by this.
    let sha = digest::digest(&digest::SHA256, key.public_key_raw());
    let short: String = sha.as_ref()[..4]
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    params.distinguished_name = called(&format!("MotoReach box {short}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let (year, month, day) = AUTHORITY_BEGINS;
    params.not_before = date_time_ymd(year, month, day);
    params.not_after = date_time_ymd(1970, 1, 1) + since_1970(now.0 + AUTHORITY_DAYS * DAY_MS);
    let private = PRIVATE.iter().map(|(network, prefix)| {
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*network, *prefix))
    });
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: std::iter::once(GeneralSubtree::DnsName("local".to_owned()))
            .chain(private)
            .collect(),
        excluded_subtrees: Vec::new(),
    });
    Ok(params)
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::OrganizationName, "MotoReach");
    called.push(DnType::CommonName, name);
    called
}

fn since_1970(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// Whether the authority may vouch for this address.
fn is_private(ip: IpAddr) -> bool {
    PRIVATE.iter().any(|(network, prefix)| match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            (ip.to_bits() ^ network.to_bits()) >> (32 - u32::from(*prefix)) == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => {
            (ip.to_bits() ^ network.to_bits()) >> (128 - u32::from(*prefix)) == 0
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    })
}

fn broken(path: &Path, why: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!(
        "{} is damaged ({why}); move it away and a new authority is made, which devices have to be \
         told to trust again",
        path.display()
    ))
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(std::net::Ipv4Addr::new(a, b, c, d))
}

const fn v6(first: u16, last: u16) -> IpAddr {
    IpAddr::V6(std::net::Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn names() -> Vec<String> {
        vec!["motoreach.local".into(), "pi.example".into()]
    }

    fn addresses() -> Vec<IpAddr> {
        vec![v4(192, 168, 1, 20), v4(8, 8, 8, 8), v6(0xfd00, 5)]
    }

    fn open(folder: &Path, now: Timestamp) -> LocalAuthority {
        LocalAuthority::open(AuthorityFiles::at(folder), now).unwrap()
    }

    #[test]
    fn a_certificate_is_made_when_names_change_and_long_before_it_ends() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("tls");
        let later = |days: i64| Timestamp(NOW.0 + days * DAY_MS);
        let authority = open(&folder, NOW);
        let root = authority.files().root().unwrap().fingerprint();
        assert!(authority.certify(&names(), &addresses(), NOW).unwrap());
        assert!(
            !authority
                .certify(&names(), &addresses(), later(299))
                .unwrap()
        );
        // What cannot be vouched for makes no difference.
        let fewer = [v4(192, 168, 1, 20), v6(0xfd00, 5)];
        assert!(!authority.certify(&names(), &fewer, NOW).unwrap());
        assert!(authority.certify(&names(), &fewer[..1], NOW).unwrap());
        assert!(
            authority
                .certify(&names(), &fewer[..1], later(301))
                .unwrap()
        );
        // A clock that was years ahead, and was told.
        assert!(authority.certify(&names(), &fewer[..1], NOW).unwrap());
        assert_eq!(
            open(&folder, later(400))
                .files()
                .root()
                .unwrap()
                .fingerprint(),
            root,
            "the authority stays"
        );
    }

    #[test]
    fn keys_are_their_owners_alone() {
        let temp = tempfile::tempdir().unwrap();
        let authority = open(&temp.path().join("tls"), NOW);
        authority.certify(&names(), &addresses(), NOW).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&temp.path().join("tls")), 0o700);
        assert_eq!(mode(&authority.files().server()), 0o600);
        assert_eq!(mode(&authority.files().authority()), 0o600);
    }

    #[test]
    fn a_damaged_authority_is_not_replaced_in_silence() {
        let temp = tempfile::tempdir().unwrap();
        let files = AuthorityFiles::at(temp.path());
        fs::write(files.authority(), "half of a key").unwrap();
        let Err(error) = LocalAuthority::open(files, NOW) else {
            panic!("it was taken");
        };
        assert!(error.to_string().contains("move it away"), "{error}");
    }

    #[test]
    fn only_private_addresses_are_vouched_for() {
        for (ip, private) in [
            ("10.1.2.3", true),
            ("172.31.0.1", true),
            ("172.32.0.1", false),
            ("192.168.1.1", true),
            ("8.8.8.8", false),
            ("fd12::1", true),
            ("fe80::1", true),
            ("2001:db8::1", false),
            ("::1", true),
        ] {
            assert_eq!(is_private(ip.parse().unwrap()), private, "{ip}");
        }
    }
}
