import { condition } from '@temporalio/workflow';

/**
 * Local activities of the flow and of a message handler, one after the other. Two that end within the same moment are told to the
 * workflow one by one the first time and together when it is replayed; what follows on each would then come in another order, and
 * the run could never be replayed again. A turn is one try: whoever pauses before the next lets others go first, so that a hold that
 * cannot be made does not keep a cancellation waiting.
 */
export class Turns {
  private taken = false;

  async take<T>(step: () => Promise<T>): Promise<T> {
    while (this.taken) await condition(() => !this.taken);
    this.taken = true;
    try {
      return await step();
    } finally {
      this.taken = false;
    }
  }
}
