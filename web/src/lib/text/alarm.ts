/** The silence alarm, in English: its card on the relay's settings and its page on a phone. */
export const alarm = {
  title: 'When the box is silent',
  intro:
    'If nobody has heard of this box for an hour, the relay can tell your phone: the power is out, the line is cut, or the card is worn out.',
  on: 'Tell phones',
  onHint: 'Open the link on each phone that is to be told.',
  link: 'Link for your phone',
  qr: 'QR code of the link for your phone',
  scan: 'Scan this with your phone, at home or here, then switch it on there.',
  soon: 'The link is shown as soon as the relay has answered once.',
  fresh: 'Make a new link',
  freshSure:
    'Make a new link? Phones that opened the present one are not told any more until they open the new one.',
  offSure: 'Switch it off? No phone is told any more.',

  page: {
    title: (workshop: string) => `The box of ${workshop}`,
    online: 'The box is there',
    onlineText: 'Box and relay are connected at this moment.',
    silent: (when: string) => `Silent since ${when}`,
    silentText:
      'Check its power and its network cable, then whether the internet works in the workshop. What owners write meanwhile is kept at the relay.',
    tell: 'Tell this phone',
    tellHint: (minutes: number) =>
      `When nobody has heard of the box for ${minutes} minutes, and when it is back.`,
    phones: (count: number) => (count === 1 ? 'One phone is told.' : `${count} phones are told.`),
    look: 'Look again',
    gone: 'This link is not valid any more',
    goneText: 'An admin of the workshop finds a new one in the settings, under Relay.',
    broken: 'This link is not whole',
    brokenText: 'Scan the QR code again, or copy the whole link.',
    unreachable: 'The relay does not answer',
    unreachableText: 'Check that this phone has internet, then look again.',
  },
  push: {
    silent: (since: string) => `The box is silent since ${since}. Somebody should look.`,
    back: 'The box is back.',
    test: 'The alarm reaches this phone.',
  },
};
