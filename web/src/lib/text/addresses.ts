/**
 * The page that says where the box is found, and the one about its certificate, in English.
 * Imported by those pages alone: it is much text, and no other page needs it.
 */
export const addresses = {
  failed: 'The box did not answer; this is what it said last.',
  byName: 'By name',
  plain: 'By number',
  plainHint:
    'Works on every device, also where names do not. Your router may give the box another number one day; this page always shows the one of now.',
  noPlain: 'The box has no network: look at its cable or its Wi-Fi.',
  qrTitle: 'Open it on a phone',
  qr: (url: string) => `Code that opens ${url}`,
  qrHint: 'Join the workshop’s Wi-Fi, then point the camera here.',
  print: 'Print a card',
  cardTitle: 'Open this on your phone',
  cardWifi: 'on the workshop’s Wi-Fi',
  or: 'or, if that does not open:',
  conflict: (name: string) =>
    `Another device on this network has the name that this box was to have, so this one is ${name}. It keeps that name.`,
  state: {
    off: 'The network is not told this name: that is switched off in the configuration.',
    no_network: 'There is no network to tell the name to.',
    asking: 'The box is asking the network whether the name is free.',
    announced: 'The network knows this name.',
    failed: 'The system does not let the box tell its name. It tries again by itself.',
  },
  secure: {
    title: 'Secure connection (TLS)',
    off: 'Off. On the workshop’s own network everything works without it; what is sent can be read by somebody on the same Wi-Fi who knows how.',
    how: 'To switch it on, start the box with --tls auto, or set tls = "auto" in its configuration.',
    on: 'On, beside the plain address, which goes on working.',
    failed: 'It was wanted, and does not work:',
    device: 'Set up a device',
  },
  certificate: {
    title: 'Trust this box on a device',
    intro:
      'The box vouches for itself: no authority in the world may sign a name that ends in .local. Each device is told once to trust it. From then on it opens the secure address without a warning.',
    limits:
      'What you install can vouch for .local names and addresses in private networks only, for no other site.',
    none: 'This box has no certificate of its own, because the secure connection is off or uses your own certificate.',
    back: 'Back to the addresses',
    step1: '1. Get the certificate on the device',
    scan: 'Scan this with the device, or open the address in its browser.',
    scanApple: 'iPhone, iPad, Mac',
    scanOther: 'Android, Windows, Linux',
    download: 'Download for this device',
    downloadApple: 'Download for Apple devices',
    downloadOther: 'Download the certificate',
    step2: '2. Install it',
    step3: '3. Compare the fingerprint',
    compare:
      'The device shows a fingerprint (SHA-256) before or after installing. It must be this one. The box itself also prints it: motoreach doctor.',
    step4: '4. Open the secure address',
    remove: 'To remove it',
    devices: [
      {
        name: 'iPhone and iPad',
        install: [
          'Open the download in Safari and allow the profile.',
          'Settings: tap “Profile Downloaded” at the top, then Install.',
          'Settings, General, About, Certificate Trust Settings: switch on “MotoReach box …”.',
        ],
        remove:
          'Settings, General, VPN & Device Management: choose “MotoReach box”, then Remove Profile.',
      },
      {
        name: 'Android',
        install: [
          'Download the certificate.',
          'Settings: search for “CA certificate” (often under Security, Encryption & credentials, Install a certificate).',
          'Choose “CA certificate”, install anyway, and pick motoreach.crt. The phone asks for its PIN.',
        ],
        remove:
          'Settings, Encryption & credentials, Trusted credentials, User: choose “MotoReach”, then Remove.',
      },
      {
        name: 'Windows',
        install: [
          'Download the certificate and open it.',
          'Install Certificate, Current User, “Place all certificates in the following store”.',
          'Browse to “Trusted Root Certification Authorities”, then Finish, and confirm.',
        ],
        remove:
          'Run certmgr.msc, Trusted Root Certification Authorities, Certificates: delete “MotoReach box …”.',
      },
      {
        name: 'Mac',
        install: [
          'Download the profile and open it.',
          'System Settings, Privacy & Security, Profiles: double-click “MotoReach box”, then Install.',
          'If the browser still warns: Keychain Access, System, “MotoReach box …”, Trust, Always Trust.',
        ],
        remove:
          'System Settings, Privacy & Security, Profiles: choose “MotoReach box”, then remove it.',
      },
      {
        name: 'Linux and Firefox',
        install: [
          'Firefox, on every system: Settings, Privacy & Security, View Certificates, Authorities, Import, “Trust to identify websites”.',
          'Chrome on Linux: Settings, Privacy and security, Security, Manage certificates, Authorities, Import.',
          'Debian and Ubuntu for programs: copy motoreach.crt to /usr/local/share/ca-certificates/, then run sudo update-ca-certificates.',
        ],
        remove:
          'In the same lists, delete “MotoReach box …”; for programs, remove the file and run update-ca-certificates again.',
      },
    ],
  },
};
