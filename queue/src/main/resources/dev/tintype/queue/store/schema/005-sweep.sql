-- Blobs whose rows were deleted. The sweep looks at these soon, instead of meeting them on its walk through the whole store.
CREATE TABLE released_blobs (
  sha256  text COLLATE "C" PRIMARY KEY,
  look_at timestamptz NOT NULL
);
CREATE INDEX released_blobs_look ON released_blobs (look_at);

-- The walk through the blob store: one row, so that of many processes one walks at a time.
CREATE TABLE blob_walk (
  one          boolean PRIMARY KEY DEFAULT true CHECK (one),
  installation text NOT NULL,                        -- marks the blob store as this database's
  position     text COLLATE "C" NOT NULL DEFAULT '', -- last name that was looked at
  turn         bigint NOT NULL DEFAULT 0,            -- the fence
  next_at      timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO blob_walk (installation) VALUES (gen_random_uuid()::text);

-- The pictures that jobs start from, while the jobs may still run. A recipe never changes, so these indexes cost an insertion and an end.
CREATE INDEX jobs_init_image ON jobs (substring(spec from '"init_image":"([0-9a-f]{64})"'))
  WHERE state IN ('queued', 'leased', 'running', 'dead') AND spec LIKE '%"init_image":"%';
CREATE INDEX jobs_mask_image ON jobs (substring(spec from '"mask_image":"([0-9a-f]{64})"'))
  WHERE state IN ('queued', 'leased', 'running', 'dead') AND spec LIKE '%"mask_image":"%';

CREATE INDEX uploads_age ON uploads (uploaded_at);
