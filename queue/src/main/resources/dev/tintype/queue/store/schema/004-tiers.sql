-- The order of tiers follows from how long each may wait; admins may add some. Kept for processes of an older version.
ALTER TABLE tiers ALTER COLUMN rank DROP NOT NULL;
