-- Every authentic callback as it came. On purpose without a foreign key: inserting one must not touch the payment's row,
-- so that a flood of callbacks never waits for a close nor a close for the flood; and a callback that arrives after the
-- store was restored to an earlier day is kept even when its payment is not there. (The URL's token proves the id is ours.)

CREATE TABLE callback_inbox (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payment_id   text NOT NULL,
  digest       text NOT NULL,
  body         text NOT NULL,
  reading      jsonb NOT NULL,
  received_at  timestamptz NOT NULL,
  -- When the running workflow was told.
  signalled_at timestamptz,
  -- What took it into account: a close, or, after the close, the comparison with the outcome.
  named_by     text CHECK (named_by IN ('close', 'agreed', 'dispute')),
  named_at     timestamptz,
  CONSTRAINT named_whole CHECK ((named_by IS NULL) = (named_at IS NULL)),
  UNIQUE (payment_id, digest)
);

CREATE INDEX callback_inbox_by_payment ON callback_inbox (payment_id, id);
CREATE INDEX callback_inbox_unnamed ON callback_inbox (id) WHERE named_by IS NULL;

-- How many, per payment. Its row is the queue at which callbacks of one payment wait for each other: the limit is exact,
-- and ids grow in the order of the commits.
CREATE TABLE callback_counts (
  payment_id text PRIMARY KEY,
  stored     integer NOT NULL DEFAULT 0 CHECK (stored BETWEEN 0 AND 200),
  -- Distinct callbacks beyond the limit: counted, not kept.
  overflowed bigint NOT NULL DEFAULT 0
);
