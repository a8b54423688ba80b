export { startSandbox, type Sandbox, type ScriptedCallback } from './sandbox';
export type { SandboxSettings } from './settings';
export { DEFAULT_TIMINGS } from './settings';
export { BEHAVIOURS, PREPAID_TOKEN, accountOf, behaviourTable } from './behaviours';
export { BEHAVIOUR_NAMES, STATUS, type Behaviour, type BehaviourName, type Timings } from './behaviour';
export { CALLBACK_FAULTS, draw, pick, planFaults, REQUEST_FAULTS, type FaultPlan, type FaultRates } from './faults';
export { BILL_ROUTE_ID, PREPAID_SERVICES, SERVICES } from './catalogue';
export type { PaymentView, RecordPatch, SeenRequest, SentCallback } from './ledger';
