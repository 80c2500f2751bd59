//! The program: reads its command line, starts the log, and calls one command.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use motoreach::cli::{Cli, Command, PersonCommand, RelayCommand, RequestCommand};
use motoreach::ops::{self, Exit};
use motoreach::telemetry::{self, Audience};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let louder = i16::from(cli.verbose) - i16::from(cli.quiet);
    if let Err(error) = telemetry::start(audience(&cli.command), louder) {
        let _ = writeln!(std::io::stderr(), "motoreach: {error}");
        return Exit::Usage.into();
    }
    let json = answers_in_json(&cli.command);
    let done = match cli.command {
        Command::Serve(args) => ops::serve(args),
        Command::Relay(args) => ops::relay(*args),
        Command::Demo(args) => ops::demo(args),
        Command::Person(command) => ops::person(command),
        Command::Request(command) => ops::request(command),
        Command::Token(args) => ops::token(&args),
        Command::Doctor(args) => ops::doctor(&args),
        Command::Backup(args) => ops::backup(&args),
        Command::Restore(args) => ops::restore(&args),
        Command::Export(args) => ops::export(&args),
        Command::Verify(args) => ops::verify(&args),
        Command::Log(args) => ops::log(args),
        Command::Install(args) => ops::install(args),
        Command::Uninstall(args) => ops::uninstall(args),
        Command::Where(args) => ops::tell_where(&args),
        Command::Usb(command) => ops::usb(&command),
        Command::Update(args) => ops::update(&args),
        Command::SelfTest(args) => ops::self_test(&args),
        Command::Copy(args) => ops::copy(&args),
        Command::Bench(args) => ops::bench::run(args).map(|()| Exit::Done),
    };
    ops::conclude(done, json)
}

const fn audience(command: &Command) -> Audience {
    match command {
        Command::Serve(_) => Audience::Server,
        Command::Relay(args) if args.command.is_none() => Audience::Server,
        Command::Relay(_)
        | Command::Demo(_)
        | Command::Person(_)
        | Command::Request(_)
        | Command::Token(_)
        | Command::Doctor(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Export(_)
        | Command::Verify(_)
        | Command::Log(_)
        | Command::Install(_)
        | Command::Uninstall(_)
        | Command::Where(_)
        | Command::Usb(_)
        | Command::Update(_)
        | Command::SelfTest(_)
        | Command::Copy(_)
        | Command::Bench(_) => Audience::Command,
    }
}

const fn answers_in_json(command: &Command) -> bool {
    match command {
        Command::Serve(_)
        | Command::Demo(_)
        | Command::Install(_)
        | Command::Uninstall(_)
        | Command::Where(_)
        | Command::Usb(_) => false,
        Command::Relay(args) => match &args.command {
            None => false,
            Some(RelayCommand::Pair(args)) => args.json,
            Some(RelayCommand::Status(args)) => args.json,
            Some(RelayCommand::Log(args)) => args.json,
        },
        Command::Person(PersonCommand::Add(args)) => args.at.json,
        Command::Person(PersonCommand::List(args)) => args.at.json,
        Command::Person(PersonCommand::Password(args)) => args.at.json,
        Command::Person(PersonCommand::Erase(args)) => args.at.json,
        Command::Request(RequestCommand::Add(args)) => args.at.json,
        Command::Token(args) => args.at.json,
        Command::Doctor(args) => args.at.json,
        Command::Backup(args) => args.at.json,
        Command::Restore(args) => args.at.json,
        Command::Export(args) => args.at.json,
        Command::Verify(args) => args.json,
        Command::Log(args) => args.at.json,
        Command::Update(args) => args.at.json,
        Command::SelfTest(_) | Command::Copy(_) => true,
        Command::Bench(args) => args.json,
    }
}
