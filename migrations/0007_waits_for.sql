-- What a build waits for that somebody else holds: a lock on its tables, or on the views that are to show it. In words, for people; null
-- while it waits for nothing. Each change of its state deletes it.
ALTER TABLE gnomon.builds ADD COLUMN waits_for text CHECK (waits_for IS NULL OR stage IS NOT NULL);
