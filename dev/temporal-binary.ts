import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

/**
 * Where the `temporal` command comes from, first match wins: the PATH, an earlier run's copy, the SDK's own download, a build
 * with Go. The last two leave a copy for the next run.
 */

export interface Search {
  /** Kept from run to run, outside version control. */
  readonly cacheDir: string;
  /** One line for people. A build takes minutes: silence would look like a hang. */
  readonly progress: (line: string) => void;
}

/** One way to get it: the command to run, or undefined when this way is closed. */
export interface Way {
  readonly name: string;
  find(search: Search): Promise<string | undefined>;
}

/** CLI with server 1.29.1 and Web UI 2.42.1. Later tags carry a `replace` and cannot be installed with `go install`. */
const GO_PACKAGE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const DOWNLOAD_WITHIN_MS = 5 * 60_000;
const TELL_EVERY_MS = 10_000;

const onPath: Way = {
  name: 'temporal on the PATH',
  find: async () => ((await runs('temporal')) ? 'temporal' : undefined),
};

const inCache: Way = {
  name: "an earlier run's copy",
  async find({ cacheDir }) {
    const copy = cachedCommand(cacheDir);
    return existsSync(copy) && (await runs(copy)) ? copy : undefined;
  },
};

/**
 * The SDK can only download by starting a server, and starting one sets up its runtime in this process for good: so a process
 * of its own does it.
 */
const bySdk: Way = {
  name: "the SDK's download",
  async find({ cacheDir, progress }) {
    progress('Temporal: no `temporal` command here; asking the SDK to download it');
    const downloadDir = temporaryFolder(cacheDir);
    try {
      const script = `
        const { TestWorkflowEnvironment } = require(process.argv[1]);
        const executable = { type: 'cached-download', downloadDir: process.argv[2] };
        TestWorkflowEnvironment.createLocal({ server: { executable } }).then((server) => server.teardown(), () => process.exit(1));`;
      const ended = await run(
        process.execPath,
        ['-e', script, require.resolve('@temporalio/testing'), downloadDir],
        DOWNLOAD_WITHIN_MS,
      );
      const downloaded = readdirSync(downloadDir).find((name) => !name.endsWith('.downloading'));
      if (!ended || downloaded === undefined) return undefined;
      return keep(path.join(downloadDir, downloaded), cacheDir);
    } finally {
      rmSync(downloadDir, { recursive: true, force: true });
    }
  },
};

const byGo: Way = {
  name: 'a build with Go',
  async find({ cacheDir, progress }) {
    if (!(await run('go', ['version']))) return undefined;
    progress('Temporal: building it with Go; this takes about 4 minutes, once');
    const buildDir = temporaryFolder(cacheDir);
    try {
      const built = await goInstall(buildDir, progress);
      return built ? keep(path.join(buildDir, 'temporal'), cacheDir) : undefined;
    } finally {
      rmSync(buildDir, { recursive: true, force: true });
    }
  },
};

export const WAYS: readonly Way[] = [onPath, inCache, bySdk, byGo];

/** @throws when every way is closed, naming the ways out */
export async function findTemporal(search: Search, ways: readonly Way[] = WAYS): Promise<string> {
  for (const way of ways) {
    const command = await way.find(search);
    if (command !== undefined) return command;
  }
  throw new Error(
    [
      'A Temporal server is needed, and there is none. One of these helps:',
      '  1. TEMPORAL_ADDRESS=host:port in the environment, to use a server that runs already',
      '  2. the `temporal` command on the PATH (https://docs.temporal.io/cli)',
      '  3. access to the internet, so that the SDK can download it (temporal.download)',
      '  4. Go on the PATH (https://go.dev/dl), so that it can be built here',
    ].join('\n'),
  );
}

const cachedCommand = (cacheDir: string): string => path.join(cacheDir, 'bin', 'temporal');

/** Beside its final place, so that the move into it is one step and another run never sees half a file. */
function temporaryFolder(cacheDir: string): string {
  mkdirSync(path.join(cacheDir, 'bin'), { recursive: true });
  return mkdtempSync(path.join(cacheDir, 'bin', 'new-'));
}

function keep(file: string, cacheDir: string): string {
  const copy = cachedCommand(cacheDir);
  chmodSync(file, 0o755);
  renameSync(file, copy);
  return copy;
}

const runs = (command: string): Promise<boolean> => run(command, ['--version'], TELL_EVERY_MS);

/** Whether it ended well. A command that is not there did not. */
function run(command: string, args: readonly string[], timeout = TELL_EVERY_MS): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(command, [...args], { timeout }, (error) => resolve(error === null));
  });
}

/** `go install -v` names each module it downloads and each package it compiles: counted, that is progress. */
function goInstall(folder: string, progress: (line: string) => void): Promise<boolean> {
  const started = Date.now();
  const go = spawn('env', [`GOBIN=${path.resolve(folder)}`, 'go', 'install', '-v', GO_PACKAGE], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let downloaded = 0;
  let compiled = 0;
  let lastWords = '';
  createInterface(go.stderr).on('line', (line) => {
    if (line.startsWith('go: downloading')) downloaded += 1;
    else compiled += 1;
    lastWords = line;
  });
  const tell = setInterval(() => {
    const seconds = Math.round((Date.now() - started) / 1000);
    progress(`Temporal: building for ${seconds} s (${downloaded} modules downloaded, ${compiled} packages compiled)`);
  }, TELL_EVERY_MS);
  return new Promise((resolve) => {
    go.once('close', (code) => {
      clearInterval(tell);
      if (code !== 0) progress(`Temporal: the build failed: ${lastWords}`);
      resolve(code === 0);
    });
    go.once('error', () => resolve(false));
  });
}
