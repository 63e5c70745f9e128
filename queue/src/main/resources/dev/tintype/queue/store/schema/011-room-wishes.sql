-- An urgent job that no worker has room for, and since when this running job is asked to make room for it. Its worker reads it with the heartbeat.
-- Neither column is indexed, so a heartbeat stays a HOT update.
ALTER TABLE jobs ADD COLUMN room_for uuid;
ALTER TABLE jobs ADD COLUMN room_asked_at timestamptz;
