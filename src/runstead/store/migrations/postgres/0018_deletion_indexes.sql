-- concurrently
-- What is removed with a deleted thread is found by these.
CREATE INDEX CONCURRENTLY IF NOT EXISTS answers_subject ON answers (subject) WHERE subject IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS deliveries_of_thread ON deliveries (thread_id, id);
