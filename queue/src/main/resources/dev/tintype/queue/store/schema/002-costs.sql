-- What a finished job really took, and which workers a job has crashed.
ALTER TABLE jobs
  ADD COLUMN gpu_ms        bigint CHECK (gpu_ms >= 0),                            -- measured by the worker; null: it did not say
  ADD COLUMN avoid_workers text[] COLLATE "C" NOT NULL DEFAULT '{}',              -- at most the last three whose lease lapsed
  ADD COLUMN avoid_until   timestamptz;                                           -- from then on any worker will do
-- The cost model starts from the newest of these.
CREATE INDEX jobs_measured ON jobs (finished_at) WHERE gpu_ms IS NOT NULL;
-- The sweep of old jobs, tier by tier.
CREATE INDEX jobs_ended ON jobs (tier, finished_at) WHERE state IN ('succeeded', 'failed', 'canceled', 'expired', 'dead');
CREATE INDEX idempotency_job ON idempotency (job_id);
