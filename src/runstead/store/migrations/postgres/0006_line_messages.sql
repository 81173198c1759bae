-- Messages that wait stand at the end: until they join the thread, their `created_at` is above all times.
ALTER TABLE messages ADD COLUMN behind text COLLATE "C";
ALTER TABLE messages ADD COLUMN brought_by text COLLATE "C";
