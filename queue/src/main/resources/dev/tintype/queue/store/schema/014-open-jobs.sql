-- For the limit of a user's unfinished jobs, without counting thousands of them at each submission: never less than there are, since a submission adds
-- to it and an end does not take away. Where that leaves no room the jobs are counted. Written only by who holds the user's lock (OpenJobs).
-- fillfactor: no indexed column changes, so with room on the page an update touches no index.
CREATE TABLE open_jobs (
  user_id text COLLATE "C" PRIMARY KEY,
  at_most bigint NOT NULL
) WITH (fillfactor = 50);
