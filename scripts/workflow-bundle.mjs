import path from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';

/** How the workflows read what anybody may send them. */
const PAYLOADS = path.join(path.dirname(import.meta.dirname), 'src/workflows/payloads.ts');

const quiet = () => undefined;
/** The bundler tells every step; only what is wrong matters here. */
const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: console.warn, error: console.error };

/** The code of the workflows as workers load it (source map inside). */
export async function bundleWorkflows(workflowsPath) {
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    payloadConverterPath: PAYLOADS,
    workflowInterceptorModules: [PAYLOADS],
    // Loaded once, and not for each run: they keep nothing between two runs (docs/performance.md#waiting-payments).
    preloadModules: [workflowsPath, PAYLOADS],
    logger,
  });
  return code;
}
