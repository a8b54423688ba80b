-- Who decided what, why, when, and what the payment looked like before. Only ever added to.

CREATE TABLE operator_actions (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payment_id text NOT NULL REFERENCES payments,
  operator   text NOT NULL,
  action     text NOT NULL,
  note       text NOT NULL,
  details    jsonb,
  before     jsonb NOT NULL,
  acted_at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX operator_actions_by_payment ON operator_actions (payment_id, id);

CREATE TRIGGER operator_actions_are_kept BEFORE UPDATE OR DELETE ON operator_actions
  FOR EACH ROW EXECUTE FUNCTION refuse('the record of decisions is only added to');
CREATE TRIGGER operator_actions_are_not_truncated BEFORE TRUNCATE ON operator_actions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse('the record of decisions is only added to');
