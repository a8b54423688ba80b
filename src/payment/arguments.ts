import {
  CompositePayloadConverter,
  JsonPayloadConverter,
  defaultPayloadConverter,
  type Payload,
} from '@temporalio/common';

/** How the argument of a start, a signal or an update is read. Anybody may send it, in whatever encoding the Web UI offers. */

/** The value of what cannot be read: no value that anybody can send, so every check of an argument's shape refuses it. */
export const UNREADABLE = Symbol('unreadable');

const json = new JsonPayloadConverter();

/** What is written as JSON is JSON; nothing of ours is ever sent as json/protobuf. */
const fromAnybody = new CompositePayloadConverter(...defaultPayloadConverter.converters, {
  encodingType: 'json/protobuf',
  toPayload: () => undefined,
  fromPayload: (payload) => json.fromPayload(payload),
});

export function readArgument(payload: Payload): unknown {
  try {
    return fromAnybody.fromPayload(payload);
  } catch {
    return UNREADABLE;
  }
}
