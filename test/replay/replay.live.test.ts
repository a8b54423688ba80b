import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DeterminismViolationError } from '@temporalio/workflow';
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { workflowBundle } from '../support/temporal';
import { PATHS, recordAll } from './recording';

/**
 * Histories of every released version must replay on today's workflows: a payment that began yesterday goes on after a deployment.
 * Before a release: `RECORD_HISTORIES=<version> npx jest test/replay` writes those of the present code, and replays nothing.
 */
const FOLDER = path.join(__dirname, 'histories');
const VERSION = process.env['RECORD_HISTORIES'];

function replayAll(): void {
  const recorded = readdirSync(FOLDER).flatMap((version) =>
    readdirSync(path.join(FOLDER, version)).map((file) => ({ version, file })),
  );

  test('there is a history of each path', () => {
    expect(recorded.map(({ file }) => file)).toEqual(expect.arrayContaining(PATHS.map((name) => `${name}.json`)));
  });

  test.each(recorded)('$version $file replays on the present code', async (which) => {
    const history = read(which);
    await Worker.runReplayHistory({ workflowBundle: workflowBundle() }, history, workflowIdIn(history));
  });

  /**
   * The time that a local activity leaves behind is another in a replay when a query was answered beside it: whatever it is, the run
   * must go the same way.
   */
  describe.each([
    ['at the start of the run', 0],
    ['an hour later', 3_600],
  ])('if local activities had ended %s', (_when, lateBy) => {
    const withLocal = recorded.filter((which) => localMarkers(read(which)).length > 0);
    test.each(withLocal)('$version $file replays', async (which) => {
      const history = read(which);
      const startedAt = startOf(history);
      for (const marker of localMarkers(history)) marker.endAt(startedAt + lateBy);
      await Worker.runReplayHistory({ workflowBundle: workflowBundle() }, history, workflowIdIn(history));
    });
  });

  describe('a changed flow is caught', () => {
    let changed: WorkflowBundleWithSourceMap;
    beforeAll(async () => {
      changed = await bundleWorkflowCode({
        workflowsPath: path.join(__dirname, 'changed'),
        logger: new DefaultLogger('ERROR'),
      });
    });

    test.each(recorded.slice(0, 3))('$version $file', async (which) => {
      await expect(Worker.runReplayHistory({ workflowBundle: changed }, read(which))).rejects.toThrow(
        DeterminismViolationError,
      );
    });
  });
}

function read({ version, file }: { readonly version: string; readonly file: string }): unknown {
  return JSON.parse(readFileSync(path.join(FOLDER, version, file), 'utf8'));
}

interface HistoryEvent {
  readonly eventTime: string;
  readonly workflowExecutionStartedEventAttributes?: { readonly workflowId: string };
  readonly markerRecordedEventAttributes?: {
    readonly markerName: string;
    readonly details: { readonly data: { readonly payloads: [{ data: string }] } };
  };
}
const eventsOf = (history: unknown): readonly HistoryEvent[] => (history as { events: HistoryEvent[] }).events;

/** Epoch seconds. */
const startOf = (history: unknown): number => Math.floor(Date.parse(eventsOf(history)[0]?.eventTime ?? '') / 1_000);

/** What the engine keeps of a local activity: as JSON, with the time of its end. */
const localMarkers = (history: unknown) =>
  eventsOf(history).flatMap(({ markerRecordedEventAttributes: marker }) => {
    if (marker?.markerName !== 'core_local_activity') return [];
    const [payload] = marker.details.data.payloads;
    return [
      {
        endAt(seconds: number): void {
          const kept = JSON.parse(Buffer.from(payload.data, 'base64').toString()) as object;
          if (!('complete_time' in kept)) throw new Error('the marker has no time of its end');
          const changed = { ...kept, complete_time: { seconds, nanos: 0 } };
          payload.data = Buffer.from(JSON.stringify(changed)).toString('base64');
        },
      },
    ];
  });

/** A run knows its payment by its workflow id, and a replay has none of its own. */
function workflowIdIn(history: unknown): string {
  return eventsOf(history)[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? '';
}

if (VERSION === undefined) replayAll();
else test('records a history of each path', async () => await recordAll(path.join(FOLDER, VERSION)));
