-- Pictures that users sent to start from. The bytes are in the blob store; a row is the right to use them.
CREATE TABLE uploads (
  user_id     text COLLATE "C" NOT NULL,
  sha256      text COLLATE "C" NOT NULL,
  media_type  text NOT NULL CHECK (media_type IN ('image/png', 'image/jpeg')),
  width       int NOT NULL,
  height      int NOT NULL,
  bytes       bigint NOT NULL,
  uploaded_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, sha256)
);
CREATE INDEX uploads_sha256 ON uploads (sha256);
