-- Replies that were recorded without their subject get it, so that they are erased with what they show.
UPDATE answers
   SET subject = coalesce(json_extract(CAST(body AS TEXT), '$.thread_id') || '/', '')
              || json_extract(CAST(body AS TEXT), '$.id')
 WHERE subject IS NULL AND length(body) > 0;
