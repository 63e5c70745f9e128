-- The oldest due webhooks of each user, so that nobody's many hide the others'.
CREATE INDEX webhooks_user ON webhooks (user_id, due_at);
