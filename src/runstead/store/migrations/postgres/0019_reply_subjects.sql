-- rows
-- Replies that were recorded without their subject get it, so that they are erased with what they show. It stands among the
-- first fields of a reply, whose bytes need not be decoded: text may have characters that the database's JSON refuses.
UPDATE answers
   SET subject = coalesce(found.thread_id || '/', '') || found.id
  FROM (SELECT answers.project, answers.key, parts[1] AS id, parts[2] AS thread_id
          FROM answers,
               regexp_match(encode(substring(body FOR 300), 'escape'),
                            '^\{"id":"(\w+)","object":"[\w.]+","created_at":\d+(?:,"thread_id":"(\w+)")?') AS parts
         WHERE subject IS NULL AND parts IS NOT NULL) AS found
 WHERE answers.project = found.project AND answers.key = found.key;
