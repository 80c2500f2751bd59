/** Bringing a workshop back from a backup, on the first page; in English. */
export const restoreBackup = {
  choice: 'Restore a backup',
  title: 'Bring your workshop back from a backup',
  intro:
    'Plug in the disk with the backups, or choose a file on this device. You need the 24 recovery words on paper.',
  which: 'Which backup',
  looking: 'Looking at the disks that are plugged in …',
  none: 'No backup was found on a disk that is plugged in.',
  again: 'Look again',
  file: 'A file on this device',
  choose: 'Choose the file',
  chosen: (name: string, size: string) => `${name}, ${size}`,
  sending: (percent: number) => `Sending the file to the box: ${percent} %`,
  submit: 'Bring it back',
  step: {
    unpacking: 'Unpacking the backup …',
    checking: 'Checking that everything is there …',
  } as Readonly<Record<string, string>>,
  upTo: (when: string) => `It is as it was at the backup: ${when}.`,
};
