import { existsSync } from 'node:fs';
import path from 'node:path';

/** The project's folder, from the sources and from the build alike. */
export const PROJECT = upToPackage(__dirname);

function upToPackage(folder: string): string {
  return existsSync(path.join(folder, 'package.json')) ? folder : upToPackage(path.dirname(folder));
}
