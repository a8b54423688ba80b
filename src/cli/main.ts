#!/usr/bin/env node
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { BillPayments } from '../client';
import { readCliConfig } from '../config';
import { reasonOf } from '../payment/reason';
import { UsageError } from './exit-codes';
import { createProgram } from './program';

const { version } = JSON.parse(readFileSync(path.join(__dirname, '../../package.json'), 'utf8')) as { version: string };

const run = createProgram({
  version,
  connect: () => BillPayments.connect(),
  loadStore: async () => (await import('./store.js')).cliStore,
  databaseUrl: () => {
    try {
      return readCliConfig().databaseUrl;
    } catch (cause) {
      throw new UsageError(reasonOf(cause), { cause });
    }
  },
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  readInput: async (file) => (file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')),
  newPaymentId: () => randomUUID(),
  onInterrupt: (callback) => {
    // Once: the second interrupt ends the process as usual.
    process.once('SIGINT', callback);
    return () => process.off('SIGINT', callback);
  },
  // NO_COLOR and its like are minded by Node.
  colour: process.stdout.isTTY && process.stdout.hasColors(),
});

// A reader that has left, such as `head`, is no failure of ours.
process.stdout.on('error', () => undefined);
void run(process.argv.slice(2)).then((code) => (process.exitCode = code));
