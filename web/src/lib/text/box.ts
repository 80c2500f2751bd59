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
