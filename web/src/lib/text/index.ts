import { en, type Catalogue } from './en';

const catalogues: Readonly<Record<string, Catalogue>> = { en };

/** The sentences in the browser's language, English where there is no catalogue for it. */
export const text: Catalogue =
  catalogues[(typeof navigator === 'undefined' ? 'en' : navigator.language).slice(0, 2)] ?? en;
