-- The reports of reconciliation: what was compared, and what did not agree. Only ever added to.

CREATE TABLE reconciliations (
  -- Of the run that made it: writing a report again changes nothing.
  run_id       text PRIMARY KEY,
  since        timestamptz NOT NULL,
  until        timestamptz NOT NULL,
  started_at   timestamptz NOT NULL,
  finished_at  timestamptz NOT NULL DEFAULT now(),
  -- Every payment of the window was asked about.
  complete     boolean NOT NULL,
  -- Until here everything was compared without a gap. Absent when this report is incomplete or begins behind a gap: the next one
  -- begins where the last without a gap has ended.
  covers_until timestamptz,
  counts       jsonb NOT NULL,
  differences  jsonb NOT NULL,
  CONSTRAINT covers_what_is_complete CHECK (covers_until IS NULL OR (complete AND covers_until = until)),
  CONSTRAINT window_has_a_length CHECK (since <= until)
);

CREATE INDEX reconciliations_cover ON reconciliations (covers_until) WHERE covers_until IS NOT NULL;

CREATE TRIGGER reconciliations_are_kept BEFORE UPDATE OR DELETE ON reconciliations
  FOR EACH ROW EXECUTE FUNCTION refuse('a report is only added');
CREATE TRIGGER reconciliations_are_not_truncated BEFORE TRUNCATE ON reconciliations
  FOR EACH STATEMENT EXECUTE FUNCTION refuse('a report is only added');

-- What a window covers is found without reading every payment there ever was.
CREATE INDEX payments_open ON payments (payment_id) WHERE outcome IS NULL;
CREATE INDEX payments_by_closing ON payments (closed_at) WHERE outcome IS NOT NULL;
