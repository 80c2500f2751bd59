//! Forgetting an owner, and what is left of them then.

use super::post_desk_test::*;
use super::{
    Accepted, ChangePerson, Customer, EraseLeftovers, ErasePerson, InviteOwner, OpenRequest,
    PostMessage, fresh_id,
};
use crate::domain::{
    Actor, Body, Content, Description, ErasedWhy, Extent, PersonEdit, PersonId, Rejection, Role,
    Scope, Vehicle,
};
use crate::store::requests::{self, Filter};
use crate::store::{CommandError, people};

const ASHA: PersonId = PersonId(2);

fn erase(desk: &Desk, name: &str, extent: Extent) -> Result<super::Decreed, CommandError> {
    let erase = ErasePerson {
        person: ASHA,
        name: name.to_owned(),
        extent,
    };
    desk.store.write(|tx| erase.run(tx, &desk.meera))
}

fn sweep(desk: &Desk) -> usize {
    let mut entries = 0;
    loop {
        let swept = desk.store.write(|tx| EraseLeftovers.run(tx)).unwrap();
        entries += swept.entries;
        if !swept.more {
            return entries;
        }
    }
}

fn staff_says(desk: &Desk, text: &str) {
    let say = PostMessage {
        id: fresh_id(),
        request: desk.invite.request,
        body: Body::parse(text).unwrap(),
        reply_to: None,
        expires_in_s: None,
    };
    desk.store.write(|tx| say.run(tx, &desk.meera)).unwrap();
}

#[test]
fn a_forgotten_owner_leaves_no_word_and_opens_nothing() {
    let desk = desk();
    let device = r#"{"seq": 1, "name": "Ashas Fairphone"}"#;
    desk.takes(&desk.post("device", NOON, device));
    desk.takes(&desk.message(2, "Is it ready?"));
    staff_says(&desk, "Tomorrow.");
    assert!(matches!(
        erase(&desk, "Ashna Nair", Extent::Words),
        Err(CommandError::Rejected(Rejection::Value { .. }))
    ));
    let done = erase(&desk, " Asha Nair ", Extent::Words).unwrap();
    assert_eq!((done.requests, done.links), (1, 1));
    assert_eq!(sweep(&desk), 1);
    assert_eq!(desk.store.faults().unwrap(), Vec::<String>::new());

    let contents: Vec<_> = desk.messages().into_iter().map(|it| it.content).collect();
    assert_eq!(contents[0], Content::Erased(ErasedWhy::Forgotten));
    assert_eq!(contents[1].shown(), "Tomorrow.");
    let owner = desk.store.read(|view| people::load(view, ASHA)).unwrap();
    let owner = owner.unwrap();
    assert_eq!(owner.full_name, "Erased owner");
    assert_eq!((owner.active, owner.erased), (false, Some(Extent::Words)));
    assert!(matches!(
        desk.takes(&desk.message(3, "Hello?")),
        Accepted::Unauthentic("revoked")
    ));
    for search in ["asha", "KL 07"] {
        let filter = Filter {
            open: None,
            assigned_to: None,
            search: Some(search.to_owned()),
            before: None,
            limit: 10,
        };
        let found = desk
            .store
            .read(|view| requests::list(view, &desk.meera, &filter))
            .unwrap();
        assert_eq!(found, Vec::new(), "{search}");
    }
}

#[test]
fn everything_takes_the_workshops_words_too_but_not_what_it_writes_later() {
    let desk = desk();
    desk.takes(&desk.message(1, "Is it ready?"));
    staff_says(&desk, "Tomorrow, Asha.");
    erase(&desk, "Asha Nair", Extent::Words).unwrap();
    sweep(&desk);
    erase(&desk, "Erased owner", Extent::Everything).unwrap();
    sweep(&desk);
    staff_says(&desk, "A note for ourselves.");
    assert_eq!(sweep(&desk), 0);
    assert_eq!(desk.store.faults().unwrap(), Vec::<String>::new());
    let shown: Vec<_> = desk
        .messages()
        .iter()
        .map(|it| it.content.shown().to_owned())
        .collect();
    assert_eq!(shown, ["", "", "A note for ourselves."]);
    let head = desk.head();
    erase(&desk, "Erased owner", Extent::Everything).unwrap();
    erase(&desk, "Erased owner", Extent::Words).unwrap();
    assert_eq!(desk.head(), head, "again: nothing changes");
}

#[test]
fn a_long_conversation_goes_a_stretch_at_a_time() {
    let desk = desk();
    let owner = desk.store.read(|view| people::load(view, ASHA)).unwrap();
    let asha = Actor {
        id: ASHA,
        key: owner.unwrap().key,
        name: "Asha Nair".to_owned(),
        role: Role::Owner,
        scope: Scope::Everything,
    };
    for _ in 0..300 {
        let say = PostMessage {
            id: fresh_id(),
            request: desk.invite.request,
            body: Body::parse("word").unwrap(),
            reply_to: None,
            expires_in_s: None,
        };
        desk.store.write(|tx| say.run(tx, &asha)).unwrap();
    }
    erase(&desk, "Asha Nair", Extent::Words).unwrap();
    let first = desk.store.write(|tx| EraseLeftovers.run(tx)).unwrap();
    assert_eq!((first.entries, first.more), (256, true));
    assert_eq!(sweep(&desk), 44);
    assert_eq!(desk.store.faults().unwrap(), Vec::<String>::new());
}

#[test]
fn nobody_brings_a_forgotten_owner_back_by_hand() {
    let desk = desk();
    erase(&desk, "Asha Nair", Extent::Words).unwrap();
    let refused = |result: Result<(), CommandError>| {
        assert!(matches!(
            result,
            Err(CommandError::Rejected(Rejection::OwnerErased))
        ));
    };
    let request = desk.invite.request;
    let invite = desk
        .store
        .write(|tx| InviteOwner { request }.run(tx, &desk.meera));
    refused(invite.map(drop));
    let change = ChangePerson {
        person: ASHA,
        edit: PersonEdit {
            full_name: Some("Asha Nair".to_owned()),
            ..PersonEdit::default()
        },
        keep: None,
    };
    refused(desk.store.write(|tx| change.run(tx, &desk.meera)).map(drop));
    let open = OpenRequest {
        id: fresh_id(),
        customer: Customer::Known(ASHA),
        vehicle: Vehicle {
            plate: "KL 07 AB 1234".into(),
            make: None,
            model: None,
            year: None,
        },
        description: Description::parse("Brakes").unwrap(),
        assign_to: None,
    };
    refused(desk.store.write(|tx| open.run(tx, &desk.meera)).map(drop));
}
