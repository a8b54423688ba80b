-- Everything we know about payments. What must never happen is refused here as well as in the code: a bug or a hand-written UPDATE
-- fails loudly. An id, an outcome, a claim, money and a decision are kept for ever; what was seen only grows.

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;

-- Payments ------------------------------------------------------------------------------------------------------------------------

CREATE TABLE payments (
  -- In small letters only: the provider may compare ids without case.
  payment_id         text PRIMARY KEY CHECK (payment_id ~ '^[a-z0-9-]{8,36}$'),
  -- Of the caller's content: the same id with another fingerprint is a conflict, and only this content gets the claim.
  fingerprint        text NOT NULL,
  service_id         text NOT NULL,
  account_number     text NOT NULL,
  amount             bigint NOT NULL CHECK (amount > 0 AND amount <= 9007199254740991),
  currency           text NOT NULL,
  -- Its money is held from the claim on. Absent: nothing is held.
  funding_account    text,
  -- How long it waits for what, as agreed when it was registered.
  rules              jsonb NOT NULL,
  registered_at      timestamptz NOT NULL DEFAULT now(),

  -- The claim: the right to send it, taken once. By the attempt that sends (its nonce), or by the end of a payment that was not sent
  -- ('sealed').
  claimed_at         timestamptz,
  claimed_by         text,
  -- Names the merchant account that the request went out from.
  claim_account      text,
  -- Until then the provider may still accept the request.
  session_expires_at timestamptz,
  -- What the claim's holder has heard, with the time in ms.
  answer             jsonb,

  -- What the provider has ever said, merged (src/payment/seen.ts). Times in ms.
  seen               jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(seen) = 'object'),
  -- Since when a person is asked.
  attention_since    timestamptz,

  -- How it ended, without the receipt: that one may be added to.
  outcome            jsonb,
  receipt            jsonb NOT NULL DEFAULT '{}',
  closed_at          timestamptz,
  -- Of its row in `disputes`, for whoever reads only this one.
  disputed_at        timestamptz,

  -- Grows with every change: who has read the row writes only if it is still the same.
  version            bigint NOT NULL DEFAULT 1,
  state              text NOT NULL GENERATED ALWAYS AS (coalesce(outcome ->> 'kind', 'open')) STORED
                     CHECK (state IN ('open', 'paid', 'declined', 'cancelled')),
  provider_id        text GENERATED ALWAYS AS (outcome ->> 'providerId') STORED,

  CONSTRAINT claim_is_whole CHECK ((claimed_at IS NULL) = (claimed_by IS NULL)),
  CONSTRAINT claim_names_its_request CHECK (
    claimed_by IS NULL OR claimed_by = 'sealed' OR (claim_account IS NOT NULL AND session_expires_at IS NOT NULL)
  ),
  CONSTRAINT answer_of_a_claim CHECK (
    answer IS NULL OR (claimed_by IS NOT NULL AND claimed_by <> 'sealed' AND answer ->> 'at' IS NOT NULL
                       AND answer ->> 'kind' IN ('accepted', 'rejected', 'not-sent', 'unknown'))
  ),
  CONSTRAINT outcome_has_its_time CHECK ((outcome IS NULL) = (closed_at IS NULL)),
  -- A closed payment holds its claim, so nothing can send it any more; and a seal exists only with an outcome.
  CONSTRAINT closed_is_claimed CHECK (outcome IS NULL OR claimed_at IS NOT NULL),
  CONSTRAINT sealed_is_closed CHECK (claimed_by IS DISTINCT FROM 'sealed' OR outcome IS NOT NULL),
  CONSTRAINT paid_is_what_was_asked_or_less CHECK (
    state <> 'paid' OR ((outcome ->> 'amount')::bigint BETWEEN 1 AND amount AND outcome ->> 'currency' = currency)
  ),
  CONSTRAINT receipt_of_paid_only CHECK (receipt = '{}' OR state = 'paid')
);

