import { bundleWorkflowCode } from '@temporalio/worker';

const quiet = () => undefined;
/** The bundler tells every step; only what is wrong matters here. */
const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: console.warn, error: console.error };

/** The code of the workflows as workers load it (source map inside). */
export async function bundleWorkflows(workflowsPath) {
  const { code } = await bundleWorkflowCode({ workflowsPath, logger });
  return code;
}
