import { alarm } from './alarm';
import { box } from './box';
import { rights } from './rights';
import { restoreBackup } from './restore-backup';
import type { Restored } from '$lib/wire/restore';
import type { RemovedWhy, Role, Status } from '$lib/wire/things';

type RequestFilterName = 'mine' | 'open' | 'closed' | 'all';

const s = (count: number, one: string, many: string) =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

const whatCame = (it: Restored) =>
  `${s(it.messages, 'message', 'messages')} in ${s(it.requests, 'request', 'requests')}, ${s(it.people, 'person', 'people')}`;

/** Every sentence on screen, in English. Another language is another file of this shape. */
export const en = {
  product: 'MotoReach',
  close: 'Close',
  cancel: 'Cancel',
  save: 'Save',
  back: 'Back',
  tryAgain: 'Try again',
  loading: 'Loading',
  skipToContent: 'Skip to content',
  title: (unread: number, page: string) =>
    `${unread > 0 ? `(${unread}) ` : ''}${page === '' ? '' : `${page} · `}MotoReach`,
  status: {
    CREATED: 'Created',
    CONNECTED: 'Connected',
    ESTIMATE_SHARED: 'Estimate shared',
    IN_PROGRESS: 'In progress',
    COMPLETED: 'Completed',
    VERIFIED: 'Verified',
    CANCELLED: 'Cancelled',
    EXPIRED: 'Expired',
  } satisfies Record<Status, string>,
  role: {
    workshop_admin: 'Admin',
    mechanic: 'Mechanic',
    user: 'Vehicle owner',
  } satisfies Record<Role, string>,

  fault: {
    network:
      'The box does not answer. Check that this device is on the workshop’s network, then try again.',
    waitMinutes: (minutes: number) =>
      `That was tried too often. To keep guessers out, please wait ${s(minutes, 'minute', 'minutes')}, then try again.`,
    fields: 'Something is not right yet. Please look at the marked fields.',
    unknown: 'That did not work. Please try again in a moment.',
    byCode: {
      rate_limited: 'That was a little too fast. Wait a moment and try again.',
      disk_full:
        'The box’s storage is full. Nothing is lost, but it cannot take anything new right now.',
      storage_failing: 'The box’s storage is failing. Somebody should look at it now.',
      not_allowed: 'You may not do that.',
      set_up_code_wrong: 'That code is not right. It is printed where the box was started.',
      last_admin: 'This is the only admin. Make somebody else an admin first.',
      too_long: 'This message is longer than 8,000 characters.',
      conflict: 'Somebody else was faster. Look again and decide anew.',
      status_move: 'The request has moved on meanwhile. Look again and decide anew.',
      request_closed: 'This request is closed: nothing more can be written here.',
      too_late: 'A message can be removed for 15 minutes after it was sent.',
      wrong_password: 'That password is not right.',
      device_full: 'This phone could not keep the message. Make some room, then try again.',
      unreadable:
        'The workshop could not open this message. Load this page again, then try once more.',
      unknown_link: 'The workshop does not know this link any more. Ask for a new one.',
      revoked: 'The workshop has switched this link off. Ask for a new one.',
      expired: 'This link has run out. Ask the workshop for a new one.',
      too_many: 'That was a lot at once. Wait a while, then try again.',
      restore_under_way:
        'A workshop is being brought back onto this box. Load the page again to watch.',
      no_backup_picked: 'Choose a backup first.',
      already_set_up: 'This workshop is already set up. Load the page again to sign in.',
    } as Readonly<Record<string, string>>,
  },

  nav: {
    main: 'Main',
    inbox: 'Inbox',
    newRequest: 'New request',
    new: 'New',
    people: 'People',
    settings: 'Settings',
    box: 'Box',
    account: 'Account',
    unread: (count: number) => s(count, 'unread message', 'unread messages'),
  },

  connection: {
    connecting: 'Connecting …',
    waiting: 'No connection to the box. Messages wait here.',
    waitingOwner: 'No connection. Messages wait here until it is back.',
    overHttp:
      'Live updates are blocked on this network. Messages still go through, a little slower.',
    retry: 'Try now',
    unreachable: 'The box cannot be reached',
    unreachableHelp:
      'Check that it has power and that this device is on the workshop’s network. This page keeps trying.',
  },

  link: {
    waiting: (count: number, since: string) =>
      `Internet: ${s(count, 'message waits', 'messages wait')} since ${since}`,
    offline: (since: string) =>
      `Internet: no connection since ${since}. Owners who are not here get messages later.`,
    quarantined: 'Two copies of this box are alive. Owners outside hear nothing until you decide.',
    superseded: 'Another copy of this box was declared the real one.',
    pairAgain: 'The relay has to be connected again. Owners outside hear nothing until then.',
    settings: 'Settings',
    askAdmin: 'Tell an admin.',
  },

  alarm,
  rights,
  box,
  restoreBackup,

  relay: {
    title: 'Relay',
    intro: 'How vehicle owners reach you when they are not on your Wi-Fi.',
    whatTitle: 'What a relay is',
    what: [
      'A server on the internet that owners’ phones can always reach. Your box calls it, so nothing in your network has to be opened.',
      'When your internet is down, it keeps what owners write, and the box keeps what you write, until the line is back.',
      'Everything that crosses is sealed: whoever runs the relay cannot read it.',
    ],
    connectTitle: 'Connect to a relay',
    againTitle: 'Connect again',
    address: 'Address of the relay',
    addressHint: 'As in relay.example.com. Whoever runs the relay knows it.',
    code: 'Pairing code',
    codeHint: 'Ten letters and digits from whoever runs the relay. It works once, for an hour.',
    connect: 'Connect',
    connecting: 'Connecting …',
    failed: 'The settings could not be loaded.',
    adminsOnly: 'An admin can connect and disconnect the relay.',
    state: {
      unpaired: 'Not connected',
      connecting: 'Connecting …',
      online: 'Connected',
      waiting: 'No connection',
      stopped: 'Stopped',
    },
    since: (state: string, when: string) => `${state} since ${when}`,
    retries: 'It is tried again by itself.',
    isItRight: 'It was never reached so far: check that the address is written right.',
    why: {
      no_network: 'The box has no way out to the internet.',
      no_answer: 'Nobody answers at this address.',
      not_a_relay:
        'Something answers at this address that is no relay. Perhaps your internet wants somebody to sign in first.',
      tls: 'The relay’s certificate cannot be trusted. Tell whoever runs the relay.',
      silent: 'The line went silent.',
      relay_restarting: 'The relay restarts.',
      rewound: 'Box and relay compare what they have.',
      other: 'The line broke.',
      quarantined: 'Two copies of this box are alive.',
      superseded: 'Another copy of this box was declared the real one.',
      unknown_here:
        'The relay does not know this workshop any more. Get a new code and connect again.',
      bad_code: 'That code is wrong, used up or too old. Ask whoever runs the relay for a new one.',
      other_relay:
        'A different relay answers at this address than the one you connected. If you meant to change it, disconnect first.',
      not_ours:
        'The relay gave back what this box never wrote, so the box stopped. Ask whoever runs the relay what happened.',
    } as Readonly<Record<string, string>>,
    addressRow: 'Address',
    linksRow: 'Owners’ links begin with',
    waitingRow: 'Waiting',
    nothingWaits: 'Nothing: the relay has everything',
    waits: (count: number, since: string) => `${s(count, 'message', 'messages')} since ${since}`,
    entriesWait: (count: number) => s(count, 'change', 'changes'),
    gaps: (count: number) =>
      `${s(count, 'post', 'posts')} from owners’ phones never arrived. If an owner misses an answer, ask them to write again.`,
    change: 'Change address',
    disconnect: 'Disconnect',
    disconnectSure:
      'Disconnect from the relay? Owners who are not on your Wi-Fi can no longer read or write, and their links stop working outside. Nothing is deleted here.',
    mergesTitle: 'Copies brought together',
    merged: (when: string, entries: number, messages: number) =>
      entries === 0
        ? `${when}: this box and the relay differed. Nothing was missing.`
        : messages === 0
          ? `${when}: restored, ${s(entries, 'entry', 'entries')} recovered`
          : `${when}: restored, ${s(messages, 'message', 'messages')} recovered`,
    flagged: 'Changed on both copies, please look at',
    flaggedRequest: (id: number) => `request ${id}`,
    copiesTitle: 'Two copies of this box are alive',
    copies:
      'The relay hears from a second box with the same identity: perhaps an old memory card is still running, or a backup was started beside this one. Until it knows which one counts, it takes nothing from either. The chat in the workshop goes on.',
    copiesDo:
      'Switch the other one off if you can find it. If this page is on the box that you work with, say so:',
    supersededTitle: 'Another copy was declared the real one',
    superseded:
      'Somebody declared another box with the same identity the real one, so the relay takes nothing from this one. If this is the box that you work with, say so; the other one is then shut out.',
    claim: 'This is the real one',
    claimSure:
      'Is this the box that you work with? The other copy is shut out of the relay for good. What it alone has seen stays on it.',
  },

  setup: {
    foundAt: 'Rather set it up on another device?',
    foundAtQr: (url: string) => `Code that opens ${url}`,
    foundAtHint: 'Join the workshop’s Wi-Fi, then point the camera here.',
    title: 'Set up',
    welcome: 'Welcome. Let’s set up your workshop.',
    intro: 'It takes about a minute. Everything stays on this box, in your workshop.',
    step: (now: number, of: number) => `Step ${now} of ${of}`,
    workshopName: 'Name of the workshop',
    workshopNameHint: 'Vehicle owners see this name in every chat.',
    fullName: 'Your name',
    username: 'Username',
    usernameHint: 'You sign in with it. Small letters, no spaces.',
    password: 'Password',
    passwordHint: 'At least 10 characters. A short sentence works well.',
    code: 'Set-up code',
    codeHint:
      'Printed where the box was started: it proves that you are the one standing next to it.',
    submit: 'Set up the workshop',
    wordsTitle: 'Your 24 recovery words',
    wordsIntro:
      'With these words you can restore your workshop on a new box if this one breaks or is stolen. Once you go on they are never shown again, and nobody else has them.',
    wordsKeep:
      'Write them on paper, in this order, and keep the paper somewhere safe that is not next to the box.',
    print: 'Print',
    wordsTick: 'I have written them down',
    next: 'Continue',
    wordsSheet: (workshop: string) => `Recovery words of ${workshop}`,
    firstTitle: 'Your first request',
    firstIntro:
      'Open a service request for a vehicle in the workshop. Its owner gets a link and can write to you right away.',
    skip: 'Later',
    done: 'Go to the inbox',
    alreadyTitle: 'This workshop is already set up',
    already: 'Sign in to go on.',
  },

  restore: {
    choice: 'What this box is to be',
    choiceNew: 'New workshop',
    choiceRestore: 'Restore from the relay',
    title: 'Bring your workshop back',
    intro:
      'If a box broke or was lost, its relay still has everything. You need the relay’s address and the 24 recovery words on paper.',
    addressHint: 'As in relay.example.com. Owners’ links began with it.',
    words: 'Recovery words',
    wordsHint: 'All 24, in their order, with a space between them.',
    wordsCount: (count: number) => `${count} of 24 words`,
    claim: 'The old box is switched off for good. This is the real one.',
    submit: 'Bring it back',
    underWay: 'Your workshop comes back',
    looking: 'Asking the relay …',
    came: (count: number) => `${count.toLocaleString('en')} entries so far`,
    keep: 'You may close this page and come back. If the power goes, begin again: nothing is lost.',
    back: (it: Restored) => `${it.workshop_name} is back: ${whatCame(it)}.`,
    starting: 'The box starts with it. This takes a few seconds.',
    signIn: (it: Restored) =>
      `${it.workshop_name} is back: ${whatCame(it)}. Sign in with the password that you had.`,
    why: {
      no_network: 'This box has no way out to the internet. Check its cable, then try again.',
      no_answer: 'Nobody answers at this address. Check it, then try again.',
      not_a_relay:
        'What answers at this address is no relay. Check it; perhaps your internet wants somebody to sign in first.',
      silent: 'The line to the relay went silent. Try again: it goes on where it was.',
      rewound: 'The line to the relay broke. Try again: it goes on where it was.',
      other: 'The line to the relay broke. Try again: it goes on where it was.',
      unknown_workshop:
        'This relay does not know the workshop of these words. Check the address, and that it is the right paper.',
      two_alive:
        'The relay knows another box of this workshop that may still be alive. Switch that one off for good, tick the box below, and try again.',
      other_relay:
        'Another relay answers than the one that this was begun with. Try again to begin anew with this one.',
      not_ours:
        'The relay gave back what your old box never wrote, or what only a newer version can read. Nothing was restored. Ask whoever runs the relay.',
      nothing_there: 'The relay knows this workshop, but has nothing of it.',
      storage_failing: 'This box’s storage is full or failing, so nothing could be kept.',
      already_set_up: 'This box was set up meanwhile. Load the page again to sign in.',
      cut_off:
        'The box was started again before everything was back. Begin again: nothing is lost.',
    } as Readonly<Record<string, string>>,
  },

  signIn: {
    title: 'Sign in',
    expired: 'Please sign in again. What you wrote is kept.',
    username: 'Username, email or phone',
    password: 'Password',
    submit: 'Sign in',
    wrong: 'That username and password do not belong together.',
    help: 'Forgotten the password? An admin of your workshop can set a new one.',
    showPassword: 'Show password',
    hidePassword: 'Hide password',
  },

  inbox: {
    title: 'Inbox',
    search: 'Search plate, owner, fault',
    filters: 'Which requests',
    filter: { mine: 'My jobs', open: 'Open', closed: 'Closed', all: 'All' } satisfies Record<
      RequestFilterName,
      string
    >,
    allOpen: 'All open',
    list: 'Service requests',
    more: 'Show more',
    noMessages: 'No messages yet',
    you: 'Workshop:',
    removed: 'Message removed',
    emptyTitle: 'Nothing open',
    empty:
      'When a vehicle comes in, open a request for it. The owner gets a link and the chat starts here.',
    emptyMineTitle: 'No jobs for you right now',
    emptyMine: 'Requests that are given to you appear here. All others are under “All open”.',
    emptyClosedTitle: 'Nothing closed yet',
    emptyClosed: 'Requests that are verified, cancelled or expired appear here.',
    noHits: (search: string) => `Nothing matches “${search}”.`,
    pickTitle: 'Pick a request',
    pick: 'Choose one on the left to read and answer.',
    failed: 'The requests could not be loaded.',
    unread: (count: number) => `${count} unread`,
  },

  request: {
    newTitle: 'New request',
    owner: 'Vehicle owner',
    ownerName: 'Name',
    ownerPhone: 'Phone',
    ownerPhoneHint: 'With the country code, so that the link can go by SMS or WhatsApp.',
    vehicle: 'Vehicle',
    plate: 'Number plate',
    make: 'Make',
    model: 'Model',
    job: 'The job',
    what: 'What is wrong?',
    whatHint: 'In the owner’s words. You can change it later.',
    assign: 'Mechanic',
    nobody: 'Nobody yet',
    optional: 'optional',
    submit: 'Open the request',
    openChat: 'Open the chat',
    status: 'Status',
    assigned: 'Assigned to',
    opened: 'Opened',
    call: (name: string) => `Call ${name}`,
    share: 'Share link',
    details: 'Details',
    about: 'About this request',
    notFound: 'There is no such request, or it is not yours to see.',
  },

  share: {
    title: 'Link for the owner',
    ready: (name: string) => `The link for ${name} is ready`,
    intro: 'Let the owner scan this code, or send the link. No app, no account.',
    qr: 'QR code of the owner’s link',
    link: 'Link',
    copy: 'Copy link',
    copied: 'Copied',
    shareSheet: 'Share …',
    sms: 'SMS',
    whatsapp: 'WhatsApp',
    print: 'Job card',
    text: (workshop: string, plate: string, url: string) =>
      `${workshop}: follow the work on ${plate} and write to us here: ${url}`,
    links: 'Links',
    none: 'No link works right now. Make a new one for the owner.',
    makeNew: 'Make a new link',
    revoke: 'Revoke',
    revokeSure: 'Revoke this link? Phones that use it can no longer read or write here.',
    revoked: (when: string) => `Revoked ${when}`,
    created: (when: string) => `Made ${when}`,
    expires: (when: string) => `Valid until ${when}`,
    expired: (when: string) => `Expired ${when}`,
    devices: (count: number) => (count === 0 ? 'Not opened yet' : s(count, 'device', 'devices')),
    device: (name: string, via: string, when: string) => `${name}, ${via} · last seen ${when}`,
    via: { lan: 'on your Wi-Fi', relay: 'over the internet' },
    overRelay: 'Works anywhere: over the internet and on your Wi-Fi.',
    lanOnly: 'Works on your Wi-Fi. With a relay it works anywhere.',
    copyLan: 'Copy the link for your Wi-Fi',
    lanHelp: 'For a phone in the workshop while the internet is down: the same conversation.',
    cardTitle: 'Job card',
    cardScan: 'Scan to follow the work and write to us',
  },

  chat: {
    log: 'Messages',
    composer: 'Message',
    write: 'Write a message',
    send: 'Send',
    today: 'Today',
    yesterday: 'Yesterday',
    unread: (count: number) => s(count, 'unread message', 'unread messages'),
    newest: (count: number) =>
      count === 0 ? 'Jump to newest' : `${s(count, 'new message', 'new messages')}: jump to newest`,
    older: 'Load older messages',
    emptyTitle: 'Say hello',
    empty: 'Send the first message. It arrives even if the owner’s phone is offline right now.',
    emptyOwner: 'Write to the workshop here. You will see when your message was read.',
    reply: 'Reply',
    replyingTo: (name: string) => `Replying to ${name}`,
    stopReply: 'Stop replying',
    remove: 'Remove',
    removeSure: 'Remove this message for everyone? A trace stays that something was here.',
    details: 'Details',
    menu: 'Message menu',
    removed: 'Message removed',
    gone: {
      redacted: 'Message removed',
      expired: 'Message expired',
      forgotten: 'Erased: its owner asked for it',
      trimmed: 'No longer kept here. The workshop still has it.',
      unopened: 'This message does not open: it was changed on its way',
    } satisfies Record<RemovedWhy, string>,
    damaged: 'This message is damaged on disk',
    delivery: {
      pending: 'Waiting to be sent',
      sent: 'Sent',
      delivered: 'Delivered',
      read: 'Read',
      failed: 'Not sent',
    },
    atRelay: 'At the relay',
    atRelaySince: (at: string) => `At the relay since ${at}. The workshop has not fetched it yet.`,
    onThisPhone: 'Waiting on this phone',
    atWorkshop: 'At the workshop',
    readBy: (name: string, at: string | null) =>
      at === null ? `Read by ${name}` : `Read by ${name} at ${at}`,
    sentAt: (at: string) => `Sent ${at}`,
    discard: 'Discard',
    tooLong: (over: number) => `${over} characters too long`,
    typing: (names: readonly string[]) =>
      names.length === 1 ? `${names[0]} is typing` : `${names.join(' and ')} are typing`,
    ownerOnline: 'Online',
    ownerOffline: 'Not here right now',
    workshopOnline: 'The workshop is online',
    workshopOffline: 'The workshop is not here right now. Your message is kept.',
    signedOut: 'Please sign in again to go on.',
    notYours: 'This request is no longer yours to see.',
  },

  people: {
    title: 'People',
    intro: 'Everyone who works here and can sign in.',
    add: 'Add a person',
    edit: (name: string) => `Edit ${name}`,
    inactive: 'Deactivated',
    name: 'Name',
    role: 'Role',
    roleHint:
      'Everyone can read and answer every request. Mechanics get red dots for their own jobs only; admins also manage people.',
    username: 'Username',
    password: 'Password',
    newPassword: 'New password',
    newPasswordHint: 'Leave it empty to keep the one they have.',
    phone: 'Phone',
    email: 'Email',
    deactivate: 'Deactivate',
    deactivateSure: (name: string) =>
      `${name} is signed out everywhere at once and can no longer sign in.`,
    activate: 'Activate again',
    you: 'you',
    failed: 'The list could not be loaded.',
  },

  account: {
    title: 'My account',
    password: 'Change password',
    current: 'Current password',
    next: 'New password',
    changed: 'Your password is changed. Other devices must sign in again.',
    sound: 'Sound for new messages',
    soundHint: 'On this device.',
    signOut: 'Sign out',
    device: 'This device',
  },

  owner: {
    title: (workshop: string) => workshop,
    hello: (name: string) => `Hello ${name}`,
    opening: 'Opening your conversation …',
    ladder: 'How far the work is',
    steps: {
      received: 'Received',
      estimate: 'Estimate',
      work: 'In work',
      ready: 'Ready',
    },
    status: {
      CREATED: 'We have your request.',
      CONNECTED: 'We have your request and will get back to you here.',
      ESTIMATE_SHARED: 'Your estimate is ready. Have a look and tell us what you think.',
      IN_PROGRESS: 'We are working on your vehicle.',
      COMPLETED: 'Your vehicle is ready.',
      VERIFIED: 'All done. Thank you, and drive safely.',
      CANCELLED: 'This request was cancelled.',
      EXPIRED: 'This request has expired.',
    } satisfies Record<Status, string>,
    fault: {
      invite_erased: {
        title: 'What belonged to you was erased',
        text: 'You asked to be forgotten here, and that is done. This link opens nothing any more. You are welcome to come again: the workshop will give you a new link.',
      },
      invite_revoked: {
        title: 'This link no longer works',
        text: 'The workshop has switched this link off. Ask them for a new one, it takes a moment. If you asked to be forgotten, that is done.',
      },
      invite_expired: {
        title: 'This link has run out',
        text: 'Links are valid for a limited time. Ask the workshop for a new one.',
      },
      invite_invalid: {
        title: 'This link is not complete',
        text: 'Perhaps it was cut off on its way. Open it once more from the message you got, or scan the code again.',
      },
    },
    unreachable: 'No connection to the workshop',
    unreachableHelp: 'This page keeps trying by itself.',
    menu: 'Menu',
    offline: (since: string | null) =>
      since === null
        ? 'The workshop is not connected right now. Your message is kept.'
        : `Workshop offline since ${since}. Your message is kept.`,
    unsure: 'Reaching the workshop …',
    staffHere: 'Somebody is here',
    door: {
      title: 'At the workshop?',
      text: 'Connect to their Wi-Fi, then scan this code with another phone or open the link. It works without internet.',
      show: 'Use their Wi-Fi',
      open: 'Open on their Wi-Fi',
      qr: 'QR code of this conversation on the workshop’s Wi-Fi',
    },
    other: {
      title: 'Open on another device',
      text: 'Scan this code with the other device, or send yourself the link. Whoever has it can read and write here.',
      qr: 'QR code of your link',
      copy: 'Copy link',
      copied: 'Copied',
      share: 'Share …',
    },
    device: {
      title: 'This device',
      name: 'Name of this device',
      hint: 'The workshop sees it in its list of devices.',
      save: 'Save',
      saved: 'Saved',
    },
    push: {
      title: 'Notifications',
      askTitle: 'Shall we tell you when they answer?',
      ask: 'You get a notification on this device, also when this page is closed.',
      yes: 'Yes, tell me',
      no: 'Not now',
      on: 'Tell me about new messages',
      onHint: 'On this device, also when this page is closed.',
      test: 'Send a test',
      tested: 'On its way. Close or leave this page to see it as you would later.',
      denied:
        'Notifications are switched off for this page in your browser’s settings. Allow them there, then load this page again.',
      unsupported: 'This browser knows no notifications for pages.',
      addFirst:
        'On an iPhone or iPad, first add this page to your home screen (Share, then “Add to Home Screen”) and open it from there.',
      testBody: 'Notifications work on this device.',
      generic: 'New message from your workshop',
      failed: 'Your browser’s notification service did not answer. Please try again later.',
    },
    install: {
      title: 'Keep it at hand',
      text: 'Put this conversation on your home screen.',
      button: 'Install',
    },
    links: {
      title: 'Your requests',
      intro: 'Every workshop link that was opened on this device.',
      request: (number: number) => `Request ${number}`,
      gone: 'This link no longer works',
      open: (workshop: string) => `Open ${workshop}`,
      emptyTitle: 'No requests on this device yet',
      empty: 'Open the link that your workshop sent you, or paste it here.',
      paste: 'Link from the workshop',
      wrong: 'That is no whole link. Copy it once more from the message you got.',
      forget: 'Remove from this device',
      forgetSure: 'Remove this conversation from this device? The workshop keeps it.',
    },
    askAgain: {
      title: 'Show this at the counter, or send it',
      words: (plate: string, number: number) =>
        `My link for ${plate} (request ${number}) no longer works. Please send me a new one.`,
      plain: 'My link no longer works. Please send me a new one.',
      sms: 'SMS',
      mail: 'Email',
      copy: 'Copy',
    },
  },

  notFound: {
    title: 'There is nothing here',
    text: 'The address may be mistyped, or the page has moved.',
    home: 'Back to the inbox',
  },
};

export type Catalogue = typeof en;
