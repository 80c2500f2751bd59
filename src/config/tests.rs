//! What a configuration file may say, and what it is told.

use super::*;

fn refused(text: &str) -> String {
    let why = Config::parse(text).unwrap_err();
    ConfigError {
        path: "box.toml".into(),
        why,
    }
    .to_string()
}

#[test]
fn a_file_sets_what_it_names_and_leaves_the_rest() {
    let config = Config::parse(
        "listen = ['127.0.0.1:9000']\npublic_url = 'https://nair.example/'\nhosts = ['box.lan']",
    )
    .unwrap();
    assert_eq!(config.listen, ["127.0.0.1:9000".parse().unwrap()]);
    assert_eq!(config.public_url.as_deref(), Some("https://nair.example"));
    let rest = Config {
        data: config.data.clone(),
        origins: Vec::new(),
        ..config.clone()
    };
    assert_eq!(config, rest);
    assert_eq!(Config::parse("").unwrap(), Config::default());
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    assert!(refused("lisen = ['127.0.0.1:80']").contains("`lisen`"));
    assert!(refused("[http]\nport = 80").contains("`http`"));
}

#[test]
fn a_wrong_value_is_refused_by_the_name_of_its_key() {
    for (text, key) in [
        ("listen = ['8080']", "`listen`"),
        ("listen = []", "`listen`"),
        ("hosts = 'box.lan'", "`hosts`"),
        ("public_url = 'workshop.example'", "`public_url`"),
        ("name = 'box.local'", "`name`"),
        ("tls = 'yes'", "`tls`"),
    ] {
        assert!(refused(text).contains(key), "{}", refused(text));
    }
    assert!(refused("listen = ").contains("not TOML"));
}

#[test]
fn data_goes_where_the_service_the_system_or_the_user_keeps_it() {
    let at = |is_root, state: Option<&str>, xdg: Option<&str>, home: Option<&str>| {
        let around = Surroundings {
            is_root,
            state_directory: state.map(PathBuf::from),
            xdg_data_home: xdg.map(PathBuf::from),
            home: home.map(PathBuf::from),
        };
        let config = Config::in_surroundings(&around);
        (config.data.display().to_string(), config.listen[0].port())
    };
    assert_eq!(
        at(true, None, None, Some("/root")),
        ("/var/lib/motoreach".into(), 80)
    );
    assert_eq!(
        at(false, Some("/srv/m"), None, Some("/home/a")),
        ("/srv/m".into(), 8080)
    );
    assert_eq!(
        at(false, None, Some("/x"), Some("/home/a")),
        ("/x/motoreach".into(), 8080)
    );
    let of_home = "/home/a/.local/share/motoreach";
    assert_eq!(
        at(false, None, None, Some("/home/a")),
        (of_home.into(), 8080)
    );
}

#[test]
fn a_link_begins_with_a_web_address() {
    for wrong in [
        "",
        "box",
        "ftp://a",
        "https://",
        "https://a?b",
        "https://a#b",
        "http://u@a",
    ] {
        assert_eq!(parse_public_url(wrong), Err(PublicUrlError), "{wrong}");
    }
    assert_eq!(
        parse_public_url("https://a.example/x/").as_deref(),
        Ok("https://a.example/x")
    );
    assert_eq!(
        parse_public_url("http://[::1]:8080").as_deref(),
        Ok("http://[::1]:8080")
    );
}

#[test]
fn the_right_to_open_low_ports_is_read_from_the_process() {
    assert!(binds_low_ports("CapPrm:\t0\nCapEff:\t0000000000000400\n"));
    for none in ["", "CapEff:\t0000000000000200\n", "CapEff:\tx\n"] {
        assert!(!binds_low_ports(none), "{none}");
    }
}
