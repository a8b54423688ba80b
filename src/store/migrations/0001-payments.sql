-- A payment: what was asked, the claim (the right to send it once), how it ended.
-- What must never happen is refused here as well as in the code: a bug or a hand-written UPDATE fails loudly.

CREATE TABLE payments (
  payment_id        text PRIMARY KEY CHECK (payment_id ~ '^[a-z0-9-]{8,36}$'),
  -- The caller's fields, hashed: the same id with another fingerprint is a conflict.
  fingerprint       text NOT NULL,
  service_id        text NOT NULL,
  account_number    text NOT NULL,
  amount            bigint NOT NULL CHECK (amount > 0 AND amount <= 9007199254740991),
  currency          text NOT NULL,
  registered_at     timestamptz NOT NULL DEFAULT now(),

  -- The claim. Taken once: by the attempt that sends (its nonce), or by the close of a payment that was not sent ('sealed').
  claimed_at        timestamptz,
  claimed_by        text,
  -- Hash of the provider's address and our client id: who the request went to.
  claim_account     text,
  -- Until then the request may still be accepted by the provider.
  token_expires_at  timestamptz,

  -- When a completed record was first seen: after that only the same again, or a person, closes the payment.
  completed_seen_at timestamptz,

  -- How it ended, without the receipt: a later callback may add to that one.
  outcome           jsonb,
  receipt           jsonb NOT NULL DEFAULT '{}',
  closed_at         timestamptz,
  disputed_at       timestamptz,

  state             text NOT NULL GENERATED ALWAYS AS (coalesce(outcome ->> 'kind', 'open')) STORED
                    CHECK (state IN ('open', 'paid', 'declined', 'cancelled')),
  provider_id       text GENERATED ALWAYS AS (outcome ->> 'providerId') STORED,

  CONSTRAINT claim_is_whole CHECK ((claimed_at IS NULL) = (claimed_by IS NULL)),
  CONSTRAINT claim_names_its_request CHECK (
    claimed_by IS NULL OR claimed_by = 'sealed' OR (claim_account IS NOT NULL AND token_expires_at IS NOT NULL)
  ),
  CONSTRAINT outcome_has_its_time CHECK ((outcome IS NULL) = (closed_at IS NULL)),
  -- A closed payment holds its claim, so nothing can send it any more; and a seal exists only with an outcome.
  CONSTRAINT closed_is_claimed CHECK (outcome IS NULL OR claimed_at IS NOT NULL),
  CONSTRAINT sealed_is_closed CHECK (claimed_by IS DISTINCT FROM 'sealed' OR outcome IS NOT NULL),
  CONSTRAINT receipt_of_paid_only CHECK (receipt = '{}' OR state = 'paid')
);

-- The provider may compare ids without case.
CREATE UNIQUE INDEX payments_id_without_case ON payments (lower(payment_id));
CREATE INDEX payments_provider_id ON payments (provider_id) WHERE provider_id IS NOT NULL;

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER payments_are_kept BEFORE DELETE ON payments
  FOR EACH ROW EXECUTE FUNCTION refuse('a payment id is known for ever');
CREATE TRIGGER payments_are_not_truncated BEFORE TRUNCATE ON payments
  FOR EACH STATEMENT EXECUTE FUNCTION refuse('a payment id is known for ever');

CREATE FUNCTION keep_what_is_final_of_a_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.payment_id, NEW.fingerprint, NEW.service_id, NEW.account_number, NEW.amount, NEW.currency, NEW.registered_at)
     IS DISTINCT FROM
     (OLD.payment_id, OLD.fingerprint, OLD.service_id, OLD.account_number, OLD.amount, OLD.currency, OLD.registered_at) THEN
    RAISE EXCEPTION 'payment %: what was asked for never changes', OLD.payment_id USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.outcome IS NOT NULL AND (NEW.outcome, NEW.closed_at) IS DISTINCT FROM (OLD.outcome, OLD.closed_at) THEN
    RAISE EXCEPTION 'payment %: an outcome never changes', OLD.payment_id USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.claimed_at IS NOT NULL
     AND (NEW.claimed_at, NEW.claimed_by, NEW.claim_account, NEW.token_expires_at)
         IS DISTINCT FROM (OLD.claimed_at, OLD.claimed_by, OLD.claim_account, OLD.token_expires_at) THEN
    RAISE EXCEPTION 'payment %: a claim is never given back', OLD.payment_id USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.completed_seen_at IS NOT NULL AND NEW.completed_seen_at IS DISTINCT FROM OLD.completed_seen_at)
     OR (OLD.disputed_at IS NOT NULL AND NEW.disputed_at IS DISTINCT FROM OLD.disputed_at) THEN
    RAISE EXCEPTION 'payment %: what was seen stays seen', OLD.payment_id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NOT NEW.receipt @> OLD.receipt THEN
    RAISE EXCEPTION 'payment %: a receipt is only added to', OLD.payment_id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER payments_keep_what_is_final BEFORE UPDATE ON payments
  FOR EACH ROW EXECUTE FUNCTION keep_what_is_final_of_a_payment();
