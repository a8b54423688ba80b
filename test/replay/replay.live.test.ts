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

if (VERSION === undefined) replayAll();
else test('records a history of each path', async () => await recordAll(path.join(FOLDER, VERSION)));

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

/** A run knows its payment by its workflow id, and a replay has none of its own. */
function workflowIdIn(history: unknown): string {
  const { events } = history as { events: { workflowExecutionStartedEventAttributes: { workflowId: string } }[] };
  return events[0]?.workflowExecutionStartedEventAttributes.workflowId ?? '';
}
