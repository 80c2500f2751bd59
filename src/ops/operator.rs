//! `motoreach person`, `request` and `token`: orders from the command line, and their answers in
//! plain sentences or as one JSON object.

use anyhow::bail;
use serde_json::{Value, json};
use uuid::Uuid;

use super::desk::Desk;
use super::failure::Exit;
use super::new_password::NewPassword;
use super::order::{Answer, PersonLine, Request};
use super::{one_thread, say};
use crate::cli::{
    AddPersonArgs, AddRequestArgs, DataArgs, ListPeopleArgs, PasswordArgs, PersonCommand,
    RequestCommand, TokenArgs,
};
use crate::config::Config;
use crate::store::DataDir;
use crate::wire::role_word;

/// `motoreach person …`.
///
/// # Errors
/// What the workshop, the disk or the data directory says against it.
pub fn person(command: PersonCommand) -> anyhow::Result<Exit> {
    match command {
        PersonCommand::Add(args) => add_person(args),
        PersonCommand::List(args) => list_people(&args),
        PersonCommand::Password(args) => set_password(&args),
        PersonCommand::Erase(args) => super::erase::run(args),
    }
}

/// `motoreach request …`.
///
/// # Errors
/// What the workshop, the disk or the data directory says against it.
pub fn request(command: RequestCommand) -> anyhow::Result<Exit> {
    match command {
        RequestCommand::Add(args) => add_request(args),
    }
}

/// `motoreach token`.
///
/// # Errors
/// What the workshop, the disk or the data directory says against it.
pub fn token(args: &TokenArgs) -> anyhow::Result<Exit> {
    let request = Request::Token {
        person: args.person,
        ttl_s: args.ttl.seconds(),
    };
    let Answer::Token { access, expires_at } = order(&args.at, request)? else {
        return unexpected();
    };
    let json = json!({ "access": access, "expires_at": expires_at });
    answer(&args.at, json, || say(access));
    Ok(Exit::Done)
}

fn add_person(args: AddPersonArgs) -> anyhow::Result<Exit> {
    let needs_password = args.username.is_some() || args.password_stdin;
    let secret = needs_password
        .then(|| NewPassword::choose(args.password_stdin))
        .transpose()?;
    let request = Request::AddPerson {
        id: Uuid::now_v7(),
        name: args.name,
        role: role_word(args.role.into()).to_owned(),
        username: args.username,
        phone: args.phone,
        email: args.email,
        password_hash: secret.as_ref().map(|secret| secret.hash.clone()),
    };
    let Answer::Person(person) = order(&args.at, request)? else {
        return unexpected();
    };
    let made_up = secret.and_then(|secret| secret.made_up);
    let json = json!({ "person": person, "password": made_up.as_ref().map(|it| it.as_str()) });
    answer(&args.at, json, || {
        say(format_args!(
            "{} was added as number {}.",
            person.full_name, person.id
        ));
        tell_sign_in(&person, made_up.as_deref().map(String::as_str));
    });
    Ok(Exit::Done)
}

fn list_people(args: &ListPeopleArgs) -> anyhow::Result<Exit> {
    let role = args.role.map(|role| role_word(role.into()).to_owned());
    let everybody = with_desk(&args.at, async |desk| {
        let mut everybody: Vec<PersonLine> = Vec::new();
        loop {
            let after = everybody.last().map_or(0, |person| person.id);
            let request = Request::ListPeople {
                role: role.clone(),
                after,
            };
            let Answer::People { people, more } = desk.ask(request).await? else {
                return unexpected();
            };
            let more = more && !people.is_empty();
            everybody.extend(people);
            if !more {
                return Ok(everybody);
            }
        }
    })?;
    answer(&args.at, json!({ "people": everybody }), || {
        if everybody.is_empty() {
            say("There is nobody yet.");
        }
        for person in &everybody {
            let username = person.username.as_deref().unwrap_or("-");
            let left = if person.active {
                ""
            } else {
                "  (may not sign in)"
            };
            say(format_args!(
                "{:>6}  {:<14}  {:<20}  {}{left}",
                person.id, person.role, username, person.full_name
            ));
        }
    });
    Ok(Exit::Done)
}

fn set_password(args: &PasswordArgs) -> anyhow::Result<Exit> {
    let secret = NewPassword::choose(args.password_stdin)?;
    let request = Request::SetPassword {
        person: args.person,
        password_hash: secret.hash,
    };
    let Answer::Person(person) = order(&args.at, request)? else {
        return unexpected();
    };
    let made_up = secret.made_up.as_deref().map(String::as_str);
    answer(
        &args.at,
        json!({ "person": person, "password": made_up }),
        || {
            say(format_args!(
                "{} has a new password; every sign-in of theirs is over.",
                person.full_name
            ));
            tell_sign_in(&person, made_up);
        },
    );
    Ok(Exit::Done)
}

fn add_request(args: AddRequestArgs) -> anyhow::Result<Exit> {
    let base_url = match args.base_url {
        Some(base) => base,
        None => default_base(&Config::load(args.at.config.as_deref())?),
    };
    let request = Request::TakeIn {
        id: Uuid::now_v7(),
        owner: args.owner,
        phone: args.phone,
        plate: args.plate,
        make: args.make,
        model: args.model,
        year: args.year,
        description: args.description,
        base_url,
    };
    let opened = order(&args.at, request)?;
    let Answer::Opened {
        id,
        owner_id,
        invite_url: link,
        invite_expires_at: expires_at,
    } = opened
    else {
        return unexpected();
    };
    let json = json!({ "request": {
        "id": id, "owner_id": owner_id, "invite_url": link, "invite_expires_at": expires_at,
    } });
    answer(&args.at, json, || {
        say(format_args!(
            "Request {id} was opened; its owner is person {owner_id}."
        ));
        say(format_args!("The owner's link, good until {expires_at}:"));
        say(link);
    });
    Ok(Exit::Done)
}

/// Where a browser on the network finds a box of this configuration.
fn default_base(config: &Config) -> String {
    let port = config.listen.first().map_or(80, std::net::SocketAddr::port);
    match (&config.public_url, port) {
        (Some(url), _) => url.clone(),
        (None, 80) => "http://motoreach.local".to_owned(),
        (None, port) => format!("http://motoreach.local:{port}"),
    }
}

fn tell_sign_in(person: &PersonLine, made_up: Option<&str>) {
    if let Some(username) = &person.username {
        say(format_args!("Signs in as: {username}"));
    }
    if let Some(password) = made_up {
        say(format_args!("Password (shown only now): {password}"));
    }
}

pub(super) fn order(at: &DataArgs, request: Request) -> anyhow::Result<Answer> {
    with_desk(at, async |desk| desk.ask(request).await)
}

fn with_desk<T>(
    at: &DataArgs,
    work: impl AsyncFnOnce(&Desk) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let config = Config::load(at.config.as_deref())?;
    let dir = DataDir::new(at.data.clone().unwrap_or(config.data));
    one_thread()?.block_on(async {
        let desk = Desk::open(dir).await?;
        let done = work(&desk).await;
        desk.close().await;
        done
    })
}

pub(super) fn answer(at: &DataArgs, json: Value, tell: impl FnOnce()) {
    if at.json { say(json) } else { tell() }
}

pub(super) fn unexpected<T>() -> anyhow::Result<T> {
    bail!("The running server answered something else: it is of another version. Restart it.")
}