CREATE INDEX payments_provider_id ON payments (provider_id) WHERE provider_id IS NOT NULL;
-- What a reconciliation covers is found without reading every payment there ever was.
CREATE INDEX payments_open ON payments (payment_id) WHERE outcome IS NULL;
CREATE INDEX payments_by_closing ON payments (closed_at) WHERE outcome IS NOT NULL;

CREATE TRIGGER payments_are_kept BEFORE DELETE OR TRUNCATE ON payments
  EXECUTE FUNCTION refuse('a payment id is known for ever');

-- First times never vanish or move later, last times never vanish or move earlier.
CREATE FUNCTION has_only_grown(before jsonb, after jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(bool_and(coalesce(CASE way WHEN 'first' THEN is_at <= was_at ELSE is_at >= was_at END, false)), true)
    FROM (SELECT way, (before #>> path)::numeric AS was_at, (after #>> path)::numeric AS is_at
            FROM (VALUES ('first', '{completedAt}'::text[]), ('first', '{recordAt}'), ('first', '{paidSince}'),
                         ('first', '{failedFirstAskedAt}'), ('first', '{failedFirstAnsweredAt}'),
                         ('last', '{failedLastAskedAt}'), ('last', '{otherLastAskedAt}'), ('last', '{last,askedAt}')) AS t (way, path)
           WHERE before #> path IS NOT NULL) AS times
$$;

CREATE FUNCTION keep_what_is_final_of_a_payment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changed text;
BEGIN
  changed := CASE
    WHEN (NEW.payment_id, NEW.fingerprint, NEW.service_id, NEW.account_number, NEW.amount, NEW.currency, NEW.funding_account,
          NEW.rules, NEW.registered_at)
         IS DISTINCT FROM
         (OLD.payment_id, OLD.fingerprint, OLD.service_id, OLD.account_number, OLD.amount, OLD.currency, OLD.funding_account,
          OLD.rules, OLD.registered_at)
      THEN 'what was asked for never changes'
    WHEN OLD.outcome IS NOT NULL AND (NEW.outcome, NEW.closed_at) IS DISTINCT FROM (OLD.outcome, OLD.closed_at)
      THEN 'an outcome never changes'
    WHEN OLD.claimed_at IS NOT NULL
         AND (NEW.claimed_at, NEW.claimed_by, NEW.claim_account, NEW.session_expires_at)
             IS DISTINCT FROM (OLD.claimed_at, OLD.claimed_by, OLD.claim_account, OLD.session_expires_at)
      THEN 'a claim is never given back'
    WHEN OLD.answer IS NOT NULL AND NEW.answer IS DISTINCT FROM OLD.answer
      THEN 'an answer to the request is written once'
    WHEN (OLD.attention_since IS NOT NULL AND NEW.attention_since IS DISTINCT FROM OLD.attention_since)
         OR (OLD.disputed_at IS NOT NULL AND NEW.disputed_at IS DISTINCT FROM OLD.disputed_at)
         OR (NEW.seen IS DISTINCT FROM OLD.seen AND NOT has_only_grown(OLD.seen, NEW.seen))
      THEN 'what was seen stays seen'
    WHEN NOT NEW.receipt @> OLD.receipt
      THEN 'a receipt is only added to'
  END;
  IF changed IS NOT NULL THEN
    RAISE EXCEPTION 'payment %: %', OLD.payment_id, changed USING ERRCODE = 'restrict_violation';
  END IF;
  NEW.version := OLD.version + 1;
  RETURN NEW;
END $$;

CREATE TRIGGER payments_keep_what_is_final BEFORE UPDATE ON payments
  FOR EACH ROW EXECUTE FUNCTION keep_what_is_final_of_a_payment();

-- Money of the payers: what is there, what is held for open payments, what was paid out ---------------------------------------------

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

CREATE TRIGGER funding_accounts_are_kept BEFORE DELETE OR TRUNCATE ON funding_accounts
  EXECUTE FUNCTION refuse('money does not disappear');

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

CREATE TRIGGER reservations_are_kept BEFORE DELETE OR TRUNCATE ON reservations
  EXECUTE FUNCTION refuse('a reservation is settled, not removed');

CREATE FUNCTION keep_what_is_final_of_a_reservation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.settled_at IS NOT NULL
     OR (NEW.payment_id, NEW.funding_account, NEW.amount, NEW.reserved_at)
        IS DISTINCT FROM (OLD.payment_id, OLD.funding_account, OLD.amount, OLD.reserved_at) THEN
    RAISE EXCEPTION 'payment %: a reservation is settled once, and else never changes', OLD.payment_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER reservations_keep_what_is_final BEFORE UPDATE ON reservations
  FOR EACH ROW EXECUTE FUNCTION keep_what_is_final_of_a_reservation();

-- The row lock makes a hold and an end of the same payment wait for each other, whoever wrote the statements.
CREATE FUNCTION reserve_what_is_paid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM payments
    WHERE payment_id = NEW.payment_id AND amount = NEW.amount AND funding_account = NEW.funding_account FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'payment %: what is reserved is what is paid, from its own account', NEW.payment_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER reservations_of_what_is_paid BEFORE INSERT ON reservations
  FOR EACH ROW EXECUTE FUNCTION reserve_what_is_paid();

-- Money is held exactly from the claim to the end. Looked at when all is written, so that no statement needs to know the order.
CREATE FUNCTION hold_from_claim_to_end() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  problem text;
BEGIN
  SELECT CASE
      WHEN p.claimed_at IS NULL AND r.payment_id IS NOT NULL THEN 'money is held from its claim on, and not before'
      WHEN (p.claimed_by <> 'sealed' OR p.state = 'paid') AND p.funding_account IS NOT NULL AND r.payment_id IS NULL
        THEN 'its money is held from its claim on'
      WHEN r.posted IS DISTINCT FROM CASE p.state WHEN 'open' THEN NULL WHEN 'paid' THEN (p.outcome ->> 'amount')::bigint ELSE 0 END
           AND r.payment_id IS NOT NULL
        THEN 'its end, and nothing else, posts what was paid and gives back the rest'
    END INTO problem
    FROM payments p LEFT JOIN reservations r USING (payment_id) WHERE p.payment_id = NEW.payment_id;
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION 'payment %: %', NEW.payment_id, problem USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER payments_hold_from_claim_to_end AFTER INSERT OR UPDATE OF claimed_at, outcome ON payments
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.claimed_at IS NOT NULL AND NEW.funding_account IS NOT NULL) EXECUTE FUNCTION hold_from_claim_to_end();
CREATE CONSTRAINT TRIGGER reservations_hold_from_claim_to_end AFTER INSERT OR UPDATE ON reservations
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold_from_claim_to_end();

-- Callbacks -----------------------------------------------------------------------------------------------------------------------

-- Every authentic callback as it came. On purpose without a foreign key: inserting one must not touch the payment's row,
-- so that a flood of callbacks never waits for an end nor an end for the flood; and a callback that arrives after the
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
  -- What took it into account: an end, or, after the end, the comparison with the outcome.
  handled_as     text CHECK (handled_as IN ('close', 'agreed', 'dispute')),
  handled_at     timestamptz,
  CONSTRAINT handled_whole CHECK ((handled_as IS NULL) = (handled_at IS NULL)),
  UNIQUE (payment_id, digest)
);

CREATE INDEX callback_inbox_by_payment ON callback_inbox (payment_id, id);
CREATE INDEX callback_inbox_unhandled ON callback_inbox (id) WHERE handled_as IS NULL;

-- How many, per payment: the limit is exact.
CREATE TABLE callback_counts (
  payment_id text PRIMARY KEY,
  stored     integer NOT NULL DEFAULT 0,
  -- Distinct callbacks beyond the limit: counted, not kept.
  overflowed bigint NOT NULL DEFAULT 0,
  CONSTRAINT callback_limit CHECK (stored BETWEEN 0 AND 200)
);

-- Decisions: who decided what, why, when, and what the payment looked like before. Only ever added to -------------------------------

CREATE TABLE operator_actions (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payment_id text NOT NULL REFERENCES payments,
  operator   text NOT NULL,
  action     text NOT NULL,
  note       text NOT NULL,
  details    jsonb,
  -- The engine's id of the update. The UI's Request Cancellation has none.
  update_id  text,
  before     jsonb NOT NULL,
  acted_at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX operator_actions_by_payment ON operator_actions (payment_id, id);
-- One update acts once, also across resets and restarts. Ids are the sender's and unique per workflow only: a payment and its dispute
-- are two workflows, so the command belongs to the key. Hashed, because an index entry is bounded and the sender's text is not: a
-- decision must not fail for the length of its id.
CREATE UNIQUE INDEX operator_actions_act_once ON operator_actions (payment_id, action, md5(update_id)) WHERE update_id IS NOT NULL;

CREATE TRIGGER operator_actions_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_actions
  EXECUTE FUNCTION refuse('the record of decisions is only added to');

-- Commands that were not taken: a reset offers every update again, and what a person was told is refused stays refused.
CREATE TABLE refused_actions (
  payment_id text NOT NULL REFERENCES payments,
  operator   text NOT NULL,
  action     text NOT NULL,
  note       text NOT NULL,
  update_id  text NOT NULL,
  because    text NOT NULL,
  refused_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX refused_actions_once ON refused_actions (payment_id, action, md5(update_id));

CREATE TRIGGER refused_actions_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON refused_actions
  EXECUTE FUNCTION refuse('the record of decisions is only added to');

-- Disputes: a recorded outcome that something authentic contradicts. The outcome itself stays as it is ------------------------------

CREATE TABLE disputes (
  payment_id  text PRIMARY KEY REFERENCES payments,
  -- A late callback, or a look at the provider's record.
  raised_by   text NOT NULL CHECK (raised_by IN ('callback', 'look')),
  -- For people, without personal data.
  because     text NOT NULL CHECK (because <> ''),
  raised_at   timestamptz NOT NULL DEFAULT now(),
  -- When its workflow was known to be started: until then it is on the list of what is to be opened.
  opened_at   timestamptz,
  resolved_at timestamptz,
  -- What people agreed on.
  resolution  jsonb CHECK (resolution ->> 'agreed' IN ('paid', 'not-paid')),
  CONSTRAINT resolved_whole CHECK ((resolved_at IS NULL) = (resolution IS NULL))
);

CREATE INDEX disputes_to_open ON disputes (raised_at) WHERE opened_at IS NULL AND resolved_at IS NULL;

CREATE TRIGGER disputes_are_kept BEFORE DELETE OR TRUNCATE ON disputes
  EXECUTE FUNCTION refuse('a dispute is resolved, not removed');

CREATE FUNCTION keep_what_is_final_of_a_dispute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.payment_id, NEW.raised_by, NEW.because, NEW.raised_at)
     IS DISTINCT FROM (OLD.payment_id, OLD.raised_by, OLD.because, OLD.raised_at)
     OR (OLD.opened_at IS NOT NULL AND NEW.opened_at IS DISTINCT FROM OLD.opened_at)
     OR (OLD.resolved_at IS NOT NULL AND (NEW.resolved_at, NEW.resolution) IS DISTINCT FROM (OLD.resolved_at, OLD.resolution)) THEN
    RAISE EXCEPTION 'payment %: a dispute is raised, opened and resolved once', OLD.payment_id USING ERRCODE = 'restrict_violation';
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

-- Reconciliations: what was compared, and what did not agree. Only ever added to ----------------------------------------------------

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

CREATE TRIGGER reconciliations_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliations
  EXECUTE FUNCTION refuse('a report is only added');
