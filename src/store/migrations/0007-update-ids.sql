-- One update acts once, also across resets, restarts and repeated closes. Ids are the sender's and unique per workflow only: a payment
-- and its dispute are two workflows, so the command belongs to the key. Decisions of before, and the UI's Request Cancellation, have none.

ALTER TABLE operator_actions ADD COLUMN update_id text;

-- Hashed, because an index entry is bounded and the sender's text is not: a decision must not fail for the length of its id.
CREATE UNIQUE INDEX operator_actions_act_once ON operator_actions (payment_id, action, md5(update_id)) WHERE update_id IS NOT NULL;
