/** Almara Pay as a provider. Its callbacks are in `./callback`, which pulls in no HTTP client. */
export { createAlmara, type AlmaraDependencies } from './client';
export type { AlmaraSettings, Timeouts } from './settings';
