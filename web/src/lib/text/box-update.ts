/** The words of Box, Update. */
export const boxUpdate = {
  runs: (version: string) => `MotoReach ${version}`,
  machine: 'Made for',
  key: 'Trusts programs signed with',
  noKey:
    'This box knows no key by which updates are signed. Whoever installed it can set update_key in its configuration.',
  failed: 'The box did not say what it runs. Try again in a moment.',
  ended: {
    updated: (to: string, from: string, when: string) =>
      `Now ${to} runs; it was ${from} until ${when}.`,
    went_back: (to: string, from: string) => `The box went back to ${from}: ${to} was no good.`,
    stayed: (to: string) => `${to} is no good, and going back would lose what was written.`,
    refused: 'The last update was refused; nothing was changed.',
    other: (to: string) => `The last update to ${to} has ended.`,
  },
  bringTitle: 'Bring a newer version',
  bringHow:
    'Download the program for this machine and its signature, the file with .minisig at its end. The box checks both before it does anything.',
  program: 'Program',
  signature: 'Signature (.minisig)',
  bring: 'Check and keep',
  bringing: 'Bringing it to the box …',
  both: 'Choose the program and its signature.',
  waitingTitle: (version: string) => `${version} is here and rightly signed`,
  waiting:
    'The box backs its data up, tests the new version on a copy, then changes over. It is away for some seconds, and goes back by itself if the new version is no good.',
  apply: 'Update now',
  atBoxTitle: 'Updates are made at the box',
  atBox: 'On this machine the page cannot change programs. Whoever looks after it types:',
  command: 'sudo motoreach update FILE',
  runningTitle: (to: string | null) => (to === null ? 'An update begins' : `Updating to ${to}`),
  away: 'The box starts again. This page waits for it.',
  keepPower: 'Please leave the box switched on. A power cut would lose nothing, only time.',
  step: {
    checking: 'Checking the signature',
    backing_up: 'Backing the data up',
    testing: 'Testing it on a copy of the data',
    stopping: 'Changing over',
    starting: 'Starting the new version',
    watching: 'Watching whether it does well',
    going_back: 'Going back to the old version',
  } as Readonly<Record<string, string>>,
};
