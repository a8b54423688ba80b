import { createApp } from './app';
import type { Body } from './answers';
import { createBackground } from './background';
import { STATUS, type CallbackContent } from './behaviour';
import { createCallbackSender } from './callbacks';
import { Ledger, type PaymentView, type RecordPatch, type SentCallback } from './ledger';
import { Provider } from './provider';
import { DEFAULT_SLOW_MS, DEFAULT_TOKEN_LIFETIME_SECONDS, timingsOf, type SandboxSettings } from './settings';
import { createTokens } from './tokens';

/** A callback a test makes up: a body as it is, or the sandbox's own with some things changed. */
export type ScriptedCallback =
  | { readonly raw: string; readonly url?: string }
  /** `fields` replace top-level fields of the body. */
  | (Partial<CallbackContent> & { readonly fields?: Body; readonly url?: string });

export interface Sandbox {
  /** Base of the API and of the identity endpoint. */
  readonly url: string;
  readonly ledger: Pick<Ledger, 'payments' | 'find' | 'requests' | 'brokenPosts' | 'faults'>;
  /** An id nobody mentioned has zeros. */
  payment(id: string): PaymentView;
  /**
   * From now on look-ups of this id show these wire fields over (or instead of) the record of the rules; null: not found.
   * A later patch replaces an earlier one. Refused look-ups (429, 401) stay refused.
   */
  setRecord(id: string, patch: RecordPatch): void;
  /** Resolves when the callback was answered or could not be delivered. @throws if there is no captured payment to make it from */
  sendCallback(id: string, callback?: ScriptedCallback): Promise<SentCallback>;
  /** Every token issued so far gets 401 from now on. */
  expireTokens(): void;
  /** Resolves once no callback is scheduled or under way. */
  idle(): Promise<void>;
  /** Stops timers, drops pending callbacks and destroys every connection. */
  close(): Promise<void>;
}

/** Starts a simulated Almara Pay. */
export async function startSandbox(settings: SandboxSettings): Promise<Sandbox> {
  const now = settings.now ?? Date.now;
  const timings = timingsOf(settings);
  const ledger = new Ledger(timings, now);
  const background = createBackground();
  const sender = createCallbackSender({ allowedHosts: settings.callbackHosts ?? [], log: settings.log });
  const provider = new Provider({ ledger, timings, background, sender, now, faults: settings.faults });
  const tokenLifetimeSeconds = settings.tokenLifetimeSeconds ?? DEFAULT_TOKEN_LIFETIME_SECONDS;
  const tokens = createTokens(tokenLifetimeSeconds, now);
  const slowMs = settings.slowMs ?? DEFAULT_SLOW_MS;
  const app = createApp({ settings, ledger, provider, tokens, tokenLifetimeSeconds, slowMs, now });
  const url = await app.listen({ port: settings.port ?? 0, host: settings.host ?? '127.0.0.1' });

  return {
    url,
    ledger,
    payment: (id) => ledger.payment(id),
    setRecord(id, patch) {
      ledger.entry(id).patch = patch;
    },
    async sendCallback(id, callback = {}) {
      const entry = ledger.entry(id);
      const request = entry.state.captured?.request;
      const target = callback.url ?? request?.callbackUrl;
      if (target !== undefined && 'raw' in callback) return await provider.sendCallback(entry, target, callback.raw);
      if (target === undefined || request === undefined || 'raw' in callback) {
        throw new Error(`payment ${id} was not captured: a callback for it needs both raw and url`);
      }
      const { fields, url: _target, ...changes } = callback;
      const content: CallbackContent = { shape: 'nested', status: STATUS.completed, code: '0', ...changes };
      const body = { ...provider.callbackBody(entry, request, content), ...fields };
      return await provider.sendCallback(entry, target, JSON.stringify(body));
    },
    expireTokens: () => tokens.expireAll(),
    idle: () => background.idle(),
    async close() {
      await app.close();
      sender.close();
      await background.close();
    },
  };
}
