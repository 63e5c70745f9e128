-- What a picture took of a device, as its worker measured; null: it did not say.
ALTER TABLE images ADD COLUMN gpu_ms bigint CHECK (gpu_ms >= 0);
