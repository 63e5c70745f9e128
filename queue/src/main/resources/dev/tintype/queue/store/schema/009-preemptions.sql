-- How often a job made room for a more urgent one; a worker does that to a job only so often.
ALTER TABLE jobs ADD COLUMN preemptions int NOT NULL DEFAULT 0;
