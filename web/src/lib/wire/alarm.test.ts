import { describe, expect, test } from 'vitest';
import { readAlarmFragment } from './alarm';
import { toBase64Url, utf8 } from './bytes';

const secret = toBase64Url(new Uint8Array(32).fill(7));

describe('the fragment of an alarm’s link', () => {
  test('carries the secret, and the workshop’s name whatever its letters', () => {
    const name = 'Kfz-Werkstatt Müller & ആശ';
    const fragment = `${secret}.${toBase64Url(utf8(name))}`;
    expect(readAlarmFragment(fragment)).toEqual({ secret, workshopName: name });
    expect(readAlarmFragment(`${secret}.`)).toEqual({ secret, workshopName: '' });
  });

  test('is none when it is cut, or somebody else’s', () => {
    for (const broken of ['', secret, `${secret.slice(1)}.QQ`, `${secret}.Q!`, `x${secret}.QQ`]) {
      expect(readAlarmFragment(broken)).toBeNull();
    }
  });
});
