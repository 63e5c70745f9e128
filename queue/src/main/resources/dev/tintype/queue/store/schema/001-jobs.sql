-- The clock of the whole queue. A function of its own, so that a test can move the time of every client at once.
CREATE FUNCTION tintype_now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT statement_timestamp()';

CREATE TABLE tiers (
  name        text COLLATE "C" PRIMARY KEY,
  rank        int    NOT NULL UNIQUE,               -- slowest first
  weight      int    NOT NULL CHECK (weight >= 1),  -- share of GPU time beside the other tiers
  max_wait_s  int    NOT NULL CHECK (max_wait_s >= 1),
  running_max int    NOT NULL CHECK (running_max >= 1),
  queued_max  int    NOT NULL CHECK (queued_max >= 1),
  retention_s bigint NOT NULL,
  tier_class  text   NOT NULL CHECK (tier_class IN ('relaxed', 'normal', 'priority'))
);
INSERT INTO tiers VALUES
  ('free',       0,  1, 3600,   1,    20,   7 * 86400, 'relaxed'),
  ('standard',   1,  4,  900,   4,   200,  30 * 86400, 'normal'),
  ('fast',       2,  8,  300,   8,   500,  90 * 86400, 'priority'),
  ('pro',        3, 16,  120,  32,  5000, 365 * 86400, 'priority'),
  ('enterprise', 4, 32,   60, 256, 50000, 365 * 86400, 'priority');

CREATE TABLE users (
  id         text COLLATE "C" PRIMARY KEY,
  tier       text COLLATE "C" NOT NULL REFERENCES tiers,
  admin      boolean NOT NULL DEFAULT false,
  disabled   boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT tintype_now()
);

CREATE TABLE api_keys (
  sha256     text COLLATE "C" PRIMARY KEY,          -- of the key; the key itself is nowhere
  user_id    text COLLATE "C" NOT NULL REFERENCES users,
  label      text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT tintype_now(),
  revoked_at timestamptz
);
CREATE INDEX api_keys_user ON api_keys (user_id);

-- No foreign keys to users and tiers: each would lock the one row of a busy user in every submission. The submission reads both rows instead.
-- fillfactor: heartbeats and events change no indexed column, so with room on the page they are HOT updates and touch no index.
CREATE TABLE jobs (
  id                uuid PRIMARY KEY,
  user_id           text COLLATE "C" NOT NULL,
  tier              text COLLATE "C" NOT NULL,
  state             text COLLATE "C" NOT NULL
    CHECK (state IN ('queued', 'leased', 'running', 'succeeded', 'failed', 'canceled', 'expired', 'dead')),
  model             text COLLATE "C" NOT NULL,
  spec              text NOT NULL,
  fingerprint       text COLLATE "C" NOT NULL,
  cost_ms           bigint NOT NULL CHECK (cost_ms >= 1),
  attempt           int NOT NULL DEFAULT 0,          -- the fence
  crashes           int NOT NULL DEFAULT 0,
  errors            int NOT NULL DEFAULT 0,
  cancel_requested  boolean NOT NULL DEFAULT false,
  created_at        timestamptz NOT NULL,
  not_before        timestamptz NOT NULL,            -- end of the backoff
  claimed_until     timestamptz,                     -- a relay has published it
  worker            text,
  lease_until       timestamptz,
  started_at        timestamptz,
  finished_at       timestamptz,
  deadline          timestamptz,
  failure_code      text,
  failure_message   text,
  failure_retryable boolean,
  last_seq          bigint NOT NULL,
  CHECK ((state IN ('leased', 'running')) = (lease_until IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX jobs_user ON jobs (user_id, id);
CREATE INDEX jobs_ready ON jobs (tier, user_id, id) WHERE state = 'queued';
CREATE INDEX jobs_claimed ON jobs (user_id) WHERE state = 'queued' AND claimed_until IS NOT NULL;
CREATE INDEX jobs_leased ON jobs (user_id) WHERE state IN ('leased', 'running');
CREATE INDEX jobs_open ON jobs (user_id, fingerprint) WHERE state IN ('queued', 'leased', 'running');
CREATE INDEX jobs_deadline ON jobs (deadline) WHERE deadline IS NOT NULL AND state IN ('queued', 'leased', 'running');
CREATE INDEX jobs_dead ON jobs (id) WHERE state = 'dead';

CREATE TABLE job_events (
  job_id  uuid NOT NULL,
  seq     bigint NOT NULL,
  attempt int NOT NULL,
  type    text COLLATE "C" NOT NULL,
  json    text NOT NULL,
  at      timestamptz NOT NULL,
  PRIMARY KEY (job_id, seq)
);

CREATE TABLE images (
  job_id     uuid NOT NULL,
  idx        int NOT NULL,
  sha256     text COLLATE "C" NOT NULL,
  width      int NOT NULL,
  height     int NOT NULL,
  seed       bigint NOT NULL,
  bytes      bigint NOT NULL,
  thumb_hash text,
  PRIMARY KEY (job_id, idx)
);
CREATE INDEX images_sha256 ON images (sha256);

CREATE TABLE idempotency (
  user_id     text COLLATE "C" NOT NULL,
  key         text COLLATE "C" NOT NULL,
  fingerprint text COLLATE "C" NOT NULL,
  job_id      uuid NOT NULL,
  expires_at  timestamptz NOT NULL,
  PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_expires ON idempotency (expires_at);
