-- Where a user wants to hear of a job's end.
ALTER TABLE jobs ADD COLUMN webhook text;

-- What is owed: written by the statement that ends the job, deleted when it was taken or given up.
CREATE TABLE webhooks (
  job_id   uuid NOT NULL,
  seq      bigint NOT NULL,                           -- of the event that ended the job
  user_id  text COLLATE "C" NOT NULL,
  url      text NOT NULL,
  event    text COLLATE "C" NOT NULL,
  ended_at timestamptz NOT NULL,
  tries    int NOT NULL DEFAULT 0,
  due_at   timestamptz NOT NULL,
  PRIMARY KEY (job_id, seq)
);
CREATE INDEX webhooks_due ON webhooks (due_at);
