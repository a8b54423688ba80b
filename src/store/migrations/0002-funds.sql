-- Money of the payers: what is there, what is held for open payments, what was paid out.

CREATE TABLE funding_accounts (
  id         text PRIMARY KEY,
  currency   text NOT NULL,
  available  bigint NOT NULL DEFAULT 0 CHECK (available >= 0),
  reserved   bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  posted     bigint NOT NULL DEFAULT 0 CHECK (posted >= 0),
  deposited  bigint NOT NULL DEFAULT 0 CHECK (deposited <= 9007199254740991),
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Nothing appears and nothing is lost, after every single statement.
  CONSTRAINT funds_add_up CHECK (deposited = available + reserved + posted)
);

CREATE TRIGGER funding_accounts_are_kept BEFORE DELETE ON funding_accounts
  FOR EACH ROW EXECUTE FUNCTION refuse('money does not disappear');
CREATE TRIGGER funding_accounts_are_not_truncated BEFORE TRUNCATE ON funding_accounts
  FOR EACH STATEMENT EXECUTE FUNCTION refuse('money does not disappear');

-- One reservation per payment (the key), and one second phase: posted in part or whole, or voided (posted 0).
CREATE TABLE reservations (
  payment_id      text PRIMARY KEY REFERENCES payments,
  funding_account text NOT NULL REFERENCES funding_accounts,
  amount          bigint NOT NULL CHECK (amount > 0),
  reserved_at     timestamptz NOT NULL DEFAULT now(),
  settled_at      timestamptz,
  posted          bigint,
  released        bigint,
  state           text NOT NULL GENERATED ALWAYS AS
                  (CASE WHEN settled_at IS NULL THEN 'reserved' WHEN posted > 0 THEN 'posted' ELSE 'voided' END) STORED,
  CONSTRAINT settled_whole CHECK (
    (settled_at IS NULL AND posted IS NULL AND released IS NULL)
    OR (settled_at IS NOT NULL AND posted >= 0 AND released >= 0 AND posted + released = amount)
  )
);

CREATE INDEX reservations_held ON reservations (funding_account) WHERE settled_at IS NULL;

CREATE TRIGGER reservations_are_kept BEFORE DELETE ON reservations
  FOR EACH ROW EXECUTE FUNCTION refuse('a reservation is settled, not removed');
CREATE TRIGGER reservations_are_not_truncated BEFORE TRUNCATE ON reservations
  FOR EACH STATEMENT EXECUTE FUNCTION refuse('a reservation is settled, not removed');

CREATE FUNCTION keep_what_is_final_of_a_reservation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.settled_at IS NOT NULL THEN
    RAISE EXCEPTION 'payment %: a reservation is settled once', OLD.payment_id USING ERRCODE = 'restrict_violation';
  END IF;
  IF (NEW.payment_id, NEW.funding_account, NEW.amount, NEW.reserved_at)
     IS DISTINCT FROM (OLD.payment_id, OLD.funding_account, OLD.amount, OLD.reserved_at) THEN
    RAISE EXCEPTION 'payment %: a reservation never changes', OLD.payment_id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER reservations_keep_what_is_final BEFORE UPDATE ON reservations
  FOR EACH ROW EXECUTE FUNCTION keep_what_is_final_of_a_reservation();

-- With no payment open nothing is reserved, from both sides. The row lock makes a reserve and a close of the same payment
-- wait for each other, whoever wrote the statement.
CREATE FUNCTION reserve_for_open_payments_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM payments WHERE payment_id = NEW.payment_id AND outcome IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'payment %: nothing is reserved for a payment that is not open', NEW.payment_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER reservations_of_open_payments BEFORE INSERT ON reservations
  FOR EACH ROW EXECUTE FUNCTION reserve_for_open_payments_only();

CREATE FUNCTION settle_before_closing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM reservations WHERE payment_id = NEW.payment_id AND settled_at IS NULL) THEN
    RAISE EXCEPTION 'payment %: its reservation is settled before it closes', NEW.payment_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER payments_settle_before_closing BEFORE UPDATE ON payments
  FOR EACH ROW WHEN (OLD.outcome IS NULL AND NEW.outcome IS NOT NULL) EXECUTE FUNCTION settle_before_closing();
