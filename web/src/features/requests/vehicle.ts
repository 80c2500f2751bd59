import type { Vehicle } from '$lib/wire/things';

/** "Honda Activa", or nothing when neither make nor model is known. */
export function vehicleName({ make, model, year }: Vehicle): string {
  return [make, model, year].filter((part) => part !== null && part !== '').join(' ');
}
