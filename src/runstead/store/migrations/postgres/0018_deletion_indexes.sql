-- concurrently
-- The removal of a deleted thread finds its recorded replies and deliveries by these indexes.
CREATE INDEX CONCURRENTLY IF NOT EXISTS answers_subject ON answers (subject) WHERE subject IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS deliveries_of_thread ON deliveries (thread_id, id);
