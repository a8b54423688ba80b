/** For those who run the worker inside a program of their own. */
export { createWorker, type BillPaymentWorkerOptions } from './create-worker';
export { startWorker, type RunningWorker } from './start';
export { missingSearchAttributes, howToAddSearchAttributes } from './search-attributes';
export { createAlmara, type AlmaraSettings } from '../almara';
export { createAlmaraCallbacks, parseKeyRing } from '../almara/callback';
export type { Provider } from '../payment/provider';
export { migrate, openStore, pendingMigrations, type Store } from '../store';
