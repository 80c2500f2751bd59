/** The pages of the box itself, in English: its health, backups, updates and addresses. */
export const box = {
  title: 'Box',
  intro: 'The little computer that all this runs on.',
  adminsOnly: 'Only admins see this page.',
  tabs: {
    label: 'About the box',
    health: 'Health',
    backup: 'Backup',
    update: 'Update',
    addresses: 'Addresses',
  },
  /** The strip on every page; what is wrong comes from the box in a sentence. */
  act: (what: string) => `The box needs you: ${what}`,
  look: 'Look',

  backup: {
    none: 'No backup has been proven yet',
    noneHelp:
      'The box makes one every night by itself. A backup counts once it was restored on trial and everything was there.',
    proven: (when: string) => `Last proven: ${when}`,
    cameBack: (it: { messages: number; of: number; seconds: number }) =>
      `Restored on trial: ${it.messages.toLocaleString('en')} of ${it.of.toLocaleString('en')} messages came back in ${it.seconds} s.`,
    failed: (when: string, why: string) => `The try of ${when} brought no backup. ${why}`,
    now: 'Back up now',
    step: {
      copying: 'Copying what is there …',
      sealing: 'Sealing the copy …',
      proving: 'Restoring it on trial …',
    } as Readonly<Record<string, string>>,
    goOn: 'You may leave this page: it goes on by itself. So does the chat.',
    loadFailed: 'The box did not say how backups stand. This page tries again by itself.',
    where: 'Where backups go',
    free: (free: string, total: string) => `${free} of ${total} free`,
    gone: 'not plugged in',
    whereHelp:
      'Best is a disk that does not stay with the box. Plug one in, and it appears here when you come back to this page.',
    keep: 'How many are kept',
    daily: 'Days',
    weekly: 'Weeks',
    monthly: 'Months',
    keepHelp:
      'Of each of the last days, weeks and months the newest backup is kept. Older ones go.',
    saved: 'Saved. The next backup goes there.',
    files: 'Backups',
    noFiles: 'There is none yet.',
    sealed: 'opens with the recovery words',
    open: 'not sealed: anybody can read it',
    download: 'Download',
    downloadOf: (when: string) => `Download the backup of ${when}`,
    downloadHelp: 'A copy on another computer helps when box and disk are stolen together.',
    wordsTitle: 'What the recovery words are for',
    words: [
      'Backups are sealed: whoever finds the disk can read nothing on it. Only the 24 recovery words that were shown when this workshop was set up open them.',
      'Without the words no backup brings anything back, and nobody else has them. Keep the paper away from the box.',
      'To use one: on a new box, open the page, choose “Restore”, and have the words at hand.',
    ],
  },

  health: {
    level: {
      well: 'All is well',
      look: 'Something is worth a look',
      act: 'Somebody should act',
    },
    looked: (when: string) => `Looked at ${when}`,
    again: 'Look again',
    failed: 'The box did not say how it is. This page tries again by itself.',
    levelOf: { well: 'Well', look: 'Worth a look', act: 'Act' },
    area: {
      disk: 'Room on the disk',
      writing: 'Writing',
      wear: 'Wear of the card',
      power: 'Power supply',
      heat: 'Temperature',
      clock: 'Clock',
      backup: 'Backup',
      words: 'Recovery words',
      journal: 'What was written',
      relay: 'Relay',
      name: 'Address',
      program: 'Program',
    } as Readonly<Record<string, string>>,
    /** Where a finding is seen to. */
    go: {
      backup: 'Go to backups',
      relay: 'Go to the relay’s settings',
      name: 'Show addresses',
      program: 'Go to updates',
      words: 'Show the words',
    } as Readonly<Record<string, string>>,
  },
};
