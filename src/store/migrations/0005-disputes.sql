-- A recorded outcome that something authentic contradicts: who found it, whether its workflow was started (an outbox), what people
-- agreed on. The outcome itself stays as it is.

CREATE TABLE disputes (
  payment_id  text PRIMARY KEY REFERENCES payments,
  raised_by   text NOT NULL CHECK (raised_by IN ('callback', 'close', 'reconciliation')),
  -- For people, without personal data.
  because     text NOT NULL CHECK (because <> ''),
  raised_at   timestamptz NOT NULL DEFAULT now(),
  -- When its workflow was known to be started.
  opened_at   timestamptz,
  resolved_at timestamptz,
  resolution  jsonb CHECK (resolution ->> 'agreed' IN ('paid', 'not-paid')),
  CONSTRAINT resolved_whole CHECK ((resolved_at IS NULL) = (resolution IS NULL))
);

CREATE INDEX disputes_to_open ON disputes (raised_at) WHERE opened_at IS NULL AND resolved_at IS NULL;

CREATE TRIGGER disputes_are_kept BEFORE DELETE ON disputes
  FOR EACH ROW EXECUTE FUNCTION refuse('a dispute is resolved, not removed');
CREATE TRIGGER disputes_are_not_truncated BEFORE TRUNCATE ON disputes
  FOR EACH STATEMENT EXECUTE FUNCTION refuse('a dispute is resolved, not removed');

CREATE FUNCTION keep_what_is_final_of_a_dispute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.payment_id, NEW.raised_by, NEW.because, NEW.raised_at)
     IS DISTINCT FROM (OLD.payment_id, OLD.raised_by, OLD.because, OLD.raised_at) THEN
    RAISE EXCEPTION 'payment %: what raised a dispute never changes', OLD.payment_id USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.opened_at IS NOT NULL AND NEW.opened_at IS DISTINCT FROM OLD.opened_at THEN
    RAISE EXCEPTION 'payment %: an opened dispute stays opened', OLD.payment_id USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.resolved_at IS NOT NULL AND (NEW.resolved_at, NEW.resolution) IS DISTINCT FROM (OLD.resolved_at, OLD.resolution) THEN
    RAISE EXCEPTION 'payment %: a dispute is resolved once', OLD.payment_id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER disputes_keep_what_is_final BEFORE UPDATE ON disputes
  FOR EACH ROW EXECUTE FUNCTION keep_what_is_final_of_a_dispute();

CREATE FUNCTION dispute_closed_payments_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM payments WHERE payment_id = NEW.payment_id AND outcome IS NOT NULL) THEN
    RAISE EXCEPTION 'payment %: only a recorded outcome can be disputed', NEW.payment_id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER disputes_of_closed_payments BEFORE INSERT ON disputes
  FOR EACH ROW EXECUTE FUNCTION dispute_closed_payments_only();

-- A mark on the payment has its dispute, whoever set it: processes of version 0.1.0 write the mark alone, and some may still run
-- while the next version is being brought out.
CREATE FUNCTION dispute_what_is_marked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO disputes (payment_id, raised_by, because, raised_at)
  VALUES (NEW.payment_id, 'callback', 'Marked as disputed by an earlier version: compare the callbacks with the outcome', NEW.disputed_at)
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE TRIGGER payments_marked_are_disputed AFTER UPDATE ON payments
  FOR EACH ROW WHEN (OLD.disputed_at IS NULL AND NEW.disputed_at IS NOT NULL) EXECUTE FUNCTION dispute_what_is_marked();

INSERT INTO disputes (payment_id, raised_by, because, raised_at)
SELECT payment_id, 'callback', 'Marked as disputed by an earlier version: compare the callbacks with the outcome', disputed_at
  FROM payments
 WHERE disputed_at IS NOT NULL AND outcome IS NOT NULL;
