import { expect, test } from 'vitest';
import { ApiError } from '$lib/net/api';
import { fieldFault } from './faults';

const fault = new ApiError(422, 'invalid', '', {
  full_name: ['full_name must not be empty.'],
  current: ['That is not your password.'],
});

test('a sentence about a field begins with its name in words', () => {
  expect(fieldFault(fault, 'customer.full_name', 'full_name')).toBe('Full name must not be empty.');
  expect(fieldFault(fault, 'current')).toBe('That is not your password.');
  expect(fieldFault(fault, 'phone')).toBeNull();
});
