-- Workers that are there for some tiers alone; null: the shared ones. Whether those may help out.
ALTER TABLE tiers ADD COLUMN pool text COLLATE "C";
ALTER TABLE tiers ADD COLUMN pool_spills boolean NOT NULL DEFAULT false;
