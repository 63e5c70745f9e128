-- How many wait before a job, without reading the finished ones.
CREATE INDEX jobs_queued ON jobs (id) WHERE state = 'queued';
