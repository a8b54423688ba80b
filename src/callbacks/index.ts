/** The callback endpoint, for a service that runs it itself. `dist/callbacks/main.js` runs it as a process of its own. */
export { createAlmaraCallbacks, parseKeyRing, type CallbackKeyRing } from '../almara/callback';
export type { ProviderCallbacks } from '../payment/provider';
export { startCallbacks, type CallbacksSettings, type RunningCallbacks } from './start';
export { createCallbackApp, type CallbackAppOptions } from './app';
export {
  createDelivery,
  type Delivered,
  type Delivery,
  type DeliveryOptions,
  type DeliveryStore,
  type SweepReport,
} from './deliver';
export { createSignal, type Signal } from './signal';
export { createOpenDispute, type DisputeOutbox, type OpenDispute } from './disputes';
export { startSweeper, type Sweeper } from './sweeper';
export { createBackground, type Background } from './background';
export { createMetrics, type CallbackMetrics } from './metrics';
