import { render, screen } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
import AddressCard from '$features/box/AddressCard.svelte';
import SecureCard from '$features/box/SecureCard.svelte';
import { BoxAddresses } from '$lib/model/box-addresses.svelte';
import { Api, renewFromCookie } from '$lib/net/api';
import { BoxApi } from '$lib/net/box-api';
import { readAddresses } from '$lib/wire/box-addresses';
import { FakeClock, settle } from '../../test/fakes';

const told = {
  name: 'motoreach-2.local',
  conflict: true,
  announcement: 'announced',
  url: 'http://motoreach-2.local',
  plain: ['http://192.168.1.20', 'http://[fd00::5]'],
  port: 80,
  secure: { state: 'off', url: null, why: null, fingerprint: null, certificate: null },
};

const signedIn = () =>
  Response.json({
    access: `h.${btoa(JSON.stringify({ iat: 0, exp: 900 }))}.s`,
    user: { id: 3, full_name: 'Ravi Sharma', role: 'workshop_admin' },
    workshop: { id: 1, name: 'Sharma Motors' },
  });

describe('where the box is found', () => {
  test('a page that shows it asks again, and keeps what it knew when no answer comes', async () => {
    const clock = new FakeClock();
    let answer: Response | null = Response.json(told);
    const fetchFake = ((path: string) => {
      if (path.includes('/refresh/')) return Promise.resolve(signedIn());
      if (answer === null) return Promise.reject(new TypeError('offline'));
      return Promise.resolve(answer.clone());
    }) as typeof fetch;
    const api = new BoxApi(new Api(fetchFake, clock.now, renewFromCookie));
    const model = new BoxAddresses(api, clock);
    const stop = model.watch();
    await vi.waitFor(() => {
      expect(model.addresses?.name).toBe('motoreach-2.local');
    });
    answer = Response.json({ ...told, plain: ['http://192.168.1.77'] });
    clock.turn(10_000);
    await vi.waitFor(() => {
      expect(model.addresses?.plain).toEqual(['http://192.168.1.77']);
    });
    answer = null;
    clock.turn(10_000);
    await vi.waitFor(() => {
      expect(model.failed).toBe(true);
    });
    expect(model.addresses?.plain).toEqual(['http://192.168.1.77']);
    stop();
    answer = Response.json(told);
    clock.turn(60_000);
    await settle();
    expect(model.failed).toBe(true);
  });

  test('name and numbers are shown, the code opens a number, and a name that was taken is said', () => {
    const { container } = render(AddressCard, {
      addresses: readAddresses(told),
      workshop: 'Sharma Motors',
    });
    expect(screen.getByText('http://192.168.1.20', { selector: 'span' })).toBeVisible();
    expect(screen.getByText('http://[fd00::5]')).toBeVisible();
    expect(
      screen.getByRole('img', { name: 'Code that opens http://192.168.1.20' }),
    ).toBeInTheDocument();
    expect(screen.getByText(/Another device on this network has the name/)).toBeVisible();
    expect(container.querySelector('.print-only')).toHaveTextContent('on the workshop’s Wi-Fi');
  });

  test('without a network it says what to look at', () => {
    render(AddressCard, {
      addresses: readAddresses({ ...told, conflict: false, plain: [], announcement: 'no_network' }),
      workshop: 'Sharma Motors',
    });
    expect(screen.getByText(/look at its cable/)).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Print a card' })).toBeNull();
  });

  test('TLS that does not work says why; TLS of its own leads to setting up devices', () => {
    const failed = { ...told.secure, state: 'failed', why: 'port 443 on :: is already in use' };
    const { unmount } = render(SecureCard, {
      secure: readAddresses({ ...told, secure: failed }).secure,
    });
    expect(screen.getByText(/port 443 on :: is already in use/)).toBeVisible();
    unmount();
    const on = {
      state: 'on',
      url: 'https://motoreach.local',
      why: null,
      fingerprint: 'AB:CD',
      certificate: { crt: '/c.crt', mobileconfig: '/c.mobileconfig' },
    };
    render(SecureCard, { secure: readAddresses({ ...told, secure: on }).secure });
    expect(screen.getByText('https://motoreach.local')).toBeVisible();
    expect(screen.getByRole('link', { name: 'Set up a device' })).toHaveAttribute(
      'href',
      '/box/certificate/',
    );
  });
});
