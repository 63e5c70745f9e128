-- How a user wants a job scheduled within its tier.
ALTER TABLE jobs ADD COLUMN mode text COLLATE "C" NOT NULL DEFAULT 'normal' CHECK (mode IN ('fast', 'normal', 'relax'));
-- GPU time in mode fast that a user has in 30 days; null: as much as he likes.
ALTER TABLE tiers ADD COLUMN fast_gpu_s bigint CHECK (fast_gpu_s >= 0);
-- Relays look for the oldest jobs of a user in each mode.
CREATE INDEX jobs_heads ON jobs (tier, user_id, mode, id) WHERE state = 'queued';
DROP INDEX jobs_ready;
-- What jobs in mode fast took, by user and day (UTC). It outlives the jobs, which a tier may keep for less than 30 days.
CREATE TABLE fast_use (
  user_id text COLLATE "C" NOT NULL,
  day     date NOT NULL,
  gpu_ms  bigint NOT NULL,
  PRIMARY KEY (user_id, day)
);
CREATE INDEX fast_use_day ON fast_use (day);
