DROP TRIGGER IF EXISTS messages_follow ON messages;
CREATE TRIGGER messages_follow AFTER INSERT ON messages
   FOR EACH ROW WHEN (NEW.behind IS NOT NULL) EXECUTE FUNCTION follow_run();
