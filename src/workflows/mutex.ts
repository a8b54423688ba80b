import { condition } from '@temporalio/workflow';

/**
 * Local activities of the flow and of its message handlers, one after the other. Two that end within the same moment are told to the
 * workflow one by one the first time and together when it is replayed; what follows on each would then come in another order, and
 * the run could never be replayed again. It is held for one try: whoever pauses before the next lets others go first.
 */
export class Mutex {
  isLocked = false;

  async runExclusive<T>(step: () => Promise<T>): Promise<T> {
    while (this.isLocked) await condition(() => !this.isLocked);
    this.isLocked = true;
    try {
      return await step();
    } finally {
      this.isLocked = false;
    }
  }
}
