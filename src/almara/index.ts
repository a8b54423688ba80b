/** Almara Pay for the activities. The callback endpoint imports `./callback`, which pulls in no HTTP client. */
export { createAlmara, type Almara, type AlmaraDependencies } from './client';
export type { DueBill } from './bill-readings';
export { AlmaraRefusal, AlmaraTrouble, type TroubleKind } from './errors';
export type { AlmaraSettings, Timeouts } from './settings';
export { AccessToken } from './token';
export type { Bill, PaymentOrder } from './wire';
