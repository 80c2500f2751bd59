/** What an owner may ask for, in English: a copy, and to be forgotten. */
export const rights = {
  title: 'Copy and erase',
  exportRequest: 'Export this request',
  exportOwner: 'Export everything of this owner',
  exported: (fingerprint: string) =>
    `The file is saved. It opens on any phone, prints, and proves itself. The fingerprint of the workshop\u2019s key is ${fingerprint}.`,
  erase: 'Erase this owner…',
  eraseTitle: (name: string) => `Erase ${name}?`,
  eraseWhat:
    'Who they are and everything that they wrote goes, here and at the relay, for ever. Their links stop working at once. The request stays, without its owner.',
  backups: 'Backup files that were made before still hold it until newer ones replace them.',
  everything: 'Also what the workshop wrote',
  everythingHint: 'Otherwise that stays, as your own record of the work.',
  name: 'Type their full name to go on',
  sure: 'Erase for ever',
  done: (entries: number) => `Erased: ${entries} entries lost what they said.`,
};
